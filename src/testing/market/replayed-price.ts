import { type Crossing, NEVER, type PricePath } from './price-path.js';

/** Columns of bars on the engine's time; `t` ascends strictly, each bar lasts `barMs`. */
export interface BarColumns {
  readonly t: Float64Array;
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  readonly volume: Float64Array;
  readonly barMs: number;
}

const LOOK_AHEAD_BARS = 1_024;

/**
 * The price inside recorded bars: within each it runs in straight lines from open over the nearer
 * extreme to the other one and to the close, a third of the bar each; where bars are missing it
 * stays. After the last bar it stays for good.
 */
export class ReplayedPrice implements PricePath {
  readonly bars: BarColumns;
  readonly lowest: number;
  readonly highest: number;

  constructor(bars: BarColumns) {
    this.bars = bars;
    let [lowest, highest] = [Infinity, -Infinity];
    for (let i = 0; i < bars.t.length; i++) {
      if (bars.low[i]! < lowest) lowest = bars.low[i]!;
      if (bars.high[i]! > highest) highest = bars.high[i]!;
    }
    this.lowest = lowest;
    this.highest = highest;
  }

  /** Index of the last bar that has begun by `at`; -1 before the first. */
  indexAt(at: number): number {
    const { t } = this.bars;
    let low = 0;
    let high = t.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (t[middle]! <= at) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  mid(at: number): number {
    const i = this.indexAt(at);
    if (i < 0) return this.bars.open[0]!;
    const passed = ((at - this.bars.t[i]!) / this.bars.barMs) * 3;
    if (passed >= 3) return this.bars.close[i]!;
    const leg = Math.floor(passed);
    const from = this.#knot(i, leg);
    return from + (this.#knot(i, leg + 1) - from) * (passed - leg);
  }

  firstCross(from: number, level: number, direction: 'under' | 'over'): Crossing {
    const sign = direction === 'under' ? 1 : -1;
    const beyond = (price: number): boolean => sign * price < sign * level;
    if (!beyond(direction === 'under' ? this.lowest : this.highest)) return NEVER;
    if (beyond(this.mid(from))) return { crossed: true, at: from };
    const { t, low, high, barMs } = this.bars;
    const first = Math.max(0, this.indexAt(from));
    const end = Math.min(t.length, first + LOOK_AHEAD_BARS);
    for (let i = first; i < end; i++) {
      if (!beyond(direction === 'under' ? low[i]! : high[i]!)) continue;
      for (let leg = 0; leg < 3; leg++) {
        const begins = t[i]! + (barMs * leg) / 3;
        const ends = t[i]! + (barMs * (leg + 1)) / 3;
        if (ends < from) continue;
        const a = this.#knot(i, leg);
        const b = this.#knot(i, leg + 1);
        if (beyond(a) && begins >= from) return { crossed: true, at: Math.ceil(begins) };
        if (!beyond(b)) continue;
        const at = Math.ceil(begins + ((level - a) / (b - a)) * (ends - begins));
        return { crossed: true, at: Math.max(from, at) };
      }
    }
    return end < t.length ? { crossed: false, at: t[end]! } : NEVER;
  }

  #knot(i: number, knot: number): number {
    const { open, high, low, close } = this.bars;
    if (knot === 0) return open[i]!;
    if (knot === 3) return close[i]!;
    const isRising = close[i]! >= open[i]!;
    return (knot === 1) === isRising ? low[i]! : high[i]!;
  }
}
