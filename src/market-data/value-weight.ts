import type { Bars, MarketKind, OrderBook, Trade } from '../contracts/market-data.js';

// Bytes on the V8 heap of 64-bit Node with its key and place in the store: objects as measured, the
// length of arrays by element.
const ENTRY = 367;
const BOOK_LEVEL = 56;
const TRADE = 120;
const BAR_COLUMNS = 6;
const TYPED_ARRAY = 104;

/** The bytes that a value and its entry hold, estimated; exact enough for a bound on memory. */
export function weigh(kind: MarketKind, value: unknown): number {
  switch (kind) {
    case 'bars':
      return ENTRY + BAR_COLUMNS * (TYPED_ARRAY + 8 * (value as Bars).t.length);
    case 'book':
      return ENTRY + BOOK_LEVEL * ((value as OrderBook).bids.length + (value as OrderBook).asks.length);
    case 'trades':
      return ENTRY + TRADE * (value as readonly Trade[]).length;
    default:
      return ENTRY;
  }
}
