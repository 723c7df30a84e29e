export type { CacheEntry, CacheStore, Read, SharedCacheStore } from '../contracts/cache-store.js';
export type {
  Bars,
  Instrument,
  MarketDataAdapter,
  MarketKind,
  MarketKinds,
  OrderBook,
  Quote,
  StreamUpdate,
  Trade,
} from '../contracts/market-data.js';
export { isUnknownSymbol, unknownSymbolError } from '../contracts/unknown-symbol.js';
export type { CacheStats } from './cache-statistics.js';
export { CachedMarketDataClient } from './cached-market-data-client.js';
export type { CachedMarketDataOptions } from './cached-market-data-options.js';
export type { KindPolicy } from './kind-policy.js';
export { quickLruStore } from './quick-lru-store.js';
export type { ReadHandle } from './read-handle.js';
export type { ReadOptions } from './read-options.js';
export { s3FifoStore } from './s3-fifo-store.js';
