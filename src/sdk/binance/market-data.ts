import type { Settled } from '../../contracts/calls.js';
import type { Bars, FetchAttempt, Instrument, MarketKind, OrderBook, Quote, Trade } from '../../contracts/market-data.js';
import { isUnknownSymbol, unknownSymbolError } from '../../contracts/unknown-symbol.js';
import { VenueKitError } from '../../core/errors.js';
import { type Json, listOf, number, objectOf, text } from '../shared/json.js';
import { MarketReads, type Request, settle } from '../shared/market-reads.js';
import type { BinanceMarkets } from './markets.js';
import type { Params } from './wire.js';

/** What the market-data side needs of its adapter. */
export interface MarketDataCalls {
  readonly markets: BinanceMarkets;
  /** JSON of a public endpoint. */
  read(path: string, params: Params, attempt: FetchAttempt): Promise<unknown>;
  /** Epoch ms by the venue's clock, as far as it is known. */
  venueNow(): number;
}

const LARGEST_DEPTH = 5_000;

/** Binance spot's public endpoints behind {@link MarketDataAdapter}. */
export class BinanceMarketData extends MarketReads {
  readonly #calls: MarketDataCalls;

  constructor(calls: MarketDataCalls) {
    super();
    this.#calls = calls;
  }

  /** Source: Binance spot API reference, weights of the endpoints. */
  fetchWeight<K extends MarketKind>(kind: K, requests: readonly Request<K>[]): number {
    switch (kind) {
      case 'quote':
        return requests.length === 1 ? 2 : 4;
      case 'book':
        return requests.reduce((sum, { depth = 100 }: Request<'book'>) => sum + weightOfDepth(depth), 0);
      case 'trades':
        return 25 * requests.length;
      case 'bars':
        return 2 * requests.length;
      default:
        return this.#calls.markets.instrumentWeight * requests.length;
    }
  }

