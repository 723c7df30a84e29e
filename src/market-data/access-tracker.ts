/** Weights of the newest interval and of its deviation in the moving averages. */
const INTERVAL_WEIGHT = 0.2;
const DEVIATION_WEIGHT = 0.25;
/** How slowly the earliest arrival is forgotten. */
const EARLIEST_KEPT = 0.95;
const LEAST_ACCESSES = 3;
const MOST_RELATIVE_DEVIATION = 0.15;
/** Allowed for what neither average sees: the granularity of timers, and the wait for company in a call. */
const GUARD_MS = 25;

/** Reads of one consumer within this share of the time in which reads are noticed count as one: misses in a row would look like another period. */
export const BURST_SHARE = 0.9;

/**
 * When one consumer reads one key: an exponentially weighted mean interval and its mean deviation,
 * as TCP estimates its round trip (Jacobson, 1988).
 */
export class AccessTracker {
  readonly consumer: string | undefined;
  /** Of the same key: most have one reader, few have more than a handful. */
  next: AccessTracker | undefined = undefined;
  /** Monotonic; -Infinity before the first access. */
  lastAt: number = -Infinity;
  meanMs = 0;
  deviationMs = 0;
  /** By how much accesses have come before their time lately. */
  earlyMs = 0;
  accesses = 0;
  /** The fetch that is planned for its next access. */
  armed: object | undefined = undefined;

  constructor(consumer: string | undefined) {
    this.consumer = consumer;
  }

  record(now: number): void {
    const interval = now - this.lastAt;
    this.lastAt = now;
    this.accesses++;
    if (this.accesses === 1) return;
    if (this.accesses === 2) {
      this.meanMs = interval;
      return;
    }
    this.earlyMs = Math.max(EARLIEST_KEPT * this.earlyMs, this.meanMs - interval);
    this.deviationMs += DEVIATION_WEIGHT * (Math.abs(interval - this.meanMs) - this.deviationMs);
    this.meanMs += INTERVAL_WEIGHT * (interval - this.meanMs);
  }

  /** Whether the next access can be foretold well enough to fetch for it. */
  get isRegular(): boolean {
    return this.accesses >= LEAST_ACCESSES && this.deviationMs < MOST_RELATIVE_DEVIATION * this.meanMs;
  }

  /** By when the next access has come, if it is as punctual as those before; monotonic. */
  get latestNext(): number {
    return this.lastAt + this.meanMs + Math.max(this.earlyMs, 2 * this.deviationMs) + GUARD_MS;
  }

  /**
   * When to send, so that the answer is there before the next access and still fresh at it; monotonic.
   * Undefined when the access can't be foretold, or when latency and deviation leave no room within the TTL.
   *
   * Two deviations and a 95th percentile would be late once in a hundred times. So the earliest access seen lately and the
   * 99th percentile count where they are larger, as far as the TTL has room for them.
   */
  sendAt(p95Ms: number, p99Ms: number, ttlMs: number): number | undefined {
    const leastMs = p95Ms + GUARD_MS + 2 * this.deviationMs;
    const mostMs = 0.9 * ttlMs - 2 * this.deviationMs;
    if (!this.isRegular || leastMs >= mostMs) return undefined;
    const wantedMs = p99Ms + GUARD_MS + Math.max(this.earlyMs, 2 * this.deviationMs);
    return this.lastAt + this.meanMs - Math.max(leastMs, Math.min(wantedMs, mostMs));
  }
}
