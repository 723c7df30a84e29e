import { abortReason, onAbort } from '../core/abort.js';
import type { Clock } from '../core/clock.js';
import { asError, closedError } from '../core/errors.js';
import { Heap } from '../core/heap.js';
import type { Cost, Limit, LimitObservation, Priority } from '../core/limits.js';
import { requireFraction, requireKnown, requireMethods } from '../core/options.js';
import { Alarm } from './alarm.js';
import { LimitState } from './limit-state.js';
import { PolicyError } from './policy-error.js';
import { mayUseReserve, rankOf } from './priorities.js';
import { Lane, laneBefore, laneKey, type Share, type Waiter } from './waiting-lanes.js';

/** What a {@link RateLimiter} keeps. */
export interface RateLimiterOptions {
  readonly clock: Clock;
  readonly limits: readonly Limit[];
  /** Share of every limit that only kill, cancel and reconcile may use; whole units, rounded down. @defaultValue 0.2 */
  readonly reserve?: number;
}

/** Whom units are for. */
export interface SpendOptions {
  readonly priority: Priority;
  /** What limits by symbol are counted by. */
  readonly symbol?: string | undefined;
  /**
   * Sets the units aside without letting them age, until {@link RateLimiter.sent} or
   * {@link RateLimiter.release}: for work between the grant and the send, such as a durable record.
   * @defaultValue false
   */
  readonly hold?: boolean;
}

/** How {@link RateLimiter.acquire} waits. */
export interface AcquireOptions extends SpendOptions {
  readonly signal?: AbortSignal;
  /** Monotonic ms, on the limiter's clock. @defaultValue waits however long it takes */
  readonly deadlineAt?: number;
  /** Rejects at once, rather than at the deadline, where it is certain that there will be no room before. @defaultValue false */
  readonly failFast?: boolean;
}

/** What calls ask of a limiter, whether it counts for this process alone or for several. */
export interface Limiter {
  readonly waiting: number;
  tryAcquire(costs: readonly Cost[], options: SpendOptions, now?: number): boolean;
  acquire(costs: readonly Cost[], options: AcquireOptions): Promise<void>;
  sent(costs: readonly Cost[], options?: { readonly symbol?: string }): void;
  release(costs: readonly Cost[], options?: { readonly symbol?: string }): void;
  observe(seen: LimitObservation, symbol?: string): void;
  ban(until: number): void;
  blockedUntil(costs: readonly Cost[]): number | undefined;
  headroom(limit: string, options?: { readonly symbol?: string }): number;
  close(): void;
}

const GRANTED = Promise.resolve();

/**
 * Keeps every limit of a venue at once, before the venue has to: weighted costs, sliding windows and
 * draining counters, by IP, account or symbol.
 *
 * Whoever must wait is served by priority and then in order; a caller that waits lays claim to what
 * becomes free of its limits, so that cheaper or less urgent calls don't slip past it. What the
 * venue reports of its own count, resets and blocks goes in through {@link observe}.
 *
 * @example
 * await limiter.acquire([{ limit: 'weight', units: 4 }], { priority: 'read', signal });
 */
export class RateLimiter implements Limiter, AsyncDisposable {
  readonly #clock: Clock;
  readonly #states = new Map<string, LimitState>();
  // A call asks several times for the limit that it costs; the last one asked for saves the look-up.
  #recent: LimitState | undefined;
  readonly #lanes = new Map<string, Lane>();
  readonly #deadlines = new Heap<Waiter>((a, b) => a.deadlineAt < b.deadlineAt);
  readonly #alarm: Alarm;
  #bannedUntil = -Infinity;
  #arrivals = 0;
  #waiting = 0;
  #pass = 0;
  #closed = false;

