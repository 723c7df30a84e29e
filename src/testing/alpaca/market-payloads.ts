import type { OrderBook } from '../../contracts/market-data.js';
import type { Market } from '../market/market.js';
import { TRADE_EVERY_MS } from '../market/market.js';
import { isCrypto } from './endpoint.js';

/**
 * Trades, quotes and bars as Alpaca's market data writes them, in the same words over REST and over the streams.
 * `stamp` says how a time is written: RFC-3339 in JSON, an extension type in MessagePack.
 * Source: docs.alpaca.markets, Market Data API, historical and real-time stock and crypto data.
 */
export type Stamp = (ms: number) => unknown;

export const asText: Stamp = (ms) => new Date(ms).toISOString();

export function tradePayload(market: Market, at: number, stamp: Stamp): Record<string, unknown> | undefined {
  const trade = market.trades(at, 1)[0];
  return trade === undefined ? undefined : tradeJson(market, trade, stamp);
}

export function tradeJson(
  market: Market,
  { id, price, size, side, eventTime }: { id: string; price: number; size: number; side?: 'buy' | 'sell'; eventTime: number },
  stamp: Stamp,
): Record<string, unknown> {
  const common = { t: stamp(eventTime), p: price, s: size, i: Number(id) };
  return isCrypto(market.symbol.name) ? { ...common, tks: side === 'sell' ? 'S' : 'B' } : { ...common, x: 'V', c: ['@'], z: 'C' };
}

export function quotePayload(market: Market, at: number, stamp: Stamp): Record<string, unknown> {
  const { bid, ask, bidSize = 0, askSize = 0 } = market.quote(at);
  const common = { t: stamp(at), bp: bid, bs: bidSize, ap: ask, as: askSize };
  return isCrypto(market.symbol.name) ? common : { ...common, bx: 'V', ax: 'V', c: ['R'], z: 'C' };
}

export interface BarRange {
  readonly interval: string;
  readonly everyMs: number;
  readonly start: number | undefined;
  readonly limit: number;
}

export function barPayloads(market: Market, until: number, { interval, everyMs, start, limit }: BarRange, stamp: Stamp): Record<string, unknown>[] {
  const bars = market.bars(until, interval, everyMs, start, limit);
  return Array.from(bars.t, (t, i) => {
    const close = bars.close[i]!;
    const volume = bars.volume[i]!;
    return {
      t: stamp(t),
      o: bars.open[i]!,
      h: bars.high[i]!,
      l: bars.low[i]!,
      c: close,
      v: volume,
      n: Math.ceil(everyMs / TRADE_EVERY_MS),
      vw: (bars.high[i]! + bars.low[i]! + close) / 3,
    };
  });
}

export function bookPayload(market: Market, at: number, depth: number, stamp: Stamp): Record<string, unknown> {
  const { bids, asks } = market.book(at, depth);
  const levels = (side: OrderBook['bids']): object[] => side.map(([p, s]) => ({ p, s }));
  return { t: stamp(at), b: levels(bids), a: levels(asks) };
}
