import type { BrokerAdapter, Verdict } from '../contracts/broker.js';
import type { Bus } from '../contracts/events.js';
import type { OrderView } from '../contracts/orders.js';
import { TradingError } from '../contracts/trading-error.js';
import type { Clock } from '../core/clock.js';
import { PolicyError } from '../resilience/policy-error.js';
import { LiveAttempt } from './attempt-deadlines.js';
import { refOf } from './canceller.js';
import type { ClientOrderIds } from './client-order-ids.js';
import type { Evidence } from './evidence.js';
import type { Halts } from './halts.js';
import type { JournalWriter } from './journal-writer.js';
import type { LeaseKeeper } from './lease-keeper.js';
import type { LiveOrder } from './live-order.js';
import { type EntryBodies, entry, type ReplaceTarget } from './order-entry.js';
import { isLive, type Leg, liveLegs, type OrderModel } from './order-model.js';
import { sameOr } from './order-states.js';
import type { OrderTable } from './order-table.js';
import { reasonOf } from './placer.js';
import { requireSendable } from './sendable.js';
import { MARGIN_MS, POLL_GAP_MS, paceOf } from './trading-defaults.js';
import type { VenueCalls } from './venue-calls.js';

type Amendment = EntryBodies['amending'];

/** How rare looks get that would prove something, if only they came back. */
const SLOWEST_PROOF_MS = 2_000;

/**
 * Amends orders at venues that can. An amendment is sent like an order: recorded first, with the
 * timestamp that is signed and the id that a venue order made by it would carry; and one whose
 * outcome is unknown is resolved, never guessed.
 */
export class Amender {
  readonly #adapter: BrokerAdapter;
  readonly #calls: VenueCalls;
  readonly #table: OrderTable;
  readonly #writer: JournalWriter;
  readonly #evidence: Evidence;
  readonly #halts: Halts;
  readonly #ids: ClientOrderIds;
  readonly #lease: LeaseKeeper;
  readonly #clock: Clock;
  readonly #bus: Bus;
  readonly #closing: AbortSignal;

  constructor(parts: {
    readonly adapter: BrokerAdapter;
    readonly calls: VenueCalls;
    readonly table: OrderTable;
    readonly writer: JournalWriter;
    readonly evidence: Evidence;
    readonly halts: Halts;
    readonly ids: ClientOrderIds;
    readonly lease: LeaseKeeper;
    readonly clock: Clock;
    readonly bus: Bus;
    readonly closing: AbortSignal;
  }) {
    this.#adapter = parts.adapter;
    this.#calls = parts.calls;
    this.#table = parts.table;
    this.#writer = parts.writer;
    this.#evidence = parts.evidence;
    this.#halts = parts.halts;
    this.#ids = parts.ids;
    this.#lease = parts.lease;
    this.#clock = parts.clock;
    this.#bus = parts.bus;
    this.#closing = parts.closing;
  }

  get canAmend(): boolean {
    return this.#adapter.capabilities.amend !== 'none' && this.#adapter.amend !== undefined;
  }