  override async quote(requests: readonly Request<'quote'>[], attempt: FetchAttempt): Promise<readonly Settled<Quote>[]> {
    const ids = await Promise.all(requests.map((request) => settle(this.#calls.markets.marketId(request.symbol))));
    const asked = [...new Set(ids.flatMap((id) => (id.status === 'fulfilled' ? [id.value] : [])))];
    const rows = asked.length === 0 ? NO_ROWS : await this.#bestPrices(asked, attempt);
    return ids.map((id, index): Settled<Quote> => {
      if (id.status === 'rejected') return id;
      const row = rows.get(id.value);
      const { symbol } = requests[index] as Request<'quote'>;
      if (row === undefined) return { status: 'rejected', reason: new VenueKitError('BAD_ANSWER', `bookTicker answered without ${symbol}`) };
      if (row === 'not listed') return { status: 'rejected', reason: unknownSymbolError('binance spot', symbol) };
      return { status: 'fulfilled', value: quoteOf(row, symbol) };
    });
  }

  /** By market id. One that the venue does not list fails the whole call, so each is then asked for alone. */
  async #bestPrices(ids: readonly string[], attempt: FetchAttempt): Promise<BestPrices> {
    const params = ids.length === 1 ? { symbol: ids[0] } : { symbols: JSON.stringify(ids) };
    let answer: unknown;
    try {
      answer = await this.#calls.read('/api/v3/ticker/bookTicker', params, attempt);
    } catch (error) {
      if (!isUnknownSymbol(error)) throw error;
      if (ids.length === 1) return new Map([[ids[0] as string, 'not listed']]);
      const apart = await Promise.all(ids.map((id) => this.#bestPrices([id], attempt)));
      return new Map(apart.flatMap((rows) => [...rows]));
    }
    const rows = (Array.isArray(answer) ? answer : [answer]).map((row) => objectOf(row, 'bookTicker'));
    return new Map(rows.map((row) => [text(row, 'symbol'), row]));
  }

  override async book({ symbol, depth = 100 }: Request<'book'>, attempt: FetchAttempt): Promise<OrderBook> {
    const book = objectOf(await this.#ofSymbol('/api/v3/depth', symbol, { limit: Math.min(depth, LARGEST_DEPTH) }, attempt), 'depth');
    return { symbol, bids: levels(book, 'bids'), asks: levels(book, 'asks'), seq: number(book, 'lastUpdateId') };
  }

  override async trades({ symbol, limit = 500 }: Request<'trades'>, attempt: FetchAttempt): Promise<readonly Trade[]> {
    return listOf(await this.#ofSymbol('/api/v3/trades', symbol, { limit }, attempt), 'trades').map((row) => {
      const trade = objectOf(row, 'trade');
      return {
        id: text(trade, 'id'),
        symbol,
        price: number(trade, 'price'),
        size: number(trade, 'qty'),
        side: trade.isBuyerMaker === true ? 'sell' : 'buy',
        eventTime: number(trade, 'time'),
      };
    });
  }

  override async bars({ symbol, interval, limit = 500, since }: Request<'bars'>, attempt: FetchAttempt): Promise<Bars> {
    const params = { interval, limit, ...(since === undefined ? {} : { startTime: since }) };
    const rows = listOf(await this.#ofSymbol('/api/v3/klines', symbol, params, attempt), 'klines').map((row) => listOf(row, 'kline'));
    const column = (index: number): Float64Array => Float64Array.from(rows, (row) => Number(row[index]));
    const lastCloseTime = Number(rows.at(-1)?.[6] ?? 0);
    return {
      symbol,
      interval,
      t: column(0),
      open: column(1),
      high: column(2),
      low: column(3),
      close: column(4),
      volume: column(5),
      lastBar: lastCloseTime >= this.#calls.venueNow() ? 'forming' : 'final',
    };
  }

  override async instrument({ symbol }: Request<'instrument'>, attempt: FetchAttempt): Promise<Instrument> {
    const filters = listOf((await this.#known(symbol, this.#calls.markets.instrument(symbol, attempt))).filters, 'filters').map((filter) =>
      objectOf(filter, 'filter'),
    );
    const filter = (type: string): Json | undefined => filters.find((candidate) => candidate.filterType === type);
    const price = filter('PRICE_FILTER');
    const lot = filter('LOT_SIZE');
    if (price === undefined || lot === undefined)
      throw new VenueKitError('BAD_ANSWER', `exchangeInfo has no PRICE_FILTER and LOT_SIZE for ${symbol}`);
    const notional = filter('NOTIONAL') ?? filter('MIN_NOTIONAL');
    return {
      symbol,
      priceStep: text(price, 'tickSize'),
      qtyStep: text(lot, 'stepSize'),
      ...(notional === undefined ? {} : { minNotional: text(notional, 'minNotional') }),
    };
  }

  async #ofSymbol(path: string, symbol: string, params: Params, attempt: FetchAttempt): Promise<unknown> {
    const id = await this.#calls.markets.marketId(symbol);
    return this.#known(symbol, this.#calls.read(path, { symbol: id, ...params }, attempt));
  }

  async #known<T>(symbol: string, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw isUnknownSymbol(error) ? unknownSymbolError('binance spot', symbol, error) : error;
    }
  }
}

type BestPrices = ReadonlyMap<string, Json | 'not listed'>;
const NO_ROWS: BestPrices = new Map();

export function weightOfDepth(depth: number): number {
  if (depth <= 100) return 5;
  if (depth <= 500) return 25;
  return depth <= 1_000 ? 50 : 250;
}

function quoteOf(row: Json, symbol: string): Quote {
  return { symbol, bid: number(row, 'bidPrice'), ask: number(row, 'askPrice'), bidSize: number(row, 'bidQty'), askSize: number(row, 'askQty') };
}

function levels(book: Json, side: 'bids' | 'asks'): readonly (readonly [number, number])[] {
  return listOf(book[side], side).map((level) => {
    const [price, size] = listOf(level, side);
    return [Number(price), Number(size)] as const;
  });
}
