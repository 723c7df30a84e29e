import type { Read } from '../../contracts/cache-store.js';
import type { Bus } from '../../contracts/events.js';
import type { MarketKind } from '../../contracts/market-data.js';
import type { Clock } from '../../core/clock.js';
import { quickLruStore } from '../../market-data/quick-lru-store.js';

const MAX_ENTRIES = 15_000;

interface Loading {
  readonly sentAt: number;
  readonly result: Promise<unknown>;
}

/**
 * Answers of an SDK's read methods, kept for as long as the bot allows. Ages count from the send and
 * are judged at delivery; one load per key is under way; errors are not kept; each caller gets a copy
 * of its own, as it would from the SDK.
 */
export class ResultCache {
  readonly #store = quickLruStore({ maxEntries: MAX_ENTRIES });
  readonly #loading = new Map<string, Loading>();
  readonly #clock: Clock;
  readonly #bus: Bus;

  constructor(clock: Clock, bus: Bus) {
    this.#clock = clock;
    this.#bus = bus;
  }

  /** @param kind - how the read is reported on the bus; undefined: not at all. */
  async read<T>(key: string, kind: MarketKind | undefined, maxAgeMs: number, load: () => Promise<T>): Promise<T> {
    const now = this.#clock.monotonic();
    const held = this.#store.get(key);
    if (held !== undefined && now - held.sentAt <= maxAgeMs) {
      this.#report(kind, key, 'hit', now - held.sentAt);
      return copyOf(held.value as T);
    }
    const loading = this.#loading.get(key);
    if (loading !== undefined) {
      const value = await loading.result;
      const ageMs = this.#clock.monotonic() - loading.sentAt;
      if (ageMs <= maxAgeMs) {
        this.#report(kind, key, 'coalesced', ageMs);
        return copyOf(value as T);
      }
    }
    const value = await this.#load(key, load);
    this.#report(kind, key, 'miss', this.#clock.monotonic() - now);
    return copyOf(value);
  }

  clear(): void {
    this.#store.clear();
  }

  async #load<T>(key: string, load: () => Promise<T>): Promise<T> {
    const sentAt = this.#clock.monotonic();
    const result = load();
    const loading = { sentAt, result };
    this.#loading.set(key, loading);
    try {
      const value = await result;
      const receivedAt = this.#clock.monotonic();
      // A slower answer to an earlier question must not replace a newer one.
      if ((this.#store.peek(key)?.sentAt ?? -Infinity) < sentAt)
        this.#store.set(key, { value: copyOf(value), sentAt, receivedAt, epoch: 0, source: 'rest', weight: 0 });
      return value;
    } finally {
      if (this.#loading.get(key) === loading) this.#loading.delete(key);
    }
  }

  #report(kind: MarketKind | undefined, key: string, outcome: Read<unknown>['outcome'], ageMs: number): void {
    // Beside a copy of the answer an event costs nothing, and the metrics take it without asking for it.
    if (kind !== undefined) this.#bus.emit('cache.read', { kind, key, outcome, level: outcome === 'miss' ? 'none' : 'memory', ageMs });
  }
}

// What SDKs answer with is JSON, with undefined members and dates at most.
function copyOf<T>(value: T): T {
  return structuredClone(value);
}
