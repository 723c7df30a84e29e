import type { BrokerAdapter } from '../contracts/broker.js';
import type { Bus } from '../contracts/events.js';
import type { Clock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import { refOf } from './canceller.js';
import type { Evidence } from './evidence.js';
import type { Halts } from './halts.js';
import type { LiveOrder, Watch } from './live-order.js';
import { answered, hasUnresolvedAttempt, isDistorted, type OrderModel } from './order-model.js';
import type { OrderTable } from './order-table.js';
import type { Placer } from './placer.js';
import type { Sweep, Sweeper } from './sweeper.js';
import { type FullPolicy, MARGIN_MS, POLL_GAP_MS } from './trading-defaults.js';
import type { VenueCalls } from './venue-calls.js';
import { Waker } from './waker.js';

/** Looks get rarer up to this, and up to the second for orders that nothing can prove any more. */
const SLOWEST_POLL_MS = 2_000;
const ESCALATED_POLL_MS = 30_000;
/** Listings of all orders: how often while the stream tells what happens, and how often without it. */
const SWEEP_WITH_STREAM_MS = 30_000;
const SWEEP_WITHOUT_STREAM_MS = 1_000;
/** How many times the share kept for looking a proof may use. */
const URGENT_SHARES = 3;
/** While so much of the limits would still be free, a proof need not save. */
const PLENTY = 0.75;
const SWEPT = ['openOrders', 'history', 'fills'];
/** How often fills that are missing are asked for, and how often at most. */
const MISSING_FILLS_MS = 500;
const MISSING_FILLS_TRIES = 20;
/** Clock exchanges while nothing else asks for the venue's time. */
const CLOCK_EVERY_MS = 60_000;
const FINDS_AT_ONCE = 16;
/** Rejections and duplicates of resubmissions after which it is plain that nothing will be proved that way. */
const FRUITLESS = 5;

/** What the resolver must know of the stream. */
export interface StreamHealth {
  /** Whether events arrive. */
  readonly isLive: boolean;
  /** Whether nothing can have been missed that was not read again since. */
  readonly isWhole: boolean;
}

/**
 * Finds out what became of orders whose outcome is unknown, and keeps an eye on those that work.
 *
 * A sighting resolves at once. Absence is proved only by the venue's own time: past the fence, the
 * visibility lag and a margin, two rounds of look-up, open orders and history without it. Where
 * nothing can be proved it says so, and never guesses.
 */
export class Resolver {
  readonly #adapter: BrokerAdapter;
  readonly #calls: VenueCalls;
  readonly #table: OrderTable;
  readonly #evidence: Evidence;
  readonly #halts: Halts;
  readonly #placer: Placer;
  readonly #sweeper: Sweeper;
  readonly #clock: Clock;
  readonly #bus: Bus;
  readonly #logger: Logger;
  readonly #policy: FullPolicy;
  readonly #closing: AbortSignal;
  readonly #waker: Waker;
  readonly #stream: StreamHealth;
  #sweeping: Promise<Sweep> | undefined;
  #lastSweepAt = -Infinity;
  // Due, but not before the limits allow it: it must not be forgotten meanwhile.
  #isSweepWanted = false;
  #lastSyncAt: number;
  #fillTries = 0;
  #finding = 0;
  #proofs = 0;

  constructor(parts: {
    readonly adapter: BrokerAdapter;
    readonly calls: VenueCalls;
    readonly table: OrderTable;
    readonly evidence: Evidence;
    readonly halts: Halts;
    readonly placer: Placer;
    readonly sweeper: Sweeper;
    readonly stream: StreamHealth;
    readonly clock: Clock;
    readonly bus: Bus;
    readonly logger: Logger;
    readonly policy: FullPolicy;
    readonly closing: AbortSignal;
  }) {
    this.#adapter = parts.adapter;
    this.#calls = parts.calls;
    this.#table = parts.table;
    this.#evidence = parts.evidence;
    this.#halts = parts.halts;
    this.#placer = parts.placer;
    this.#sweeper = parts.sweeper;
    this.#stream = parts.stream;
    this.#clock = parts.clock;
    this.#bus = parts.bus;
    this.#logger = parts.logger;
    this.#policy = parts.policy;
    this.#closing = parts.closing;
    this.#waker = new Waker(parts.clock);
    this.#lastSyncAt = parts.clock.monotonic();
    this.#closing.addEventListener('abort', () => this.#waker.wake(), { once: true });
  }

  /** Absences proved so far. */
  get proofs(): number {
    return this.#proofs;
  }

  /** Begins to look after orders, until closing. */
  start(): void {
    void this.#run();
  }

  /** How far apart rounds of listings must be that something waits for, ms. */
  get sweepGapMs(): number {
    return this.#sweepGap();
  }

  /** An order's outcome has become unknown, or it is one that was found so at the start. */
  watch(order: LiveOrder): void {
    if (order.watch === undefined) {
      const now = this.#clock.monotonic();
      order.watch = { since: now, polls: 0, nextPollAt: now + POLL_GAP_MS, isPolling: false, misses: 0, lastMissAt: -Infinity, blanks: 0 };
    }
    this.#waker.wake();
  }

  /** Something has changed that the next look depends on. */
  nudge(): void {
    this.#waker.wake();
  }

  /** One round of listings, shared with whoever asks meanwhile, and what follows from it. */
  sweep(signal?: AbortSignal): Promise<Sweep> {
    this.#sweeping ??= this.#sweepNow(signal ?? this.#closing).finally(() => {
      this.#sweeping = undefined;
      this.#waker.wake();
    });
    return this.#sweeping;
  }

  async #run(): Promise<void> {
    while (!this.#closing.aborted) {
      this.#dispatch();
      const keepAlive = [...this.#table.unknown].some((order) => order.state === 'unknown');
      await this.#waker.sleep(this.#nextInMs(), keepAlive);
    }
  }

  /** Starts what is due; nothing here waits, so that one read that hangs holds up no other order. */
  #dispatch(): void {
    const now = this.#clock.monotonic();
    let isSweepDue = now >= this.#nextSweepAt();
    for (const order of this.#table.unknown) {
      if (order.isDriven) continue;
      const watch = order.watch ?? this.#watchOf(order);
      if (watch.isPolling || watch.nextPollAt > now) continue;
      if (this.#proofDue(order, watch) || this.#adapter.capabilities.lookup !== 'by_client_id') {
        isSweepDue = true;
        watch.nextPollAt = now + this.#pollGap(order, watch);
      } else if (this.#finding < FINDS_AT_ONCE) {
        void this.#find(order, watch);
      }
    }
    if (isSweepDue) this.#isSweepWanted = true;
    if (this.#isSweepWanted && this.#sweeping === undefined && now >= this.#lastSweepAt + this.#sweepGap())
      this.sweep().catch((error: unknown) =>
        this.#logger.error({ error }, 'a round of listings failed in an unforeseen way; the next one is made all the same'),
      );
    if (this.#calls.tellsTime && now >= this.#lastSyncAt + CLOCK_EVERY_MS) {
      this.#lastSyncAt = now;
      this.#calls.syncClock({ priority: 'reconcile', signal: this.#closing }).catch(() => {});
    }
  }

  #nextInMs(): number {
    const now = this.#clock.monotonic();
    let next = this.#calls.tellsTime ? this.#lastSyncAt + CLOCK_EVERY_MS : Infinity;
    if (this.#sweeping === undefined) next = Math.min(next, this.#isSweepWanted ? this.#lastSweepAt + this.#sweepGap() : this.#nextSweepAt());
    for (const order of this.#table.unknown) {
      if (order.isDriven || order.watch === undefined || order.watch.isPolling) continue;
      next = Math.min(next, order.watch.nextPollAt);
    }
    // Not sooner than the gap: what is due but can't be started now is started by what ends.
    return Math.max(next - now, 25);
  }

  // A proof may use more of the limits than what is kept for looking, but never so much that no order gets out.
  #sweepGap(): number {
    return this.#calls.leavesFree(PLENTY, SWEPT) ? POLL_GAP_MS : Math.max(POLL_GAP_MS, this.#calls.paceMs(SWEPT) / URGENT_SHARES);
  }

  #nextSweepAt(): number {
    const period = this.#sweepPeriod();
    return period === Infinity ? Infinity : this.#lastSweepAt + period;
  }

  #sweepPeriod(): number {
    if (this.#table.incomplete.size > 0)
      return Math.max(Math.min(MISSING_FILLS_MS * 2 ** Math.min(this.#fillTries, 4), 5_000), this.#calls.paceMs(SWEPT));
    if (this.#table.working.size === 0) return Infinity;
    // A round of listings that costs much must leave the limits to the orders.
    return Math.max(this.#stream.isLive ? SWEEP_WITH_STREAM_MS : SWEEP_WITHOUT_STREAM_MS, this.#calls.paceMs(SWEPT));
  }

  async #find(order: LiveOrder, watch: Watch): Promise<void> {
    watch.isPolling = true;
    this.#finding++;
    const found = await this.#look(order);
    this.#finding--;
    watch.isPolling = false;
    watch.nextPollAt = this.#clock.monotonic() + this.#pollGap(order, watch);
    if (found === 'absent') {
      watch.blanks++;
      this.#afterLook(order, watch);
    }
    this.#waker.wake();
  }

  /** A failed look says nothing, and so does an order that only carries our id. */
  async #look(order: LiveOrder): Promise<'seen' | 'absent' | 'failed'> {
    try {
      const found = await this.#calls.find(refOf(order), this.#closing);
      if (found === 'not_found') return 'absent';
      if (this.#evidence.isOfAnother(order, found)) return 'failed';
      return this.#evidence.orderOf(order, found, 'find') === 'foreign' ? 'absent' : 'seen';
    } catch {
      return 'failed';
    }
  }

  async #sweepNow(signal: AbortSignal): Promise<Sweep> {
    // Judged by what was unknown before the first question: a later send can't have been seen.
    this.#isSweepWanted = false;
    const judged = [...this.#table.unknown].filter((order) => !order.isDriven);
    const attempts = new Map(judged.map((order) => [order, order.model.attempts.length]));
    const sweep = await this.#sweeper.sweep({ priority: 'reconcile', signal });
    this.#lastSweepAt = this.#clock.monotonic();
    this.#fillTries = this.#table.incomplete.size > 0 ? this.#fillTries + 1 : 0;
    if (sweep.isComplete && this.#fillTries > MISSING_FILLS_TRIES) this.#giveUpOnFills();
    if (sweep.isComplete && !this.#closing.aborted) {
      const absent = judged.filter((order) => !sweep.seen.has(order) && order.model.attempts.length === attempts.get(order) && !order.isDriven);
      await Promise.all(absent.map((order) => this.#afterMiss(order, sweep)));
    }
    return sweep;
  }

  async #afterMiss(order: LiveOrder, sweep: Sweep): Promise<void> {
    if (!this.#table.unknown.has(order)) return;
    const watch = order.watch ?? this.#watchOf(order);
    watch.blanks++;
    const provenPast = this.#provenPast(order);
    const now = this.#clock.monotonic();
    const isStreamWhole = this.#stream.isWhole || !this.#adapter.capabilities.streamSequenced;
    if (sweep.notBefore > provenPast && isStreamWhole && now - watch.lastMissAt >= POLL_GAP_MS && this.#adapter.capabilities.lookup !== 'none') {
      // Where a look-up by id exists it must miss too: three sources, none of which is paged alike.
      const found = this.#adapter.capabilities.lookup === 'by_client_id' ? await this.#look(order) : 'absent';
      if (!this.#table.unknown.has(order) || order.isDriven) return;
      if (found === 'absent') {
        watch.misses++;
        watch.lastMissAt = now;
      }
      if (watch.misses >= 2) return this.#absent(order, sweep.notBefore, provenPast, watch.misses);
    }
    this.#afterLook(order, watch);
  }

  /** Venue time after which a look that misses proves something; Infinity where nothing ever does. */
  #provenPast(order: LiveOrder): number {
    if (!this.#calls.tellsTime || this.#adapter.capabilities.lookup === 'none' || isDistorted(order.model)) return Infinity;
    let fenceUntil = -Infinity;
    for (const attempt of order.model.attempts) if (attempt.outcome !== 'absent') fenceUntil = Math.max(fenceUntil, attempt.fenceUntil ?? Infinity);
    return fenceUntil + this.#adapter.capabilities.visibilityLagMs + MARGIN_MS;
  }

  #proofDue(order: LiveOrder, watch: Watch): boolean {
    const provenPast = this.#provenPast(order);
    if (provenPast === Infinity) return this.#isOverdue(watch);
    return this.#calls.clock.now() > provenPast + Math.min(this.#calls.clock.uncertaintyMs, MARGIN_MS);
  }

  // Without a fence: when a look would have shown it, had it landed in ordinary time.
  #isOverdue(watch: Watch): boolean {
    return this.#clock.monotonic() - watch.since > this.#adapter.capabilities.visibilityLagMs + MARGIN_MS;
  }

  #absent(order: LiveOrder, venueTime: number, provenPast: number, misses: number): void {
    const { since } = order.watch as Watch;
    order.watch = undefined;
    this.#proofs++;
    this.#table.record(order, 'absent', { upTo: order.lastAttempt, venueTime, provenPast, misses });
    if (this.#bus.has('order.resolved')) {
      this.#bus.emit('order.resolved', { order: order.view, by: 'absence_proof', tookMs: this.#clock.monotonic() - since });
    }
    const { rejection } = order.model;
    if (rejection !== undefined) return void this.#table.record(order, 'ended', { state: 'rejected', reason: rejection.reason });
    const refusal =
      answered(order.model, 'duplicate') >= 2 ? 'the venue says that the id is taken and shows no order by it' : this.#placer.refusalOf(order);
    if (refusal !== undefined) this.#table.record(order, 'ended', { state: 'abandoned', reason: refusal });
    else this.#placer.resume(order, this.#clock.monotonic() + this.#policy.deadlineMs);
  }

  /** What a look without a result allows where it is no proof: sending the same id again, or saying that nothing can be known. */
  #afterLook(order: LiveOrder, watch: Watch): void {
    if (order.isDriven || !this.#table.unknown.has(order) || !hasUnresolvedAttempt(order.model)) return;
    const { model } = order;
    const isLasting = this.#adapter.capabilities.clientId.unique === 'forever';
    const refusal = this.#placer.refusalOf(order);
    const duplicates = answered(model, 'duplicate');
    if (isLasting && refusal === undefined && duplicates === 0 && !isDistorted(model) && answered(model, 'rejected') < FRUITLESS) {
      // The venue itself keeps the second copy out; its "duplicate" would be the sighting.
      watch.nextPollAt = this.#clock.monotonic() + this.#pollGap(order, watch);
      this.#placer.resume(order, this.#clock.monotonic() + this.#policy.deadlineMs);
      return;
    }
    if (this.#provenPast(order) < Infinity || order.state === 'escalated') return;
    const patience = duplicates > 0 ? 3 : 1;
    if (watch.blanks < 2 || this.#clock.monotonic() - watch.since < patience * (this.#adapter.capabilities.visibilityLagMs + MARGIN_MS)) return;
    this.#escalate(order, this.#whyUnprovable(model, isLasting, refusal));
  }

  #whyUnprovable(model: OrderModel, isLasting: boolean, refusal: string | undefined): string {
    if (isDistorted(model)) return 'the venue made another order of it than was asked for';
    const { fence, lookup } = this.#adapter.capabilities;
    const lack = fence === undefined ? 'has no fence' : lookup === 'none' ? 'shows no orders' : 'does not tell its time';
    return isLasting
      ? `${refusal ?? 'resubmissions prove nothing'}, and the venue ${lack} to prove that no order was made`
      : `the venue ${lack} and keeps no ids for good, so nothing can prove what became of it`;
  }

  #escalate(order: LiveOrder, why: string): void {
    this.#table.record(order, 'escalated', { reason: why });
    this.#logger.error({ intentId: order.id, clientOrderId: order.model.clientOrderId }, `escalated: ${why}`);
    if (this.#bus.has('order.escalated')) this.#bus.emit('order.escalated', { order: order.view, why });
    const { symbol } = order.model.intent;
    if (this.#policy.onUnresolvable === 'halt_symbol') this.#halts.impose('halted', `${order.id} is escalated: ${why}`, symbol);
    if (this.#policy.onUnresolvable === 'halt') this.#halts.impose('halted', `${order.id} is escalated: ${why}`);
  }

  #pollGap(order: LiveOrder, watch: Watch): number {
    watch.polls++;
    const slowest = order.state === 'escalated' ? ESCALATED_POLL_MS : SLOWEST_POLL_MS;
    const start = order.state === 'escalated' ? SLOWEST_POLL_MS : POLL_GAP_MS;
    const provenPast = this.#provenPast(order);
    const gap = Math.min(slowest, start * 1.5 ** Math.min(watch.polls - 1, 20));
    if (watch.misses > 0) return POLL_GAP_MS;
    // The look that can prove something must not come a whole gap late.
    const untilProof = provenPast - this.#calls.clock.now() + 1;
    return untilProof > POLL_GAP_MS ? Math.min(gap, untilProof) : untilProof > -slowest ? POLL_GAP_MS : gap;
  }

  #watchOf(order: LiveOrder): Watch {
    this.watch(order);
    return order.watch as Watch;
  }

  // The venue shows an order as filled and never the trades: the order is what counts.
  #giveUpOnFills(): void {
    this.#fillTries = 0;
    for (const order of [...this.#table.incomplete]) {
      this.#logger.warn({ intentId: order.id }, 'the venue shows an order as filled but not all of its fills');
      this.#table.settleIfOver(order, true);
    }
  }
}
