const WINDOW = 1_024; // a power of two

/** How long the last 1,024 acquires waited. Only those that did are written down: an acquire that did not wait costs nothing here. */
export class RecentWaits {
  readonly #waits = new Float64Array(WINDOW);
  readonly #ordinals = new Float64Array(WINDOW);
  #count = 0;

  /** @param ordinal - which acquire of the pool this was, counted from 1. */
  record(ordinal: number, waitedMs: number): void {
    const at = this.#count++ & (WINDOW - 1);
    this.#waits[at] = waitedMs;
    this.#ordinals[at] = ordinal;
  }

  /**
   * The wait that 99 % of the last 1,024 acquires did not exceed (nearest rank); 0 before the first.
   * @param acquired - how many acquires there have been.
   */
  p99(acquired: number): number {
    const among = Math.min(acquired, WINDOW);
    const waits: number[] = [];
    for (let i = 0; i < Math.min(this.#count, WINDOW); i++) {
      if ((this.#ordinals[i] as number) > acquired - among) waits.push(this.#waits[i] as number);
    }
    waits.sort((a, b) => b - a);
    // Those that did not wait rank below; the rank from the top is what is beyond 99 %.
    return waits[among - Math.ceil(among * 0.99)] ?? 0;
  }
}
