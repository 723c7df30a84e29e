import type { Bars, MarketKind, MarketKinds, OrderBook, StreamUpdate, Trade } from '../contracts/market-data.js';

const MOST_TRADES = 1_000;

/** The request that a streamed value answers: bars carry their interval, the others need none. */
export function requestOf({ kind, symbol, value }: StreamUpdate): MarketKinds[MarketKind]['request'] {
  return kind === 'bars' && value !== undefined ? { symbol, interval: (value as Bars).interval } : { symbol };
}

/** A stream of trades sends the new ones: they are joined to those that are held, without repeats, the last 1,000. */
export function joinTrades(held: readonly Trade[], streamed: readonly Trade[]): readonly Trade[] {
  const known = new Set(held.map(({ id }) => id));
  return [...held, ...streamed.filter(({ id }) => !known.has(id))].slice(-MOST_TRADES);
}

/** The best `depth` levels of both sides; undefined when the book does not reach so deep. */
export function cutBook(book: OrderBook, depth: number): OrderBook | undefined {
  if (!(depth >= 1) || book.bids.length < depth || book.asks.length < depth) return undefined;
  return { ...book, bids: book.bids.slice(0, depth), asks: book.asks.slice(0, depth) };
}
