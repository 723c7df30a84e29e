import type { CallOptions } from '../contracts/calls.js';
import { onAbort } from '../core/abort.js';
import { type Clock, systemClock } from '../core/clock.js';
import { DeadlineSet } from '../core/deadline-set.js';
import { closedError, VenueKitError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { requireFunction, requireNonNegative } from '../core/options.js';
import { type Random, systemRandom } from '../core/random.js';
import { TurnClock } from '../core/turn-clock.js';
import { rankOf } from '../resilience/priorities.js';
import { callRefusal } from './call-refusal.js';
import type { Connection, LeaseKeeper } from './connection.js';
import { ConnectionInventory } from './connection-inventory.js';
import { ConnectionOpener } from './connection-opener.js';
import { CreateGate } from './create-gate.js';
import { LeakWatch } from './leak-watch.js';
import { ConnectionLease, type Lease } from './lease.js';
import { PoolEvents, type PoolHoldings } from './pool-events.js';
import { type PoolOptions, type PoolPolicy, poolPolicy } from './pool-options.js';
import { type PoolStats, PoolTally } from './pool-stats.js';
import { holdWhile } from './use-connection.js';
import { validateConnection } from './validate-connection.js';
import { Waiter, WaiterRing } from './waiter-ring.js';

const READ_RANK = rankOf('read');

/**
 * Shares a limited number of connections (sessions, sockets, SDK instances) among many callers.
 *
 * generic-pool owns how many exist; this class owns who holds one. An idle connection is handed out
 * synchronously, the one that was used last first, so that surplus ones grow idle and can be closed.
 *
 * @example
 * const pool = new ConnectionPool({ create: (signal) => openOrderSession(url, signal), destroy: (session) => session.close() });
 * const ack = await pool.use((session, signal) => session.place(order, { signal }), { deadlineMs: 2_000 });
 */
export class ConnectionPool<T> implements AsyncDisposable {
  readonly #policy: PoolPolicy<T>;
  readonly #events: PoolEvents | undefined;
  readonly #clock: Clock;
  /** When waits begin, and when they end. */
  readonly #turns: TurnClock;
  readonly #random: Random;
  readonly #logger: Logger | undefined;
  readonly #inventory: ConnectionInventory<T>;
  readonly #opener: ConnectionOpener<T>;
  readonly #keeper: LeaseKeeper<T>;
  readonly #idle: Connection<T>[] = [];
  readonly #waiters: WaiterRing<T> = new WaiterRing();
  readonly #tally: PoolTally = new PoolTally();
  /** Aborts when the pool stops waiting for its leases. */
  readonly #forced: AbortController = new AbortController();
  readonly #ownDeadlines: DeadlineSet<Waiter<T>>;
  readonly #idleLimits: DeadlineSet<Connection<T>>;
  readonly #lifeLimits: DeadlineSet<Connection<T>>;
  readonly #leaks: LeakWatch<T>;
  // Nothing has to be looked at when a connection changes hands: the path without a clock. No longer so once the pool closes.
  #isPlain: boolean;
  #inUse = 0;
  #validating = 0;
  #waitTimer: Disposable | undefined;
  #healthTimer: Disposable | undefined;
  #closing: Promise<void> | undefined;
  #onReturned: (() => void) | undefined;

  /** @throws RangeError or TypeError naming the option, what it must be, and what it was. */
  constructor(options: PoolOptions<T>) {
    const policy = poolPolicy(options);
    this.#policy = policy;
    this.#clock = options.clock ?? systemClock;
    this.#events = options.bus === undefined ? undefined : new PoolEvents(options.bus, policy, this.#clock, () => this.#holdings());
    this.#turns = new TurnClock(this.#clock);
    this.#random = options.random ?? systemRandom;
    this.#logger = options.logger;
    this.#inventory = new ConnectionInventory(policy, this.#clock, (error) =>
      this.#logger?.warn({ pool: policy.name, error }, 'closing a connection failed'),
    );
    this.#opener = new ConnectionOpener(this.#inventory, new CreateGate(policy.createBackoff, this.#random), this.#clock, this.#forced.signal, {
      missing: () => Math.max(this.#waiters.size - this.#validating, policy.min - this.#inventory.size),
      hasWaiters: () => this.#waiters.size > 0,
      onOpened: (connection, ms) => this.#opened(connection, ms),
      onFailed: (error) => this.#openingFailed(error),
      onRetry: () => this.#serve(),
    });
    this.#keeper = { takeBack: (connection) => this.#takeBack(connection), giveUp: (connection) => this.#giveUp(connection) };
    this.#ownDeadlines = new DeadlineSet(this.#clock, (waiter) => this.#timeOut(waiter, 'DEADLINE'));
    this.#idleLimits = new DeadlineSet(this.#clock, (connection, now) => this.#idledLong(connection, now));
    this.#lifeLimits = new DeadlineSet(this.#clock, (connection) => this.#livedLong(connection));
    this.#leaks = new LeakWatch(policy, this.#clock, options.logger, this.#events);
    this.#isPlain =
      policy.validate === undefined &&
      policy.idleTimeoutMs === Infinity &&
      policy.maxLifetimeMs === Infinity &&
      policy.leakWarningMs === Infinity &&
      !policy.captureLeaseStacks;
    this.#scheduleHealthCheck();
    this.#serve();
  }

  /**
   * An idle connection, or undefined when there is none that can be handed out now. Synchronous, and
   * never opens one. Where a validation is due that answers asynchronously, it is started and the
   * connection is not handed out: use {@link acquire} with such a validation.
   */
  tryAcquire(): Lease<T> | undefined {
    return this.#leaseIdle();
  }

  /**
   * A connection: idle, released by another, or newly opened. Callers are served by priority
   * (`read` where none is given), then in order of arrival.
   * @throws VenueKitError `POOL_TIMEOUT` after acquireTimeoutMs, `DEADLINE` after the caller's own
   * deadlineMs, `POOL_QUEUE_FULL` when maxWaiting callers wait already, `CLOSED`; what `create`
   * threw; or the signal's reason.
   */
  acquire(options?: CallOptions): Promise<Lease<T>> {
    return this.#acquire(options);
  }

  /**
   * Runs `work` with a connection and gives it back. When the work fails the connection is validated
   * before its next use (where `validate` is given). When the signal or deadline ends the wait, the
   * caller is answered at once and the connection stays held until the work has settled.
   */
  async use<R>(work: (resource: T, signal: AbortSignal) => Promise<R>, options?: CallOptions): Promise<R> {
    requireFunction('work', work);
    const startedAt = options?.deadlineMs === undefined ? 0 : this.#clock.monotonic();
    const lease = await this.#acquire(options);
    if (options?.signal === undefined && options?.deadlineMs === undefined) {
      try {
        return await work(lease.resource, this.#forced.signal);
      } catch (error) {
        lease.suspect();
        throw error;
      } finally {
        lease.release();
      }
    }
    const leftMs = options.deadlineMs === undefined ? Infinity : options.deadlineMs - (this.#clock.monotonic() - startedAt);
    return holdWhile(lease, work, { clock: this.#clock, leftMs, signal: options.signal, forced: this.#forced.signal });
  }

  /** The pool now. */
  stats(): PoolStats {
    return this.#tally.with(this.#holdings());
  }

  /**
   * Refuses new and waiting callers, closes idle connections, waits up to `drainMs` for the leases
   * that are out, and then closes theirs too. Resolves when every connection has been closed.
   * @param options - drainMs: longest wait for leases. Default 5,000 ms.
   */
  close(options: { readonly drainMs?: number } = {}): Promise<void> {
    const drainMs = requireNonNegative('drainMs', options.drainMs ?? 5_000);
    this.#isPlain = false;
    this.#closing ??= this.#close(drainMs);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #acquire(options: CallOptions | undefined): Promise<ConnectionLease<T>> {
    if (options !== undefined) {
      const refusal = callRefusal(options);
      if (refusal !== undefined) return Promise.reject(refusal);
    }
    const lease = this.#leaseIdle();
    return lease === undefined ? this.#wait(options) : Promise.resolve(lease);
  }

  #leaseIdle(): ConnectionLease<T> | undefined {
    const connection = this.#isPlain ? this.#idle.pop() : this.#takeIdle();
    return connection === undefined ? undefined : this.#lease(connection, 0);
  }

  #lease(connection: Connection<T>, waitedMs: number): ConnectionLease<T> {
    const isReused = connection.isUsed;
    if (!isReused) {
      connection.isUsed = true;
      this.#tally.fresh++;
    }
    this.#inUse++;
    this.#tally.acquired++;
    if (!this.#isPlain) this.#leaks.taken(connection);
    if (this.#events !== undefined) {
      this.#events.acquired(connection, waitedMs, isReused);
      this.#events.state();
    }
    return new ConnectionLease(connection);
  }

  #takeBack(connection: Connection<T>): void {
    if (connection.isClosed) return;
    this.#inUse--;
    this.#events?.released(connection);
    if (!this.#isPlain) this.#reassign(connection);
    else if (this.#waiters.size === 0) this.#idle.push(connection);
    else this.#handTo(this.#waiters.shift() as Waiter<T>, connection);
    this.#events?.state();
  }

  async #giveUp(connection: Connection<T>): Promise<void> {
    if (connection.isClosed) return;
    this.#inUse--;
    this.#events?.released(connection);
    await this.#discard(connection, 'given_up');
  }

  // ── who gets a connection that is free ──

  #reassign(connection: Connection<T>): void {
    if (!this.#isPlain) this.#leaks.returned(connection);
    if (this.#closing !== undefined) {
      void this.#discard(connection, 'closed');
      return;
    }
    const now = this.#clock.monotonic();
    if (connection.expiresAt <= now) {
      void this.#discard(connection, 'lifetime');
      return;
    }
    this.#park(connection, now);
    if (this.#waiters.size > 0) this.#serve();
  }

  #park(connection: Connection<T>, now: number): void {
    connection.idleSince = now;
    if (this.#policy.idleTimeoutMs !== Infinity) connection.idleLimit = this.#idleLimits.add(connection, now + this.#policy.idleTimeoutMs);
    this.#idle.push(connection);
  }

  /** Gives idle connections to those who wait, and opens what is missing. */
  #serve(): void {
    if (this.#closing !== undefined) return;
    // A connection under validation is meant for somebody already.
    while (this.#waiters.size > this.#validating && this.#idle.length > 0) {
      const connection = this.#takeIdle();
      if (connection !== undefined) this.#handTo(this.#waiters.shift() as Waiter<T>, connection);
    }
    this.#opener.openMissing();
  }

  #handTo(waiter: Waiter<T>, connection: Connection<T>): void {
    this.#forget(waiter);
    const waitedMs = this.#turns.monotonic() - waiter.since;
    waiter.resolve(this.#lease(connection, waitedMs));
    this.#tally.waits.record(this.#tally.acquired, waitedMs);
  }

  /** The idle connection that was used last and is fit; undefined too when its validation has only begun. */
  #takeIdle(): Connection<T> | undefined {
    if (this.#closing !== undefined) return undefined;
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined || this.#isPlain) return connection;
      if (connection.idleLimit !== undefined) this.#idleLimits.cancel(connection.idleLimit);
      const now = this.#clock.monotonic();
      if (connection.expiresAt <= now) {
        void this.#discard(connection, 'lifetime');
        continue;
      }
      if (!this.#needsValidation(connection, now)) return connection;
      const fit = validateConnection(connection, this.#policy, this.#clock);
      if (fit === true) return connection;
      if (fit !== false) {
        void this.#returnWhenFit(connection, fit);
        return undefined;
      }
      void this.#discard(connection, 'invalid');
    }
  }

  // ── validation ──

  #needsValidation(connection: Connection<T>, now: number): boolean {
    if (this.#policy.validate === undefined || !connection.isUsed) return false;
    return connection.isSuspect || now - connection.idleSince >= this.#policy.validateAfterIdleMs;
  }

  async #returnWhenFit(connection: Connection<T>, answer: Promise<boolean>): Promise<void> {
    this.#validating++;
    const fit = await answer;
    this.#validating--;
    if (connection.isClosed) return;
    if (!fit || this.#closing !== undefined) {
      await this.#discard(connection, fit ? 'closed' : 'invalid');
      return;
    }
    const waiter = this.#waiters.shift();
    if (waiter === undefined) this.#park(connection, this.#clock.monotonic());
    else this.#handTo(waiter, connection);
  }

  #scheduleHealthCheck(): void {
    const { healthCheckIntervalMs } = this.#policy;
    if (healthCheckIntervalMs === Infinity || this.#closing !== undefined) return;
    this.#healthTimer = this.#clock.schedule(healthCheckIntervalMs, () => {
      void this.#checkHealth().finally(() => this.#scheduleHealthCheck());
    });
  }

  // One after the other, the longest idle first: the others stay ready to be handed out meanwhile.
  async #checkHealth(): Promise<void> {
    const unchecked = [...this.#idle];
    for (const connection of unchecked) {
      const at = this.#idle.indexOf(connection);
      if (at === -1 || this.#closing !== undefined) continue;
      this.#idle.splice(at, 1);
      this.#validating++;
      const fit = await validateConnection(connection, this.#policy, this.#clock);
      this.#validating--;
      if (connection.isClosed) continue;
      if (!fit || this.#closing !== undefined) {
        await this.#discard(connection, fit ? 'closed' : 'unhealthy');
        continue;
      }
      const waiter = this.#waiters.shift();
      if (waiter === undefined) this.#putBack(connection, at);
      else {
        if (connection.idleLimit !== undefined) this.#idleLimits.cancel(connection.idleLimit);
        this.#handTo(waiter, connection);
      }
    }
  }

  /** Back to its place, its idle time running on: a check is no use. What has grown too old during the check is found out now. */
  #putBack(connection: Connection<T>, at: number): void {
    this.#idle.splice(Math.min(at, this.#idle.length), 0, connection);
    const now = this.#clock.monotonic();
    if (connection.expiresAt <= now) this.#livedLong(connection);
    else if (now - connection.idleSince >= this.#policy.idleTimeoutMs) this.#idledLong(connection, now);
  }

  // ── opening ──

  #opened(connection: Connection<T>, ms: number): void {
    connection.keeper = this.#keeper;
    this.#tally.created++;
    const { maxLifetimeMs } = this.#policy;
    if (maxLifetimeMs !== Infinity) {
      connection.expiresAt = this.#clock.monotonic() + maxLifetimeMs * (1 - 0.1 * this.#random());
      connection.lifeLimit = this.#lifeLimits.add(connection, connection.expiresAt);
    }
    this.#events?.created(ms);
    this.#reassign(connection);
    this.#serve();
    this.#events?.state();
  }

  #openingFailed(error: Error): void {
    if (this.#closing !== undefined) return;
    this.#tally.createFailures++;
    this.#logger?.warn({ pool: this.#policy.name, error }, 'opening a connection failed');
    this.#events?.createFailed(error);
    // To one caller, and only when this opening was for one: the others may still be served.
    if (this.#waiters.size > this.#validating + this.#opener.opening) {
      const waiter = this.#waiters.shift() as Waiter<T>;
      this.#forget(waiter);
      waiter.reject(error);
      this.#events?.state();
    }
    this.#serve();
  }

  // ── waiting ──

  #wait(options: CallOptions | undefined): Promise<ConnectionLease<T>> {
    const { name, max, maxWaiting, acquireTimeoutMs } = this.#policy;
    if (this.#closing !== undefined) return Promise.reject(closedError(`Pool "${name}"`));
    if (this.#waiters.size >= maxWaiting) {
      return Promise.reject(new VenueKitError('POOL_QUEUE_FULL', `Pool "${name}": ${maxWaiting} callers wait already (maxWaiting)`));
    }
    return new Promise((resolve, reject) => {
      // Its timeouts count from here.
      const since = this.#turns.exact();
      const rank = options?.priority === undefined ? READ_RANK : rankOf(options.priority);
      const waiter = new Waiter<T>(since, rank, resolve, reject);
      const deadlineMs = options?.deadlineMs ?? Infinity;
      if (deadlineMs < acquireTimeoutMs) waiter.deadline = this.#ownDeadlines.add(waiter, since + deadlineMs);
      if (options?.signal !== undefined) {
        waiter.abort = onAbort(options.signal, (reason) => {
          this.#waiters.remove(waiter);
          this.#forget(waiter);
          reject(reason);
          this.#events?.state();
        });
      }
      this.#waiters.push(waiter);
      if (this.#waitTimer === undefined) this.#limitWaits(acquireTimeoutMs);
      // Nothing to give and nothing to open: the commonest case under load.
      if (this.#idle.length > 0 || this.#inventory.size < max) this.#serve();
      this.#events?.state();
    });
  }

  #forget(waiter: Waiter<T>): void {
    if (waiter.deadline !== undefined) this.#ownDeadlines.cancel(waiter.deadline);
    waiter.abort?.[Symbol.dispose]();
  }

  // One timer for all who wait for the same time: it fires for whoever came first, at most once in that time when all are served.
  #limitWaits(inMs: number): void {
    this.#waitTimer = this.#clock.schedule(inMs, () => {
      this.#waitTimer = undefined;
      const { acquireTimeoutMs } = this.#policy;
      const now = this.#clock.monotonic();
      for (let late = this.#waiters.cameBy(now - acquireTimeoutMs); late !== undefined; late = this.#waiters.cameBy(now - acquireTimeoutMs)) {
        this.#timeOut(late, 'POOL_TIMEOUT');
      }
      if (this.#waiters.size > 0 && this.#closing === undefined) this.#limitWaits(this.#waiters.oldestSince + acquireTimeoutMs - now);
    });
  }

  #timeOut(waiter: Waiter<T>, code: 'DEADLINE' | 'POOL_TIMEOUT'): void {
    this.#waiters.remove(waiter);
    this.#forget(waiter);
    this.#tally.timeouts++;
    const { name, max } = this.#policy;
    const waitedMs = Math.round(this.#clock.monotonic() - waiter.since);
    waiter.reject(
      new VenueKitError(
        code,
        `Pool "${name}": no connection within ${waitedMs} ms; ${this.#inUse} of at most ${max} in use, ${this.#waiters.size} others waiting`,
        this.#opener.lastError === undefined ? undefined : { cause: this.#opener.lastError },
      ),
    );
    this.#events?.state();
  }

  // ── ages ──

  #idledLong(connection: Connection<T>, now: number): void {
    const at = this.#idle.indexOf(connection);
    if (at === -1) return;
    if (this.#inventory.size <= this.#policy.min) {
      connection.idleLimit = this.#idleLimits.add(connection, now + this.#policy.idleTimeoutMs);
      return;
    }
    this.#idle.splice(at, 1);
    void this.#discard(connection, 'idle');
  }

  #livedLong(connection: Connection<T>): void {
    // One that is held, or being validated, is closed when it comes back.
    const at = this.#idle.indexOf(connection);
    if (at === -1) return;
    this.#idle.splice(at, 1);
    void this.#discard(connection, 'lifetime');
  }

  // ── ending ──

  async #discard(connection: Connection<T>, why: string): Promise<void> {
    connection.isClosed = true;
    if (connection.idleLimit !== undefined) this.#idleLimits.cancel(connection.idleLimit);
    if (connection.lifeLimit !== undefined) this.#lifeLimits.cancel(connection.lifeLimit);
    this.#leaks.returned(connection);
    this.#tally.destroyed++;
    const closed = this.#inventory.close(connection);
    this.#events?.destroyed(why);
    this.#events?.state();
    if (this.#inUse === 0) this.#onReturned?.();
    await closed;
    this.#serve();
  }

  async #close(drainMs: number): Promise<void> {
    // close() has yet to note that it was called: what follows must find it noted.
    await Promise.resolve();
    this.#healthTimer?.[Symbol.dispose]();
    const closed = closedError(`Pool "${this.#policy.name}"`);
    for (let waiter = this.#waiters.shift(); waiter !== undefined; waiter = this.#waiters.shift()) {
      this.#forget(waiter);
      waiter.reject(closed);
    }
    for (const connection of this.#idle.splice(0)) void this.#discard(connection, 'closed');
    if (this.#inUse > 0 && drainMs > 0) await this.#leasesReturned(drainMs);
    this.#forced.abort(closed);
    this.#inUse = 0;
    for (const connection of [...this.#inventory.connections()]) {
      void this.#discard(connection, 'closed');
    }
    await this.#inventory.drain(closed);
    this.#waitTimer?.[Symbol.dispose]();
    for (const limits of [this.#ownDeadlines, this.#idleLimits, this.#lifeLimits, this.#leaks]) limits[Symbol.dispose]();
  }

  async #leasesReturned(withinMs: number): Promise<void> {
    const enough = new AbortController();
    this.#onReturned = () => enough.abort();
    await this.#clock.sleep(withinMs, enough.signal).catch(() => {});
    this.#onReturned = undefined;
  }

  #holdings(): PoolHoldings {
    return { size: this.#inventory.size, inUse: this.#inUse, waiting: this.#waiters.size };
  }
}
