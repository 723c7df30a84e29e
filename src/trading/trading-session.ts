import { setMaxListeners } from 'node:events';
import type { BrokerAdapter } from '../contracts/broker.js';
import type { Bus } from '../contracts/events.js';
import type { OrderJournal } from '../contracts/journal.js';
import { TradingError } from '../contracts/trading-error.js';
import { abortReason, throwIfAborted } from '../core/abort.js';
import type { Clock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import type { Random } from '../core/random.js';
import { Amender } from './amender.js';
import { Canceller } from './canceller.js';
import { ClientOrderIds } from './client-order-ids.js';
import { Evidence } from './evidence.js';
import { Halts, isHaltKey } from './halts.js';
import { InstrumentFilters } from './instrument-filters.js';
import { IntentIntake } from './intent-intake.js';
import { JournalWriter } from './journal-writer.js';
import { LeaseKeeper } from './lease-keeper.js';
import type { LiveOrder } from './live-order.js';
import { type HandleHost, LiveOrderHandle } from './order-handle.js';
import { hasUnresolvedAttempt, liveLegs } from './order-model.js';
import { isTerminal } from './order-states.js';
import { OrderTable } from './order-table.js';
import { Placer } from './placer.js';
import { Replacer } from './replacer.js';
import { Resolver } from './resolver.js';
import { StreamConsumer } from './stream-consumer.js';
import { Sweeper } from './sweeper.js';
import type { FullPolicy } from './trading-defaults.js';
import type { VenueCalls } from './venue-calls.js';

/** How long close waits for requests that are at the venue. */
const DRAIN_MS = 2_000;
/** How long what is over is kept whole in the journal before it is compacted, and how often that is done. */
const RETENTION_MS = 90 * 86_400_000;
const COMPACT_EVERY_MS = 3_600_000;

/** What a session is made of. */
export interface SessionParts {
  readonly adapter: BrokerAdapter;
  readonly journal: OrderJournal;
  readonly account: string;
  readonly leaseMs: number;
  readonly policy: FullPolicy;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly logger: Logger;
  readonly random: Random;
  /** Outlives the session: what the venue has counted and blocked holds over a start that failed. */
  readonly calls: VenueCalls;
}

/** All parts of a client between start and close, wired. */
export class TradingSession {
  readonly table: OrderTable;
  readonly calls: VenueCalls;
  readonly halts: Halts;
  readonly evidence: Evidence;
  readonly placer: Placer;
  readonly canceller: Canceller;
  readonly replacer: Replacer;
  readonly resolver: Resolver;
  readonly stream: StreamConsumer;
  readonly intake: IntentIntake;
  readonly host: HandleHost;
  isOpen = false;
  /** Why nothing may be sent any more. */
  failure: TradingError | undefined;
  readonly #parts: SessionParts;
  readonly #writer: JournalWriter;
  readonly #lease: LeaseKeeper;
  readonly #sweeper: Sweeper;
  readonly #ids: ClientOrderIds;
  readonly #closing = new AbortController();
  #compacting: Disposable | undefined;
  #epoch = 0;

  constructor(parts: SessionParts) {
    const { adapter, journal, account, leaseMs, clock, bus, logger, policy, random, calls } = parts;
    this.#parts = parts;
    const closing = this.#closing.signal;
    // One listener for each who waits: any number of them is no leak.
    setMaxListeners(0, closing);
    this.#ids = new ClientOrderIds(adapter.capabilities.clientId, random);
    const writer = new JournalWriter({ journal, account, clock, bus, logger });
    const lease = new LeaseKeeper({ journal, leaseMs, clock, logger, onLost: (error) => this.#fail(error) });
    const table = new OrderTable({ clock, bus, writer });
    const halts = new Halts({ account, clock, bus, writer });
    const evidence = new Evidence({
      account,
      table,
      journal,
      halts,
      clock,
      bus,
      logger,
      isLasting: adapter.capabilities.clientId.unique === 'forever',
    });
    const placer = new Placer({ adapter, calls, table, writer, halts, evidence, lease, clock, bus, logger });
    const canceller = new Canceller({ adapter, calls, table, writer, evidence, clock, closing });
    const sweeper = new Sweeper({ adapter, calls, table, evidence, journal, writer, lease, clock, account });
    const stream = new StreamConsumer({ adapter, evidence, clock, bus, logger, backoff: calls.backoff, closing });
    const resolver = new Resolver({ adapter, calls, table, evidence, halts, placer, sweeper, stream, clock, bus, logger, policy, closing });
    const waits: HandleHost['waits'] = new Set();
    closing.addEventListener('abort', () => {
      for (const end of [...waits]) end(abortReason(closing));
    });
    this.host = { clock, closing, waits, current: (id) => table.get(id), cancel: (id, options) => this.#cancel(id, options) };
    const filters = new InstrumentFilters(adapter, calls, clock);
    this.intake = new IntentIntake({ account, table, journal, halts, filters, placer, ids: this.#ids, clock, resume: (order) => this.resume(order) });
    const amender = new Amender({ adapter, calls, table, writer, evidence, halts, ids: this.#ids, lease, clock, bus, closing });
    const { visibilityLagMs } = adapter.capabilities;
    this.replacer = new Replacer({
      amender,
      canceller,
      table,
      writer,
      evidence,
      halts,
      intake: this.intake,
      filters,
      ids: this.#ids,
      resolver,
      clock,
      host: this.host,
      visibilityLagMs,
    });
    placer.onUnknown = (order) => resolver.watch(order);
    evidence.onAdopted = (order) => {
      if (order.model.cancelReason !== undefined || order.model.replacing !== undefined) canceller.pursue(order);
    };
    stream.recover = async () => (await resolver.sweep()).isComplete;
    this.table = table;
    this.calls = calls;
    this.halts = halts;
    this.evidence = evidence;
    this.placer = placer;
    this.canceller = canceller;
    this.resolver = resolver;
    this.stream = stream;
    this.#writer = writer;
    this.#lease = lease;
    this.#sweeper = sweeper;
  }

  /** Of the lease; 0 while there is none. */
  get epoch(): number {
    return this.#epoch;
  }

  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Lease, journal, stream; what was being sent when the last writer ended is unknown from here on. */
  async open(): Promise<void> {
    const { journal, account, clock, random } = this.#parts;
    await this.#lease.acquire(account, `venuekit-${this.#ids.next(clock.now())}-${Math.floor(random() * 1e9)}`);
    this.#epoch = this.#lease.epoch;
    this.#writer.begin(this.#epoch);
    this.#ids.begin(this.#lease.epoch);
    await this.#sweeper.open();
    throwIfAborted(this.closing);
    for await (const records of journal.unresolved(account)) {
      if (isHaltKey(records[0]?.intentId ?? '', account)) this.halts.restore(records);
      else this.table.restore(records);
    }
    // What was closed meanwhile has given the lease back.
    throwIfAborted(this.closing);
    // All are back before the first goes on: one may be the remainder of another.
    for (const order of [...this.table.values()]) if (!order.isSettled) this.resume(order);
    this.calls.open();
    this.stream.start();
    this.resolver.start();
    this.#scheduleCompaction();
  }

  /** Picks up an order where the journal left it. */
  resume(order: LiveOrder): void {
    const { model } = order;
    const open = model.attempts.filter((attempt) => attempt.outcome === 'open' && model.legs.length === 0);
    for (const { number } of open) this.table.record(order, 'unknown', { attempt: number, reason: 'the process ended while it was being sent' });
    this.replacer.resume(order);
    if (order.state === 'prepared')
      this.table.record(order, 'ended', { state: 'abandoned', reason: 'it was not sent before a restart, and its price is stale now' });
    this.table.settleIfOver(order);
    if (order.state === 'unknown' || order.state === 'escalated') this.resolver.watch(order);
    if (order.model.cancelReason !== undefined && liveLegs(order.model).length > 0) this.canceller.pursue(order);
  }

  handleOf(order: LiveOrder): LiveOrderHandle {
    return new LiveOrderHandle(this.host, order);
  }

  /** The order by that id, from memory or journal. @throws TradingError INVALID where there is none. */
  async require(intentId: string): Promise<LiveOrder> {
    const order = this.table.get(intentId) ?? (await this.intake.fromJournal(intentId));
    if (order === undefined) throw new TradingError('INVALID', `No order was ever placed for intent "${intentId}".`, { intentId });
    await order.durable;
    return order;
  }

  stats(): Readonly<Record<string, number>> {
    let unresolved = 0;
    for (const order of this.table.values())
      if (!isTerminal(order.state) && hasUnresolvedAttempt(order.model) && order.model.legs.length === 0) unresolved++;
    return {
      orders: this.table.size,
      working: this.table.working.size,
      unknown: this.table.unknown.size,
      unresolved,
      inFlight: this.placer.inFlight,
      placed: this.intake.placed,
      absencesProved: this.resolver.proofs,
      sweeps: this.#sweeper.count,
      streamGaps: this.stream.gaps,
      journalOwed: this.#writer.owed,
      epoch: this.#lease.epoch,
      clockUncertaintyMs: this.calls.clock.uncertaintyMs,
    };
  }

  async close(): Promise<void> {
    const { clock } = this.#parts;
    this.isOpen = false;
    this.placer.close();
    for (const order of this.table.values()) if (order.isDriven) order.interrupt();
    for (const until = clock.monotonic() + DRAIN_MS; this.placer.inFlight > 0 && clock.monotonic() < until; ) await clock.sleep(10);
    this.#closing.abort(
      new TradingError('CLOSED', 'The trading client is closed; orders that are not over go on being resolved when it is started again.'),
    );
    this.#compacting?.[Symbol.dispose]();
    await this.#writer.flush().catch(() => {});
    await this.#lease.release().catch(() => {});
  }

  async #cancel(intentId: string, options: Parameters<HandleHost['cancel']>[1]): ReturnType<HandleHost['cancel']> {
    const order = await this.require(intentId);
    await this.canceller.request(order, 'cancelled by the caller', options.priority === 'kill' ? 'kill' : 'cancel');
    this.resolver.nudge();
    const handle = this.handleOf(order);
    return handle.until((current) => isTerminal(current.state) || current.state === 'escalated', {
      deadlineMs: this.#parts.policy.deadlineMs,
      ...options,
    });
  }

  #scheduleCompaction(): void {
    const { journal, account, clock, logger } = this.#parts;
    this.#compacting = clock.schedule(COMPACT_EVERY_MS, () => {
      journal
        .compact(account, clock.now() - RETENTION_MS, this.#lease.epoch)
        .catch((error: unknown) => logger.warn({ error }, 'the journal could not be compacted'));
      if (!this.closing.aborted) this.#scheduleCompaction();
    });
  }

  #fail(error: TradingError): void {
    this.failure = error;
    const { bus, account } = this.#parts;
    if (bus.has('leader.state')) bus.emit('leader.state', { account, state: 'lost', epoch: this.epoch });
    this.#parts.logger.error({ error }, 'trading has stopped');
    this.placer.close(error);
    for (const order of this.table.values()) order.interrupt();
    this.#closing.abort(error);
  }
}
