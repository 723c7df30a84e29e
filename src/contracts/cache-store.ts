/** A value as a cache keeps it. Times are by the client's clock, in ms. */
export interface CacheEntry<T = unknown> {
  readonly value: T;
  readonly sentAt: number;
  readonly receivedAt: number;
  readonly eventTime?: number;
  readonly epoch: number;
  readonly seq?: number;
  readonly source: 'rest' | 'stream' | 'shared' | 'prefetch';
  /** Bytes, estimated. */
  readonly weight: number;
}

/** How a read was answered. */
export interface Read<T> {
  readonly value: T;
  readonly ageMs: number;
  readonly outcome: 'hit' | 'stale' | 'coalesced' | 'miss' | 'negative' | 'bypass';
}

/** First level of a cache: bounded, in process. `size` is never above `capacity`. */
export interface CacheStore {
  /** Counts as a use. */
  get(key: string): CacheEntry | undefined;
  /** Does not count as a use. */
  peek(key: string): CacheEntry | undefined;
  set(key: string, entry: CacheEntry): void;
  delete(key: string): boolean;
  clear(): void;
  readonly size: number;
  readonly capacity: number;
  /** Told of every entry that leaves the store: pushed out, replaced, deleted or cleared. A bound by bytes needs it. */
  watch?(listener: (key: string, entry: CacheEntry, why: 'evicted' | 'replaced' | 'deleted') => void): Disposable;
  /** Gives up the entry that would be pushed out next; false when there is none. */
  evict?(): boolean;
}

/** Second level, shared by processes. */
export interface SharedCacheStore extends AsyncDisposable {
  getMany(keys: readonly string[], signal?: AbortSignal): Promise<readonly (CacheEntry | undefined)[]>;
  setIfNewer(key: string, entry: CacheEntry, ttlMs: number): Promise<boolean>;
  lease(key: string, ttlMs: number): Promise<{ readonly token: string } | undefined>;
  onInvalidate(listener: (keys: readonly string[]) => void): Disposable;
}
