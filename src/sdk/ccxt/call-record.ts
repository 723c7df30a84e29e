import { AsyncLocalStorage } from 'node:async_hooks';
import { VenueKitError } from '../../core/errors.js';
import { redactError } from '../../core/logger.js';
import type { CcxtExchange } from './exchange.js';

/** What is known of one HTTP call of the SDK, beside the error that it throws. */
export interface CallRecord {
  /** Whether the request was handed to the network. An error before that proves that nothing was sent. */
  sent: boolean;
  /** Set by a caller that stops waiting: what has not been sent by then never will be. */
  abandoned?: boolean;
  status?: number;
  headers?: Readonly<Record<string, string>>;
  body?: string;
}

/** How a recorded call ended. */
export type CallOutcome<T> = { readonly record: CallRecord; readonly result: T } | { readonly record: CallRecord; readonly error: unknown };

interface Recording {
  readonly record: CallRecord;
  readonly ownLimits: boolean;
}

/** Sees the answer to each call of any kind, whoever made it. */
export type ResponseListener = (status: number, headers: Readonly<Record<string, string>>) => void;

/**
 * Watches the calls of one SDK instance. ccxt keeps the last response on the instance, where
 * concurrent calls overwrite each other; this keeps status, headers and body with the call they
 * belong to.
 */
export class CallWatcher {
  readonly #calls = new AsyncLocalStorage<Recording>();
  #running = 0;
  readonly #listeners = new Set<ResponseListener>();

  constructor(sdk: CcxtExchange) {
    const fetch = sdk.fetch.bind(sdk);
    const throttle = sdk.throttle.bind(sdk);
    const onRestResponse = sdk.onRestResponse.bind(sdk);
    sdk.fetch = (...args) => {
      const record = this.#calls.getStore()?.record;
      if (record?.abandoned === true) return Promise.reject(new VenueKitError('ABORTED', 'The call was given up before it was sent.'));
      if (record !== undefined) record.sent = true;
      return fetch(...args);
    };
    // Two limiters in a row would add their delays: calls that venuekit has let through do not wait again.
    sdk.throttle = (...args) => (this.#calls.getStore()?.ownLimits === true ? Promise.resolve() : throttle(...args));
    sdk.onRestResponse = (...args) => {
      const [status, , , , headers, body] = args;
      const plainHeaders = lowerCaseNames(headers);
      const call = this.#calls.getStore();
      if (call !== undefined) Object.assign(call.record, { status, headers: plainHeaders, body });
      // Listeners are strangers: a call that one of them makes is not part of this one.
      this.#calls.exit(() => {
        for (const listener of this.#listeners) listener(status, plainHeaders);
      });
      return onRestResponse(...args);
    };
  }

  /** Whether the caller runs inside a call that venuekit makes, rather than the bot. */
  get isInside(): boolean {
    return this.#calls.getStore() !== undefined;
  }

  /**
   * Runs `work`, whose SDK call is recorded; `ownLimits` when the caller has acquired the venue's
   * limits itself. `onStart` gets the live record, for a caller that stops waiting.
   */
  async run<T>(ownLimits: boolean, work: () => Promise<T>, onStart?: (record: CallRecord) => void): Promise<CallOutcome<T>> {
    const record: CallRecord = { sent: false };
    onStart?.(record);
    this.#running++;
    try {
      return { record, result: await this.#calls.run({ record, ownLimits }, work) };
    } catch (error) {
      return { record, error: redactError(error) };
    } finally {
      // Before Node 24 a storage in use makes every promise of the process dearer, orders over sessions included.
      if (--this.#running === 0) this.#calls.disable();
    }
  }

  onResponse(listener: ResponseListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }
}

const watchers = new WeakMap<object, CallWatcher>();

/** The watcher of `sdk`: one per instance, however many adapters are made of it. */
export function watcherOf(sdk: CcxtExchange): CallWatcher {
  let watcher = watchers.get(sdk);
  if (watcher === undefined) watchers.set(sdk, (watcher = new CallWatcher(sdk)));
  return watcher;
}

function lowerCaseNames(headers: unknown): Record<string, string> {
  const plain: Record<string, string> = {};
  if (typeof headers !== 'object' || headers === null) return plain;
  for (const [name, value] of Object.entries(headers)) plain[name.toLowerCase()] = String(value);
  return plain;
}