  /** @throws RangeError or TypeError naming the option, for limits that can't be meant. */
  constructor(options: RateLimiterOptions) {
    requireKnown('RateLimiter', options, ['clock', 'limits', 'reserve']);
    const { clock, limits, reserve = 0.2 } = options;
    this.#clock = requireMethods('clock', clock, ['now', 'monotonic', 'sleep']);
    requireFraction('reserve', reserve);
    for (const limit of limits) {
      if (this.#states.has(limit.id)) throw new RangeError(`limits must have ids of their own, got "${limit.id}" twice`);
      this.#states.set(limit.id, new LimitState(limit, reserve));
    }
    this.#alarm = new Alarm(clock, () => this.#serve());
  }

  /** How many callers wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Spends `costs` now if there is room and nobody who goes first waits for it; else spends nothing.
   * @param now - monotonic ms, where the caller has just read them.
   * @throws RangeError for an unknown limit, units below 0, or more of them than the limit holds.
   */
  tryAcquire(costs: readonly Cost[], options: SpendOptions, now: number = this.#clock.monotonic()): boolean {
    if (this.#closed) throw closedError('RateLimiter');
    const rank = rankOf(options.priority);
    if (!this.#fits(costs, rank, options.symbol, now)) return false;
    if (this.#waiting > 0 && !this.#mayGoFirst(costs, rank, options.symbol, now)) return false;
    this.#spend(costs, options.symbol, options.hold === true, now);
    return true;
  }

  /**
   * Resolves when `costs` are spent, which is when the call may be sent.
   * @throws RangeError as {@link tryAcquire}; the signal's reason; RATE_LIMITED or BANNED
   * ({@link PolicyError}) when there was no room before `deadlineAt`.
   */
  acquire(costs: readonly Cost[], options: AcquireOptions): Promise<void> {
    try {
      if (options.signal?.aborted) throw abortReason(options.signal);
      if (this.#closed) throw closedError('RateLimiter');
      const now = this.#clock.monotonic();
      const rank = rankOf(options.priority);
      if (this.#fits(costs, rank, options.symbol, now) && (this.#waiting === 0 || this.#mayGoFirst(costs, rank, options.symbol, now))) {
        this.#spend(costs, options.symbol, options.hold === true, now);
        return GRANTED;
      }
      const lane = this.#laneOf(costs, rank, options.symbol, now);
      const deadlineAt = options.deadlineAt ?? Infinity;
      if (deadlineAt <= now || (options.failFast === true && this.#roomAt(lane, now) > deadlineAt)) throw this.#refusal(lane, now);
      return this.#wait(lane, options, deadlineAt);
    } catch (error) {
      return Promise.reject(asError(error));
    }
  }

  /** Units set aside by `acquire` with `hold` are on their way: they count from now. Call it with the send. */
  sent(costs: readonly Cost[], options: { readonly symbol?: string } = {}): void {
    const now = this.#clock.monotonic();
    this.#unhold(costs, options.symbol, now);
    this.#spend(costs, options.symbol, false, now);
    if (this.#waiting > 0) this.#serve();
  }

  /** Units set aside by `acquire` with `hold` were not used. */
  release(costs: readonly Cost[], options: { readonly symbol?: string } = {}): void {
    this.#unhold(costs, options.symbol, this.#clock.monotonic());
    if (this.#waiting > 0) this.#serve();
  }

  /**
   * Takes in what an answer of the venue said of a limit. Its count can raise ours, never lower it;
   * `blockedUntil` stops everything that costs the limit, and a block of a limit that was never
   * declared stops everything. Numbers that are not finite are passed over.
   * @param symbol - which counter of a limit by symbol is meant; without one only a block counts.
   */
  observe(seen: LimitObservation, symbol?: string): void {
    const now = this.#clock.monotonic();
    const state = this.#states.get(seen.limit);
    if (Number.isFinite(seen.blockedUntil)) {
      const until = this.#toMonotonic(seen.blockedUntil as number, now);
      if (state === undefined) this.#bannedUntil = Math.max(this.#bannedUntil, until);
      else state.blockedUntil = Math.max(state.blockedUntil, until);
    }
    if (state === undefined || (state.limit.scope === 'symbol' && symbol === undefined)) return;
    const used = Number.isFinite(seen.remaining) ? state.capacity - (seen.remaining as number) : -Infinity;
    const until = Number.isFinite(seen.resetAt) ? this.#toMonotonic(seen.resetAt as number, now) : Infinity;
    state.counter(symbol, now).raiseTo(Number.isFinite(seen.used) ? Math.max(used, seen.used as number) : used, until, now);
  }

  /** The venue has banned us (Binance 418): nothing goes out before `until`, whatever it costs. @param until - epoch ms, our clock. */
  ban(until: number): void {
    if (!Number.isFinite(until)) throw new RangeError(`until must be a finite number of epoch milliseconds, got ${until}`);
    this.#bannedUntil = Math.max(this.#bannedUntil, this.#toMonotonic(until, this.#clock.monotonic()));
  }

  /** Until when the venue said to send nothing of these costs: epoch ms on our clock; undefined where it is not blocked. */
  blockedUntil(costs: readonly Cost[]): number | undefined {
    const now = this.#clock.monotonic();
    let until = this.#bannedUntil;
    for (const cost of costs) if (cost.units > 0) until = Math.max(until, this.#stateOf(cost).blockedUntil);
    return until > now ? this.#clock.now() + (until - now) : undefined;
  }

  /** Units of `limit` that are free at this moment, the reserve included; 0 while it is blocked. @throws RangeError for an unknown limit. */
  headroom(limit: string, options: { readonly symbol?: string } = {}): number {
    const now = this.#clock.monotonic();
    const state = this.#known(limit);
    if (Math.max(state.blockedUntil, this.#bannedUntil) > now) return 0;
    return Math.max(0, state.capacity - state.counter(options.symbol, now).used(now));
  }

  /** The venue grants another amount than declared. Waiters that can never fit any more are refused. @throws RangeError */
  resize(limit: string, capacity: number): void {
    const state = this.#known(limit);
    state.resize(capacity);
    for (const lane of [...this.#lanes.values()]) {
      const tooLarge = lane.shares.find((share) => share.state === state && share.units > capacity);
      while (tooLarge !== undefined && lane.first !== undefined) this.#remove(lane.first).refuse(overCapacity(state, tooLarge.units));
    }
    if (this.#waiting > 0) this.#serve();
  }

  /** Refuses all who wait and all who come. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const lane of [...this.#lanes.values()]) while (lane.first !== undefined) this.#remove(lane.first).refuse(closedError('RateLimiter'));
    this.#alarm.clear();
    this.#deadlines.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  #known(limit: string): LimitState {
    if (this.#recent?.limit.id === limit) return this.#recent;
    const state = this.#states.get(limit);
    if (state !== undefined) return (this.#recent = state);
    throw new RangeError(`limit must be one of ${[...this.#states.keys()].join(', ')}, got "${limit}"`);
  }

  #stateOf(cost: Cost): LimitState {
    const state = this.#known(cost.limit);
    if (!(cost.units >= 0)) throw new RangeError(`units of "${cost.limit}" must be 0 or more, got ${cost.units}`);
    if (cost.units > state.capacity) throw overCapacity(state, cost.units);
    return state;
  }

  // Two costs of one limit add up in the counter's scratch, without a map made for it.
  #fits(costs: readonly Cost[], rank: number, symbol: string | undefined, now: number): boolean {
    for (let i = 0; i < costs.length; i++) this.#stateOf(costs[i]!);
    const urgent = mayUseReserve(rank);
    let fits = this.#bannedUntil <= now;
    for (let i = 0; i < costs.length; i++) {
      const state = this.#known(costs[i]!.limit);
      const counter = state.counter(symbol, now);
      counter.pending += costs[i]!.units;
      if (counter.pending === 0) continue;
      if (state.blockedUntil > now || counter.used(now) + counter.pending > state.ceiling(counter.pending, urgent)) fits = false;
    }
    let tooLarge: LimitState | undefined;
    let units = 0;
    for (let i = 0; i < costs.length; i++) {
      const state = this.#known(costs[i]!.limit);
      const counter = state.counter(symbol, now);
      if (counter.pending > state.capacity) {
        tooLarge = state;
        units = counter.pending;
      }
      counter.pending = 0;
    }
    if (tooLarge !== undefined) throw overCapacity(tooLarge, units);
    return fits;
  }

  #spend(costs: readonly Cost[], symbol: string | undefined, hold: boolean, now: number): void {
    for (let i = 0; i < costs.length; i++) {
      const { limit, units } = costs[i]!;
      if (units === 0) continue;
      const counter = this.#known(limit).counter(symbol, now);
      if (hold) counter.hold(units);
      else counter.add(units, now);
    }
  }

  #unhold(costs: readonly Cost[], symbol: string | undefined, now: number): void {
    for (const { limit, units } of costs) {
      this.#known(limit).counter(symbol, now).unhold(units);
    }
  }

  /** Whether nobody as urgent or more, who has come before, waits for a limit that this costs. */
  #mayGoFirst(costs: readonly Cost[], rank: number, symbol: string | undefined, now: number): boolean {
    for (const lane of this.#lanes.values()) {
      if (lane.rank > rank || this.#blockOf(lane) > now) continue;
      for (const { limit, units } of costs) {
        const counter = this.#known(limit).counter(symbol, now);
        if (units > 0 && lane.shares.some((share) => share.counter === counter)) return false;
      }
    }
    return true;
  }

  #laneOf(costs: readonly Cost[], rank: number, symbol: string | undefined, now: number): Lane {
    const key = laneKey(rank, costs, symbol);
    const existing = this.#lanes.get(key);
    if (existing !== undefined) return existing;
    const shares = new Map<string, Share>();
    for (const { limit, units } of costs) {
      if (units === 0) continue;
      const state = this.#known(limit);
      shares.set(limit, { state, counter: state.counter(symbol, now), units: units + (shares.get(limit)?.units ?? 0) });
    }
    return new Lane(key, rank, mayUseReserve(rank), [...shares.values()]);
  }

  #wait(lane: Lane, options: AcquireOptions, deadlineAt: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        lane,
        arrival: this.#arrivals++,
        deadlineAt,
        hold: options.hold === true,
        before: undefined,
        behind: undefined,
        isWaiting: true,
        grant: () => {
          subscription[Symbol.dispose]();
          resolve();
        },
        refuse: (error) => {
          subscription[Symbol.dispose]();
          reject(error);
        },
      };
      this.#enqueue(waiter);
      const subscription = onAbort(options.signal, (reason) => {
        if (!waiter.isWaiting) return;
        const wasFirst = lane.first === waiter;
        this.#remove(waiter);
        reject(reason);
        // Its claims are gone; whoever stood behind them may fit.
        if (wasFirst) this.#serve();
      });
      if (lane.first === waiter) this.#serve();
      else this.#alarm.setNoLaterThan(deadlineAt);
    });
  }

  #enqueue(waiter: Waiter): void {
    const { lane } = waiter;
    if (lane.first === undefined) {
      this.#lanes.set(lane.key, lane);
      for (const { counter } of lane.shares) counter.lanes++;
    }
    lane.append(waiter);
    this.#waiting++;
    if (waiter.deadlineAt < Infinity) this.#deadlines.push(waiter);
  }

  #remove(waiter: Waiter): Waiter {
    const { lane } = waiter;
    lane.remove(waiter);
    this.#waiting--;
    if (lane.first === undefined) {
      this.#lanes.delete(lane.key);
      for (const { counter } of lane.shares) counter.lanes--;
    }
    this.#dropServedDeadlines();
    if (this.#waiting === 0) this.#alarm.clear();
    return waiter;
  }

  // The heap is left alone when a waiter is served before its deadline; it must not grow by that.
  #dropServedDeadlines(): void {
    if (this.#deadlines.size <= 32 + 2 * this.#waiting) return;
    const kept = [...this.#deadlines].filter((waiter) => waiter.isWaiting);
    this.#deadlines.clear();
    for (const waiter of kept) this.#deadlines.push(waiter);
  }

  /** Grants all that fit, most urgent first, refuses those whose time is up, and sets the alarm for the next of either. */
  #serve(): void {
    const now = this.#clock.monotonic();
    this.#refuse((waiter) => waiter.deadlineAt < now, now);
    const pass = ++this.#pass;
    const order = new Heap<Lane>(laneBefore);
    for (const lane of this.#lanes.values()) order.push(lane);
    let nextAt = Infinity;
    for (let lane = order.pop(); lane !== undefined; lane = order.pop()) {
      const blockedUntil = this.#blockOf(lane);
      if (blockedUntil > now) {
        // Whoever can't go anyway lays no claim.
        nextAt = Math.min(nextAt, blockedUntil);
        continue;
      }
      const isClaimed = lane.shares.some(({ counter }) => counter.claimedInPass === pass);
      const roomAt = isClaimed ? Infinity : this.#roomAt(lane, now);
      if (roomAt <= now) {
        this.#grant(lane, now);
        if (lane.first !== undefined) order.push(lane);
        continue;
      }
      nextAt = Math.min(nextAt, roomAt);
      for (const { counter } of lane.shares) counter.claimedInPass = pass;
    }
    const isAnyRefused = this.#refuse((waiter) => waiter.deadlineAt <= now, now);
    if (this.#waiting > 0) this.#alarm.setNoLaterThan(isAnyRefused ? now : Math.min(nextAt, this.#deadlines.peek()?.deadlineAt ?? Infinity));
  }

  #grant(lane: Lane, now: number): void {
    const waiter = this.#remove(lane.first as Waiter);
    for (const { counter, units } of lane.shares) {
      if (waiter.hold) counter.hold(units);
      else counter.add(units, now);
    }
    waiter.grant();
  }

  #refuse(isLate: (waiter: Waiter) => boolean, now: number): boolean {
    let isAnyRefused = false;
    for (let next = this.#deadlines.peek(); next !== undefined && (!next.isWaiting || isLate(next)); next = this.#deadlines.peek()) {
      this.#deadlines.pop();
      if (!next.isWaiting) continue;
      const error = this.#refusal(next.lane, now);
      this.#remove(next).refuse(error);
      isAnyRefused = true;
    }
    return isAnyRefused;
  }

  #blockOf(lane: Lane): number {
    let until = this.#bannedUntil;
    for (const { state } of lane.shares) until = Math.max(until, state.blockedUntil);
    return until;
  }

  /** The first moment at which the lane's next call could go, were nobody else to send. */
  #roomAt(lane: Lane, now: number): number {
    let at = Math.max(now, this.#blockOf(lane));
    for (const { state, counter, units } of lane.shares) at = Math.max(at, counter.fitsAt(units, state.ceiling(units, lane.urgent), now));
    return at;
  }

  #refusal(lane: Lane, now: number): PolicyError {
    const at = this.#roomAt(lane, now);
    const facts = Number.isFinite(at) ? { retryAfterMs: Math.max(0, at - now) } : {};
    if (this.#bannedUntil > now) {
      return new PolicyError('BANNED', `Not sent: the venue has banned us for another ${Math.ceil(this.#bannedUntil - now)} ms`, facts);
    }
    for (const { state, counter, units } of lane.shares) {
      const blockedMs = state.blockedUntil - now;
      if (blockedMs <= 0 && counter.fitsAt(units, state.ceiling(units, lane.urgent), now) <= now) continue;
      const why =
        blockedMs > 0 ? `is blocked by the venue for another ${Math.ceil(blockedMs)} ms` : `had no room for ${units} units before the deadline`;
      return new PolicyError('RATE_LIMITED', `Not sent: the limit ${state.describe()} ${why}`, { ...facts, limit: state.limit.id });
    }
    return new PolicyError('RATE_LIMITED', 'Not sent: callers that go first took what was free before the deadline', facts);
  }

  // A duration from now: a later step of the wall clock must not shorten what the venue asked for.
  #toMonotonic(epochMs: number, now: number): number {
    return now + (epochMs - this.#clock.now());
  }
}

function overCapacity(state: LimitState, units: number): RangeError {
  return new RangeError(`units of ${state.describe()} must be at most ${state.capacity}, got ${units}: such a call could never be sent`);
}
