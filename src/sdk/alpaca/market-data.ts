import type { Settled } from '../../contracts/calls.js';
import type { Bars, FetchAttempt, Instrument, OrderBook, Quote, Trade } from '../../contracts/market-data.js';
import { unknownSymbolError } from '../../contracts/unknown-symbol.js';
import { VenueKitError } from '../../core/errors.js';
import { type Json, listOf, number, objectOf, text } from '../shared/json.js';
import { MarketReads, type Request } from '../shared/market-reads.js';
import type { MarketSource } from './market-source.js';
import { timeOf } from './orders.js';

const DAY_MS = 86_400_000;
/** Trading hours are a part of the week: this much of the past holds as many bars as are asked for. Bars at night are none for shares. */
const STRETCH = 8;
const SETTLE_MS = 60_000;

/** Source: docs.alpaca.markets, historical bars: units of a timeframe. */
const UNITS: Readonly<Record<string, readonly [unit: string, ms: number]>> = {
  m: ['Min', 60_000],
  h: ['Hour', 3_600_000],
  d: ['Day', DAY_MS],
  w: ['Week', 7 * DAY_MS],
};

/** Market data of both asset classes behind `MarketDataAdapter`. A symbol with a slash is crypto, any other a share. */
export class AlpacaMarketData extends MarketReads {
  readonly #source: MarketSource;
  readonly #asset: (symbol: string, attempt: FetchAttempt) => Promise<Json | undefined>;
  readonly #venueNow: () => number;

  /** @param asset - what the Trading API says of a symbol; undefined where it knows none */
  constructor(source: MarketSource, asset: (symbol: string, attempt: FetchAttempt) => Promise<Json | undefined>, venueNow: () => number) {
    super();
    this.#source = source;
    this.#asset = asset;
    this.#venueNow = venueNow;
  }

