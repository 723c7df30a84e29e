import { abortReason, onAbort } from '../core/abort.js';
import type { Clock } from '../core/clock.js';
import { asError } from '../core/errors.js';
import type { Cost, Limit, LimitObservation } from '../core/limits.js';
import type { SharedCost, SharedLimits } from '../core/shared-limits.js';
import { LimitState } from './limit-state.js';
import { PolicyError } from './policy-error.js';
import { mayUseReserve, rankOf } from './priorities.js';
import { type AcquireOptions, type Limiter, RateLimiter, type SpendOptions } from './rate-limiter.js';

/** What a {@link SharedRateLimiter} keeps. */
export interface SharedRateLimiterOptions {
  readonly clock: Clock;
  readonly shared: SharedLimits;
  /** As for {@link RateLimiter}. @defaultValue 0.2 */
  readonly reserve?: number;
}

/**
 * Keeps limits that several processes spend from. Who goes first within this process is decided here;
 * whether there is room is asked of the shared count. While that is away, this process lives on the
 * share that was set aside for it, which with all others' is still within the limit.
 */
export class SharedRateLimiter implements Limiter, AsyncDisposable {
  readonly #clock: Clock;
  readonly #shared: SharedLimits;
  readonly #here: RateLimiter;
  readonly #alone: RateLimiter;
  readonly #aloneIds: ReadonlySet<string>;
  readonly #states: ReadonlyMap<string, LimitState>;
  /** Units that the shared count has granted and that are neither sent nor given back, by limit and symbol. */
  readonly #held = new Map<string, number>();
  readonly #subscriptions: readonly Disposable[];
  #closed = false;

  constructor({ clock, shared, reserve = 0.2 }: SharedRateLimiterOptions) {
    this.#clock = clock;
    this.#shared = shared;
    this.#here = new RateLimiter({ clock, limits: shared.limits, reserve });
    this.#alone = new RateLimiter({ clock, limits: shared.alone, reserve });
    this.#aloneIds = new Set(shared.alone.map(({ id }) => id));
    this.#states = new Map(shared.limits.map((limit: Limit) => [limit.id, new LimitState(limit, reserve)]));
    this.#subscriptions = [shared.onBlocked((limit, forMs) => this.#block(limit, forMs))];
  }

  get waiting(): number {
    return this.#here.waiting;
  }

