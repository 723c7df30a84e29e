import QuickLRU from 'quick-lru';
import type { CacheEntry, CacheStore } from '../contracts/cache-store.js';
import { requireInteger, requireKnown } from '../core/options.js';
import { StoreWatchers } from './store-watchers.js';

/**
 * The default first level: least recently used, by quick-lru.
 *
 * quick-lru holds two generations of up to `maxSize` entries each, so it is given half of
 * `maxEntries`, which then is the true bound. Its own `maxAge` deletes on read and stays unused: the
 * client keeps the ages.
 *
 * @throws RangeError or TypeError when `maxEntries` is not a whole number of 1 or more.
 */
export function quickLruStore(options: { readonly maxEntries: number }): CacheStore {
  requireKnown('quickLruStore', options, ['maxEntries']);
  return new QuickLruStore(requireInteger('maxEntries', options.maxEntries, 1));
}

class QuickLruStore implements CacheStore {
  readonly capacity: number;
  readonly #lru: QuickLRU<string, CacheEntry>;
  readonly #watchers = new StoreWatchers();
  // quick-lru counts its older generation key by key whenever it is asked.
  #size = 0;

  constructor(maxEntries: number) {
    this.capacity = maxEntries;
    this.#lru = new QuickLRU({
      // A generation turns over when it reaches maxSize, so both together hold at most 2 × maxSize - 1.
      maxSize: Math.ceil(maxEntries / 2),
      onEviction: (key, entry) => {
        this.#size--;
        this.#watchers.tell(key, entry, 'evicted');
      },
    });
  }

  get size(): number {
    return this.#size;
  }

  get(key: string): CacheEntry | undefined {
    return this.#lru.get(key);
  }

  peek(key: string): CacheEntry | undefined {
    return this.#lru.peek(key);
  }

  set(key: string, entry: CacheEntry): void {
    const previous = this.#lru.peek(key);
    // Taken out first: a key that is set again would otherwise stay in the older generation too, and
    // onEviction would fire for a key that lives.
    if (previous !== undefined) this.#lru.delete(key);
    else this.#size++;
    this.#lru.set(key, entry);
    if (previous !== undefined) this.#watchers.tell(key, previous, 'replaced');
  }

  delete(key: string): boolean {
    const entry = this.#lru.peek(key);
    if (entry === undefined) return false;
    this.#lru.delete(key);
    this.#size--;
    this.#watchers.tell(key, entry, 'deleted');
    return true;
  }

  clear(): void {
    const entries = this.#watchers.any ? [...this.#lru] : [];
    this.#lru.clear();
    this.#size = 0;
    for (const [key, entry] of entries) this.#watchers.tell(key, entry, 'deleted');
  }

  watch(listener: Parameters<NonNullable<CacheStore['watch']>>[0]): Disposable {
    return this.#watchers.add(listener);
  }

  evict(): boolean {
    // The first of the older generation; quick-lru's own evict() copies everything to give up one.
    for (const [key, entry] of this.#lru.entriesAscending()) {
      this.#lru.delete(key);
      this.#size--;
      this.#watchers.tell(key, entry, 'evicted');
      return true;
    }
    return false;
  }
}
