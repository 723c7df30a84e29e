import type { OrderHandle } from '../../contracts/orders.js';
import type { TradingErrorCode } from '../../contracts/trading-error.js';

/** What venuekit knows of a failure, beside the error that the SDK threw. */
export interface ErrorFacts {
  readonly code: TradingErrorCode;
  /** Whether the request may be at the venue. */
  readonly sent: 'no' | 'yes' | 'maybe';
  readonly clientOrderId?: string;
  /** The order, whose resolution goes on. */
  readonly handle?: OrderHandle;
  /** Of a call that asked for several orders: all of them that were taken up, those that went well included. */
  readonly handles?: readonly OrderHandle[];
}

// Shared by all copies of the package (ESM beside CJS): the bot may read with one what another wrote.
const KEY = Symbol.for('venuekit.sdk.errorFacts');
const shared = globalThis as { [KEY]?: WeakMap<object, ErrorFacts> };
const facts = (shared[KEY] ??= new WeakMap<object, ErrorFacts>());

const DEEPEST = 4;

/**
 * What venuekit knows of an error that the wrapped SDK threw. Kept beside the error, so that it also
 * serves frozen errors and SDKs that throw plain objects; where the SDK makes its error of a response or
 * of another error, what is known of that.
 *
 * @returns undefined for errors that are not of a wrapped SDK's calls.
 * @example
 * try {
 *   await exchange.createOrder('BTC/USDT', 'limit', 'buy', 0.01, 64_000);
 * } catch (error) {
 *   const known = factsOf(error);
 *   if (known?.sent === 'maybe') await known.handle?.acked({ deadlineMs: 60_000 });
 *   else throw error;
 * }
 */
export function factsOf(error: unknown): ErrorFacts | undefined {
  return factsAt(error, 0);
}

function factsAt(error: unknown, depth: number): ErrorFacts | undefined {
  if (typeof error !== 'object' || error === null || depth > DEEPEST) return undefined;
  const { response, cause } = error as { readonly response?: unknown; readonly cause?: unknown };
  return facts.get(error) ?? factsAt(response, DEEPEST) ?? factsAt(cause, depth + 1);
}

/** Notes what is known of `error`, and gives it back. The latest word counts. */
export function withFacts(error: unknown, known: ErrorFacts): unknown {
  if (typeof error === 'object' && error !== null) facts.set(error, known);
  return error;
}
