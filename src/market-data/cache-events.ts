import type { Read } from '../contracts/cache-store.js';
import type { Bus } from '../contracts/events.js';
import type { MarketKind } from '../contracts/market-data.js';
import type { Clock } from '../core/clock.js';
import { requireMethods } from '../core/options.js';
import type { CacheStatistics } from './cache-statistics.js';
import type { Cell } from './cell.js';
import { marketKinds } from './kind-policy.js';
import type { ReadOptions } from './read-options.js';

/** What the cache says on the bus. A payload is built only when somebody listens. */
export class CacheEvents implements Disposable {
  readonly #bus: Bus;
  readonly #venue: string;
  readonly #statistics: CacheStatistics;
  readonly #asked: Disposable;
  readonly #readers: { readonly asking: number } | undefined;

  constructor(bus: Bus, venue: string, statistics: CacheStatistics) {
    this.#bus = requireMethods('bus', bus, ['on', 'emit', 'has']);
    this.#venue = venue;
    this.#statistics = statistics;
    this.#readers = bus.demand?.('cache.read');
    this.#asked = bus.on('metrics.collect', () => this.#tellFastReads());
  }

  /** Whether somebody wants to hear of each read by itself. */
  get wantsReads(): boolean {
    return this.#readers === undefined ? this.#bus.has('cache.read') : this.#readers.asking > 0;
  }

  /** A read that memory answered, after it was counted: told by itself, or with others later. */
  fastRead(kind: MarketKind, key: string, outcome: 'hit' | 'stale', ageMs: number, options: ReadOptions | undefined): void {
    const fast = this.#statistics.fast[kind];
    if (this.wantsReads) {
      fast.toldAlone(outcome);
      this.#bus.emit('cache.read', { kind, key, outcome, level: 'memory', ageMs, maxAgeMs: options?.maxAgeMs, consumer: options?.consumer });
    } else (outcome === 'hit' ? fast.hitAges : fast.staleAges)?.add(ageMs);
  }

  /** Any other read. It costs so much by itself that it is always told: the metrics take what is told without asking for it. */
  slowRead(
    kind: MarketKind,
    key: string,
    outcome: Read<unknown>['outcome'],
    level: 'memory' | 'shared' | 'none',
    ageMs: number,
    options: ReadOptions | undefined,
    waitedMs: number,
  ): void {
    if (outcome === 'hit' || outcome === 'stale') this.fastRead(kind, key, outcome, ageMs, options);
    else this.#bus.emit('cache.read', { kind, key, outcome, level, ageMs, waitedMs, maxAgeMs: options?.maxAgeMs, consumer: options?.consumer });
  }

  load(kind: MarketKind, keys: number, ms: number, ok: boolean): void {
    if (this.#bus.has('cache.load')) this.#bus.emit('cache.load', { kind, keys, ms, ok });
  }

  prefetch(key: string, useful: boolean): void {
    if (this.#bus.has('cache.prefetch')) this.#bus.emit('cache.prefetch', { key, useful });
  }

  kept({ kind, key, entry }: Cell, origin: 'read' | 'scan' | 'prefetch' | 'stream'): void {
    if (entry !== undefined && this.#bus.has('cache.kept')) this.#bus.emit('cache.kept', { kind, key, origin, value: entry.value });
  }

  gap(key: string): void {
    if (this.#bus.has('cache.gap')) this.#bus.emit('cache.gap', { key });
  }

  stream(state: 'live' | 'gap' | 'recovering' | 'down'): void {
    if (this.#bus.has('stream.state')) this.#bus.emit('stream.state', { venue: this.#venue, state });
  }

  update(kind: MarketKind, symbol: string, clock: Clock): void {
    if (this.#bus.has('feed.update')) this.#bus.emit('feed.update', { feed: `${this.#venue}/${kind}`, symbol, at: clock.now() });
  }

  /** Tells what is still untold. */
  [Symbol.dispose](): void {
    this.#asked[Symbol.dispose]();
    this.#tellFastReads();
  }

  #tellFastReads(): void {
    if (!this.#bus.has('cache.reads')) return;
    for (const kind of marketKinds) for (const told of this.#statistics.fast[kind].take(kind)) this.#bus.emit('cache.reads', told);
  }
}
