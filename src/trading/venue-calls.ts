import type { Attempt, BrokerAdapter, Cost, LimitObservation, OrderRef, VenueOrder, Verdict } from '../contracts/broker.js';
import type { Bus, VenueKitEvents } from '../contracts/events.js';
import { TradingError } from '../contracts/trading-error.js';
import type { Clock } from '../core/clock.js';
import type { Priority } from '../core/limits.js';
import { type Logger, redact, redactError } from '../core/logger.js';
import type { Random } from '../core/random.js';
import type { SharedLimits } from '../core/shared-limits.js';
import { AdaptiveConcurrency } from '../resilience/adaptive-concurrency.js';
import { type Backoff, fullJitter } from '../resilience/backoff.js';
import { Bulkhead } from '../resilience/bulkhead.js';
import { CircuitBreaker } from '../resilience/circuit-breaker.js';
import { type Limiter, RateLimiter } from '../resilience/rate-limiter.js';
import { RetryBudget } from '../resilience/retry-budget.js';
import { SharedRateLimiter } from '../resilience/shared-rate-limiter.js';
import { AttemptDeadlines, LiveAttempt } from './attempt-deadlines.js';
import { OperationGuards } from './operation-guards.js';
import type { FullPolicy } from './trading-defaults.js';
import { VenueClock } from './venue-clock.js';
import { badAnswer, requireFound, requireVerdict } from './venue-shapes.js';

/** Reads that decide about money must fail soon enough to be asked again. */
const READ_TIMEOUT_MS = 3_000;
const NO_COST: readonly Cost[] = [];
const LISTINGS: readonly string[] = ['openOrders', 'history', 'fills'];
/** Share of the limits that rounds of listings may use where none is reserved. */
const LEAST_LOOKING_SHARE = 0.1;

/** The operations of an adapter that change something. */
export type WriteOperation = 'place' | 'cancel' | 'amend';

/** How a read is made. */
export interface LookOptions {
  readonly priority: Priority;
  readonly symbol?: string;
  readonly signal?: AbortSignal;
  /** Monotonic ms. */
  readonly deadlineAt?: number;
}

/**
 * Every request to the venue goes through here: limits, time limit, signing time, events. The
 * policies are here; what a failure means for an order is decided elsewhere.
 */
export class VenueCalls {
  readonly limiter: Limiter;
  readonly budget: RetryBudget;
  readonly backoff: Backoff;
  readonly clock: VenueClock;
  readonly writes: Bulkhead;
  readonly reads: Bulkhead;
  /** Guard placements and `read`; nothing guards cancels and look-ups. */
  readonly placing: CircuitBreaker;
  readonly reading: CircuitBreaker;
  readonly guards: OperationGuards;
  readonly fenceMs: number | undefined;
  readonly #adapter: BrokerAdapter;
  readonly #time: Clock;
  readonly #lookingShare: number;
  readonly #bus: Bus;
  readonly #logger: Logger;
  readonly #writeDeadlines: AttemptDeadlines;
  readonly #readDeadlines: AttemptDeadlines;
  readonly #costs = new Map<string, readonly Cost[]>();
  #observation: Disposable | undefined;
  #syncing: Promise<number> | undefined;

  constructor(parts: {
    readonly adapter: BrokerAdapter;
    readonly clock: Clock;
    readonly bus: Bus;
    readonly random: Random;
    readonly logger: Logger;
    readonly policy: FullPolicy;
    readonly limits?: SharedLimits | undefined;
  }) {
    const { adapter, clock, bus, random, logger, policy, limits } = parts;
    this.#adapter = adapter;
    this.#time = clock;
    this.#bus = bus;
    this.#logger = logger;
    this.#lookingShare = Math.max(policy.reserve, LEAST_LOOKING_SHARE);
    this.limiter =
      limits === undefined
        ? new RateLimiter({ clock, limits: adapter.limits, reserve: policy.reserve })
        : new SharedRateLimiter({ clock, shared: limits, reserve: policy.reserve });
    this.budget = new RetryBudget({ clock, ...policy.budget });
    this.backoff = fullJitter({ baseMs: policy.retry.baseMs, capMs: policy.retry.capMs, random });
    this.clock = new VenueClock(clock);
    const places = policy.bulkhead === 'adaptive' ? { writes: new AdaptiveConcurrency(), reads: new AdaptiveConcurrency() } : policy.bulkhead;
    // What is durable waits for its turn however long the queue is; it must never be turned into an error.
    this.writes = new Bulkhead({ maxInFlight: places.writes, maxQueue: Number.MAX_SAFE_INTEGER });
    this.reads = new Bulkhead({ maxInFlight: places.reads });
    this.placing = this.#breaker('place', policy);
    this.reading = this.#breaker('read', policy);
    const place = { breaker: this.placing, bulkhead: this.writes };
    this.guards = new OperationGuards({ clock, bus, guards: { place, read: { breaker: this.reading, bulkhead: this.reads } } });
    const { fence } = adapter.capabilities;
    this.fenceMs = fence === undefined ? undefined : Math.min(fence.defaultMs, fence.maxMs);
    this.#writeDeadlines = new AttemptDeadlines(clock, policy.timeoutMs);
    this.#readDeadlines = new AttemptDeadlines(clock, Math.min(policy.timeoutMs, READ_TIMEOUT_MS));
  }