  /** @param deadlineAt - monotonic ms until which another attempt may begin. */
  async amend(order: LiveOrder, to: ReplaceTarget, deadlineAt: number): Promise<OrderView> {
    for (let failures = 1; ; failures++) {
      const leg = liveLegs(order.model)[0];
      const { cancelReason, intent } = order.model;
      const why = leg === undefined ? `is ${order.state}` : cancelReason === undefined ? undefined : 'is being cancelled';
      if (leg === undefined || why !== undefined)
        throw new TradingError('INVALID', `Order ${order.id} ${why}, so it can't be amended.`, { intentId: order.id });
      requireSendable(intent, this.#clock.now(), this.#halts, 'the order stands as it was');
      const verdict = await this.#attempt(order, leg, to, deadlineAt);
      const attempt = order.model.amendments;
      switch (verdict.kind) {
        case 'accepted':
          // Another order than was amended says nothing of this one.
          if (this.#evidence.orderOf(order, verdict.order, 'answer') !== 'foreign' || (await this.#resolve(order, leg)))
            return this.#applied(order, leg, attempt);
          break;
        case 'rejected':
          this.#table.record(order, 'amended', { attempt, applied: false, reason: reasonOf(verdict.cause, verdict.code) });
          await this.#look(order, leg);
          throw new TradingError('REJECTED', `The venue did not amend order ${order.id}: ${reasonOf(verdict.cause, verdict.code)}`, {
            sent: 'yes',
            intentId: order.id,
            venueCode: verdict.code,
            cause: verdict.cause,
          });
        case 'not_sent':
        case 'refused':
          this.#table.record(order, 'amended', { attempt, applied: false, reason: reasonOf(verdict.cause, verdict.kind) });
          if (verdict.kind === 'refused' && verdict.resyncClock === true && this.#calls.tellsTime) {
            this.#calls.clock.distrust();
            await this.#calls.syncClock({ priority: 'reconcile' }).catch(() => {});
          }
          break;
        default:
          if (await this.#resolve(order, leg)) return this.#applied(order, leg, attempt);
      }
      const waitMs = this.#calls.backoff(failures, verdict.kind === 'refused' ? verdict.retryAfterMs : undefined);
      if (this.#clock.monotonic() + waitMs >= deadlineAt) throw overdue(order);
      await this.#clock.sleep(waitMs, this.#closing);
    }
  }

  /** Finds out what became of an amendment that was on its way when the process ended. */
  resume(order: LiveOrder): void {
    const { amendment } = order.model;
    const leg = order.model.legs[0];
    if (amendment === undefined || leg === undefined) return;
    this.#resolve(order, leg).then(
      (isApplied) => {
        if (isApplied) void this.#applied(order, leg, amendment.attempt);
      },
      () => {},
    );
  }

  async #attempt(order: LiveOrder, leg: Leg, to: ReplaceTarget, deadlineAt: number): Promise<Verdict> {
    const costs = this.#calls.costs('amend');
    const { symbol } = order.model.intent;
    await this.#calls.limiter.acquire(costs, { priority: 'place', symbol, signal: this.#closing, deadlineAt, hold: true }).catch((error: unknown) => {
      throw error instanceof PolicyError ? overdue(order, error) : error;
    });
    const venueNow = this.#calls.clock.now();
    const { fenceMs } = this.#calls;
    const amendment: Amendment = {
      attempt: order.model.amendments + 1,
      to,
      newClientOrderId: this.#ids.next(this.#clock.now()),
      venueNow,
      ...(fenceMs === undefined ? undefined : { fenceUntil: venueNow + fenceMs }),
    };
    const made = entry('amending', this.#clock.now(), amendment);
    try {
      await this.#writer.append(order.id, [made]);
      this.#table.noteAlias(amendment.newClientOrderId, order.id);
    } catch (error) {
      this.#calls.limiter.release(costs, { symbol });
      throw error;
    }
    this.#table.apply(order, made, true);
    const obstacle = this.#obstacle(order, leg);
    if (obstacle !== undefined) {
      this.#calls.limiter.release(costs, { symbol });
      return { kind: 'not_sent', cause: obstacle };
    }
    this.#calls.limiter.sent(costs, { symbol });
    const target = { ...to, newClientOrderId: amendment.newClientOrderId };
    const attempt = new LiveAttempt(amendment.attempt, venueNow, fenceMs);
    return this.#calls.write('amend', attempt, (sent) => this.#adapter.amend!(refOf(order, leg), target, sent));
  }

  /** Why the record must not be followed by its send: what held it up may have changed everything. */
  #obstacle(order: LiveOrder, leg: Leg): string | undefined {
    if (this.#closing.aborted) return 'the client was closed';
    if (!this.#lease.isHeld) return 'the writer lease is not held';
    if (!isLive(leg, order.model.qty)) return 'the order is over';
    if (this.#calls.limiter.blockedUntil(this.#calls.costs('amend')) !== undefined) return 'the venue has blocked requests meanwhile';
    const { cancelReason, intent } = order.model;
    if (intent.validUntil !== undefined && this.#clock.now() > intent.validUntil) return 'its validUntil has passed';
    return cancelReason ?? this.#halts.refusalOf(intent);
  }

  /** Until it shows: whether the amendment was applied. By sighting, or by proof that it can't be any more. */
  async #resolve(order: LiveOrder, leg: Leg): Promise<boolean> {
    const began = this.#clock.monotonic();
    const patienceMs = this.#adapter.capabilities.visibilityLagMs + MARGIN_MS;
    let misses = 0;
    let isEscalated = false;
    for (let round = 1; ; round++) {
      this.#closing.throwIfAborted();
      const { amendment } = order.model;
      if (amendment === undefined) return false;
      const notBefore = await this.#venueTime();
      const didLook = await this.#look(order, leg, amendment.newClientOrderId);
      if (isApplied(order.model, amendment)) return true;
      const provenPast = amendment.fenceUntil === undefined || !this.#calls.tellsTime ? Infinity : amendment.fenceUntil + patienceMs;
      if (didLook && notBefore > provenPast && ++misses >= 2) {
        this.#table.record(order, 'amended', { attempt: amendment.attempt, applied: false, reason: 'the amendment never reached the venue' });
        return false;
      }
      const isOverdue = provenPast === Infinity && this.#clock.monotonic() - began > patienceMs;
      // Absolute values may be sent as often as one likes, where they change the order in its place.
      if (isOverdue && didLook && this.#adapter.capabilities.amend === 'in_place') {
        this.#table.record(order, 'amended', { attempt: amendment.attempt, applied: false, reason: 'the amendment did not show; it is sent again' });
        return false;
      }
      if (isOverdue && !isEscalated) {
        isEscalated = true;
        if (this.#bus.has('order.escalated'))
          this.#bus.emit('order.escalated', { order: order.view, why: 'nothing can prove what became of its replacement' });
      }
      await this.#clock.sleep(misses > 0 ? POLL_GAP_MS : this.#gapBefore(provenPast, round), this.#closing);
    }
  }

  // The look that can prove something must not come a whole pace late.
  #gapBefore(provenPast: number, round: number): number {
    if (provenPast === Infinity) return paceOf(round);
    const untilProof = provenPast - this.#calls.clock.now() + 1;
    return Math.min(paceOf(round), untilProof > 0 ? Math.max(POLL_GAP_MS, untilProof) : SLOWEST_PROOF_MS);
  }

  async #applied(order: LiveOrder, before: Leg, attempt: number): Promise<OrderView> {
    this.#table.record(order, 'amended', { attempt, applied: true, reason: 'amended' });
    const isNewOrder = order.model.legs.some((leg) => leg.venueOrderId !== before.venueOrderId);
    if (isNewOrder) void this.#expectEnd(order, before);
    return order.view;
  }

  // A venue that replaces by a new order must show the old one ended before long.
  async #expectEnd(order: LiveOrder, before: Leg): Promise<void> {
    const until = this.#clock.monotonic() + this.#adapter.capabilities.visibilityLagMs + MARGIN_MS;
    for (;;) {
      if (this.#closing.aborted) return;
      await this.#look(order, before);
      const leg = order.model.legs.find(({ venueOrderId }) => venueOrderId === before.venueOrderId);
      if (leg?.order === undefined || !isLive(leg, order.model.qty)) return;
      if (this.#clock.monotonic() >= until)
        return this.#evidence.conflict(order, leg.order, 'a replaced order is still live beside the one that replaces it');
      await this.#clock.sleep(POLL_GAP_MS, this.#closing).catch(() => {});
    }
  }

  async #venueTime(): Promise<number> {
    if (!this.#calls.tellsTime) return -Infinity;
    return this.#calls.syncClock({ priority: 'reconcile', signal: this.#closing }).catch(() => -Infinity);
  }

  /** @returns whether all reads came back. */
  async #look(order: LiveOrder, leg: Leg, newClientOrderId?: string): Promise<boolean> {
    const { symbol } = order.model.intent;
    const isNamedAnew = newClientOrderId !== undefined && this.#adapter.capabilities.amend !== 'in_place';
    const refs = isNamedAnew ? [refOf(order, leg), { symbol, clientOrderId: newClientOrderId }] : [refOf(order, leg)];
    let isWhole = true;
    for (const ref of refs) {
      try {
        const found = await this.#calls.find(ref, this.#closing);
        if (found !== 'not_found') this.#evidence.orderOf(order, found, 'find');
      } catch {
        isWhole = false;
      }
    }
    return isWhole;
  }
}

function overdue(order: LiveOrder, cause?: Error): TradingError {
  return new TradingError('DEADLINE', `Order ${order.id} could not be amended in time; it stands as it was.`, {
    intentId: order.id,
    retryable: true,
    ...(cause === undefined ? undefined : { cause }),
  });
}

/** Whether the venue shows what the amendment asked for. */
function isApplied(model: OrderModel, { to, newClientOrderId }: Amendment): boolean {
  return model.legs.some(({ order }) => {
    if (order === undefined) return false;
    if (order.clientOrderId === newClientOrderId) return true;
    const hasQty = to.qty === undefined || sameOr(order.qty, to.qty) === 0;
    const hasPrice = to.price === undefined || (order.price !== undefined && sameOr(order.price, to.price) === 0);
    return hasQty && hasPrice;
  });
}
