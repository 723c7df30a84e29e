import { VenueKitError } from '../../core/errors.js';
import { redactError } from '../../core/logger.js';
import type { HeaderReader } from '../shared/http-facts.js';
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

/** Sees the answer to each call of any kind, whoever made it. */
export type ResponseListener = (status: number, header: HeaderReader, url: string) => void;

/**
 * Watches the calls of one SDK instance. ccxt keeps the last response on the instance, where
 * concurrent calls overwrite each other; this keeps status, headers and body with the call they
 * belong to. Each call sees the instance through a view of its own, and so needs no async context,
 * which before Node 24 makes every promise of the process dearer.
 */
export class CallWatcher<S extends CcxtExchange = CcxtExchange> {
  readonly #sdk: S;
  readonly #listeners = new Set<ResponseListener>();
  #hook: Disposable | undefined;

  constructor(sdk: S) {
    this.#sdk = sdk;
  }

  /**
   * Runs `work`, whose calls of the SDK that it gets are recorded; `ownLimits` when the caller has acquired the venue's
   * limits itself. `onStart` gets the live record, for a caller that stops waiting.
   */
  async run<T>(ownLimits: boolean, work: (sdk: S) => Promise<T>, onStart?: (record: CallRecord) => void): Promise<CallOutcome<T>> {
    const record: CallRecord = { sent: false };
    onStart?.(record);
    try {
      return { record, result: await work(new Proxy(this.#sdk, new CallView<S>(record, ownLimits))) };
    } catch (error) {
      return { record, error: redactError(error) };
    }
  }

  onResponse(listener: ResponseListener): Disposable {
    this.#hook ??= this.#hooked();
    this.#listeners.add(listener);
    return {
      [Symbol.dispose]: () => {
        this.#listeners.delete(listener);
        if (this.#listeners.size === 0) this.#hook?.[Symbol.dispose]();
      },
    };
  }

  // Only while somebody listens: the instance is as it was when the last one has gone.
  #hooked(): Disposable {
    const sdk = this.#sdk;
    const own = Object.getOwnPropertyDescriptor(sdk, 'onRestResponse');
    const original = sdk.onRestResponse;
    const value: CcxtExchange['onRestResponse'] = (...args) => {
      if (this.#listeners.size > 0) {
        const header = capitalisedReader(args[4]);
        for (const listener of this.#listeners) listener(args[0], header, args[2]);
      }
      return original.apply(sdk, args);
    };
    Object.defineProperty(sdk, 'onRestResponse', { value, writable: true, configurable: true, enumerable: own?.enumerable ?? false });
    return {
      [Symbol.dispose]: () => {
        // Under a hook of somebody else's it stays, and says nothing.
        if (sdk.onRestResponse !== value) return;
        if (own === undefined) Reflect.deleteProperty(sdk, 'onRestResponse');
        else Object.defineProperty(sdk, 'onRestResponse', own);
        this.#hook = undefined;
      },
    };
  }
}

const IS_VIEW = Symbol('venuekit.ccxt.view');

/** Whether it is the SDK as a call that venuekit makes sees it, rather than the bot's. */
export function isView(sdk: unknown): boolean {
  return typeof sdk === 'object' && sdk !== null && (sdk as { [IS_VIEW]?: true })[IS_VIEW] === true;
}

/** The SDK as one call sees it: all reads and writes are of the instance, but for what tells of the call. */
class CallView<S extends CcxtExchange> implements ProxyHandler<S> {
  readonly #record: CallRecord;
  readonly #ownLimits: boolean;

  constructor(record: CallRecord, ownLimits: boolean) {
    this.#record = record;
    this.#ownLimits = ownLimits;
  }

  get(sdk: S, name: string | symbol, view: unknown): unknown {
    switch (name) {
      case 'fetch':
        return (...args: Parameters<CcxtExchange['fetch']>) => this.#fetch(sdk, view, args);
      case 'throttle':
        // Two limiters in a row would add their delays: calls that venuekit has let through do not wait again.
        return this.#ownLimits ? passed : sdk.throttle;
      case 'onRestResponse':
        return (...args: Parameters<CcxtExchange['onRestResponse']>) => this.#answered(sdk, args);
      case IS_VIEW:
        return true;
      default:
        return Reflect.get(sdk, name);
    }
  }

  set(sdk: S, name: string | symbol, value: unknown): boolean {
    return Reflect.set(sdk, name, value);
  }

  #fetch(sdk: S, view: unknown, args: Parameters<CcxtExchange['fetch']>): Promise<unknown> {
    const record = this.#record;
    if (record.abandoned === true) return Promise.reject(new VenueKitError('ABORTED', 'The call was given up before it was sent.'));
    record.sent = true;
    return sdk.fetch.apply(view, args);
  }

  #answered(sdk: S, args: Parameters<CcxtExchange['onRestResponse']>): string {
    const [status, , , , headers, body] = args;
    Object.assign(this.#record, { status, headers: lowerCaseNames(headers), body });
    return sdk.onRestResponse(...args);
  }
}

function passed(): Promise<void> {
  return Promise.resolve();
}

const watchers = new WeakMap<object, CallWatcher>();

/** The watcher of `sdk`: one per instance, however many adapters are made of it. */
export function watcherOf<S extends CcxtExchange>(sdk: S): CallWatcher<S> {
  let watcher = watchers.get(sdk) as CallWatcher<S> | undefined;
  if (watcher === undefined) watchers.set(sdk, (watcher = new CallWatcher(sdk)));
  return watcher;
}

const capitalised = new Map<string, string>();

/** ccxt hands on headers by names such as `X-Mbx-Used-Weight-1m`. */
function capitalisedReader(headers: unknown): HeaderReader {
  const record = (typeof headers === 'object' && headers !== null ? headers : {}) as Readonly<Record<string, unknown>>;
  return (name) => {
    let own = capitalised.get(name);
    if (own === undefined) capitalised.set(name, (own = name.replace(/(?:^|-)[a-z]/g, (first) => first.toUpperCase())));
    const value = record[own] ?? record[name];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
  };
}

export function lowerCaseNames(headers: unknown): Record<string, string> {
  const plain: Record<string, string> = {};
  if (typeof headers !== 'object' || headers === null) return plain;
  for (const [name, value] of Object.entries(headers)) plain[name.toLowerCase()] = String(value);
  return plain;
}
