import { type Random, seededRandom } from '../../core/random.js';

/** When the values of keys change: a Poisson process for each, the same for the same seed. */
export class ChangeProcess {
  readonly #rateOf: (key: number) => number;
  readonly #seed: number;
  readonly #keys = new Map<number, { readonly random: Random; readonly perMs: number; readonly times: number[] }>();

  /** @param rateOf - changes a second */
  constructor(rateOf: (key: number) => number, seed: number) {
    this.#rateOf = rateOf;
    this.#seed = seed;
  }

  /** How often a key has changed up to `t`, ms from the beginning. */
  count(key: number, t: number): number {
    let state = this.#keys.get(key);
    if (state === undefined) {
      const random = seededRandom(Math.imul(key + 1, 0x9e3779b1) ^ this.#seed);
      state = { random, perMs: this.#rateOf(key) / 1_000, times: [] };
      this.#keys.set(key, state);
    }
    const { times, perMs, random } = state;
    if (perMs <= 0) return 0;
    while ((times.at(-1) ?? 0) <= t) times.push((times.at(-1) ?? 0) - Math.log(1 - random()) / perMs);
    let [low, high] = [0, times.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle]! <= t) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
