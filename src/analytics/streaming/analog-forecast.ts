/** What the recent past looks most like, and what came after it then. */
export interface Analogs {
  /** Distance to the most similar past, in units of the values. */
  readonly distance: number;
  /** Mean of the values that followed the most similar pasts. */
  readonly next: number;
}

/**
 * Forecasts by the method of analogues: the moments of the last `memory` points whose recent past
 * was most like the present one, and what followed them.
 *
 * The distance at a lag weighs older differences less and less, so that it is kept up to date by one
 * multiplication and one addition, and the cost of a point does not depend on how long the compared
 * past is.
 *
 * Source: Lorenz, "Atmospheric predictability as revealed by naturally occurring analogues",
 * J. Atmospheric Sciences 26, 1969; discords as distant nearest neighbours: Keogh, Lin, Fu, ICDM 2005.
 */
export class AnalogForecast {
  readonly #decay: number;
  readonly #nearest: number;
  readonly #distances: Float64Array;

  /**
   * @param memory - how many points back is looked
   * @param decay - weight of a squared difference one point older, in (0, 1); 1 / (1 − decay) points count
   * @param nearest - nearest lag that counts: what overlaps the present would always be alike
   */
  constructor(memory: number, decay: number, nearest: number) {
    this.#decay = decay;
    this.#nearest = nearest;
    this.#distances = new Float64Array(memory + 1);
  }

  /**
   * Takes in the value at `past[end - 1]`, of which `past` holds `count` before it (at most `memory`).
   * @returns undefined while there is no past to compare with
   */
  update(past: Float64Array, end: number, count: number): Analogs | undefined {
    const distances = this.#distances;
    const decay = this.#decay;
    const last = end - 1;
    const value = past[last]!;
    let first = Infinity;
    let second = Infinity;
    let firstLag = 0;
    let secondLag = 0;
    // A past that began less than `nearest` points before has hardly been compared.
    const farthest = count - this.#nearest;
    for (let lag = 1; lag <= count; lag++) {
      const difference = value - past[last - lag]!;
      const distance = decay * distances[lag]! + difference * difference;
      distances[lag] = distance;
      if (distance >= second || lag < this.#nearest || lag > farthest) continue;
      if (distance < first) {
        second = first;
        secondLag = firstLag;
        first = distance;
        firstLag = lag;
      } else {
        second = distance;
        secondLag = lag;
      }
    }
    if (secondLag === 0) return undefined;
    return { distance: Math.sqrt(first * (1 - decay)), next: past[end - firstLag]! / 2 + past[end - secondLag]! / 2 };
  }
}
