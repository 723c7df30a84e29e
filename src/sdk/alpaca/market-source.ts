import type { FetchAttempt } from '../../contracts/market-data.js';
import { asError, VenueKitError } from '../../core/errors.js';
import { readerOf } from '../shared/http-facts.js';
import { type Json, objectOf } from '../shared/json.js';
import { retryAfterOf } from './verdict.js';
import type { AlpacaHost, WireOutcome, WireRequest } from './wire.js';

/** What is asked of a range of the past. */
export interface Range {
  readonly timeframe?: string;
  readonly start?: string;
  readonly end?: string;
  /** Of shares, where it is not the account's best. */
  readonly feed?: string;
  readonly limit: number;
  readonly sort: 'asc' | 'desc';
}

/** Raw market data of one instance, in Alpaca's own short names, whichever version of the SDK it comes through. */
export interface MarketSource {
  latestQuotes(symbols: readonly string[], isCrypto: boolean, attempt: FetchAttempt): Promise<ReadonlyMap<string, Json>>;
  bars(symbol: string, isCrypto: boolean, range: Range, attempt: FetchAttempt): Promise<readonly Json[]>;
  trades(symbol: string, isCrypto: boolean, range: Range, attempt: FetchAttempt): Promise<readonly Json[]>;
  /** Of crypto assets; shares have none here. */
  book(symbol: string, attempt: FetchAttempt): Promise<Json>;
}

/** What reads either of Alpaca's APIs. */
export interface HostedWire {
  request(host: AlpacaHost, request: WireRequest, signal: AbortSignal): Promise<WireOutcome>;
}

/** By requests of our own, with the SDK's transport. */
export class RequestedSource implements MarketSource {
  readonly #wire: HostedWire;
  readonly #now: () => number;
  readonly #crypto: string;

  /** @param loc - where crypto is traded. Source: docs.alpaca.markets, crypto data */
  constructor(wire: HostedWire, now: () => number, loc = 'us') {
    this.#wire = wire;
    this.#now = now;
    this.#crypto = `/v1beta3/crypto/${loc}`;
  }

  async latestQuotes(symbols: readonly string[], isCrypto: boolean, attempt: FetchAttempt): Promise<ReadonlyMap<string, Json>> {
    const path = isCrypto ? `${this.#crypto}/latest/quotes` : '/v2/stocks/quotes/latest';
    const quotes = objectOf((await this.#get({ method: 'GET', path, query: { symbols: symbols.join(',') } }, attempt)).quotes, 'quotes');
    return new Map(Object.entries(quotes).map(([symbol, quote]) => [symbol, objectOf(quote, 'quote')]));
  }

  bars(symbol: string, isCrypto: boolean, range: Range, attempt: FetchAttempt): Promise<readonly Json[]> {
    return this.#range('bars', symbol, isCrypto, range, attempt);
  }

  trades(symbol: string, isCrypto: boolean, range: Range, attempt: FetchAttempt): Promise<readonly Json[]> {
    return this.#range('trades', symbol, isCrypto, range, attempt);
  }

  async book(symbol: string, attempt: FetchAttempt): Promise<Json> {
    const answer = await this.#get({ method: 'GET', path: `${this.#crypto}/latest/orderbooks`, query: { symbols: symbol } }, attempt);
    return objectOf(objectOf(answer.orderbooks, 'orderbooks')[symbol], 'orderbook');
  }

  async #range(kind: 'bars' | 'trades', symbol: string, isCrypto: boolean, range: Range, attempt: FetchAttempt): Promise<readonly Json[]> {
    const path = isCrypto ? `${this.#crypto}/${kind}` : `/v2/stocks/${kind}`;
    const all: Json[] = [];
    for (let token: unknown; all.length < range.limit; ) {
      const query = { symbols: symbol, ...range, limit: range.limit - all.length, page_token: token };
      const answer = await this.#get({ method: 'GET', path, query }, attempt);
      const rows = objectOf(answer[kind] ?? {}, kind)[symbol];
      if (Array.isArray(rows)) for (const row of rows) all.push(objectOf(row, kind));
      token = answer.next_page_token ?? undefined;
      if (token === undefined) break;
    }
    return all;
  }

  async #get(request: WireRequest, { signal }: FetchAttempt): Promise<Json> {
    const outcome = await this.#wire.request('data', request, signal);
    if ('result' in outcome) return objectOf(outcome.result.json, request.path);
    throw readError(outcome.error, outcome.facts, this.#now());
  }
}

/** The error of a read, with how long the venue asks to wait. */
export function readError(
  error: unknown,
  facts: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> },
  now: number,
): Error {
  const retryAfterMs = facts.status === 429 ? retryAfterOf(readerOf(facts.headers), now) : undefined;
  if (retryAfterMs === undefined) return asError(error);
  return Object.assign(new VenueKitError('RATE_LIMITED', `Alpaca asks to wait ${retryAfterMs} ms`, { cause: error }), { retryAfterMs });
}
