/** Weights of the newest interval and of its deviation in the moving averages. */
const INTERVAL_WEIGHT = 0.2;
const DEVIATION_WEIGHT = 0.25;
const LEAST_ACCESSES = 3;
const MOST_RELATIVE_DEVIATION = 0.15;
/** Allowed for what neither average sees: the granularity of timers, and the wait for company in a call. */
const GUARD_MS = 15;

/** Reads of one consumer within this time count as one: a burst says nothing about its period. */
export const BURST_MS = 10;

/**
 * When one consumer reads one key: an exponentially weighted mean interval and its mean deviation,
 * as TCP estimates its round trip (Jacobson, 1988).
 */
export class AccessTracker {
  /** Monotonic; -Infinity before the first access. */
  lastAt: number = -Infinity;
  meanMs = 0;
  deviationMs = 0;
  accesses = 0;
  /** Goes up with each access: a prefetch that was armed before an access is void. */
  generation = 0;

  record(now: number): void {
    const interval = now - this.lastAt;
    this.lastAt = now;
    this.accesses++;
    this.generation++;
    if (this.accesses === 1) return;
    if (this.accesses === 2) {
      this.meanMs = interval;
      return;
    }
    this.deviationMs += DEVIATION_WEIGHT * (Math.abs(interval - this.meanMs) - this.deviationMs);
    this.meanMs += INTERVAL_WEIGHT * (interval - this.meanMs);
  }

  /** Whether the next access can be foretold well enough to fetch for it. */
  get isRegular(): boolean {
    return this.accesses >= LEAST_ACCESSES && this.deviationMs < MOST_RELATIVE_DEVIATION * this.meanMs;
  }

  /**
   * When to send, so that the answer is there before the next access and still fresh at it; monotonic.
   * Undefined when the access can't be foretold, or when latency and deviation leave no room within the TTL.
   */
  sendAt(latencyMs: number, ttlMs: number): number | undefined {
    const leadMs = latencyMs + GUARD_MS;
    if (!this.isRegular || leadMs + 4 * this.deviationMs >= 0.9 * ttlMs) return undefined;
    return this.lastAt + this.meanMs - 2 * this.deviationMs - leadMs;
  }
}