  /** Listens to what the venue says of its limits. */
  open(): void {
    this.#observation ??= this.#adapter.observe?.((seen) => this.#observe(seen));
  }

  /** What an operation costs, as the adapter says. */
  costs(operation: string): readonly Cost[] {
    // What a listing costs can grow with the symbols that it covers.
    if (LISTINGS.includes(operation)) return this.#adapter.cost(operation) ?? NO_COST;
    let costs = this.#costs.get(operation);
    if (costs === undefined) {
      costs = this.#adapter.cost(operation) ?? NO_COST;
      this.#costs.set(operation, costs);
    }
    return costs;
  }

  /** Whether a round of these operations leaves at least `share` of every limit free. */
  leavesFree(share: number, operations: readonly string[]): boolean {
    const spent = this.#spentBy(operations);
    return this.#adapter.limits.every((limit) => {
      const units = spent.get(limit.id);
      if (units === undefined) return true;
      return this.limiter.headroom(limit.id) - units >= share * (limit.kind === 'window' ? limit.units : limit.max);
    });
  }

  /** How far apart rounds of these operations must be, so that repeating them uses up no more than the share of each limit that is kept for looking. */
  paceMs(operations: readonly string[]): number {
    const spent = this.#spentBy(operations);
    let pace = 0;
    for (const limit of this.#adapter.limits) {
      const perMs = limit.kind === 'window' ? limit.units / limit.perMs : limit.decayPerSecond / 1000;
      pace = Math.max(pace, (spent.get(limit.id) ?? 0) / (perMs * this.#lookingShare));
    }
    return pace;
  }

  /**
   * Sends a write, now: limits are the caller's. Never rejects: whatever is no verdict is `unknown`.
   * @param onLate - hears of an order that an answer shows after the attempt's time was up.
   */
  async write(
    operation: WriteOperation,
    attempt: LiveAttempt,
    send: (attempt: Attempt) => Promise<Verdict>,
    onLate?: (order: VenueOrder) => void,
  ): Promise<Verdict> {
    const start = this.#time.monotonic();
    let answer: Promise<Verdict> | undefined;
    let verdict: Verdict;
    try {
      // By its contract a promise; of what else it may be, the checked value counts.
      verdict = await this.#writeDeadlines.run(attempt, (made) => (answer = Promise.resolve(send(made)).then(requireVerdict)));
    } catch (cause) {
      verdict = { kind: 'unknown', cause };
      answer
        ?.then((late) => late.kind === 'accepted' && onLate?.(late.order))
        .catch((error: unknown) => this.#logger.warn({ error, operation }, 'what came after the time of an attempt was up says nothing'));
    }
    // Whatever the adapter is, what its errors hold goes into the journal, events and messages from here.
    if (verdict.kind !== 'accepted') verdict = { ...verdict, cause: withoutSecrets(verdict.cause) };
    if (verdict.kind === 'refused' && verdict.ban === true) this.#ban(verdict.retryAfterMs);
    this.#report(operation, attempt.number, start, verdict.kind);
    return verdict;
  }

  /** One read, when the limits allow it. @throws what the adapter throws; policy errors when the deadline comes first. */
  async look<T>(operation: string, work: (attempt: Attempt) => Promise<T>, options: LookOptions): Promise<T> {
    // Also where it costs nothing: a ban holds for everything.
    await this.limiter.acquire(this.costs(operation), options);
    const start = this.#time.monotonic();
    const attempt = new LiveAttempt(1, this.clock.now(), this.fenceMs);
    try {
      const value = await this.#readDeadlines.run(attempt, work, options.signal);
      this.#report(operation, 1, start, 'ok');
      return value;
    } catch (error) {
      this.#report(operation, 1, start, 'failed');
      throw redactError(error);
    }
  }

  /** Looks for one order. @throws also where what is shown is none: a failed read proves nothing. */
  find(ref: OrderRef, signal: AbortSignal): Promise<VenueOrder | 'not_found'> {
    const options = { priority: 'reconcile', symbol: ref.symbol, signal } as const;
    return this.look('find', async (attempt) => requireFound(await this.#adapter.find(ref, attempt)), options);
  }

  /** A whole listing; one that breaks off in the middle, or of which `check` refuses an item, is a failed read. */
  list<T>(
    operation: string,
    source: (attempt: Attempt) => AsyncIterable<T>,
    options: LookOptions & { readonly check: (item: T) => T },
  ): Promise<readonly T[]> {
    return this.look(
      operation,
      async (attempt) => {
        const items: T[] = [];
        for await (const item of source(attempt)) items.push(options.check(item));
        return items;
      },
      options,
    );
  }

  /**
   * Asks the venue for its time; concurrent callers share the question.
   * @returns the venue's answer: a lower bound of its time from now on.
   * @throws where the venue does not tell, or the question failed.
   */
  syncClock(options: Omit<LookOptions, 'symbol'>): Promise<number> {
    this.#syncing ??= this.#askTime(options).finally(() => {
      this.#syncing = undefined;
    });
    return this.#syncing;
  }

  get tellsTime(): boolean {
    return this.#adapter.serverTime !== undefined;
  }

  emitCall(payload: VenueKitEvents['venue.call']): void {
    if (this.#bus.has('venue.call')) this.#bus.emit('venue.call', payload);
  }

  close(): void {
    this.#observation?.[Symbol.dispose]();
    this.limiter.close();
  }

  async #askTime(options: Omit<LookOptions, 'symbol'>): Promise<number> {
    if (this.#adapter.serverTime === undefined) throw new TradingError('INVALID', `${this.#adapter.venue} does not tell its time`);
    let sentAt = 0;
    const told = await this.look(
      'serverTime',
      (attempt) => {
        sentAt = this.#time.monotonic();
        return this.#adapter.serverTime!(attempt);
      },
      options,
    );
    // As a lower bound it would prove everything at once.
    if (!Number.isFinite(told)) throw badAnswer(`${String(told)} for the time of the venue`);
    this.clock.measured(told, sentAt, this.#time.monotonic());
    return told;
  }

  #report(operation: string, attempt: number, start: number, outcome: VenueKitEvents['venue.call']['outcome']): void {
    if (!this.#bus.has('venue.call')) return;
    this.#bus.emit('venue.call', { venue: this.#adapter.venue, operation, attempt, ms: this.#time.monotonic() - start, outcome, hedge: false });
  }

  #observe(seen: LimitObservation): void {
    this.limiter.observe(seen);
    if (this.#bus.has('limit.observed')) this.#bus.emit('limit.observed', seen);
    if (seen.blockedUntil !== undefined) this.#logger.warn({ limit: seen.limit, blockedUntil: seen.blockedUntil }, 'the venue has blocked a limit');
  }

  #ban(retryAfterMs = 60_000): void {
    const blockedUntil = this.#time.now() + retryAfterMs;
    this.limiter.ban(blockedUntil);
    for (const { id } of this.#adapter.limits) if (this.#bus.has('limit.observed')) this.#bus.emit('limit.observed', { limit: id, blockedUntil });
    this.#logger.error({ blockedUntil }, 'the venue has banned this client: nothing passes before then, cancels included');
  }

  #spentBy(operations: readonly string[]): Map<string, number> {
    const spent = new Map<string, number>();
    for (const operation of operations) for (const { limit, units } of this.costs(operation)) spent.set(limit, (spent.get(limit) ?? 0) + units);
    return spent;
  }

  #breaker(scope: string, policy: FullPolicy): CircuitBreaker {
    return new CircuitBreaker({
      clock: this.#time,
      ...policy.breaker,
      logger: this.#logger,
      onStateChange: ({ state, reason }) => this.#bus.has('breaker.state') && this.#bus.emit('breaker.state', { scope, state, reason }),
    });
  }
}

// Errors keep their identity; some adapters give what is none.
function withoutSecrets(cause: unknown): unknown {
  return cause instanceof Error ? redactError(cause) : redact(cause);
}
