import type { Read } from '../contracts/cache-store.js';
import type { Settled } from '../contracts/calls.js';
import type { MarketDataAdapter, MarketKind, MarketKinds, StreamUpdate } from '../contracts/market-data.js';
import { abortReason } from '../core/abort.js';
import { type Clock, systemClock } from '../core/clock.js';
import { DeadlineSet } from '../core/deadline-set.js';
import { asError, closedError, isVenueKitError } from '../core/errors.js';
import { type Logger, silentLogger } from '../core/logger.js';
import { requireArray, requireKnown, requireMethods, requireNonNegative, requirePositive, requireText } from '../core/options.js';
import { type Random, systemRandom } from '../core/random.js';
import { CacheEvents } from './cache-events.js';
import { CacheIndex } from './cache-index.js';
import { requireRequest } from './cache-key.js';
import { CacheReader } from './cache-reader.js';
import { CacheStatistics, type CacheStats } from './cache-statistics.js';
import { type CachedMarketDataOptions, cachedMarketDataOptionNames, maxBytesOf, storeOf } from './cached-market-data-options.js';
import { type Cell, NEVER } from './cell.js';
import { CoarseClock } from './coarse-clock.js';
import { DirectReader } from './direct-reader.js';
import { EntryAges } from './entry-ages.js';
import { type ResolvedPolicy, resolvePolicies } from './kind-policy.js';
import { Loader } from './loader.js';
import { ManyReader } from './many-reader.js';
import type { ReadResult } from './pending-read.js';
import { PrefetchPause } from './prefetch-pause.js';
import { Prefetcher } from './prefetcher.js';
import { BoundRead, type ReadHandle } from './read-handle.js';
import { afterMs, maxAgeOf, type ReadOptions } from './read-options.js';
import { type SharedLevel, sharedLevelOf } from './shared-level.js';
import { SharedLoads } from './shared-loads.js';
import { StreamIngest } from './stream-ingest.js';
import { StreamSubscription } from './stream-subscription.js';
import type { SymbolTable } from './symbol-table.js';

type Outcome = Read<unknown>['outcome'];
type Level = 'memory' | 'shared' | 'none';

const LONGEST_SHARED_MS = 86_400_000;
const LEAST_TRACKERS = 1_000;
const TRACKERS_PER_ENTRY = 2;

/**
 * Market data of one venue, as fast as a Map and never older than allowed.
 *
 * Every read is answered by a value whose age, counted from the send of its request or from the
 * venue's own time where that is earlier, is within the reader's `maxAgeMs`, or it rejects.
 *
 * @example
 * const client = new CachedMarketDataClient({ adapter });
 * const { value, ageMs } = await client.get('quote', { symbol: 'BTC/USDT' }, { maxAgeMs: 500 });
 */
