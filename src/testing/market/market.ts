import type { Bars, OrderBook, Quote, Trade } from '../../contracts/market-data.js';
import type { ListedSymbol } from '../venue/listed-symbol.js';
import { aggregate, sampled } from './bars.js';
import { type Crossing, hashToUnit, type PricePath } from './price-path.js';
import { ReplayedPrice } from './replayed-price.js';

/** One trade a second is on the tape. */
export const TRADE_EVERY_MS = 1_000;
/** The book is published at this pace; what stands in it is of that moment. */
export const BOOK_EVERY_MS = 100;
/** Levels of a side. */
export const BOOK_DEPTH = 100;
// A level keeps its size for so many publications, then gets another: few change at a time, as in a real book.
const SIZE_KEPT_FOR = 50;

/** What one symbol's market looks like at any time: quote, book, trades and bars, all of one price path. */
export class Market {
  readonly symbol: ListedSymbol;
  readonly #step: number;
  readonly #spread: number;
  readonly #seed: number;
  #path: PricePath;
  #spreadSteps: number;

  /** @param spread - ask - bid as a share of the price, at least one price step. */
  constructor(symbol: ListedSymbol, path: PricePath, spread: number, seed: number) {
    this.symbol = symbol;
    this.#path = path;
    this.#seed = seed;
    this.#step = Number(symbol.priceStep);
    this.#spread = spread;
    this.#spreadSteps = this.#stepsOfSpread(path);
  }

  /** Bars from here on instead of what the price was made of before. */
  follow(path: PricePath): void {
    this.#path = path;
    this.#spreadSteps = this.#stepsOfSpread(path);
  }

  /** In price units of the symbol. */
  bidUnits(at: number): number {
    return this.#bidSteps(at) * this.symbol.priceStepUnits;
  }

  askUnits(at: number): number {
    return (this.#bidSteps(at) + this.#spreadSteps) * this.symbol.priceStepUnits;
  }

  get spreadUnits(): number {
    return this.#spreadSteps * this.symbol.priceStepUnits;
  }

  quote(at: number): Quote {
    const bid = this.#bidSteps(at);
    return {
      symbol: this.symbol.name,
      bid: this.#price(bid),
      ask: this.#price(bid + this.#spreadSteps),
      bidSize: this.#sizeAt(bid, bookTick(at)),
      askSize: this.#sizeAt(bid + this.#spreadSteps, bookTick(at)),
      last: this.#price(bid),
      eventTime: at,
    };
  }

  /** The book as it was last published; `seq` counts the publications, one each 100 ms of the engine's time. */
  book(at: number, depth: number): OrderBook {
    const tick = bookTick(at);
    const bid = this.#bidSteps(tick * BOOK_EVERY_MS);
    const ask = bid + this.#spreadSteps;
    const levels = Math.max(0, Math.min(depth, BOOK_DEPTH));
    return {
      symbol: this.symbol.name,
      bids: Array.from({ length: Math.min(levels, bid) }, (_, i) => [this.#price(bid - i), this.#sizeAt(bid - i, tick)] as const),
      asks: Array.from({ length: levels }, (_, i) => [this.#price(ask + i), this.#sizeAt(ask + i, tick)] as const),
      seq: tick,
      eventTime: at,
    };
  }

  /** The tape: one trade each second at the price of that moment, oldest first. */
  trades(at: number, limit: number): readonly Trade[] {
    const last = Math.floor(at / TRADE_EVERY_MS);
    return Array.from({ length: limit }, (_, i) => {
      const n = last - limit + 1 + i;
      const time = n * TRADE_EVERY_MS;
      return {
        id: String(n),
        symbol: this.symbol.name,
        price: this.#price(this.#bidSteps(time)),
        size: this.#size(1 + Math.floor(hashToUnit(this.#seed ^ 1, n) * 100_000)),
        side: hashToUnit(this.#seed, n) < 0.5 ? 'buy' : 'sell',
        eventTime: time,
      } as const;
    });
  }

  /** What has come onto the tape after `from`, by `at`, oldest first; at most 1,000. */
  tradesSince(from: number, at: number): readonly Trade[] {
    const count = Math.floor(at / TRADE_EVERY_MS) - Math.floor(from / TRADE_EVERY_MS);
    return count <= 0 ? [] : this.trades(at, Math.min(count, 1_000));
  }

  /** The newest `limit` bars that have begun by `at`, or the first `limit` since `since`. */
  bars(at: number, interval: string, intervalMs: number, since: number | undefined, limit: number): Bars {
    const round = (price: number): number => this.#price(Math.round(price / this.#step));
    const columns =
      this.#path instanceof ReplayedPrice
        ? aggregate(this.#path, at, intervalMs, since, limit)
        : sampled(this.#path, this.#seed, at, intervalMs, since, limit);
    for (const column of [columns.open, columns.high, columns.low, columns.close])
      column.forEach((price, i) => {
        column[i] = round(price);
      });
    const last = columns.t.at(-1);
    return { symbol: this.symbol.name, interval, ...columns, lastBar: last !== undefined && last + intervalMs > at ? 'forming' : 'final' };
  }

  /** When a resting order at `units` is next reached: a buy by the ask, a sell by the bid. */
  firstReach(from: number, side: 'buy' | 'sell', units: number): Crossing {
    const steps = units / this.symbol.priceStepUnits;
    // bid = floor(mid - half), so ask <= limit is mid < limit - spread + 1 + half, and bid >= limit is mid >= limit + half.
    return side === 'buy'
      ? this.#path.firstCross(from, (steps - this.#spreadSteps + 1 + this.#spreadSteps / 2) * this.#step, 'under')
      : this.#path.firstCross(from, (steps + this.#spreadSteps / 2) * this.#step, 'over');
  }

  // One width for the whole path, by the middle of its range.
  #stepsOfSpread({ lowest, highest }: PricePath): number {
    return Math.max(1, Math.round((((lowest + highest) / 2) * this.#spread) / this.#step));
  }

  #bidSteps(at: number): number {
    return Math.max(1, Math.floor(this.#path.mid(at) / this.#step - this.#spreadSteps / 2));
  }

  // Back from whole steps by way of the decimal places, so that 101 steps of 0.01 are 1.01 and not 1.0100000000000002.
  #price(steps: number): number {
    return (steps * this.symbol.priceStepUnits) / 10 ** this.symbol.pricePlaces;
  }

  #sizeAt(steps: number, tick: number): number {
    const own = this.#seed ^ Math.imul(steps, 0x9e3779b1);
    const turn = Math.floor((tick + hashToUnit(own, 0) * SIZE_KEPT_FOR) / SIZE_KEPT_FOR);
    return this.#size(1 + Math.floor(hashToUnit(own, turn) * 100_000));
  }

  #size(steps: number): number {
    return (steps * this.symbol.qtyStepUnits) / 10 ** this.symbol.qtyPlaces;
  }
}

/** How many times the book has been published by `at`. */
export function bookTick(at: number): number {
  return Math.floor(at / BOOK_EVERY_MS);
}
