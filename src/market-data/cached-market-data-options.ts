import type { CacheStore, SharedCacheStore } from '../contracts/cache-store.js';
import type { Fetcher } from '../contracts/fetcher.js';
import type { MarketDataAdapter, MarketKind } from '../contracts/market-data.js';
import type { Wiring } from '../contracts/wiring.js';
import { requireInteger, requireMethods, requirePositive } from '../core/options.js';
import type { KindPolicy } from './kind-policy.js';
import { quickLruStore } from './quick-lru-store.js';

/** What a CachedMarketDataClient is built of. */
export interface CachedMarketDataOptions extends Wiring {
  readonly adapter: MarketDataAdapter;
  /** What calls to the adapter go through: limits, retries, priorities. @defaultValue the adapter is called directly */
  readonly fetcher?: Fetcher;
  /** The fetcher's group for these calls. @defaultValue the fetcher's own default */
  readonly fetchGroup?: string;
  /** The group spends what the adapter's `fetchCost` says on limits that are shared with others, so that the adapter need not wait for them too. @defaultValue false */
  readonly limitsKept?: boolean;
  /** @defaultValue quickLruStore({ maxEntries }) */
  readonly store?: CacheStore;
  /** Second level, shared by processes; it stays the host's to close. @defaultValue none */
  readonly shared?: SharedCacheStore;
  /** The most that the wall clocks of two processes with one shared level differ by; added to the age of what comes from it. @defaultValue 50 */
  readonly sharedSkewMs?: number;
  /** A shared level that answers later counts as down, and the cache goes on without it. @defaultValue 100 */
  readonly sharedTimeoutMs?: number;
  readonly kinds?: Partial<Record<MarketKind, Partial<KindPolicy>>>;
  /** Of the default store. @defaultValue 15_000 */
  readonly maxEntries?: number;
  /** Bound on the estimated bytes of what is held. @defaultValue no bound but maxEntries */
  readonly maxBytes?: number;
  /** Part of every key: whose data it is, where venues give accounts different data. @defaultValue 'public' */
  readonly account?: string;
  /** Part of every key: which feed, adjustment and session. @defaultValue 'default' */
  readonly feed?: string;
  /** The most that the venue's clock and ours differ by; added to event ages. @defaultValue 0 */
  readonly venueOffsetMs?: number;
  /** A load that takes longer is given up, so that it blocks no later one. @defaultValue 10_000 */
  readonly loadTimeoutMs?: number;
  /** A stream that says nothing for this long is taken for dead and opened anew. @defaultValue 30_000 */
  readonly streamSilenceMs?: number;
}

/** The names of all options. */
export const cachedMarketDataOptionNames: readonly string[] = [
  'adapter',
  'fetcher',
  'fetchGroup',
  'limitsKept',
  'store',
  'shared',
  'sharedSkewMs',
  'sharedTimeoutMs',
  'kinds',
  'maxEntries',
  'maxBytes',
  'account',
  'feed',
  'venueOffsetMs',
  'loadTimeoutMs',
  'streamSilenceMs',
  'bus',
  'clock',
  'random',
  'logger',
];

const DEFAULT_MAX_ENTRIES = 15_000;

/** The store to use. @throws TypeError when a bound is given for a store that has its own. */
export function storeOf({ store, maxEntries }: CachedMarketDataOptions): CacheStore {
  if (store === undefined) return quickLruStore({ maxEntries: requireInteger('maxEntries', maxEntries ?? DEFAULT_MAX_ENTRIES, 1) });
  if (maxEntries !== undefined) throw new TypeError('maxEntries is the bound of the default store; give it to the store that is passed instead');
  return requireMethods('store', store, ['get', 'peek', 'set', 'delete', 'clear']);
}

/** The bound on bytes, Infinity for none. @throws TypeError when the store can't keep it. */
export function maxBytesOf({ store, maxBytes }: CachedMarketDataOptions): number {
  if (maxBytes === undefined) return Infinity;
  if (store !== undefined && (store.watch === undefined || store.evict === undefined)) {
    throw new TypeError('maxBytes needs a store with watch() and evict(): without them it is not known what leaves it');
  }
  return requirePositive('maxBytes', maxBytes);
}
