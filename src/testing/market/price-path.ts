/** Where the middle of a market is at any time of the venue's engine: a pure function of time. */
export interface PricePath {
  mid(at: number): number;
  /** Nothing outside of this is ever reached. */
  readonly lowest: number;
  readonly highest: number;
  /** The first time from `from` on at which the middle is under (or over) `level`, or how far was looked. */
  firstCross(from: number, level: number, direction: 'under' | 'over'): Crossing;
}

export interface Crossing {
  readonly crossed: boolean;
  /** Of the crossing, or when to look again; Infinity when it can't happen any more. */
  readonly at: number;
}

export const NEVER: Crossing = { crossed: false, at: Infinity };

const STEP_MS = 1_000;
const LOOK_AHEAD_STEPS = 64;

/** A price that wobbles around a given one, a step a second, by a hash of seed and time: no state, and the same on every runtime. */
export class WobblingPrice implements PricePath {
  readonly lowest: number;
  readonly highest: number;
  readonly #price: number;
  readonly #reach: number;
  readonly #seed: number;

  /** @param volatility - half of the band, as a share of the price. */
  constructor(price: number, volatility: number, seed: number) {
    this.#price = price;
    this.#reach = price * volatility;
    this.#seed = seed | 0;
    this.lowest = price - this.#reach;
    this.highest = price + this.#reach;
  }

  mid(at: number): number {
    return this.#price + this.#reach * (2 * hashToUnit(this.#seed, Math.floor(at / STEP_MS)) - 1);
  }

  firstCross(from: number, level: number, direction: 'under' | 'over'): Crossing {
    const reachable = direction === 'under' ? this.lowest < level : this.highest > level;
    if (!reachable) return NEVER;
    const first = Math.floor(from / STEP_MS);
    for (let step = first; step < first + LOOK_AHEAD_STEPS; step++) {
      const mid = this.mid(step * STEP_MS);
      if (direction === 'under' ? mid < level : mid > level) return { crossed: true, at: Math.max(from, step * STEP_MS) };
    }
    return { crossed: false, at: (first + LOOK_AHEAD_STEPS) * STEP_MS };
  }
}

/** A number in [0, 1) of two integers. Source: the finalizer of MurmurHash3 (Austin Appleby). */
export function hashToUnit(seed: number, n: number): number {
  let h = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(n | 0, 0xc2b2ae35) ^ Math.floor(n / 4_294_967_296);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 4_294_967_296;
}
