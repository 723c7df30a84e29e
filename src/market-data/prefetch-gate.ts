/** So many verdicts make a judgement, over which the share of waste is taken. */
const JUDGEMENT = 400;
const MOST_WASTED = 0.05;
const OFF_MS = 60_000;

/**
 * Whether prefetching a kind pays: it switches itself off for a minute when more than 5 % of what
 * was fetched was never read.
 */
export class PrefetchGate {
  #useful = 0;
  #wasted = 0;
  #closedUntil: number = -Infinity;

  isOpen(now: number): boolean {
    return now >= this.#closedUntil;
  }

  closeUntil(until: number): void {
    this.#closedUntil = Math.max(this.#closedUntil, until);
  }

  record(isUseful: boolean, now: number): void {
    if (isUseful) this.#useful++;
    else this.#wasted++;
    const verdicts = this.#useful + this.#wasted;
    if (verdicts < JUDGEMENT) return;
    if (this.#wasted > MOST_WASTED * verdicts) this.closeUntil(now + OFF_MS);
    this.#useful = 0;
    this.#wasted = 0;
  }
}
