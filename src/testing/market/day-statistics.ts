import type { Market } from './market.js';

const HOUR_MS = 3_600_000;

/** The last 24 hours of a market, as tickers show them. */
export interface DayStatistics {
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly last: number;
  readonly volume: number;
}

export function dayOf(market: Market, at: number): DayStatistics {
  const { bid, last = bid } = market.quote(at);
  const day = market.bars(at, '1h', HOUR_MS, undefined, 24);
  return {
    open: day.open[0] ?? bid,
    high: Math.max(last, ...day.high),
    low: Math.min(last, ...day.low),
    last,
    volume: day.volume.reduce((sum, one) => sum + one, 0),
  };
}
