import { redactError } from '../../core/logger.js';
import type { HttpFacts } from '../shared/http-facts.js';
import type { WireOutcome } from '../shared/wire-outcome.js';
import { lowerCaseNames } from './call-record.js';
import type { CcxtExchange } from './exchange.js';

type Method = (this: unknown, ...args: unknown[]) => unknown;
type HandleErrors = (code: number, reason: string, url: string, method: string, headers: unknown, body: string, ...rest: unknown[]) => unknown;

/** Where ccxt sends, and where it makes errors of answers: in its base class, the second right after the first. */
const WATCHED = ['fetch', 'handleErrors', 'handleHttpStatusCode'] as const;

interface Readable extends CcxtExchange {
  enableRateLimit?: boolean;
}

/**
 * Reads on the instance itself. A view of it, as orders have, would cost a read more than all policies do; what became of
 * a read that failed is noted with the error instead, where ccxt makes it.
 */
export class PlainReads implements Disposable {
  readonly #sdk: Readable;
  readonly #before: readonly (readonly [name: string, own: PropertyDescriptor | undefined])[];
  readonly #facts = new WeakMap<object, HttpFacts>();
  #latest: HttpFacts | undefined;
  #isSent = false;

  constructor(sdk: CcxtExchange) {
    this.#sdk = sdk;
    this.#before = WATCHED.map((name) => [name, Object.getOwnPropertyDescriptor(sdk, name)]);
    const sent = (): void => void (this.#isSent = true);
    const latest = (facts: HttpFacts | undefined): void => void (this.#latest = facts);
    const noting = (work: () => unknown, facts: HttpFacts): unknown => this.#noting(work, facts);
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
        return noting(() => handleErrors.apply(this, args), { sent: true, status, body });
      };
    });
    this.#watch('handleHttpStatusCode', (handleHttpStatusCode) => {
      return function (this: unknown, ...args) {
        return noting(() => handleHttpStatusCode.apply(this, args), { sent: true, status: args[0] as number });
      };
    });
  }

  /** Makes one read, past ccxt's own limiter, since its limits are kept. Never rejects. */
  async run(work: (sdk: CcxtExchange) => Promise<unknown>): Promise<WireOutcome> {
    const sdk = this.#sdk;
    const { enableRateLimit } = sdk;
    this.#isSent = false;
    sdk.enableRateLimit = false;
    let running: Promise<unknown>;
    try {
      // Unlimited, ccxt signs and sends before it first waits.
      running = work(sdk);
    } finally {
      sdk.enableRateLimit = enableRateLimit as boolean;
    }
    const sent = this.#isSent;
    try {
      const json = await running;
      return { result: { json, native: json } };
    } catch (error) {
      const facts = (typeof error === 'object' && error !== null ? this.#facts.get(error) : undefined) ?? { sent };
      return { error: redactError(error), facts };
    }
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

  #noting(work: () => unknown, facts: HttpFacts): unknown {
    try {
      return work();
    } catch (error) {
      if (typeof error === 'object' && error !== null) this.#facts.set(error, this.#latest ?? facts);
      throw error;
    }
  }
}

const FIRST_FAILURE = 300;
