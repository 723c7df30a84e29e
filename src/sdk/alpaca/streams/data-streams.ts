import type { MarketKind, OrderBook, StreamUpdate } from '../../../contracts/market-data.js';
import { unknownSymbolError } from '../../../contracts/unknown-symbol.js';
import { VenueKitError } from '../../../core/errors.js';
import { type Json, listOf, number, objectOf } from '../../shared/json.js';
import { EventQueue } from '../../shared/streams/event-queue.js';
import { isCrypto, quoteOf, tradeOf } from '../market-data.js';
import { timeOf } from '../orders.js';
import { DataConnection, type DataStreamParts } from './data-connection.js';

/** Which channel carries a kind. Bars are not streamed: one bar is no answer to who reads a hundred. */
const CHANNELS = { quote: 'quotes', trades: 'trades', book: 'orderbooks' } as const;
type StreamedKind = keyof typeof CHANNELS;

const BOOK_DEPTH = 100;

/** Market data as it happens, over one connection for shares and one for crypto assets, whoever follows what. */
export class DataStreams {
  readonly #parts: DataStreamParts;
  readonly #urls: { readonly shares: string; readonly crypto: string };
  readonly #connections = new Map<boolean, DataConnection>();

  constructor(urls: { readonly shares: string; readonly crypto: string }, parts: DataStreamParts) {
    this.#urls = urls;
    this.#parts = parts;
  }

  /** Updates of `kind` for `symbols`, until a connection drops or the signal aborts. Alpaca numbers none of them. */
  async *updates(kind: MarketKind, symbols: readonly string[], signal: AbortSignal): AsyncGenerator<StreamUpdate, void, undefined> {
    if (!(kind in CHANNELS)) throw new RangeError(`kind must be one of "quote", "book", "trades" to be streamed, got ${JSON.stringify(kind)}`);
    const share = symbols.find((symbol) => !isCrypto(symbol));
    if (kind === 'book' && share !== undefined) throw unknownSymbolError('the order books of alpaca', share);
    const streamed = kind as StreamedKind;
    const queue = new EventQueue<StreamUpdate>(signal);
    const following: Disposable[] = [];
    for (const ofCrypto of [false, true]) {
      const some = symbols.filter((symbol) => isCrypto(symbol) === ofCrypto);
      if (some.length === 0) continue;
      const connection = this.#connection(ofCrypto);
      const read = readerOf(streamed, (symbol) => connection.renew(CHANNELS[streamed], symbol));
      following.push(
        connection.add({
          channel: CHANNELS[streamed],
          symbols: some,
          take: (event) => {
            const update = read(event);
            if (update !== undefined) queue.push(update);
          },
          alive: () => {
            for (const symbol of some) queue.push({ kind, symbol, heartbeat: true });
          },
          failed: (reason) => queue.fail(reason),
        }),
      );
    }
    try {
      yield* queue;
    } finally {
      for (const one of following) one[Symbol.dispose]();
      queue.fail(new VenueKitError('CLOSED', 'The stream was left.'));
    }
  }

  #connection(ofCrypto: boolean): DataConnection {
    let connection = this.#connections.get(ofCrypto);
    if (connection === undefined) {
      const made = new DataConnection(ofCrypto ? this.#urls.crypto : this.#urls.shares, this.#parts, () => {
        if (this.#connections.get(ofCrypto) === made) this.#connections.delete(ofCrypto);
      });
      connection = made;
      this.#connections.set(ofCrypto, connection);
    }
    return connection;
  }
}

function readerOf(kind: StreamedKind, renew: (symbol: string) => void): (event: Json) => StreamUpdate | undefined {
  if (kind === 'quote') {
    return (event) => {
      const symbol = String(event.S);
      const value = quoteOf(event, symbol);
      return { kind, symbol, value, ...(value.eventTime === undefined ? {} : { eventTime: value.eventTime }) };
    };
  }
  if (kind === 'trades') {
    return (event) => {
      const symbol = String(event.S);
      const trade = tradeOf(event, symbol);
      return { kind, symbol, value: [trade], eventTime: trade.eventTime };
    };
  }
  const books = new Map<string, StreamedBook>();
  return (event) => {
    const symbol = String(event.S);
    let book = books.get(symbol);
    if (book === undefined) books.set(symbol, (book = new StreamedBook()));
    const value = book.take(event, symbol);
    if (value !== undefined) return { kind, symbol, value, eventTime: timeOf(event.t) };
    // Changes without the whole that they are of, as those get who follow a book later than others: it is asked for once.
    if (book.isAwaited) return undefined;
    book.isAwaited = true;
    renew(symbol);
    return { kind, symbol, gap: true };
  };
}

/** A book that is sent whole once, and then as levels that have changed; a size of 0 takes a level out. */
class StreamedBook {
  readonly #bids = new Map<number, number>();
  readonly #asks = new Map<number, number>();

  #isWhole = false;
  /** Whether the whole book has been asked for. */
  isAwaited = false;

  /** undefined while the whole book has not been sent. */
  take(event: Json, symbol: string): OrderBook | undefined {
    if (event.r === true) {
      this.#isWhole = true;
      this.#bids.clear();
      this.#asks.clear();
    }
    if (!this.#isWhole) return undefined;
    change(this.#bids, event.b);
    change(this.#asks, event.a);
    return { symbol, bids: sorted(this.#bids, -1), asks: sorted(this.#asks, 1), eventTime: timeOf(event.t) };
  }
}

function change(side: Map<number, number>, levels: unknown): void {
  if (levels === undefined || levels === null) return;
  for (const one of listOf(levels, 'levels')) {
    const level = objectOf(one, 'level');
    const size = number(level, 's');
    if (size === 0) side.delete(number(level, 'p'));
    else side.set(number(level, 'p'), size);
  }
}

function sorted(side: ReadonlyMap<number, number>, direction: 1 | -1): readonly (readonly [number, number])[] {
  return [...side].sort(([a], [b]) => (a - b) * direction).slice(0, BOOK_DEPTH);
}
