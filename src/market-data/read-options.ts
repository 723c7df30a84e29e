import type { CallOptions } from '../contracts/calls.js';

/** How a reader wants to be answered. */
export interface ReadOptions extends CallOptions {
  /** The oldest value that is acceptable, ms, held against the larger of fetch age and event age at delivery. @defaultValue no bound but the policy's ttlMs */
  readonly maxAgeMs?: number;
  /** `order` never touches the cache: for what an order is decided or priced by. @defaultValue 'signal' */
  readonly intent?: 'signal' | 'display' | 'order';
  /** Who reads: the prefetch learns the period of each consumer by itself. */
  readonly consumer?: string;
  /** A walk over many symbols: it trains no prefetch and pushes nothing out of the cache. */
  readonly scan?: boolean;
  /** false: never a stale value; true: also without a policy for it, up to maxAgeMs, or as long again as the TTL. @defaultValue as the policy says */
  readonly allowStale?: boolean;
}

/**
 * maxAgeMs of `options`, Infinity where there is none.
 * @throws RangeError or TypeError when it is no number of 0 or more, or the intent none of the three: an "Order" must not read from memory.
 */
export function maxAgeOf(options: ReadOptions | undefined): number {
  const intent = options?.intent;
  if (intent !== undefined && intent !== 'signal' && intent !== 'display' && intent !== 'order')
    throw new RangeError(`intent must be one of signal, display, order, got ${String(intent)}`);
  const maxAgeMs = options?.maxAgeMs;
  if (maxAgeMs === undefined) return Infinity;
  if (maxAgeMs >= 0) return maxAgeMs;
  if (typeof maxAgeMs !== 'number') throw new TypeError(`maxAgeMs must be a number of 0 or more, got ${String(maxAgeMs)}`);
  throw new RangeError(`maxAgeMs must be a number of 0 or more, got ${maxAgeMs}`);
}
