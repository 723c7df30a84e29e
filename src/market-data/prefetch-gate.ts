/** A judgement is taken over at least so many verdicts and so much time: what is fetched in one call shares its fate. */
const LEAST_VERDICTS = 100;
const JUDGEMENT_MS = 60_000;
const MOST_WASTED = 0.05;
const OFF_MS = 60_000;

/**
 * Whether prefetching a kind pays: it switches itself off for a minute when more than 5 % of what it
 * fetched over a minute was never read.
 */
export class PrefetchGate {
  #useful = 0;
  #wasted = 0;
  #since: number | undefined;
  #closedUntil: number = -Infinity;

  isOpen(now: number): boolean {
    return now >= this.#closedUntil;
  }

  record(isUseful: boolean, now: number): void {
    this.#since ??= now;
    if (isUseful) this.#useful++;
    else this.#wasted++;
    const verdicts = this.#useful + this.#wasted;
    if (verdicts < LEAST_VERDICTS || now - this.#since < JUDGEMENT_MS) return;
    if (this.#wasted > MOST_WASTED * verdicts) this.#closedUntil = now + OFF_MS;
    this.#useful = 0;
    this.#wasted = 0;
    this.#since = now;
  }
}
