import type { OrderBook } from '../../../contracts/market-data.js';

/** A book as REST gives it whole. */
export interface BookSnapshot {
  readonly lastUpdateId: number;
  readonly bids: readonly (readonly [price: number, size: number])[];
  readonly asks: readonly (readonly [price: number, size: number])[];
}

/** What changed from update id `first` to `last`: size 0 removes a level. */
export interface BookChange {
  readonly first: number;
  readonly last: number;
  readonly bids: readonly (readonly [price: number, size: number])[];
  readonly asks: readonly (readonly [price: number, size: number])[];
  readonly eventTime?: number;
}

type Level = readonly [price: number, size: number];

/** One side, best price first. */
class BookSide {
  readonly #sign: 1 | -1;
  #levels: Level[];

  constructor(side: 'bids' | 'asks', levels: readonly Level[]) {
    this.#sign = side === 'asks' ? 1 : -1;
    this.#levels = levels.filter(([, size]) => size > 0).sort((a, b) => this.#sign * (a[0] - b[0]));
  }

  set(level: Level): void {
    const [price, size] = level;
    let low = 0;
    let high = this.#levels.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#sign * (this.#levels[middle]![0] - price) < 0) low = middle + 1;
      else high = middle;
    }
    const isThere = this.#levels[low]?.[0] === price;
    if (size === 0) {
      if (isThere) this.#levels.splice(low, 1);
    } else if (isThere) this.#levels[low] = level;
    else this.#levels.splice(low, 0, level);
  }

  top(depth: number): readonly Level[] {
    return this.#levels.slice(0, depth);
  }
}

/** What the changes amount to. `gap`: one is missing, and what is held is of no use any more. */
export type BookStep = 'applied' | 'older' | 'gap';

/** A copy of the venue's book, kept by its changes. Source of the rules: binance-spot-api-docs, web-socket-streams.md, how to manage a local order book. */
export class LocalBook {
  readonly #symbol: string;
  readonly #bids: BookSide;
  readonly #asks: BookSide;
  #lastId: number;
  #eventTime: number | undefined;

  constructor(symbol: string, snapshot: BookSnapshot) {
    this.#symbol = symbol;
    this.#bids = new BookSide('bids', snapshot.bids);
    this.#asks = new BookSide('asks', snapshot.asks);
    this.#lastId = snapshot.lastUpdateId;
  }

  get lastId(): number {
    return this.#lastId;
  }

  apply(change: BookChange): BookStep {
    if (change.last <= this.#lastId) return 'older';
    if (change.first > this.#lastId + 1) return 'gap';
    for (const level of change.bids) this.#bids.set(level);
    for (const level of change.asks) this.#asks.set(level);
    this.#lastId = change.last;
    this.#eventTime = change.eventTime;
    return 'applied';
  }

  view(depth: number): OrderBook {
    return {
      symbol: this.#symbol,
      bids: this.#bids.top(depth),
      asks: this.#asks.top(depth),
      seq: this.#lastId,
      ...(this.#eventTime !== undefined && { eventTime: this.#eventTime }),
    };
  }
}
