import { requireNonNegative } from '../../core/options.js';
import type { BarColumns } from './replayed-price.js';

/** A bar of a recorded session. `t` is its start in epoch ms, of the session's own time. */
export interface ReplayBar {
  readonly t: number;
  readonly symbol: string;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

/** How session time is mapped onto the clock. */
export interface ReplayOptions {
  /** Milliseconds of session that pass in a millisecond of the clock. @defaultValue 1 */
  readonly speed?: number;
  /** The session time that is now; what lies before it is history. @defaultValue the first bar's */
  readonly from?: number;
}

/**
 * Sorts a session's bars into columns per symbol, on the clock's time. The mapping keeps the grid:
 * bars that begin on whole minutes of the session begin on whole `barMs / speed` of the clock, so
 * the session begins up to one bar before `now`.
 *
 * @throws RangeError that names the bar's index when a number is not finite, a bar contradicts itself, or time runs backwards.
 */
export function mapSession(bars: Iterable<ReplayBar>, now: number, speed: number, from: number | undefined): Map<string, BarColumns> {
  const bySymbol = new Map<string, GrowingColumns>();
  let first = Infinity;
  let index = 0;
  for (const bar of bars) {
    requireSound(bar, index);
    let own = bySymbol.get(bar.symbol);
    if (own === undefined) bySymbol.set(bar.symbol, (own = new GrowingColumns()));
    else if (bar.t <= own.last) throw new RangeError(`bars[${index}].t must be after ${own.last}, the bar before it of ${bar.symbol}, got ${bar.t}`);
    own.add(bar);
    if (bar.t < first) first = bar.t;
    index++;
  }
  if (index === 0) throw new RangeError('bars must hold at least one bar, got none');
  const columns = new Map([...bySymbol].map(([symbol, own]) => [symbol, own.columns()]));
  const sessionBarMs = barLength(columns.values());
  const barMs = sessionBarMs / speed;
  const anchor = Math.floor(now / barMs) * barMs;
  const origin = Math.floor((from ?? first) / sessionBarMs) * sessionBarMs;
  for (const { t } of columns.values()) for (let i = 0; i < t.length; i++) t[i] = anchor + (t[i]! - origin) / speed;
  return new Map([...columns].map(([symbol, own]) => [symbol, { ...own, barMs }]));
}

const NAMES = ['t', 'open', 'high', 'low', 'close', 'volume'] as const;
type Columns = Omit<BarColumns, 'barMs'>;

/** Bars as they come, without the bars themselves: a year of minutes held as objects costs more than all that is done with it. */
class GrowingColumns {
  #room = 1_024;
  #size = 0;
  #t = new Float64Array(this.#room);
  #open = new Float64Array(this.#room);
  #high = new Float64Array(this.#room);
  #low = new Float64Array(this.#room);
  #close = new Float64Array(this.#room);
  #volume = new Float64Array(this.#room);

  /** Start of the newest bar. */
  get last(): number {
    return this.#t[this.#size - 1]!;
  }

  add(bar: ReplayBar): void {
    if (this.#size === this.#room) this.#grow();
    const i = this.#size++;
    this.#t[i] = bar.t;
    this.#open[i] = bar.open;
    this.#high[i] = bar.high;
    this.#low[i] = bar.low;
    this.#close[i] = bar.close;
    this.#volume[i] = bar.volume;
  }

  columns(): Columns {
    const cut = (column: Float64Array): Float64Array => column.slice(0, this.#size);
    return {
      t: cut(this.#t),
      open: cut(this.#open),
      high: cut(this.#high),
      low: cut(this.#low),
      close: cut(this.#close),
      volume: cut(this.#volume),
    };
  }

  #grow(): void {
    this.#room *= 2;
    const grown = (column: Float64Array) => {
      const larger = new Float64Array(this.#room);
      larger.set(column);
      return larger;
    };
    this.#t = grown(this.#t);
    this.#open = grown(this.#open);
    this.#high = grown(this.#high);
    this.#low = grown(this.#low);
    this.#close = grown(this.#close);
    this.#volume = grown(this.#volume);
  }
}

// The smallest distance between two bars: minutes without a trade have no bar.
function barLength(sessions: Iterable<Columns>): number {
  let least = Infinity;
  for (const { t } of sessions) for (let i = 1; i < t.length; i++) least = Math.min(least, t[i]! - t[i - 1]!);
  return least === Infinity ? 60_000 : least;
}

function requireSound(bar: ReplayBar, index: number): void {
  const { t, open, high, low, close, volume } = bar;
  // A year of minutes is half a million bars: names are put together for the one that fails only.
  if (!(t >= 0 && open >= 0 && high >= 0 && low >= 0 && close >= 0 && volume >= 0 && t + open + high + low + close + volume < Infinity))
    for (const name of NAMES) requireNonNegative(`bars[${index}].${name}`, bar[name]);
  if (low <= 0 || low > Math.min(open, close) || high < Math.max(open, close))
    throw new RangeError(`bars[${index}] must have 0 < low <= open, close <= high, got ${open} ${high} ${low} ${close}`);
}
