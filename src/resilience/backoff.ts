import { requirePositive } from '../core/options.js';
import { type Random, systemRandom } from '../core/random.js';

/** What {@link fullJitter} is made of. */
export interface FullJitterOptions {
  /** Upper bound of the first delay. @defaultValue 100 */
  readonly baseMs?: number;
  /** Upper bound of every delay that the venue did not ask for. @defaultValue 5_000 */
  readonly capMs?: number;
  /** @defaultValue the platform's generator */
  readonly random?: Random;
}

/**
 * Milliseconds to wait before the next attempt.
 * @param failures - how many attempts have failed so far, from 1.
 * @param retryAfterMs - what the venue asked for; the delay is never shorter.
 */
export type Backoff = (failures: number, retryAfterMs?: number) => number;

/**
 * Exponential backoff with full jitter: uniform in [0, min(capMs, baseMs · 2^(failures − 1))].
 * A Retry-After is waited out whole, with up to `baseMs` on top, lest all who were told the same
 * moment come at that moment.
 *
 * Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export function fullJitter({ baseMs = 100, capMs = 5_000, random = systemRandom }: FullJitterOptions = {}): Backoff {
  requirePositive('baseMs', baseMs);
  requirePositive('capMs', capMs);
  if (capMs < baseMs) throw new RangeError(`capMs must be at least baseMs (${baseMs}), got ${capMs}`);
  return (failures, retryAfterMs) => {
    const share = random();
    const jittered = share * Math.min(capMs, baseMs * 2 ** (failures - 1));
    return retryAfterMs === undefined ? jittered : Math.max(jittered, retryAfterMs + share * baseMs);
  };
}
