// A single huge value would otherwise blind the scale for all that follow.
const CLIP = 10;
const SETTLED = 60;
// Before so many values a spread is a guess, and every value a surprise.
const LEAST = 20;
const MOST = 1_000;
const ROUNDING = 1e-9;

/**
 * How far a quantity lies above its usual level, in its usual spread: mean and variance are kept
 * with exponential weights, over all values at first, and outliers count in them up to 10 spreads.
 */
export class RunningSurprise {
  readonly #rate: number;
  #count = 0;
  #mean = 0;
  #variance = 0;

  /** @param rate - weight of the newest value once 1 / rate have been seen */
  constructor(rate: number) {
    this.#rate = rate;
  }

  /** The surprise at `value`, 0 or more, measured before it is taken in. */
  push(value: number): number {
    if (this.#count++ === 0) {
      this.#mean = value;
      return 0;
    }
    // Twice the weight of a plain mean: what was wrong while learning began is soon forgotten.
    const rate = Math.max(this.#rate, 2 / this.#count);
    const spread = Math.sqrt(this.#variance);
    let deviation = value - this.#mean;
    const floor = ROUNDING * Math.max(Math.abs(value), Math.abs(this.#mean));
    const surprise = deviation <= floor || this.#count <= LEAST ? 0 : Math.min(MOST, deviation / Math.max(spread, floor));
    if (this.#count > SETTLED && spread > 0 && deviation > CLIP * spread) deviation = CLIP * spread;
    this.#mean += rate * deviation;
    this.#variance = (1 - rate) * (this.#variance + rate * deviation * deviation);
    return surprise;
  }
}
