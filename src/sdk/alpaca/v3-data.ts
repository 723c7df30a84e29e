import type { FetchAttempt } from '../../contracts/market-data.js';
import { abortable } from '../../core/abort.js';
import { redactError } from '../../core/logger.js';
import type { HttpFacts } from '../shared/http-facts.js';
import { type Json, listOf, objectOf } from '../shared/json.js';
import type { MarketSource, Range } from './market-source.js';
import type { AlpacaV3 } from './sdk-shapes.js';

const FAILURE = /^code: (\d+|undefined), message: ([\s\S]*)$/;

/** What is known of a failure of version 3's market-data methods, which keep only the status, in words. */
export function factsOfDataError(error: unknown): HttpFacts {
  const match = FAILURE.exec(String((error as { readonly message?: unknown } | undefined)?.message));
  if (match === null || match[1] === 'undefined') return { sent: true };
  return { sent: true, status: Number(match[1]), body: JSON.stringify({ message: match[2] === 'undefined' ? undefined : match[2] }) };
}

/** Version 3's long names for what is short on the wire. Source: its resources/datav2/entityv2. */
const SHORT: Readonly<Record<string, string>> = {
  Timestamp: 't',
  Exchange: 'x',
  Conditions: 'c',
  Tape: 'z',
  VWAP: 'vw',
  TradeCount: 'n',
  BidExchange: 'bx',
  AskExchange: 'ax',
  BidPrice: 'bp',
  BidSize: 'bs',
  AskPrice: 'ap',
  AskSize: 'as',
  OpenPrice: 'o',
  HighPrice: 'h',
  LowPrice: 'l',
  ClosePrice: 'c',
  Open: 'o',
  High: 'h',
  Low: 'l',
  Close: 'c',
  Volume: 'v',
  Price: 'p',
  Size: 's',
  ID: 'i',
  TakerSide: 'tks',
  Bids: 'b',
  Asks: 'a',
};

/** Market data through version 3's own methods: it has no other way to the data host. */
export class V3Data implements MarketSource {
  readonly #sdk: AlpacaV3;

  constructor(sdk: AlpacaV3) {
    this.#sdk = sdk;
  }

  async latestQuotes(symbols: readonly string[], isCrypto: boolean, { signal }: FetchAttempt): Promise<ReadonlyMap<string, Json>> {
    const sdk = this.#sdk;
    const quotes = await made(isCrypto ? sdk.getLatestCryptoQuotes(symbols) : sdk.getLatestQuotes(symbols), signal);
    return new Map([...(quotes as ReadonlyMap<string, unknown>)].map(([symbol, quote]) => [symbol, short(quote)]));
  }

  bars(symbol: string, isCrypto: boolean, range: Range, { signal }: FetchAttempt): Promise<readonly Json[]> {
    return isCrypto
      ? this.#listed(this.#sdk.getCryptoBars([symbol], { ...range }), symbol, signal)
      : collected(this.#sdk.getBarsV2(symbol, { ...range }), signal);
  }

  trades(symbol: string, isCrypto: boolean, range: Range, { signal }: FetchAttempt): Promise<readonly Json[]> {
    if (isCrypto) return this.#listed(this.#sdk.getCryptoTrades([symbol], { ...range }), symbol, signal);
    return collected(this.#sdk.getTradesV2(symbol, { ...range }), signal);
  }

  async book(symbol: string, { signal }: FetchAttempt): Promise<Json> {
    const books = (await made(this.#sdk.getCryptoOrderbooks([symbol]), signal)) as ReadonlyMap<string, unknown>;
    const book = short(books.get(symbol));
    const side = (levels: unknown): readonly Json[] => listOf(levels, 'book').map(short);
    return { ...book, b: side(book.b), a: side(book.a) };
  }

  async #listed(asked: Promise<unknown>, symbol: string, signal: AbortSignal): Promise<readonly Json[]> {
    const all = (await made(asked, signal)) as ReadonlyMap<string, readonly unknown[]>;
    return (all.get(symbol) ?? []).map(short);
  }
}

async function collected(rows: AsyncIterable<unknown>, signal: AbortSignal): Promise<readonly Json[]> {
  const all: Json[] = [];
  const reading = (async () => {
    for await (const row of rows) all.push(short(row));
  })();
  await made(reading, signal);
  return all;
}

// The SDK takes no signal: it goes on, and nobody listens.
async function made<T>(asked: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await abortable(asked, signal);
  } catch (error) {
    throw redactError(error);
  }
}

function short(row: unknown): Json {
  return Object.fromEntries(Object.entries(objectOf(row, 'row')).map(([name, value]) => [SHORT[name] ?? name, value]));
}
