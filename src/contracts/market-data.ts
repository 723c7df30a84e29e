import type { Decimal } from '../core/decimal.js';
import type { Cost } from '../core/limits.js';
import type { Attempt } from './broker.js';
import type { Settled } from './calls.js';

export interface Quote {
  readonly symbol: string;
  readonly bid: number;
  readonly ask: number;
  readonly bidSize?: number;
  readonly askSize?: number;
  readonly last?: number;
  /** Venue time, epoch ms. */
  readonly eventTime?: number;
}

/** Columns of equal length; `t` is the start of each bar in epoch ms, ascending. */
export interface Bars {
  readonly symbol: string;
  readonly interval: string;
  readonly t: Float64Array;
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  readonly volume: Float64Array;
  readonly lastBar: 'forming' | 'provisional' | 'final';
}

/** Best price first on both sides. */
export interface OrderBook {
  readonly symbol: string;
  readonly bids: readonly (readonly [price: number, size: number])[];
  readonly asks: readonly (readonly [price: number, size: number])[];
  readonly seq?: number;
  readonly eventTime?: number;
}

export interface Trade {
  readonly id: string;
  readonly symbol: string;
  readonly price: number;
  readonly size: number;
  readonly side?: 'buy' | 'sell';
  readonly eventTime: number;
}

export interface Instrument {
  readonly symbol: string;
  readonly priceStep: Decimal;
  readonly qtyStep: Decimal;
  readonly minNotional?: Decimal;
}

/** What can be asked for, and what comes back. */
export interface MarketKinds {
  quote: { request: { readonly symbol: string }; value: Quote };
  book: { request: { readonly symbol: string; readonly depth?: number }; value: OrderBook };
  trades: { request: { readonly symbol: string; readonly limit?: number }; value: readonly Trade[] };
  bars: { request: { readonly symbol: string; readonly interval: string; readonly limit?: number; readonly since?: number }; value: Bars };
  instrument: { request: { readonly symbol: string }; value: Instrument };
}

export type MarketKind = keyof MarketKinds;

/** One attempt at a fetch. */
export interface FetchAttempt extends Pick<Attempt, 'signal' | 'number'> {
  /** What {@link MarketDataAdapter.fetchCost} says has been spent already: a limiter of the adapter's or the SDK's own need not wait again. */
  readonly limitsKept?: boolean;
}

/** The only venue-specific code of the market-data side. */
export interface MarketDataAdapter {
  readonly venue: string;
  /** How many symbols one call may ask for; 1: no multi-symbol call. */
  batchLimit(kind: MarketKind): number;
  /**
   * What one call for these requests costs of the venue's limits, as {@link BrokerAdapter.limits} names them. With it orders and
   * market data of one venue can be kept within the same limits.
   */
  fetchCost?<K extends MarketKind>(kind: K, requests: readonly MarketKinds[K]['request'][]): readonly Cost[];
  /** One answer per request, in their order. */
  fetch<K extends MarketKind>(
    kind: K,
    requests: readonly MarketKinds[K]['request'][],
    attempt: FetchAttempt,
  ): Promise<readonly Settled<MarketKinds[K]['value']>[]>;
  stream?(kind: MarketKind, symbols: readonly string[], signal: AbortSignal): AsyncIterable<StreamUpdate>;
}

/** What a market-data stream pushes. */
export interface StreamUpdate<K extends MarketKind = MarketKind> {
  readonly kind: K;
  readonly symbol: string;
  readonly value?: MarketKinds[K]['value'];
  readonly seq?: number;
  readonly previousSeq?: number;
  readonly eventTime?: number;
  /** The feed is alive and what it sent last still holds; symbol `*` speaks for all symbols of the kind. */
  readonly heartbeat?: boolean;
  /** The adapter itself saw that something is missing, by a checksum for instance. */
  readonly gap?: boolean;
}
