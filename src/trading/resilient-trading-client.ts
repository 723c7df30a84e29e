import type { Attempt, BrokerAdapter } from '../contracts/broker.js';
import type { CallOptions } from '../contracts/calls.js';
import { type Bus, EventBus } from '../contracts/events.js';
import type { SharedLimiter } from '../contracts/fetcher.js';
import type { OrderJournal } from '../contracts/journal.js';
import type { OrderHandle, OrderIntent, OrderState, OrderView } from '../contracts/orders.js';
import { reportsOnBus } from '../contracts/reports-on-bus.js';
import { TradingError } from '../contracts/trading-error.js';
import type { ReconcileReport, TradingPolicy } from '../contracts/trading-policy.js';
import type { Wiring } from '../contracts/wiring.js';
import { abortable, throwIfAborted } from '../core/abort.js';
import { type Clock, systemClock } from '../core/clock.js';
import type { Decimal } from '../core/decimal.js';
import { asError } from '../core/errors.js';
import { type Logger, redactingLogger } from '../core/logger.js';
import { requireKnown, requireMethods, requireObject, requireOneOf, requirePositive, requireText, requireWithin } from '../core/options.js';
import { type Random, systemRandom } from '../core/random.js';
import type { SharedLimits } from '../core/shared-limits.js';
import { Deadlines, Timed } from '../resilience/deadlines.js';
import { type GuardedReadOptions, GuardedReads, readError } from './guarded-reads.js';
import type { LiveOrder } from './live-order.js';
import type { GuardState, LowerConcurrencyOptions, OperationClass } from './operation-guards.js';
import type { HaltMode } from './order-entry.js';
import type { LiveOrderHandle } from './order-handle.js';
import { isAcknowledged, isTerminal } from './order-states.js';
import { type FullPolicy, fullPolicy } from './trading-defaults.js';
import { TradingSession } from './trading-session.js';
import { VenueCalls } from './venue-calls.js';

/** What a {@link ResilientTradingClient} is made of. */
export interface TradingClientOptions extends Wiring {
  readonly adapter: BrokerAdapter;
  readonly journal: OrderJournal;
  /** @defaultValue 'main' */
  readonly account?: string;
  readonly policy?: TradingPolicy;
  /**
   * How long the right to write for the account lasts unless it is renewed, as it is three times in that time: a standby takes over
   * so long after the last sign of a writer. A writer that is held up for longer, by a pause of its process or of the journal, sends
   * nothing until it has renewed. From 500 ms to an hour. @defaultValue 5_000
   */
  readonly leaseMs?: number;
  /**
   * The venue's limits, counted together with other processes: `redisLimits` of `venuekit/redis`. It stays the host's to close.
   * @defaultValue counted by this client alone
   */
  readonly limits?: SharedLimits;
}

/** How a client is started. */
export interface StartOptions extends CallOptions {
  /**
   * Where another client holds the account: waits, as long as it takes, until its lease has ended, then takes over. Troubles that
   * pass, of journal or venue, are waited out as well. @defaultValue false: JOURNAL_LOCKED at once
   */
  readonly standby?: boolean;
}

/** How often a client that stands by asks for the lease. */
const STANDBY_LOOK_MS = 500;
const LEASE_MS = 5_000;

/**
 * Places, cancels and replaces orders so that none is doubled and none is lost: through timeouts,
 * resets, restarts and kill -9. What is guaranteed on which venue stands in
 * docs/concepts/order-safety.md.
 *
 * @example
 * await using client = new ResilientTradingClient({ adapter, journal });
 * await client.start();
 * const order = await client.place({ intentId: 'rebalance-7', symbol: 'BTC/USDT', side: 'buy', type: 'limit', qty: '0.01', price: '64000' });
 * const { state, filledQty } = await order.done();
 */
export class ResilientTradingClient implements AsyncDisposable {
  readonly #adapter: BrokerAdapter;
  readonly #journal: OrderJournal;
  readonly #account: string;
  readonly #policy: FullPolicy;
  readonly #leaseMs: number;
  readonly #clock: Clock;
  readonly #bus: Bus;
  readonly #logger: Logger;
  readonly #random: Random;
  readonly #calls: VenueCalls;
  readonly #reads: GuardedReads;
  readonly #journalWaits: Deadlines;
  #session: TradingSession | undefined;
  #starting: Promise<ReconcileReport> | undefined;
  #closing: Promise<void> | undefined;