  /** Says true only for what needs no shared count: calls that cost nothing, and calls on this process's own share while it is cut off. */
  tryAcquire(costs: readonly Cost[], options: SpendOptions, now: number = this.#clock.monotonic()): boolean {
    const isFree = costs.every(({ units }) => units === 0);
    if (this.#shared.isUp && !isFree) return false;
    if (!this.#here.tryAcquire(costs, { ...options, hold: true }, now)) return false;
    if (!isFree && !this.#tryAlone(costs, options, now)) {
      this.#here.release(costs, symbolOf(options));
      return false;
    }
    if (options.hold !== true) this.sent(costs, symbolOf(options));
    return true;
  }

  async acquire(costs: readonly Cost[], options: AcquireOptions): Promise<void> {
    await this.#here.acquire(costs, { ...options, hold: true });
    try {
      if (costs.some(({ units }) => units > 0)) await this.#admit(costs, options);
    } catch (error) {
      if (!this.#closed) this.#here.release(costs, symbolOf(options));
      throw asError(error);
    }
    if (options.hold !== true) this.sent(costs, symbolOf(options));
  }

  sent(costs: readonly Cost[], options: { readonly symbol?: string } = {}): void {
    this.#here.sent(costs, options);
    this.#settle('sent', costs, options);
  }

  release(costs: readonly Cost[], options: { readonly symbol?: string } = {}): void {
    this.#here.release(costs, options);
    this.#settle('release', costs, options);
  }

  observe(seen: LimitObservation, symbol?: string): void {
    this.#here.observe(seen, symbol);
    if (this.#aloneIds.has(seen.limit) || seen.blockedUntil !== undefined) this.#alone.observe(withoutCounts(seen), symbol);
    this.#shared.observe(seen, symbol);
  }

  ban(until: number): void {
    this.#here.ban(until);
    this.#alone.ban(until);
    this.#shared.ban(until - this.#clock.now());
  }

  blockedUntil(costs: readonly Cost[]): number | undefined {
    return this.#here.blockedUntil(costs);
  }

  /** Of what this process knows: others may have spent more. */
  headroom(limit: string, options: { readonly symbol?: string } = {}): number {
    return this.#here.headroom(limit, options);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    this.#here.close();
    this.#alone.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  async #admit(costs: readonly Cost[], options: AcquireOptions): Promise<void> {
    const { signal, symbol, priority, deadlineAt = Infinity } = options;
    const rank = rankOf(priority);
    const request = { costs: this.#withCeilings(costs, mayUseReserve(rank)), symbol, rank };
    while (this.#shared.isUp) {
      let waitMs: number;
      try {
        waitMs = await this.#shared.reserve(request);
      } catch {
        // It is down now, and says so.
        continue;
      }
      if (waitMs === 0) {
        this.#hold(costs, symbol);
        if (signal?.aborted || this.#closed) {
          this.#settle('release', costs, symbolOf(options));
          throw signal?.aborted ? abortReason(signal) : new PolicyError('RATE_LIMITED', 'Not sent: the limiter was closed');
        }
        return;
      }
      const leftMs = deadlineAt - this.#clock.monotonic();
      if (leftMs <= waitMs) {
        if (options.failFast !== true && leftMs > 0) await this.#clock.sleep(leftMs, signal);
        throw new PolicyError('RATE_LIMITED', `Not sent: all processes together had no room for ${describe(costs)} before the deadline`, {
          retryAfterMs: waitMs,
          ...(costs[0] === undefined ? {} : { limit: costs[0].limit }),
        });
      }
      await this.#sleepOrUp(waitMs, signal);
    }
    if (!this.#isAlone(costs)) {
      // No share of it was set aside: it waits until the count can be asked, or its deadline.
      await this.#untilUp(Math.min(250, deadlineAt - this.#clock.monotonic()), signal, costs);
      return this.#admit(costs, options);
    }
    // Looks again whether the shared count is back: what was set aside is a small part of the limit.
    const until = Math.min(deadlineAt, this.#clock.monotonic() + 250);
    try {
      await this.#alone.acquire(
        costs.filter(({ units }) => units > 0),
        { ...options, hold: true, failFast: false, deadlineAt: until },
      );
    } catch (error) {
      if (until >= deadlineAt || signal?.aborted || this.#closed) throw error;
      return this.#admit(costs, options);
    }
  }

  async #untilUp(ms: number, signal: AbortSignal | undefined, costs: readonly Cost[]): Promise<void> {
    if (ms <= 0 || this.#closed)
      throw new PolicyError(
        'RATE_LIMITED',
        `Not sent: the count that processes share can't be asked, and none of ${describe(costs)} was set aside for this one`,
      );
    await this.#sleepOrUp(ms, signal);
  }

  async #sleepOrUp(ms: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) throw abortReason(signal);
    const woken = new AbortController();
    const up = this.#shared.onUp(() => woken.abort());
    const aborted = onAbort(signal, () => woken.abort());
    try {
      await this.#clock.sleep(ms, woken.signal).catch(() => {});
    } finally {
      up[Symbol.dispose]();
      aborted[Symbol.dispose]();
    }
    if (signal?.aborted) throw abortReason(signal);
  }

  #tryAlone(costs: readonly Cost[], options: SpendOptions, now: number): boolean {
    return (
      this.#isAlone(costs) &&
      this.#alone.tryAcquire(
        costs.filter(({ units }) => units > 0),
        { ...options, hold: true },
        now,
      )
    );
  }

  #isAlone(costs: readonly Cost[]): boolean {
    return costs.every(({ limit, units }) => units === 0 || (this.#aloneIds.has(limit) && units <= this.#capacityAlone(limit)));
  }

  #capacityAlone(limit: string): number {
    const alone = this.#shared.alone.find(({ id }) => id === limit);
    return alone === undefined ? 0 : alone.kind === 'window' ? alone.units : alone.max;
  }

  #withCeilings(costs: readonly Cost[], urgent: boolean): readonly SharedCost[] {
    return costs
      .filter(({ units }) => units > 0)
      .map(({ limit, units }) => ({ limit, units, ceiling: this.#states.get(limit)?.ceiling(units, urgent) ?? units }));
  }

  #hold(costs: readonly Cost[], symbol: string | undefined): void {
    for (const { limit, units } of costs) {
      const key = heldKey(limit, symbol);
      this.#held.set(key, (this.#held.get(key) ?? 0) + units);
    }
  }

  /** Tells whoever granted the units; a part of what was granted together may be settled alone. */
  #settle(what: 'sent' | 'release', costs: readonly Cost[], { symbol }: { readonly symbol?: string }): void {
    const shared: SharedCost[] = [];
    const alone: Cost[] = [];
    for (const { limit, units } of costs) {
      const key = heldKey(limit, symbol);
      const held = this.#held.get(key) ?? 0;
      const granted = Math.min(units, held);
      if (granted > 0) shared.push({ limit, units: granted, ceiling: granted });
      if (granted === held) this.#held.delete(key);
      else this.#held.set(key, held - granted);
      if (units > granted && this.#aloneIds.has(limit)) alone.push({ limit, units: units - granted });
    }
    if (shared.length > 0) this.#shared[what](shared, symbol);
    if (alone.length > 0) this.#alone[what](alone, symbol === undefined ? {} : { symbol });
  }

  #block(limit: string | undefined, forMs: number): void {
    const until = this.#clock.now() + forMs;
    for (const limiter of [this.#here, this.#alone]) {
      if (limit === undefined) limiter.ban(until);
      else limiter.observe({ limit, blockedUntil: until });
    }
  }
}

function heldKey(limit: string, symbol: string | undefined): string {
  return symbol === undefined ? limit : `${limit}@${symbol}`;
}

function symbolOf({ symbol }: SpendOptions): { readonly symbol?: string } {
  return symbol === undefined ? {} : { symbol };
}

/** The venue counts for all processes; the share of one must not be filled by it. */
function withoutCounts({ limit, blockedUntil }: LimitObservation): LimitObservation {
  return blockedUntil === undefined ? { limit } : { limit, blockedUntil };
}

function describe(costs: readonly Cost[]): string {
  return costs.map(({ limit, units }) => `${units} units of "${limit}"`).join(' and ');
}
