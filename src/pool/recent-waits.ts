const KEPT = 1_024; // a power of two

/** How long the last 1,024 acquires waited. */
export class RecentWaits {
  readonly #waits = new Float64Array(KEPT);
  #count = 0;

  record(waitedMs: number): void {
    this.#waits[this.#count++ & (KEPT - 1)] = waitedMs;
  }

  /** The wait that 99 % did not exceed (nearest rank); 0 before the first. */
  p99(): number {
    const kept = this.#waits.slice(0, Math.min(this.#count, KEPT)).sort();
    return kept.length === 0 ? 0 : (kept[Math.ceil(kept.length * 0.99) - 1] as number);
  }
}