  /** @throws TypeError or RangeError naming the option that can't be meant. */
  constructor(options: TradingClientOptions) {
    requireObject('options', options);
    requireKnown('ResilientTradingClient', options, [
      'adapter',
      'journal',
      'account',
      'policy',
      'leaseMs',
      'limits',
      'bus',
      'clock',
      'random',
      'logger',
    ]);
    this.#adapter = requireMethods('adapter', options.adapter, ['cost', 'place', 'cancel', 'find', 'openOrders', 'history', 'fills']);
    this.#journal = requireMethods('journal', options.journal, ['acquire', 'append', 'byIntent', 'unresolved', 'cursor', 'setCursor', 'compact']);
    this.#account = options.account === undefined ? 'main' : requireText('account', options.account);
    this.#policy = fullPolicy(options.policy);
    this.#leaseMs = requireWithin('leaseMs', options.leaseMs ?? LEASE_MS, 500, 3_600_000);
    this.#clock = options.clock ?? systemClock;
    this.#bus = options.bus ?? new EventBus();
    if (reportsOnBus(this.#adapter)) this.#adapter.reportTo(this.#bus);
    this.#logger = redactingLogger(options.logger);
    this.#random = options.random ?? systemRandom;
    this.#journalWaits = new Deadlines({ clock: this.#clock });
    this.#calls = new VenueCalls({
      adapter: this.#adapter,
      clock: this.#clock,
      bus: this.#bus,
      random: this.#random,
      logger: this.#logger,
      policy: this.#policy,
      limits: options.limits === undefined ? undefined : requireLimitsOf(this.#adapter, options.limits),
    });
    this.#reads = new GuardedReads({
      venue: this.#adapter.venue,
      calls: this.#calls,
      policy: this.#policy,
      clock: this.#clock,
      random: this.#random,
      bus: this.#bus,
      logger: this.#logger,
    });
    // Made once to be checked: what the capabilities don't allow must be said here, not at the first order.
    this.#newSession();
  }

  /**
   * The venue's limits as this client keeps them, for whatever else talks to the venue from here: it spends at its own priority, and
   * never from the reserve that cancels and look-ups have.
   */
  get limiter(): SharedLimiter {
    return this.#calls.limiter;
  }

  /**
   * Takes the lease, replays the journal, opens the stream and reconciles: one path for the first
   * start, for the recovery from a crash, and for the takeover by a standby. `place` refuses until it
   * has resolved. A client that has lost its lease may be started again.
   * @throws TradingError JOURNAL_LOCKED while another process writes for the account, unless `standby` says to wait.
   */
  start(options: StartOptions = {}): Promise<ReconcileReport> {
    if (this.#closing !== undefined) return Promise.reject(closed());
    if (this.#session?.failure !== undefined) this.#starting = undefined;
    this.#starting ??= this.#start(options).catch((error: unknown) => {
      this.#starting = undefined;
      throw error;
    });
    return this.#starting;
  }

  /**
   * Resolves once the intent is durable. The same `intentId` and payload give the same order.
   * @throws TradingError INVALID, IDEMPOTENCY_CONFLICT, INTENT_EXPIRED, HALTED, JOURNAL, CLOSED: in
   * all of these nothing was sent. OUTCOME_UNKNOWN with the handle when the deadline came first.
   */
  async place(intent: OrderIntent, options: CallOptions = {}): Promise<OrderHandle> {
    const session = this.#open();
    throwIfAborted(options.signal);
    const deadlineMs = this.#deadlineMs(options);
    const order = await session.intake.take(intent, deadlineMs);
    const handle = session.handleOf(order);
    await this.#within(order.durable, deadlineMs, options.signal, handle);
    return handle;
  }

  /** {@link place}, then waits until the venue has the order or it is over. */
  async submit(intent: OrderIntent, options: CallOptions = {}): Promise<OrderView> {
    const began = this.#clock.monotonic();
    const deadlineMs = this.#deadlineMs(options);
    const handle = await this.place(intent, options);
    return handle.acked({ ...options, deadlineMs: Math.max(1, deadlineMs - (this.#clock.monotonic() - began)) });
  }

  /** Cancels, and resolves when the order is over or escalated. A cancel of an unknown order holds until it is known. */
  async cancel(intentId: string, options: CallOptions = {}): Promise<OrderView> {
    const session = this.#open();
    throwIfAborted(options.signal);
    return session.host.cancel(intentId, { ...options, deadlineMs: this.#deadlineMs(options) });
  }

  /**
   * Changes quantity (the new total, fills included) or price. Where the venue can't amend, the order
   * is cancelled and, once that is certain, the remainder placed as a linked intent.
   * @returns the order that goes on: the amended one, or the linked one.
   */
  async replace(intentId: string, to: { readonly qty?: Decimal; readonly price?: Decimal }, options: CallOptions = {}): Promise<OrderView> {
    const session = this.#open();
    throwIfAborted(options.signal);
    const order = await session.require(intentId);
    return session.replacer.replace(order, to, { ...options, deadlineMs: this.#deadlineMs(options) });
  }

  /** The order, while it is in memory: every one that is not over, and the latest of the others. */
  order(intentId: string): OrderHandle | undefined {
    const order = this.#session?.table.get(intentId);
    return order === undefined ? undefined : this.#session?.handleOf(order);
  }

  /** The orders in memory. */
  orders(filter: { readonly state?: readonly OrderState[] } = {}): readonly OrderView[] {
    requireKnown('orders()', filter, ['state']);
    const views: OrderView[] = [];
    for (const order of this.#session?.table.values() ?? [])
      if (filter.state === undefined || filter.state.includes(order.state)) views.push(order.view);
    return views;
  }

  /**
   * Runs a read of the venue behind every policy: limits, retries, breaker, hedging. `operation` names its cost to the adapter.
   * Needs no lease, and so works before `start`.
   */
  read<T>(operation: string, work: (attempt: Attempt) => Promise<T>, options: GuardedReadOptions = {}): Promise<T> {
    try {
      if (this.#closing !== undefined) throw closed();
      this.#calls.open();
      return this.#reads.read(requireText('operation', operation), work, options);
    } catch (error) {
      const { asThrown = readError } = options;
      return Promise.reject(asThrown(asError(error)));
    }
  }

  /** Reads what the venue has and compares it with what is known. Unknown orders go on being resolved after it. */
  reconcile(options: CallOptions = {}): Promise<ReconcileReport> {
    return this.#reconcile(this.#open(), options);
  }

  /** Stops or resumes placing, durably: for the account, or for one symbol. Cancels always pass. */
  async halt(mode: HaltMode, reason: string, options: CallOptions & { readonly symbol?: string; readonly cancelAll?: boolean } = {}): Promise<void> {
    requireOneOf('mode', mode, ['active', 'reduce_only', 'halted']);
    requireText('reason', reason);
    const session = this.#open();
    const { symbol } = options;
    const isDurable = session.halts.set(mode, reason, symbol);
    // What waits to be sent looks again whether it still may.
    const concerned = [...session.table.values()].filter((order) => symbol === undefined || order.model.intent.symbol === symbol);
    for (const order of concerned) if (order.isDriven) order.interrupt();
    await abortable(isDurable, options.signal);
    if (options.cancelAll !== true) return;
    const live = concerned.filter((order) => !isTerminal(order.state));
    await abortable(
      Promise.allSettled(live.map((order) => session.canceller.request(order, `halt: ${reason}`, 'kill'))).then(() => {}),
      options.signal,
    );
  }

  /**
   * Opens the circuit breaker of a class of operations, because somebody outside sees that the venue
   * fails. Orders wait, unsent, until their deadline; reads fail fast with CIRCUIT_OPEN; cancels,
   * look-ups and reconciliation pass. When the time is over, a probe decides. Emits `breaker.state`;
   * again while it is open, it only lasts as long as the longest asks for. A restart forgets it: what
   * must outlast one is {@link halt}.
   * @param options - `forMs`: how long; `policy.breaker.openMs` unless given.
   * @returns takes it back: what comes next is the probe.
   */
  tripBreaker(operations: OperationClass, reason: string, options: { readonly forMs?: number } = {}): Disposable {
    return this.#usableCalls().guards.trip(operations, reason, options);
  }

  /**
   * Lets fewer calls of a class be in flight for a while, because the venue has become slow: half as
   * many for a minute, unless told otherwise. What is in flight goes on, the others wait their turn;
   * cancels, look-ups and reconciliation are not counted. Emits `concurrency.state` when the limit
   * changes, and when it ends. Where several lower it, the least counts; nothing here raises a limit.
   * @returns takes it back.
   */
  lowerConcurrency(operations: OperationClass, reason: string, options: LowerConcurrencyOptions = {}): Disposable {
    return this.#usableCalls().guards.lower(operations, reason, options);
  }

  /** How placements and reads are guarded at this moment. */
  guards(): Readonly<Record<OperationClass, GuardState>> {
    return this.#calls.guards.state();
  }

  /** What may be placed: for a symbol, the stricter of its own mode and the account's. */
  mode(symbol?: string): HaltMode {
    return this.#open().halts.modeOf(symbol);
  }

  /** Counts since the start, for a look at a glance; the bus has the rest. */
  stats(): Readonly<Record<string, number>> {
    return this.#session?.stats() ?? {};
  }

  /** Stops sending, waits for what is at the venue, writes what is owed and releases the lease. The journal stays open: it is the caller's. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(options: StartOptions): Promise<ReconcileReport> {
    await this.#session?.close();
    for (let isWaiting = false; ; isWaiting = true) {
      throwIfAborted(options.signal);
      if (this.#closing !== undefined) throw closed();
      try {
        return await this.#lead(options);
      } catch (error) {
        const { code, retryable, retryAfterMs = STANDBY_LOOK_MS } = error as Partial<TradingError>;
        const isLocked = code === 'JOURNAL_LOCKED';
        if (options.standby !== true || !(isLocked || retryable === true)) throw error;
        if (!isWaiting && isLocked) this.#tellState('standby', 0);
        this.#logger.debug({ error }, 'standing by');
        // No later than the lease ends, and often, since its holder may let go before.
        await this.#clock.sleep(Math.max(1, Math.min(STANDBY_LOOK_MS, retryAfterMs)), options.signal);
      }
    }
  }

  #tellState(state: 'standby' | 'leader', epoch: number): void {
    if (this.#bus.has('leader.state')) this.#bus.emit('leader.state', { account: this.#account, state, epoch });
  }

  async #lead(options: CallOptions): Promise<ReconcileReport> {
    const session = this.#newSession();
    // Known from here on, so that a close finds it.
    this.#session = session;
    try {
      await abortable(abortable(session.open(), session.closing), options.signal);
      const report = await this.#reconcile(session, options, true);
      session.isOpen = true;
      this.#tellState('leader', session.epoch);
      return report;
    } catch (error) {
      this.#session = undefined;
      await session.close();
      throw error;
    }
  }

  async #reconcile(session: TradingSession, options: CallOptions, isStart = false): Promise<ReconcileReport> {
    throwIfAborted(options.signal);
    const began = this.#clock.monotonic();
    const deadlineMs = this.#deadlineMs(options);
    const ms = (): number => this.#clock.monotonic() - began;
    const emit = (phase: 'start' | 'done' | 'failed'): void => {
      if (this.#bus.has('reconcile')) this.#bus.emit('reconcile', { phase, unresolved: session.table.unknown.size, ms: ms() });
    };
    const open = [...session.table.values()].filter(
      (order) => !isAcknowledged(order.state) || order.state === 'escalated' || (isStart && !order.isSettled),
    );
    const before = new Map<LiveOrder, OrderView>(open.map((order) => [order, order.view]));
    emit('start');
    for (let failures = 1; ; failures++) {
      throwIfAborted(options.signal);
      const sweep = await abortable(session.resolver.sweep(), options.signal);
      if (sweep.isComplete) {
        emit('done');
        const isOpen = (order: LiveOrder): boolean => order.state === 'unknown' || order.state === 'escalated' || order.state === 'sending';
        return {
          resolved: open.filter((order) => !isOpen(order) && order.view !== before.get(order)).map((order) => order.view),
          unresolved: [...session.table.values()].filter(isOpen).map((order) => order.view),
          external: dedupe(sweep.external),
        };
      }
      throwIfAborted(session.closing);
      if (ms() >= deadlineMs) {
        emit('failed');
        const cause = sweep.error;
        throw new TradingError(
          'DEADLINE',
          `${this.#adapter.venue} could not be read whole within ${deadlineMs} ms: ${cause?.message ?? 'no answer'}`,
          { cause, retryable: true },
        );
      }
      const pauseMs = Math.min(session.calls.backoff(failures), Math.max(1, deadlineMs - ms()));
      await this.#clock.sleep(pauseMs, options.signal === undefined ? session.closing : AbortSignal.any([options.signal, session.closing]));
    }
  }

  /** The caller's wait for the commit. The journal's own work keeps the process alive meanwhile. */
  #within(durable: Promise<void>, deadlineMs: number, signal: AbortSignal | undefined, handle: LiveOrderHandle): Promise<void> {
    const wait = new Promise<void>((resolve, reject) => {
      const entry = new JournalWait(deadlineMs, handle, reject);
      this.#journalWaits.add(entry, deadlineMs, this.#clock.monotonic());
      durable.then(
        () => {
          this.#journalWaits.remove(entry);
          resolve();
        },
        (error: unknown) => {
          this.#journalWaits.remove(entry);
          reject(error);
        },
      );
    });
    return abortable(wait, signal);
  }

  async #close(): Promise<void> {
    await this.#session?.close();
    // A start that is under way has seen the end by now, and gives back what it had taken.
    await this.#starting?.catch(() => {});
    this.#calls.close();
  }

  #newSession(): TradingSession {
    return new TradingSession({
      adapter: this.#adapter,
      journal: this.#journal,
      account: this.#account,
      leaseMs: this.#leaseMs,
      policy: this.#policy,
      clock: this.#clock,
      bus: this.#bus,
      logger: this.#logger,
      random: this.#random,
      calls: this.#calls,
    });
  }

  #open(): TradingSession {
    const session = this.#session;
    if (this.#closing !== undefined) throw closed();
    if (session === undefined || !session.isOpen)
      throw new TradingError('CLOSED', 'The trading client is not open yet: call start() and wait for it.');
    if (session.failure !== undefined) throw session.failure;
    return session;
  }

  #usableCalls(): VenueCalls {
    if (this.#closing !== undefined) throw closed();
    return this.#calls;
  }

  #deadlineMs(options: CallOptions): number {
    return options.deadlineMs === undefined ? this.#policy.deadlineMs : requirePositive('deadlineMs', options.deadlineMs);
  }
}

/** A caller who waits for the commit, and no longer than that. */
class JournalWait extends Timed {
  readonly #ms: number;
  readonly #handle: OrderHandle;
  readonly #reject: (error: Error) => void;

  constructor(ms: number, handle: OrderHandle, reject: (error: Error) => void) {
    super();
    this.#ms = ms;
    this.#handle = handle;
    this.#reject = reject;
  }

  expire(): void {
    const why = `The journal took longer than ${this.#ms} ms; the order goes on, see the handle.`;
    this.#reject(new TradingError('OUTCOME_UNKNOWN', why, { sent: 'maybe', handle: this.#handle }));
  }
}

/** @throws TypeError where they are not the limits of this venue */
function requireLimitsOf(adapter: BrokerAdapter, limits: SharedLimits): SharedLimits {
  requireMethods('limits', limits, ['reserve', 'sent', 'release', 'observe', 'ban', 'onBlocked']);
  const known = new Set(limits.limits.map(({ id }) => id));
  for (const { id } of adapter.limits)
    if (!known.has(id)) throw new TypeError(`limits must have the venue's limit "${id}": make them of adapter.limits`);
  return limits;
}

function closed(): TradingError {
  return new TradingError('CLOSED', 'The trading client is closed; create a new one on the same journal.');
}

function dedupe<T extends { readonly symbol: string; readonly venueOrderId: string }>(orders: readonly T[]): readonly T[] {
  return [...new Map(orders.map((order) => [`${order.symbol} ${order.venueOrderId}`, order])).values()];
}
