import type { Settled } from '../../contracts/calls.js';
import type { Bars, FetchAttempt, Instrument, MarketKind, MarketKinds, OrderBook, Quote, Trade } from '../../contracts/market-data.js';
import { isUnknownSymbol } from '../../contracts/unknown-symbol.js';
import { asError } from '../../core/errors.js';

export type Request<K extends MarketKind> = MarketKinds[K]['request'];

const QUOTES_PER_CALL = 100;

/** Market data of a venue that gives quotes many in a call, and all else one by one: each kind is a method, which the venue's own class has. */
export abstract class MarketReads {
  abstract quote(requests: readonly Request<'quote'>[], attempt: FetchAttempt): Promise<readonly Settled<Quote>[]>;
  abstract book(request: Request<'book'>, attempt: FetchAttempt): Promise<OrderBook>;
  abstract trades(request: Request<'trades'>, attempt: FetchAttempt): Promise<readonly Trade[]>;
  abstract bars(request: Request<'bars'>, attempt: FetchAttempt): Promise<Bars>;
  abstract instrument(request: Request<'instrument'>, attempt: FetchAttempt): Promise<Instrument>;

  batchLimit(kind: MarketKind): number {
    return kind === 'quote' ? QUOTES_PER_CALL : 1;
  }

  async fetch<K extends MarketKind>(
    kind: K,
    requests: readonly Request<K>[],
    attempt: FetchAttempt,
  ): Promise<readonly Settled<MarketKinds[K]['value']>[]> {
    const answers: readonly Settled<unknown>[] = await this.#read(kind, requests, attempt);
    return answers as readonly Settled<MarketKinds[K]['value']>[];
  }

  #read(kind: MarketKind, requests: readonly Request<MarketKind>[], attempt: FetchAttempt): Promise<readonly Settled<unknown>[]> {
    switch (kind) {
      case 'quote':
        return this.quote(requests, attempt);
      case 'book':
      case 'trades':
      case 'instrument':
        return Promise.all(requests.map((request) => settle<unknown>(this[kind](request, attempt))));
      case 'bars':
        return Promise.all(requests.map((request) => settle(this.bars(request as Request<'bars'>, attempt))));
      default:
        throw new RangeError(`kind must be one of "quote", "book", "trades", "bars", "instrument", got ${JSON.stringify(kind)}`);
    }
  }
}

/**
 * What is wrong with one request (a symbol that the venue does not know, or has no such data of) is that request's answer; what is wrong
 * with the call is everyone's, and may be tried again.
 */
export async function settle<T>(promise: Promise<T>): Promise<Settled<T>> {
  try {
    return { status: 'fulfilled', value: await promise };
  } catch (error) {
    if (!isUnknownSymbol(error) && (error as { code?: unknown }).code !== 'UNSUPPORTED') throw error;
    return { status: 'rejected', reason: asError(error) };
  }
}