  // Shares and crypto are asked for apart; a symbol that is not known fails the whole of its call, so it is then asked for alone.
  override async quote(requests: readonly Request<'quote'>[], attempt: FetchAttempt): Promise<readonly Settled<Quote>[]> {
    const found = new Map<string, Json>();
    const unknown = new Map<string, Error>();
    for (const isOfCrypto of [false, true]) {
      const symbols = [...new Set(requests.map(({ symbol }) => symbol))].filter((symbol) => isCrypto(symbol) === isOfCrypto);
      if (symbols.length === 0) continue;
      try {
        for (const [symbol, quote] of await this.#source.latestQuotes(symbols, isOfCrypto, attempt)) found.set(symbol, quote);
      } catch (error) {
        const culprit = symbols.find((symbol) => isAbout(error, symbol));
        if (culprit === undefined) throw error;
        unknown.set(culprit, unknownSymbolError('alpaca', culprit));
        const others = symbols.filter((symbol) => symbol !== culprit);
        if (others.length > 0) for (const [symbol, quote] of await this.#source.latestQuotes(others, isOfCrypto, attempt)) found.set(symbol, quote);
      }
    }
    return requests.map(({ symbol }): Settled<Quote> => {
      const quote = found.get(symbol);
      if (quote !== undefined) return { status: 'fulfilled', value: quoteOf(quote, symbol) };
      return { status: 'rejected', reason: unknown.get(symbol) ?? unknownSymbolError('alpaca', symbol) };
    });
  }

  override async book({ symbol, depth = 100 }: Request<'book'>, attempt: FetchAttempt): Promise<OrderBook> {
    if (!isCrypto(symbol))
      throw new VenueKitError('UNSUPPORTED', `Alpaca has order books of crypto assets only, and ${symbol} is a share; read its quote`);
    const book = await this.#known(symbol, () => this.#source.book(symbol, attempt));
    return { symbol, bids: levelsOf(book.b, depth), asks: levelsOf(book.a, depth), eventTime: timeOf(book.t) };
  }

  override async trades({ symbol, limit = 100 }: Request<'trades'>, attempt: FetchAttempt): Promise<readonly Trade[]> {
    const start = isoTime(this.#venueNow() - DAY_MS);
    const rows = await this.#known(symbol, () => this.#source.trades(symbol, isCrypto(symbol), { start, limit, sort: 'desc' }, attempt));
    return rows.map((row) => tradeOf(row, symbol)).reverse();
  }

  override async bars({ symbol, interval, limit = 500, since }: Request<'bars'>, attempt: FetchAttempt): Promise<Bars> {
    const [, count = '', unit = ''] = /^(\d+)([mhdw])$/.exec(interval) ?? [];
    const known = UNITS[unit];
    if (known === undefined || Number(count) < 1)
      throw new RangeError(`interval must be a number and one of m, h, d, w, such as "5m", got ${JSON.stringify(interval)}`);
    const [name, unitMs] = known;
    const everyMs = Number(count) * unitMs;
    const now = this.#venueNow();
    const start = since ?? now - Math.max(limit * everyMs * STRETCH, 5 * DAY_MS);
    const range = { timeframe: `${count}${name}`, start: isoTime(start), limit, sort: since === undefined ? ('desc' as const) : ('asc' as const) };
    const rows = await this.#known(symbol, () => this.#source.bars(symbol, isCrypto(symbol), range, attempt));
    const ordered = since === undefined ? [...rows].reverse() : rows;
    const column = (member: string): Float64Array => Float64Array.from(ordered, (row) => number(row, member));
    const t = Float64Array.from(ordered, (row) => timeOf(row.t));
    const last = t.at(-1);
    const ended = last === undefined ? Infinity : last + everyMs;
    return {
      symbol,
      interval,
      t,
      open: column('o'),
      high: column('h'),
      low: column('l'),
      close: column('c'),
      volume: column('v'),
      // Late trades may change a bar of the minute before last: its update comes within half a minute.
      lastBar: ended > now ? 'forming' : ended > now - SETTLE_MS ? 'provisional' : 'final',
    };
  }

  // Steps of shares are the exchange's and not in the answer: a cent, and a billionth where fractions are traded.
  override async instrument({ symbol }: Request<'instrument'>, attempt: FetchAttempt): Promise<Instrument> {
    const asset = await this.#asset(symbol, attempt);
    if (asset === undefined) throw unknownSymbolError('alpaca', symbol);
    if (!isCrypto(symbol)) return { symbol, priceStep: '0.01', qtyStep: asset.fractionable === true ? '0.000000001' : '1' };
    return { symbol, priceStep: text(asset, 'price_increment'), qtyStep: text(asset, 'min_trade_increment') };
  }

  async #known<T>(symbol: string, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (error) {
      throw isAbout(error, symbol) ? unknownSymbolError('alpaca', symbol) : error;
    }
  }
}

/** Alpaca's pairs of crypto assets have a slash; everything else is a share. */
export function isCrypto(symbol: string): boolean {
  return symbol.includes('/');
}

export function quoteOf(quote: Json, symbol: string): Quote {
  return {
    symbol,
    bid: number(quote, 'bp'),
    ask: number(quote, 'ap'),
    bidSize: number(quote, 'bs'),
    askSize: number(quote, 'as'),
    eventTime: timeOf(quote.t),
  };
}

export function tradeOf(row: Json, symbol: string): Trade {
  const side = row.tks === 'S' ? 'sell' : row.tks === 'B' ? 'buy' : undefined;
  return {
    id: text(row, 'i'),
    symbol,
    price: number(row, 'p'),
    size: number(row, 's'),
    ...(side === undefined ? {} : { side: side }),
    eventTime: timeOf(row.t),
  };
}

export function levelsOf(side: unknown, depth: number): readonly (readonly [price: number, size: number])[] {
  return listOf(side, 'book')
    .slice(0, depth)
    .map((level) => {
      const row = objectOf(level, 'level');
      return [number(row, 'p'), number(row, 's')] as const;
    });
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

const INVALID_SYMBOL = /invalid symbol:?\s*["']?([^\s"',}]+)/i;

// The data API names the symbol that it does not know. Source: docs.alpaca.markets, historical data: 400 "invalid symbol".
function isAbout(error: unknown, symbol: string): boolean {
  for (let at: unknown = error, depth = 0; typeof at === 'object' && at !== null && depth < 4; at = (at as { cause?: unknown }).cause, depth++) {
    const { message, read } = at as { message?: unknown; read?: { body?: unknown } };
    const words = `${String(message)} ${String(read?.body)}`;
    // Some SDKs put the whole address in front, with all symbols that were asked for.
    if (INVALID_SYMBOL.exec(words)?.[1] === symbol) return true;
  }
  return false;
}
