import { redactError } from '../../core/logger.js';
import type { HttpFacts } from '../shared/http-facts.js';
import type { WireAnswer } from '../shared/wire-outcome.js';
import { lowerCaseNames } from './call-record.js';
import type { EndpointCall, EndpointParams } from './endpoint-gate.js';
import type { CcxtExchange } from './exchange.js';
import { ONE_TRY } from './recorded-call.js';

type Method = (this: unknown, ...args: unknown[]) => unknown;
type HandleErrors = (code: number, reason: string, url: string, method: string, headers: unknown, body: string, ...rest: unknown[]) => unknown;

/** Where ccxt sends, and where it makes errors of answers: in its base class, the second right after the first. */
const WATCHED = ['fetch', 'handleErrors', 'handleHttpStatusCode'] as const;

/** How a read ended. */
type PlainOutcome<A> = { readonly result: A } | { readonly error: unknown; readonly facts: HttpFacts };

interface Readable extends CcxtExchange {
  enableRateLimit?: boolean;
  readonly options?: Readonly<Record<string, unknown>>;
}

/**
 * Reads on the instance itself. A view of it, as orders have, would cost a read more than all policies do; what became of
 * a read that failed is noted with the error instead, where ccxt makes it.
 */
export class PlainReads<A extends WireAnswer = WireAnswer> implements Disposable {
  readonly #sdk: Readable;
  readonly #outcomeOf: (json: unknown) => { readonly result: A };
  readonly #areLimitsKept: boolean;
  readonly #before: readonly (readonly [name: string, own: PropertyDescriptor | undefined])[];
  readonly #facts = new WeakMap<object, HttpFacts>();
  #latest: HttpFacts | undefined;
  #isSent = false;

  /**
   * @param options - `areLimitsKept`: ccxt's own limiter is passed by, since its limits are kept. `answerOf`: what ccxt resolves with,
   * in the form of the venue's order path.
   */
  constructor(sdk: CcxtExchange, { areLimitsKept, answerOf }: { readonly areLimitsKept: boolean; readonly answerOf: (json: unknown) => A }) {
    this.#sdk = sdk;
    this.#outcomeOf = (json) => ({ result: answerOf(json) });
    this.#areLimitsKept = areLimitsKept;
    this.#before = WATCHED.map((name) => [name, Object.getOwnPropertyDescriptor(sdk, name)]);
    const sent = (): void => void (this.#isSent = true);
    const latest = (facts: HttpFacts | undefined): void => void (this.#latest = facts);
    const note = (error: unknown, facts: HttpFacts): void => this.#note(error, facts);
    this.#watch('fetch', (fetch) => {
      return function (this: unknown, ...args) {
        sent();
        return fetch.apply(this, args);
      };
    });
    this.#watch('handleErrors', (handleErrors) => {
      return function (this: unknown, ...args) {
        const [status, , , , headers, body] = args as Parameters<HandleErrors>;
        latest(status < FIRST_FAILURE ? undefined : { sent: true, status, headers: lowerCaseNames(headers), body });
        try {
          return handleErrors.apply(this, args);
        } catch (error) {
          note(error, { sent: true, status, body });
          throw error;
        }
      };
    });
    this.#watch('handleHttpStatusCode', (handleHttpStatusCode) => {
      return function (this: unknown, ...args) {
        try {
          return handleHttpStatusCode.apply(this, args);
        } catch (error) {
          note(error, { sent: true, status: args[0] as number });
          throw error;
        }
      };
    });
  }

  /** Makes one read, once. Never rejects. */
  run(call: Pick<EndpointCall, 'path' | 'params' | 'send'>): Promise<PlainOutcome<A>> {
    const { path, params } = call;
    const sdk = this.#sdk;
    const { enableRateLimit } = sdk;
    const isLimited = enableRateLimit === true && !this.#areLimitsKept;
    this.#isSent = false;
    if (!isLimited) sdk.enableRateLimit = false;
    let running: Promise<unknown>;
    try {
      // Unlimited, ccxt signs and sends before it first waits.
      running = call.send(sdk, wouldRepeat(sdk, path, params) ? { ...params, ...ONE_TRY } : params);
    } finally {
      sdk.enableRateLimit = enableRateLimit as boolean;
    }
    // What waits for the limiter first may be sent later.
    const sent = isLimited || this.#isSent;
    return running.then(this.#outcomeOf, (error: unknown) => {
      const facts = (typeof error === 'object' && error !== null ? this.#facts.get(error) : undefined) ?? { sent };
      return { error: redactError(error), facts };
    });
  }

  [Symbol.dispose](): void {
    for (const [name, own] of this.#before) {
      if (own === undefined) Reflect.deleteProperty(this.#sdk, name);
      else Object.defineProperty(this.#sdk, name, own);
    }
  }

  #watch(name: (typeof WATCHED)[number], make: (original: Method) => Method): void {
    const original = (this.#sdk as unknown as Record<string, Method>)[name]!;
    const enumerable = Object.getOwnPropertyDescriptor(this.#sdk, name)?.enumerable ?? false;
    Object.defineProperty(this.#sdk, name, { value: make(original), writable: true, configurable: true, enumerable });
  }

  #note(error: unknown, facts: HttpFacts): void {
    if (typeof error === 'object' && error !== null) this.#facts.set(error, this.#latest ?? facts);
  }
}

/** For the order paths that need no more of an answer. */
export function answerOf(json: unknown): WireAnswer {
  return { json, native: json };
}

/**
 * Whether ccxt might repeat the call by itself: by a parameter, by an option of this endpoint or of the exchange. A parameter of ours
 * would say so for any call, but makes a copy of all of them, twice, which a read costs as much as its policies.
 */
function wouldRepeat({ options }: Readable, path: string, params: EndpointParams): boolean {
  return asksForRetries(params) || CALLER in params || asksForRetries(options?.[path]) || asksForRetries(options);
}

function asksForRetries(from: unknown): boolean {
  if (typeof from !== 'object' || from === null) return false;
  const { maxRetriesOnFailure, defaultMaxRetriesOnFailure } = from as Readonly<Record<string, unknown>>;
  return Boolean(maxRetriesOnFailure ?? defaultMaxRetriesOnFailure);
}

/** By which a call takes the options of another one. */
const CALLER = 'callerMethodName';
const FIRST_FAILURE = 300;
