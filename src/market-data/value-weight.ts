import type { Bars, MarketKind, OrderBook, Trade } from '../contracts/market-data.js';

// Bytes of 64-bit Node. An entry, measured: memory in use after a collection with 10,000 quotes less without, for each; that is
// the quote with all that is known of its key: cell, places in store and index, a reader's rhythm. A level, by the difference of
// books of 40 and of none: an array of two numbers, which are objects of their own once it is frozen. A trade and the frame of a
// typed array by V8's layout of their fields. `npm run bench -- cache` measures all of it again: what is counted is 0.96 to 1.1
// times what is held, for a quote without a rhythm more.
const ENTRY = 1_300;
const BOOK_LEVEL = 104;
const TRADE = 160;
const BAR_COLUMNS = 6;
const TYPED_ARRAY = 200;

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
