import type { Bars, OrderBook, Trade } from '../../contracts/market-data.js';
import { dayOf } from '../market/day-statistics.js';
import { BOOK_DEPTH, BOOK_EVERY_MS, bookTick, type Market } from '../market/market.js';
import { eight } from './wire-format.js';

/** The payloads of market streams. Source: binance-spot-api-docs, web-socket-streams.md. `venueNow` is the event time. */

export function tradePayload(market: Market, { id, price, size, side, eventTime }: Trade, venueNow: number): object {
  return { e: 'trade', E: venueNow, s: market.symbol.id, t: Number(id), p: eight(price), q: eight(size), T: eventTime, m: side === 'sell', M: true };
}

export function aggregatePayload(market: Market, { id, price, size, side, eventTime }: Trade, venueNow: number): object {
  const n = Number(id);
  return {
    e: 'aggTrade',
    E: venueNow,
    s: market.symbol.id,
    a: n,
    p: eight(price),
    q: eight(size),
    f: n,
    l: n,
    T: eventTime,
    m: side === 'sell',
    M: true,
  };
}

export function bookTickerPayload(market: Market, at: number): Readonly<Record<string, unknown>> {
  const { bid, ask, bidSize = 0, askSize = 0 } = market.quote(at);
  return { u: bookTick(at), s: market.symbol.id, b: eight(bid), B: eight(bidSize), a: eight(ask), A: eight(askSize) };
}

export function klinePayload(market: Market, bars: Bars, i: number, everyMs: number, isClosed: boolean, venueNow: number): object {
  const t = bars.t[i]!;
  const volume = bars.volume[i]!;
  const close = bars.close[i]!;
  return {
    e: 'kline',
    E: venueNow,
    s: market.symbol.id,
    k: {
      t,
      T: t + everyMs - 1,
      s: market.symbol.id,
      i: bars.interval,
      f: Math.floor(t / 1_000),
      L: Math.floor((t + everyMs - 1) / 1_000),
      o: eight(bars.open[i]!),
      c: eight(close),
      h: eight(bars.high[i]!),
      l: eight(bars.low[i]!),
      v: eight(volume),
      n: Math.ceil(everyMs / 1_000),
      x: isClosed,
      q: eight(volume * close),
      V: eight(volume / 2),
      Q: eight((volume * close) / 2),
      B: '0',
    },
  };
}

export function miniTickerPayload(market: Market, at: number, venueNow: number): object {
  const day = dayOf(market, at);
  return {
    e: '24hrMiniTicker',
    E: venueNow,
    s: market.symbol.id,
    c: eight(day.last),
    o: eight(day.open),
    h: eight(day.high),
    l: eight(day.low),
    v: eight(day.volume),
    q: eight(day.volume * day.last),
  };
}

export function tickerPayload(market: Market, at: number, venueNow: number): object {
  const day = dayOf(market, at);
  const { bid, ask, bidSize = 0, askSize = 0 } = market.quote(at);
  return {
    e: '24hrTicker',
    E: venueNow,
    s: market.symbol.id,
    p: eight(day.last - day.open),
    P: ((day.last / day.open - 1) * 100).toFixed(3),
    w: eight((day.open + day.last) / 2),
    x: eight(day.open),
    c: eight(day.last),
    Q: eight(bidSize),
    b: eight(bid),
    B: eight(bidSize),
    a: eight(ask),
    A: eight(askSize),
    o: eight(day.open),
    h: eight(day.high),
    l: eight(day.low),
    v: eight(day.volume),
    q: eight(day.volume * day.last),
    O: venueNow - 86_400_000,
    C: venueNow,
    F: 0,
    L: Math.floor(at / 1_000),
    n: 86_400,
  };
}

/** The best levels, whole: what a partial-depth stream sends. */
export function partialDepthPayload(market: Market, at: number, levels: number): object {
  const book = market.book(at, levels);
  return { lastUpdateId: book.seq, bids: rows(book.bids), asks: rows(book.asks) };
}

/**
 * What changed in the book from publication `from` to publication `to`: every level that was touched
 * on the way, with its size at the end, so that whoever joins in between ends with the same book.
 * Undefined where nothing was.
 */
export function depthPayload(market: Market, from: number, to: number, venueNow: number): object | undefined {
  const touched = { bids: new Set<number>(), asks: new Set<number>() };
  let before = sizesOf(market, from);
  for (let tick = from + 1; tick <= to; tick++) {
    const after = sizesOf(market, tick);
    for (const side of ['bids', 'asks'] as const) {
      for (const [price, size] of after[side]) if (before[side].get(price) !== size) touched[side].add(price);
      for (const price of before[side].keys()) if (!after[side].has(price)) touched[side].add(price);
    }
    before = after;
  }
  if (touched.bids.size + touched.asks.size === 0) return undefined;
  const changed = (side: 'bids' | 'asks'): readonly (readonly [string, string])[] =>
    [...touched[side]].map((price) => [eight(price), eight(before[side].get(price) ?? 0)] as const);
  return { e: 'depthUpdate', E: venueNow, s: market.symbol.id, U: from + 1, u: to, b: changed('bids'), a: changed('asks') };
}

function sizesOf(market: Market, tick: number): { readonly bids: ReadonlyMap<number, number>; readonly asks: ReadonlyMap<number, number> } {
  const book = market.book(tick * BOOK_EVERY_MS, BOOK_DEPTH);
  return { bids: new Map(book.bids), asks: new Map(book.asks) };
}

function rows(side: OrderBook['bids']): readonly (readonly [string, string])[] {
  return side.map(([price, size]) => [eight(price), eight(size)] as const);
}
