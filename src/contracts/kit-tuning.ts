import type { MarketKind } from './market-data.js';
import type { TradingPolicy } from './trading-policy.js';

/** How values of one kind are kept; what is left out keeps its default. */
export interface KindTuning {
  readonly ttlMs?: number;
  readonly swrMs?: number;
  readonly staleIfErrorMs?: number;
  readonly negativeMs?: number;
  readonly batch?: { readonly max: number; readonly windowMs: number };
  readonly prefetch?: 'off' | 'period' | 'hot' | 'barClose';
}

/** How a pool of the host's is to be made: for `new ConnectionPool({ ...kit.tuning.pools?.sessions, create })`. */
export interface PoolTuning {
  readonly max?: number;
  readonly min?: number;
  readonly idleTimeoutMs?: number;
  readonly maxLifetimeMs?: number;
}

/**
 * The numbers that a kit is tuned by: what `venuekit plan --apply` writes into a file, what `createVenueKit` reads from it, and
 * what a trace says was in force. Everything in it is a plain JSON value.
 */
export interface KitTuning {
  readonly policy?: TradingPolicy;
  readonly marketData?: {
    readonly kinds?: Partial<Readonly<Record<MarketKind, KindTuning>>>;
    readonly maxEntries?: number;
    readonly maxBytes?: number;
  };
  readonly fetcher?: {
    readonly concurrency?: number;
    readonly retry?: { readonly max: number; readonly baseMs: number; readonly capMs: number };
    readonly maxQueue?: number;
    readonly workers?: number;
  };
  /** By the pools' names. */
  readonly pools?: Readonly<Record<string, PoolTuning>>;
}

/** The version of the file's shape. */
export const TUNING_SCHEMA = 'venuekit.tuning/1';
