import type { Settled } from '../../contracts/calls.js';
import type { Bars, FetchAttempt, Instrument, OrderBook, Quote, Trade } from '../../contracts/market-data.js';
import { VenueKitError } from '../../core/errors.js';
import { type Json, listOf, objectOf, text } from '../shared/json.js';
import { MarketReads, type Request, settle } from '../shared/market-reads.js';
import type { KrakenMarkets } from './markets.js';
import { millis } from './orders.js';
import type { Params } from './wire.js';

/** What the market-data side needs of its adapter. */
export interface MarketDataCalls {
  readonly markets: KrakenMarkets;
  /** The result of a public method. */
  read(method: string, params: Params, attempt: FetchAttempt): Promise<unknown>;
  /** Epoch ms by the venue's clock, as far as it is known. */
  venueNow(): number;
}

const LARGEST_DEPTH = 500;
/** Source: docs.kraken.com, Get OHLC data: minutes. */
const INTERVALS: Readonly<Record<string, number>> = {
  '1m': 1,
  '5m': 5,
  '15m': 15,
  '30m': 30,
  '1h': 60,
  '4h': 240,
  '1d': 1_440,
  '1w': 10_080,
  '15d': 21_600,
};
const MINUTE_MS = 60_000;

/** Kraken's public methods behind a market-data adapter. */
export class KrakenMarketData extends MarketReads {
  readonly #calls: MarketDataCalls;

  constructor(calls: MarketDataCalls) {
    super();
    this.#calls = calls;
  }

  override async quote(requests: readonly Request<'quote'>[], attempt: FetchAttempt): Promise<readonly Settled<Quote>[]> {
    const ids = await Promise.all(requests.map(({ symbol }) => settle(this.#calls.markets.marketId(symbol))));
    const asked = [...new Set(ids.flatMap((id) => (id.status === 'fulfilled' ? [id.value] : [])))];
    const rows = asked.length === 0 ? {} : objectOf(await this.#calls.read('Ticker', { pair: asked.join(',') }, attempt), 'Ticker');
    return ids.map((id, index): Settled<Quote> => {
      if (id.status === 'rejected') return id;
      const { symbol } = requests[index] as Request<'quote'>;
      const row = rows[id.value];
      if (row === undefined) return { status: 'rejected', reason: new VenueKitError('BAD_ANSWER', `Ticker answered without ${symbol}`) };
      return { status: 'fulfilled', value: quoteOf(objectOf(row, 'ticker'), symbol) };
    });
  }

  override async book({ symbol, depth = 100 }: Request<'book'>, attempt: FetchAttempt): Promise<OrderBook> {
    const book = objectOf(await this.#ofPair('Depth', symbol, { count: Math.min(depth, LARGEST_DEPTH) }, attempt), 'Depth');
    return { symbol, bids: levels(book, 'bids'), asks: levels(book, 'asks') };
  }

  override async trades({ symbol, limit = 500 }: Request<'trades'>, attempt: FetchAttempt): Promise<readonly Trade[]> {
    return listOf(await this.#ofPair('Trades', symbol, { count: limit }, attempt), 'Trades').map((row) => {
      const [price, size, time, side, , , id] = listOf(row, 'trade');
      return {
        id: String(id),
        symbol,
        price: Number(price),
        size: Number(size),
        side: side === 's' ? 'sell' : 'buy',
        eventTime: millis({ time }, 'time'),
      };
    });
  }

  override async bars({ symbol, interval, limit = 500, since }: Request<'bars'>, attempt: FetchAttempt): Promise<Bars> {
    const minutes = INTERVALS[interval];
    if (minutes === undefined)
      throw new RangeError(`interval must be one of ${Object.keys(INTERVALS).join(', ')} on Kraken, got ${JSON.stringify(interval)}`);
    // Exclusive, in seconds.
    const from = since === undefined ? {} : { since: Math.ceil(since / 1_000) - 1 };
    const all = listOf(await this.#ofPair('OHLC', symbol, { interval: minutes, ...from }, attempt), 'OHLC').map((row) => listOf(row, 'bar'));
    const rows = since === undefined ? all.slice(-limit) : all.slice(0, limit);
    const column = (index: number, factor = 1): Float64Array => Float64Array.from(rows, (row) => Number(row[index]) * factor);
    const lastClosesAt = Number(rows.at(-1)?.[0] ?? 0) * 1_000 + minutes * MINUTE_MS;
    return {
      symbol,
      interval,
      t: column(0, 1_000),
      open: column(1),
      high: column(2),
      low: column(3),
      close: column(4),
      volume: column(6),
      lastBar: lastClosesAt > this.#calls.venueNow() ? 'forming' : 'final',
    };
  }

  override async instrument({ symbol }: Request<'instrument'>): Promise<Instrument> {
    const pair = await this.#calls.markets.instrument(symbol);
    const costMin = pair.costmin === undefined ? undefined : text(pair, 'costmin');
    return {
      symbol,
      priceStep: pair.tick_size === undefined ? stepOf(pair, 'pair_decimals') : text(pair, 'tick_size'),
      qtyStep: stepOf(pair, 'lot_decimals'),
      ...(costMin === undefined ? {} : { minNotional: costMin }),
    };
  }

  /** What the answer holds of the one pair that was asked for. */
  async #ofPair(method: string, symbol: string, params: Params, attempt: FetchAttempt): Promise<unknown> {
    const id = await this.#calls.markets.marketId(symbol);
    return objectOf(await this.#calls.read(method, { pair: id, ...params }, attempt), method)[id];
  }
}

function stepOf(pair: Json, member: string): string {
  const places = Number(text(pair, member));
  if (!Number.isInteger(places) || places < 0) throw new VenueKitError('BAD_ANSWER', `the venue's pair has no number of places in ${member}`);
  return places === 0 ? '1' : `0.${'1'.padStart(places, '0')}`;
}

function quoteOf(row: Json, symbol: string): Quote {
  const [bid, , bidSize] = listOf(row.b, 'bid');
  const [ask, , askSize] = listOf(row.a, 'ask');
  const [last] = listOf(row.c, 'last');
  const quote = { symbol, bid: Number(bid), ask: Number(ask), bidSize: Number(bidSize), askSize: Number(askSize), last: Number(last) };
  if (!Number.isFinite(quote.bid) || !Number.isFinite(quote.ask)) throw new VenueKitError('BAD_ANSWER', `the ticker of ${symbol} has no prices`);
  return quote;
}

function levels(book: Json, side: 'bids' | 'asks'): readonly (readonly [number, number])[] {
  return listOf(book[side], side).map((level) => {
    const [price, size] = listOf(level, side);
    return [Number(price), Number(size)] as const;
  });
}
