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
  const bySymbol = new Map<string, ReplayBar[]>();
  let first = Infinity;
  let index = 0;
  for (const bar of bars) {
    requireSound(bar, index);
    const own = bySymbol.get(bar.symbol);
    if (own === undefined) bySymbol.set(bar.symbol, [bar]);
    else {
      const previous = own[own.length - 1]!;
      if (bar.t <= previous.t) throw new RangeError(`bars[${index}].t must be after ${previous.t}, the bar before it of ${bar.symbol}, got ${bar.t}`);
      own.push(bar);
    }
    first = Math.min(first, bar.t);
    index++;
  }
  if (index === 0) throw new RangeError('bars must hold at least one bar, got none');
  const sessionBarMs = barLength(bySymbol);
  const barMs = sessionBarMs / speed;
  const anchor = Math.floor(now / barMs) * barMs;
  const origin = Math.floor((from ?? first) / sessionBarMs) * sessionBarMs;
  const onClock = (t: number): number => anchor + (t - origin) / speed;
  return new Map([...bySymbol].map(([symbol, own]) => [symbol, columnsOf(own, onClock, barMs)]));
}

function columnsOf(bars: readonly ReplayBar[], onClock: (t: number) => number, barMs: number): BarColumns {
  // In a plain loop: a year of minutes through Float64Array.from takes several times as long.
  const column = (value: (bar: ReplayBar) => number): Float64Array => {
    const values = new Float64Array(bars.length);
    for (let i = 0; i < bars.length; i++) values[i] = value(bars[i]!);
    return values;
  };
  return {
    t: column((bar) => onClock(bar.t)),
    open: column((bar) => bar.open),
    high: column((bar) => bar.high),
    low: column((bar) => bar.low),
    close: column((bar) => bar.close),
    volume: column((bar) => bar.volume),
    barMs,
  };
}

// The smallest distance between two bars: minutes without a trade have no bar.
function barLength(bySymbol: ReadonlyMap<string, readonly ReplayBar[]>): number {
  let least = Infinity;
  for (const bars of bySymbol.values()) for (let i = 1; i < bars.length; i++) least = Math.min(least, bars[i]!.t - bars[i - 1]!.t);
  return least === Infinity ? 60_000 : least;
}

const MEMBERS = ['t', 'open', 'high', 'low', 'close', 'volume'] as const;

function requireSound(bar: ReplayBar, index: number): void {
  const { t, open, high, low, close, volume } = bar;
  // A year of minutes is half a million bars: names are put together for the one that fails only.
  if (!(t >= 0 && open >= 0 && high >= 0 && low >= 0 && close >= 0 && volume >= 0 && t + open + high + low + close + volume < Infinity))
    for (const name of MEMBERS) requireNonNegative(`bars[${index}].${name}`, bar[name]);
  if (low <= 0 || low > Math.min(open, close) || high < Math.max(open, close))
    throw new RangeError(`bars[${index}] must have 0 < low <= open, close <= high, got ${open} ${high} ${low} ${close}`);
}
