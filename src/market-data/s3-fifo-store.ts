import type { CacheEntry, CacheStore } from '../contracts/cache-store.js';
import { requireInteger, requireKnown } from '../core/options.js';
import { StoreWatchers } from './store-watchers.js';

const MOST_USES = 3;

interface Node {
  readonly key: string;
  entry: CacheEntry;
  /** Uses since it entered its queue, up to 3. */
  uses: number;
  queue: Fifo;
  newer: Node | undefined;
  older: Node | undefined;
}

/** A queue that its members can leave from the middle. */
class Fifo {
  size = 0;
  newest: Node | undefined;
  oldest: Node | undefined;

  push(node: Node): void {
    node.queue = this;
    node.older = this.newest;
    node.newer = undefined;
    if (this.newest === undefined) this.oldest = node;
    else this.newest.newer = node;
    this.newest = node;
    this.size++;
  }

  remove(node: Node): void {
    if (node.newer === undefined) this.newest = node.older;
    else node.newer.older = node.older;
    if (node.older === undefined) this.oldest = node.newer;
    else node.older.newer = node.newer;
    this.size--;
  }
}

/**
 * A scan-resistant first level: what is read once, as by a screener that walks all symbols, leaves
 * through a small queue and never pushes out what is read again and again.
 *
 * Source: S3-FIFO (Yang, Zhang, Qiu, Yue, Rashmi: "FIFO queues are all you need for cache
 * eviction", SOSP 2023): a small queue of a tenth, a main queue with reinsertion, and a ghost queue
 * of keys.
 *
 * @throws RangeError or TypeError when `maxEntries` is not a whole number of 1 or more.
 */
export function s3FifoStore(options: { readonly maxEntries: number }): CacheStore {
  requireKnown('s3FifoStore', options, ['maxEntries']);
  return new S3FifoStore(requireInteger('maxEntries', options.maxEntries, 1));
}

class S3FifoStore implements CacheStore {
  readonly capacity: number;
  readonly #smallTarget: number;
  readonly #nodes = new Map<string, Node>();
  readonly #small = new Fifo();
  readonly #main = new Fifo();
  // Keys that left the small queue unread, oldest first: a Set keeps the order of insertion.
  readonly #ghost = new Set<string>();
  readonly #watchers = new StoreWatchers();

  constructor(maxEntries: number) {
    this.capacity = maxEntries;
    this.#smallTarget = Math.max(1, Math.floor(maxEntries / 10));
  }

  get size(): number {
    return this.#nodes.size;
  }

  get(key: string): CacheEntry | undefined {
    const node = this.#nodes.get(key);
    if (node === undefined) return undefined;
    if (node.uses < MOST_USES) node.uses++;
    return node.entry;
  }

  peek(key: string): CacheEntry | undefined {
    return this.#nodes.get(key)?.entry;
  }

  set(key: string, entry: CacheEntry): void {
    const known = this.#nodes.get(key);
    if (known !== undefined) {
      const previous = known.entry;
      known.entry = entry;
      this.#watchers.tell(key, previous, 'replaced');
      return;
    }
    while (this.#nodes.size >= this.capacity) this.evict();
    const queue = this.#ghost.delete(key) ? this.#main : this.#small;
    const node: Node = { key, entry, uses: 0, queue, newer: undefined, older: undefined };
    queue.push(node);
    this.#nodes.set(key, node);
  }

  delete(key: string): boolean {
    const node = this.#nodes.get(key);
    if (node === undefined) return false;
    this.#nodes.delete(key);
    node.queue.remove(node);
    this.#watchers.tell(key, node.entry, 'deleted');
    return true;
  }

  clear(): void {
    this.#ghost.clear();
    for (const key of [...this.#nodes.keys()]) this.delete(key);
  }

  watch(listener: Parameters<NonNullable<CacheStore['watch']>>[0]): Disposable {
    return this.#watchers.add(listener);
  }

  evict(): boolean {
    if (this.#nodes.size === 0) return false;
    // Ends: every pass takes a node out, moves it from small to main, or lowers its uses.
    for (;;) {
      const fromSmall = this.#small.size >= this.#smallTarget || this.#main.size === 0;
      if (fromSmall ? this.#evictFromSmall() : this.#evictFromMain()) return true;
    }
  }

  #evictFromSmall(): boolean {
    const node = this.#small.oldest;
    if (node === undefined) return false;
    this.#small.remove(node);
    if (node.uses > 1) {
      node.uses = 0;
      this.#main.push(node);
      return false;
    }
    this.#remember(node.key);
    this.#giveUp(node);
    return true;
  }

  #evictFromMain(): boolean {
    const node = this.#main.oldest;
    if (node === undefined) return false;
    this.#main.remove(node);
    if (node.uses > 0) {
      node.uses--;
      this.#main.push(node);
      return false;
    }
    this.#giveUp(node);
    return true;
  }

  #giveUp(node: Node): void {
    this.#nodes.delete(node.key);
    this.#watchers.tell(node.key, node.entry, 'evicted');
  }

  #remember(key: string): void {
    this.#ghost.add(key);
    if (this.#ghost.size <= this.capacity - this.#smallTarget) return;
    for (const oldest of this.#ghost) {
      this.#ghost.delete(oldest);
      return;
    }
  }
}
