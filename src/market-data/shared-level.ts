import type { CacheEntry, SharedCacheStore } from '../contracts/cache-store.js';
import type { Clock } from '../core/clock.js';
import { asError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { requireMethods, requireNonNegative, requirePositive } from '../core/options.js';
import type { CachedMarketDataOptions } from './cached-market-data-options.js';
import { deepFreeze } from './deep-freeze.js';

/** How long one process may load a key alone; the others take over when it has not delivered by then. */
const LEASE_MS = 1_000;
const RETRY_BASE_MS = 1_000;
// One read in so long pays for the look; for that long at most is a store that is back not used.
const RETRY_CAP_MS = 5_000;

export interface SharedLevelOptions {
  readonly store: SharedCacheStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The most that the wall clocks of two processes differ by. */
  readonly skewMs: number;
  /** A store that answers later than this counts as down. */
  readonly timeoutMs: number;
  readonly onState: (state: 'closed' | 'open' | 'half_open') => void;
}

/**
 * The second level, shared by processes. Its entries travel in wall time, so their ages are taken with
 * the declared skew added. While it is down the cache works without it: a failure opens it for a
 * second, then for longer, and nothing waits for it meanwhile.
 */
export class SharedLevel {
  readonly #options: SharedLevelOptions;
  #downUntil: number = -Infinity;
  #failures = 0;

  constructor(options: SharedLevelOptions) {
    this.#options = options;
  }

  get isUp(): boolean {
    return this.#options.clock.monotonic() >= this.#downUntil;
  }

  /** What other processes have put there, in our monotonic time; undefined where there is nothing usable, or the store is down. */
  async read(keys: readonly string[]): Promise<readonly (CacheEntry | undefined)[]> {
    const found = await this.#attempt((signal) => this.#options.store.getMany(keys, signal));
    return keys.map((_, i) => {
      const entry = found?.[i];
      return entry === undefined ? undefined : this.#fromWall(entry);
    });
  }

  /** Whether this process is the one to load `key`; also when the store can't say. */
  async lease(key: string, ttlMs: number): Promise<boolean> {
    if (!this.isUp) return true;
    let isHeld = false;
    await this.#attempt(async () => {
      isHeld = (await this.#options.store.lease(key, leaseMsOf(ttlMs))) === undefined;
    });
    return !isHeld;
  }

  /** Puts an entry there for the others; nobody waits for it. */
  write(key: string, entry: CacheEntry, ttlMs: number): void {
    if (ttlMs <= 0) return;
    void this.#attempt(() => this.#options.store.setIfNewer(key, this.#toWall(entry), ttlMs));
  }

  onInvalidate(listener: (keys: readonly string[]) => void): Disposable {
    return this.#options.store.onInvalidate(listener);
  }

  async #attempt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    if (!this.isUp) return undefined;
    const { clock, timeoutMs, onState } = this.#options;
    if (this.#failures > 0) onState('half_open');
    const controller = new AbortController();
    let timer: Disposable | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = clock.schedule(timeoutMs, () => reject(new Error(`the shared cache did not answer within ${timeoutMs} ms`)));
    });
    late.catch((reason: unknown) => controller.abort(reason));
    try {
      const result = await Promise.race([work(controller.signal), late]);
      if (this.#failures > 0) onState('closed');
      this.#failures = 0;
      return result;
    } catch (error) {
      this.#goDown(asError(error));
      return undefined;
    } finally {
      timer?.[Symbol.dispose]();
    }
  }

  #goDown(error: Error): void {
    const { clock, logger, onState } = this.#options;
    // Several attempts may fail together; they count once.
    if (!this.isUp) return;
    const pauseMs = Math.min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** Math.min(this.#failures++, 10));
    this.#downUntil = clock.monotonic() + pauseMs;
    logger.warn({ error, pauseMs }, 'the shared cache failed; going on without it');
    onState('open');
  }

  #toWall(entry: CacheEntry): CacheEntry {
    const { clock } = this.#options;
    const offset = clock.now() - clock.monotonic();
    return { ...entry, sentAt: entry.sentAt + offset, receivedAt: entry.receivedAt + offset };
  }

  #fromWall(entry: CacheEntry): CacheEntry | undefined {
    const { clock, skewMs } = this.#options;
    const ageMs = clock.now() - entry.sentAt + skewMs;
    // From the future by more than the skew: a clock is wrong by more than was declared.
    if (!(ageMs >= 0)) return undefined;
    const now = clock.monotonic();
    return { ...entry, value: deepFreeze(entry.value), sentAt: now - ageMs, receivedAt: now, source: 'shared' };
  }
}

/** The shared level that is asked for, if one is. @throws RangeError or TypeError that names the option. */
export function sharedLevelOf(
  { shared, sharedSkewMs = 50, sharedTimeoutMs = 100, adapter, bus }: CachedMarketDataOptions,
  clock: Clock,
  logger: Logger,
): SharedLevel | undefined {
  const skewMs = requireNonNegative('sharedSkewMs', sharedSkewMs);
  const timeoutMs = requirePositive('sharedTimeoutMs', sharedTimeoutMs);
  if (shared === undefined) return undefined;
  return new SharedLevel({
    store: requireMethods('shared', shared, ['getMany', 'setIfNewer', 'lease', 'onInvalidate']),
    clock,
    logger,
    skewMs,
    timeoutMs,
    onState: (state) => {
      if (bus?.has('breaker.state') === true) bus.emit('breaker.state', { scope: `shared-cache ${adapter.venue}`, state });
    },
  });
}

/** Shorter than the TTL: a lease that outlived the value would keep the next load waiting. */
export function leaseMsOf(ttlMs: number): number {
  return Math.min(LEASE_MS, ttlMs);
}