export class CachedMarketDataClient implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #events: CacheEvents | undefined;
  readonly #policies: Readonly<Record<MarketKind, ResolvedPolicy>>;
  readonly #statistics: CacheStatistics;
  readonly #index: CacheIndex;
  /** Where plain reads look first; undefined for a store that keeps silent about what leaves it, which each read has to ask. */
  readonly #tables: Readonly<Record<MarketKind, SymbolTable>> | undefined;
  readonly #timers: DeadlineSet<() => void>;
  readonly #reader: CacheReader;
  readonly #many: ManyReader;
  readonly #direct: DirectReader;
  readonly #loader: Loader;
  readonly #prefetcher: Prefetcher;
  readonly #pause: PrefetchPause;
  readonly #shared: SharedLevel | undefined;
  readonly #ingest: StreamIngest;
  readonly #adapter: MarketDataAdapter;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #streamSilenceMs: number;
  readonly #coarse: CoarseClock;
  readonly #subscriptions = new Set<Disposable>();
  #isClosed = false;

  /** @throws RangeError or TypeError that names the option, the expectation and the value. */
  constructor(options: CachedMarketDataOptions) {
    requireKnown('CachedMarketDataClient', options, cachedMarketDataOptionNames);
    const { adapter, fetcher, fetchGroup: group, limitsKept = false, clock = systemClock, account = 'public', feed = 'default' } = options;
    requireMethods('adapter', adapter, ['batchLimit', 'fetch']);
    if (fetcher !== undefined) requireMethods('fetcher', fetcher, ['run']);
    if (limitsKept && (group === undefined || adapter.fetchCost === undefined)) {
      throw new TypeError('limitsKept needs a fetchGroup that shares the limits, and an adapter with fetchCost()');
    }
    const scope = {
      account: requireText('account', account),
      feed: requireText('feed', feed),
      venue: requireText('adapter.venue', adapter.venue),
    };
    const loadTimeoutMs = requirePositive('loadTimeoutMs', options.loadTimeoutMs ?? 10_000);
    this.#clock = clock;
    this.#adapter = adapter;
    this.#random = options.random ?? systemRandom;
    this.#logger = options.logger ?? silentLogger;
    this.#streamSilenceMs = requirePositive('streamSilenceMs', options.streamSilenceMs ?? 30_000);
    this.#statistics = new CacheStatistics(options.bus !== undefined);
    this.#events = options.bus === undefined ? undefined : new CacheEvents(options.bus, adapter.venue, this.#statistics);
    this.#policies = resolvePolicies(options.kinds ?? {}, adapter);
    this.#timers = new DeadlineSet(clock, (task) => task());
    const ages = new EntryAges(clock, requireNonNegative('venueOffsetMs', options.venueOffsetMs ?? 0), this.#policies);
    this.#coarse = new CoarseClock(clock);
    const store = storeOf(options);
    this.#index = new CacheIndex({
      scope,
      store,
      maxBytes: maxBytesOf(options),
      counts: this.#statistics.fast,
      onGone: (cell) => this.#prefetcher.gone(cell),
    });
    this.#tables = this.#index.isWatched ? this.#index.tables : undefined;
    const shared = { adapter, fetcher, group, limitsKept, clock, policies: this.#policies, timers: this.#timers, statistics: this.#statistics };
    const onCall = (kind: MarketKind, keys: number, ms: number, ok: boolean): void => this.#onCall(kind, keys, ms, ok);
    this.#shared = sharedLevelOf(options, clock, this.#logger);
    if (this.#shared !== undefined) this.#subscriptions.add(this.#shared.onInvalidate((keys) => this.#onInvalidated(keys)));
    const sharedLoads =
      this.#shared === undefined
        ? undefined
        : new SharedLoads({
            level: this.#shared,
            clock,
            ages,
            ttlOf: (cell) => this.#policies[cell.kind].ttlMs,
            settle: (load, entry, now) => this.#loader.settleShared(load, entry, now),
          });
    this.#pause = new PrefetchPause({ clock, bus: options.bus, venue: adapter.venue, onPaused: () => this.#loader.dropUnsentPrefetches() });
    this.#prefetcher = new Prefetcher({
      ...shared,
      isPaused: (now) => this.#pause.isOn(now),
      random: this.#random,
      maxTrackers: Math.max(LEAST_TRACKERS, TRACKERS_PER_ENTRY * store.capacity),
      load: (cell) => this.#loader.loadInBackground(cell, 'prefetch'),
      onVerdict: (cell, useful) => this.#events?.prefetch(cell.key, useful),
      release: (cell) => this.#index.release(cell),
    });
    this.#reader = new CacheReader({
      ...shared,
      index: this.#index,
      ages,
      onKept: (cell, now, origin) => this.#onKept(cell, now, origin),
      onPrefetchEnded: (cell, isUseful, now) => this.#prefetcher.ended(cell, isUseful, now),
    });
    this.#many = new ManyReader({ ...shared, index: this.#index, reader: this.#reader });
    this.#loader = new Loader({
      ...shared,
      loadTimeoutMs,
      sharedFor: (kind) => (this.#policies[kind].shared ? sharedLoads : undefined),
      onOutcome: (load, outcome, now) => this.#reader.onOutcome(load, outcome, now),
      onCall,
      onMeasured: (kind, ms) => this.#prefetcher.measured(kind, ms),
    });
    this.#reader.loader = this.#loader;
    this.#ingest = new StreamIngest({
      clock,
      index: this.#index,
      ages,
      onKept: (cell, now) => this.#onKept(cell, now, 'stream'),
      onGap: (cell) => this.#onGap(cell),
      onSnapshotDue: (cell) => this.#loader.loadInBackground(cell, 'read'),
    });
    this.#direct = new DirectReader({ ...shared, ages, onCall });
  }

  /** What is held, if it is fresh and young enough. Synchronous: never any I/O. */
  peek<K extends MarketKind>(kind: K, request: MarketKinds[K]['request'], options?: ReadOptions): Read<MarketKinds[K]['value']> | undefined {
    if (options === undefined && this.#events?.wantsReads !== true) {
      const read = this.#tables?.[kind]?.read?.(request, this.#coarse);
      if (read !== undefined) return read as Read<MarketKinds[K]['value']>;
    }
    return this.#peekSlowly(kind, request, options) as Read<MarketKinds[K]['value']> | undefined;
  }

  /**
   * What is held, else what the venue answers. Concurrent reads of one key share one request.
   * @throws OVER_AGE when nothing within maxAgeMs can be had, DEADLINE, the signal's reason, or the venue's own error.
   */
  get<K extends MarketKind>(kind: K, request: MarketKinds[K]['request'], options?: ReadOptions): Promise<Read<MarketKinds[K]['value']>> {
    try {
      if (options === undefined && this.#events?.wantsReads !== true) {
        const read = this.#tables?.[kind]?.promise?.(request, this.#coarse);
        if (read !== undefined) return read as Promise<Read<MarketKinds[K]['value']>>;
      }
      return this.#get(kind, request, options) as Promise<Read<MarketKinds[K]['value']>>;
    } catch (error) {
      return Promise.reject(asError(error));
    }
  }

  /** As {@link get} for each request, in their order; one that fails leaves the others as they are. */
  async getMany<K extends MarketKind>(
    kind: K,
    requests: readonly MarketKinds[K]['request'][],
    options?: ReadOptions,
  ): Promise<readonly Settled<Read<MarketKinds[K]['value']>>[]> {
    this.#index.symbols(kind);
    requireArray('requests', requests);
    const maxAgeMs = maxAgeOf(options);
    this.#throwIfUnreadable(options);
    if (options?.intent === 'order') {
      const settled = await this.#direct.read(kind, requests, options);
      for (const request of requests) this.#count(kind, this.#index.keyOf(kind, request), 'bypass', 'none', 0, options);
      return settled as readonly Settled<Read<MarketKinds[K]['value']>>[];
    }
    const many = await this.#many.read(kind, requests, { maxAgeMs, isScan: options?.scan === true }, (cell, waitedMs) =>
      this.#read(cell, afterMs(options, waitedMs)),
    );
    return many.map(({ cell, result }) => this.#settle(cell, result, options)) as readonly Settled<Read<MarketKinds[K]['value']>>[];
  }

  /** A request bound once: `handle.peek()` is the fastest read there is. */
  handle<K extends MarketKind>(kind: K, request: MarketKinds[K]['request'], options?: ReadOptions): ReadHandle<MarketKinds[K]['value']> {
    const maxAgeMs = maxAgeOf(options);
    const bound = Object.freeze({ ...request });
    const isDirect = this.#index.isWatched && options?.intent !== 'order';
    const cell = this.#index.obtain(kind, bound);
    const counts = this.#statistics.fast[kind];
    const peekCell = (): MarketKinds[K]['value'] | undefined => {
      // The handle has waited its time: two waits of one length would make every other read go unnoticed.
      cell.noticeFrom(NEVER);
      const read = this.#serveCell(cell, options);
      if (read === undefined) counts.emptyPeeks++;
      return read?.value as MarketKinds[K]['value'] | undefined;
    };
    return new BoundRead<MarketKinds[K]['value']>({
      cell,
      clock: this.#clock,
      coarse: this.#coarse,
      counts,
      noticeMs: this.#policies[kind].noticeMs,
      maxAgeMs,
      isDirect,
      // Bound to it, the handle keeps its cell alive.
      peekSlowly: isDirect ? peekCell : () => this.peek(kind, bound, options)?.value,
      get: () => this.get(kind, bound, options).then(unwrap),
    });
  }

  /**
   * Takes what a stream pushed. `older`: what is held is newer. `gap`: something is missing before it; everything held of
   * the symbol was dropped before this returned, and the stream is not believed again before a snapshot.
   * The value is frozen and becomes the cache's own.
   */
  ingest(update: StreamUpdate): 'applied' | 'older' | 'gap' {
    if (this.#isClosed) throw closedError('CachedMarketDataClient');
    return this.#ingest.ingest(update);
  }

  /** Keeps the adapter's stream of these symbols open, and the cache fed from it, until disposed. @throws TypeError when the adapter has no stream. */
  subscribe(kind: MarketKind, symbols: readonly string[]): Disposable {
    if (this.#isClosed) throw closedError('CachedMarketDataClient');
    const adapter = this.#adapter;
    if (adapter.stream === undefined) throw new TypeError(`The adapter of ${adapter.venue} has no stream; read by get() instead.`);
    const names = [...new Set(symbols.map((symbol, i) => requireText(`symbols[${i}]`, symbol)))];
    for (const name of names) this.#index.symbols(kind).obtain(name).streams++;
    const subscription = new StreamSubscription({
      stream: (...args) => (adapter.stream as NonNullable<MarketDataAdapter['stream']>)(...args),
      kind,
      symbols: names,
      clock: this.#clock,
      random: this.#random,
      logger: this.#logger,
      silenceMs: this.#streamSilenceMs,
      onUpdate: (update) => this.#ingest.ingest(update),
      onState: (state) => this.#events?.stream(state),
      onDisconnected: () => this.#ingest.disconnected(kind, names),
    });
    let isActive = true;
    const disposable: Disposable = {
      [Symbol.dispose]: () => {
        if (!isActive) return;
        isActive = false;
        this.#subscriptions.delete(disposable);
        for (const name of names) this.#index.symbols(kind).obtain(name).streams--;
        subscription[Symbol.dispose]();
      },
    };
    this.#subscriptions.add(disposable);
    return disposable;
  }

  /** Drops what is held of a kind, of a symbol, or of both; everything without a filter. Loads on their way answer no later reader. Gives the number of values dropped. */
  invalidate(filter: { readonly kind?: MarketKind; readonly symbol?: string } = {}): number {
    requireKnown('invalidate', filter, ['kind', 'symbol']);
    const now = this.#clock.monotonic();
    const kinds = filter.kind === undefined ? (Object.keys(this.#policies) as MarketKind[]) : [filter.kind];
    let dropped = 0;
    for (const kind of kinds) {
      const symbols = this.#index.symbols(kind);
      const states = filter.symbol === undefined ? symbols.values() : [symbols.get(filter.symbol)];
      for (const state of states) {
        if (state === undefined) continue;
        for (const cell of state.cells()) this.#reader.forgetAbsence(cell.key);
        dropped += this.#index.bump(state, now);
      }
    }
    return dropped;
  }

  /**
   * Fetches nothing ahead for `ms`, or until {@link resumePrefetch}: what an alert does when requests are needed for something
   * more urgent. What is queued and nobody waits for is given up; readers notice nothing but more misses. Asked again, the
   * longer time holds. `cache.prefetch_state` tells when it begins and ends.
   * @param ms - Infinity: until {@link resumePrefetch}. @defaultValue Infinity
   */
  shedPrefetch(ms: number = Infinity): void {
    if (ms !== Infinity) requireNonNegative('ms', ms);
    if (!this.#isClosed) this.#pause.ask(ms);
  }

  /** Ends what {@link shedPrefetch} asked for. Near a limit of the venue the prefetch stays paused until that is past. */
  resumePrefetch(): void {
    if (!this.#isClosed) this.#pause.lift();
  }

  stats(): CacheStats {
    return this.#statistics.snapshot(this.#index);
  }

  /** Rejects what waits, ends what runs, forgets what is held. */
  close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#loader.close(closedError('CachedMarketDataClient'));
      for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
      this.#timers[Symbol.dispose]();
      this.#pause[Symbol.dispose]();
      this.#prefetcher[Symbol.dispose]();
      this.#coarse[Symbol.dispose]();
      this.#index.clear();
      this.#events?.[Symbol.dispose]();
    }
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #peekSlowly(kind: MarketKind, request: MarketKinds[MarketKind]['request'], options: ReadOptions | undefined): Read<unknown> | undefined {
    if (options?.intent === 'order') {
      this.#index.symbols(kind);
      this.#statistics.fast[kind].refusedPeeks++;
      return undefined;
    }
    const read = this.#serve(kind, request, options);
    if (read === undefined) this.#statistics.fast[kind].emptyPeeks++;
    return read;
  }

  #get(kind: MarketKind, request: MarketKinds[MarketKind]['request'], options: ReadOptions | undefined): Promise<Read<unknown>> {
    if (options?.intent !== 'order' && options?.signal?.aborted !== true) {
      const read = this.#serve(kind, request, options);
      if (read !== undefined) {
        if (read.outcome === 'stale') this.#loader.loadInBackground(this.#index.obtain(kind, request), 'read');
        return Promise.resolve(read);
      }
    }
    return this.#getSlowly(kind, request, options);
  }

  async #getSlowly(kind: MarketKind, request: MarketKinds[MarketKind]['request'], options: ReadOptions | undefined): Promise<Read<unknown>> {
    this.#throwIfUnreadable(options);
    if (options?.intent === 'order') {
      this.#index.symbols(kind);
      const [settled] = (await this.#direct.read(kind, [request], options)) as [Settled<Read<unknown>>];
      this.#count(kind, this.#index.keyOf(kind, request), 'bypass', 'none', settled.status === 'fulfilled' ? settled.value.ageMs : 0, options);
      if (settled.status === 'fulfilled') return settled.value;
      throw settled.reason;
    }
    const cell = this.#index.obtain(kind, request);
    const settled = this.#settle(cell, await this.#read(cell, options), options);
    if (settled.status === 'fulfilled') return settled.value;
    throw settled.reason;
  }

  #throwIfUnreadable(options: ReadOptions | undefined): void {
    if (options?.signal?.aborted) throw abortReason(options.signal);
    if (this.#isClosed) throw closedError('CachedMarketDataClient');
  }

  #read(cell: Cell, options: ReadOptions | undefined): ReadResult | Promise<ReadResult> {
    const now = this.#clock.monotonic();
    const served = this.#reader.serveFor(cell, now, maxAgeOf(options), options?.allowStale);
    this.#notice(cell, now, options);
    if (served !== undefined) {
      if (served.read.outcome === 'stale') this.#loader.loadInBackground(cell, 'read');
      return served;
    }
    const absence = this.#reader.knownAbsence(cell, now);
    if (absence !== undefined) {
      this.#index.release(cell);
      return { error: absence, outcome: 'negative' };
    }
    return this.#reader.load(cell, now, options);
  }

  #settle(cell: Cell, result: ReadResult, options: ReadOptions | undefined): Settled<Read<unknown>> {
    if ('read' in result) {
      const { read, level, at, askedAt = at } = result;
      this.#count(cell.kind, cell.key, read.outcome, level, read.ageMs, options, at - askedAt);
      return { status: 'fulfilled', value: result.read };
    }
    if (isVenueKitError(result.error, 'OVER_AGE')) this.#statistics.overAgeRejected++;
    this.#count(cell.kind, cell.key, result.outcome, 'none', 0, options);
    return { status: 'rejected', reason: result.error };
  }

  // What every other read from memory goes through, counted and told.
  #serve(kind: MarketKind, request: MarketKinds[MarketKind]['request'], options: ReadOptions | undefined): Read<unknown> | undefined {
    const cell = this.#index.find(kind, request);
    if (cell !== undefined) return this.#serveCell(cell, options);
    maxAgeOf(options);
    requireRequest(kind, request);
    return undefined;
  }

  #serveCell(cell: Cell, options: ReadOptions | undefined): Read<unknown> | undefined {
    const maxAgeMs = options === undefined ? Infinity : maxAgeOf(options);
    const now = maxAgeMs === Infinity ? this.#coarse.read() : this.#clock.monotonic();
    const read = this.#reader.serve(cell, now, maxAgeMs, options?.allowStale);
    if (read === undefined) return undefined;
    this.#statistics.count(cell.kind, read.outcome);
    if (now >= cell.noticeAt || options !== undefined) this.#notice(cell, now, options);
    this.#events?.fastRead(cell.kind, cell.key, read.outcome as 'hit' | 'stale', read.ageMs, options);
    return read;
  }

  // Store and prefetch learn of a read.
  #notice(cell: Cell, now: number, options: ReadOptions | undefined): void {
    this.#index.touch(cell, now);
    if (options?.scan === true) return;
    if (options?.consumer === undefined) cell.noticeFrom(Math.floor(now) + this.#policies[cell.kind].noticeMs);
    this.#prefetcher.accessed(cell, options?.consumer, now);
  }

  #count(kind: MarketKind, key: string, outcome: Outcome, level: Level, ageMs: number, options: ReadOptions | undefined, waitedMs = 0): void {
    this.#statistics.count(kind, outcome);
    this.#events?.slowRead(kind, key, outcome, level, ageMs, options, waitedMs);
  }

  #onCall(kind: MarketKind, keys: number, ms: number, ok: boolean): void {
    this.#statistics.batches++;
    this.#events?.load(kind, keys, ms, ok);
  }

  #onGap(cell: Cell): void {
    this.#events?.gap(cell.key);
    this.#events?.stream('gap');
  }

  #onInvalidated(keys: readonly string[]): void {
    const now = this.#clock.monotonic();
    const named = new Set(keys);
    const symbols = [...this.#index.cells()].filter(({ key }) => named.has(key)).map(({ symbol }) => symbol);
    for (const symbol of new Set(symbols)) this.#index.bump(symbol, now);
  }

  #onKept(cell: Cell, now: number, origin: 'read' | 'scan' | 'prefetch' | 'stream'): void {
    const { entry } = cell;
    if (entry !== undefined && (entry.source === 'rest' || entry.source === 'prefetch') && this.#policies[cell.kind].shared) {
      this.#shared?.write(cell.key, entry, Math.min(cell.freshUntil - now, LONGEST_SHARED_MS));
    }
    this.#prefetcher.kept(cell, now, origin);
    this.#events?.kept(cell, origin);
    this.#events?.update(cell.kind, cell.symbol.symbol, this.#clock);
  }
}

function unwrap<V>(read: Read<V>): V {
  return read.value;
}
