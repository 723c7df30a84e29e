import type { BrokerAdapter, OrderRef, Verdict } from '../contracts/broker.js';
import type { Clock } from '../core/clock.js';
import { isVenueKitError } from '../core/errors.js';
import type { Priority } from '../core/limits.js';
import { LiveAttempt } from './attempt-deadlines.js';
import type { Evidence } from './evidence.js';
import type { JournalWriter } from './journal-writer.js';
import type { LiveOrder } from './live-order.js';
import { entry } from './order-entry.js';
import { type Leg, liveLegs } from './order-model.js';
import { isTerminal } from './order-states.js';
import type { OrderTable } from './order-table.js';
import { paceOf } from './trading-defaults.js';
import type { VenueCalls } from './venue-calls.js';

/**
 * Cancels, until the venue shows the order ended. A cancel may be sent as often as one likes; that
 * it was refused proves nothing, so only what a look-up shows counts.
 */
export class Canceller {
  readonly #adapter: BrokerAdapter;
  readonly #calls: VenueCalls;
  readonly #table: OrderTable;
  readonly #writer: JournalWriter;
  readonly #evidence: Evidence;
  readonly #clock: Clock;
  readonly #closing: AbortSignal;

  constructor(parts: {
    readonly adapter: BrokerAdapter;
    readonly calls: VenueCalls;
    readonly table: OrderTable;
    readonly writer: JournalWriter;
    readonly evidence: Evidence;
    readonly clock: Clock;
    readonly closing: AbortSignal;
  }) {
    this.#adapter = parts.adapter;
    this.#calls = parts.calls;
    this.#table = parts.table;
    this.#writer = parts.writer;
    this.#evidence = parts.evidence;
    this.#clock = parts.clock;
    this.#closing = parts.closing;
  }

  /** Makes the wish durable, then pursues it. It holds over unknown outcomes and restarts. @throws TradingError JOURNAL_LOCKED when another writer has taken over. */
  async request(order: LiveOrder, reason: string, priority: Priority = 'cancel'): Promise<void> {
    // What is not durable yet may never be, and a record of its cancel would be one of nothing.
    await order.durable;
    if (isTerminal(order.state)) return;
    if (order.model.cancelReason === undefined) {
      const made = entry('cancel', this.#clock.now(), { reason });
      const isDurable = await this.#writer.append(order.id, [made]).then(
        () => true,
        (error: unknown) => {
          if (!isVenueKitError(error, 'JOURNAL')) throw error;
          return false;
        },
      );
      // A full disk must not keep a position open: the wish is written as soon as it can be, and followed now.
      this.#table.apply(order, made, isDurable);
      order.interrupt();
    }
    this.pursue(order, priority);
  }

  /** Cancels whatever the venue still has of the order; does nothing where that is nothing. */
  pursue(order: LiveOrder, priority: Priority = 'cancel'): void {
    if (order.isCancelling || liveLegs(order.model).length === 0) return;
    order.isCancelling = true;
    void this.#pursue(order, priority).finally(() => {
      order.isCancelling = false;
    });
  }

  async #pursue(order: LiveOrder, priority: Priority): Promise<void> {
    for (let failures = 1; !this.#closing.aborted; failures++) {
      const legs = liveLegs(order.model);
      if (legs.length === 0) return;
      const waits = await Promise.all(legs.map((leg) => this.#cancelLeg(order, leg, priority, failures)));
      if (liveLegs(order.model).length === 0) return;
      await this.#clock.sleep(Math.max(paceOf(failures), ...waits), this.#closing).catch(() => {});
      await Promise.all(liveLegs(order.model).map((leg) => this.#look(order, leg)));
    }
  }

  /** @returns how long to wait before the next try, ms. */
  async #cancelLeg(order: LiveOrder, leg: Leg, priority: Priority, failures: number): Promise<number> {
    const verdict = await this.#send(order, leg, priority);
    if (verdict?.kind === 'accepted') {
      this.#evidence.orderOf(order, verdict.order, 'answer');
      return 0;
    }
    if (verdict?.kind === 'refused' && verdict.resyncClock === true && this.#calls.tellsTime) {
      this.#calls.clock.distrust();
      await this.#calls.syncClock({ priority: 'reconcile', signal: this.#closing }).catch(() => {});
      return 0;
    }
    if (verdict?.kind === 'rejected' || verdict?.kind === 'duplicate') await this.#look(order, leg);
    return this.#calls.backoff(Math.min(failures, 10), verdict?.kind === 'refused' ? verdict.retryAfterMs : undefined);
  }

  async #send(order: LiveOrder, leg: Leg, priority: Priority): Promise<Verdict | undefined> {
    const { symbol } = order.model.intent;
    try {
      await this.#calls.limiter.acquire(this.#calls.costs('cancel'), { priority, symbol, signal: this.#closing });
    } catch {
      return undefined;
    }
    const attempt = new LiveAttempt(1, this.#calls.clock.now(), this.#calls.fenceMs);
    return this.#calls.write('cancel', attempt, (made) => this.#adapter.cancel(refOf(order, leg), made));
  }

  async #look(order: LiveOrder, leg: Leg): Promise<void> {
    if (this.#adapter.capabilities.lookup === 'none') return;
    try {
      const found = await this.#calls.find(refOf(order, leg), this.#closing);
      // "Not found" of an order that was seen before is a stale replica, or an archive.
      if (found !== 'not_found') await this.#evidence.order(found, 'find');
    } catch {
      // The next round asks again.
    }
  }
}

/** How an order of ours is named to the adapter. */
export function refOf(order: LiveOrder, leg?: Leg): OrderRef {
  const { intent, clientOrderId } = order.model;
  const id = leg?.order?.clientOrderId ?? clientOrderId;
  return leg === undefined
    ? { symbol: intent.symbol, clientOrderId: id }
    : { symbol: intent.symbol, clientOrderId: id, venueOrderId: leg.venueOrderId };
}
