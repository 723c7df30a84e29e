import type { CallOptions } from '../contracts/calls.js';
import type { OrderView } from '../contracts/orders.js';
import { TradingError } from '../contracts/trading-error.js';
import { abortable } from '../core/abort.js';
import type { Clock } from '../core/clock.js';
import { add, isZero, subtract } from '../core/decimal.js';
import { requireKnown, requireObject } from '../core/options.js';
import type { Amender } from './amender.js';
import type { Canceller } from './canceller.js';
import type { ClientOrderIds } from './client-order-ids.js';
import type { Evidence } from './evidence.js';
import type { Halts } from './halts.js';
import type { InstrumentFilters } from './instrument-filters.js';
import type { IntentIntake } from './intent-intake.js';
import type { JournalWriter } from './journal-writer.js';
import type { LiveOrder } from './live-order.js';
import { entry, type ReplaceTarget } from './order-entry.js';
import { type HandleHost, LiveOrderHandle, outcomeUnknown, waitFor } from './order-handle.js';
import { filledQty, hasAllFills, liveLegs, type OrderModel } from './order-model.js';
import { isAcknowledged, isTerminal, sameOr } from './order-states.js';
import type { OrderTable } from './order-table.js';
import { invalid, positive } from './payload.js';
import type { Resolver } from './resolver.js';
import { requireSendable } from './sendable.js';

/**
 * Changes orders. Where the venue amends, by that; else by cancelling and, once it is certain what
 * the cancelled order has filled, placing the remainder as an intent linked to it.
 */
export class Replacer {
  readonly #amender: Amender;
  readonly #canceller: Canceller;
  readonly #table: OrderTable;
  readonly #writer: JournalWriter;
  readonly #evidence: Evidence;
  readonly #halts: Halts;
  readonly #intake: IntentIntake;
  readonly #filters: InstrumentFilters;
  readonly #ids: ClientOrderIds;
  readonly #resolver: Resolver;
  readonly #clock: Clock;
  readonly #host: HandleHost;
  readonly #visibilityLagMs: number;

  constructor(parts: {
    readonly amender: Amender;
    readonly canceller: Canceller;
    readonly table: OrderTable;
    readonly writer: JournalWriter;
    readonly evidence: Evidence;
    readonly halts: Halts;
    readonly intake: IntentIntake;
    readonly filters: InstrumentFilters;
    readonly ids: ClientOrderIds;
    readonly resolver: Resolver;
    readonly clock: Clock;
    readonly host: HandleHost;
    readonly visibilityLagMs: number;
  }) {
    this.#amender = parts.amender;
    this.#canceller = parts.canceller;
    this.#table = parts.table;
    this.#writer = parts.writer;
    this.#evidence = parts.evidence;
    this.#halts = parts.halts;
    this.#intake = parts.intake;
    this.#filters = parts.filters;
    this.#ids = parts.ids;
    this.#resolver = parts.resolver;
    this.#clock = parts.clock;
    this.#host = parts.host;
    this.#visibilityLagMs = parts.visibilityLagMs;
  }

  /** @throws TradingError INVALID where there is nothing to change, HALTED, INTENT_EXPIRED, REJECTED where the venue refuses, OUTCOME_UNKNOWN at the deadline. */
  async replace(order: LiveOrder, wanted: ReplaceTarget, options: CallOptions & { readonly deadlineMs: number }): Promise<OrderView> {
    const to = this.#checked(order, wanted);
    const began = this.#clock.monotonic();
    const left = (): number => Math.max(1, options.deadlineMs - (this.#clock.monotonic() - began));
    const handle = new LiveOrderHandle(this.#host, order);
    const waiting = { deadlineMs: options.deadlineMs, ...(options.signal === undefined ? undefined : { signal: options.signal }) };
    await waitFor(this.#host, handle, order, () => isAcknowledged(order.state) && order.state !== 'escalated', waiting);
    this.#requireChangeable(order);
    const deadlineAt = this.#clock.monotonic() + left();
    order.isReplacing = true;
    const work = (this.#amender.canAmend ? this.#amender.amend(order, to, deadlineAt) : this.#cancelAndLink(order, to, deadlineAt)).finally(() => {
      order.isReplacing = false;
    });
    return this.#within(work, left(), options.signal, handle);
  }

  /** What a restart makes of a replacement that was on its way. */
  resume(order: LiveOrder): void {
    const { replacing } = order.model;
    if (replacing !== undefined) {
      const linked = this.#table.get(replacing.linkedTo);
      if (linked === undefined) void this.#resumeReplacing(order, replacing);
      else this.#linked(order, replacing.to, linked, 'replaced before the restart');
    }
    this.#amender.resume(order);
  }

  async #resumeReplacing(order: LiveOrder, { to, linkedTo }: Replacing): Promise<void> {
    const linked = await this.#intake.fromJournal(linkedTo).catch(() => undefined);
    if (linked !== undefined) return this.#linked(order, to, linked, 'replaced before the restart');
    // The price of the remainder is stale now; what was asked for in any case is the cancel.
    if (!isTerminal(order.state)) this.#table.record(order, 'cancel', { reason: 'it was being replaced before a restart' });
    this.#table.record(order, 'replaced', { reason: 'a replacement is not carried over a restart' });
    this.#canceller.pursue(order);
  }

  async #cancelAndLink(order: LiveOrder, to: ReplaceTarget, deadlineAt: number): Promise<OrderView> {
    const linkedTo = this.#ids.next(this.#clock.now());
    const made = entry('replacing', this.#clock.now(), { to, linkedTo });
    try {
      await this.#writer.append(order.id, [made]);
    } catch (error) {
      // It may be durable all the same, and must not be taken up after a restart.
      this.#table.record(order, 'replaced', { reason: 'the journal failed before it could be replaced' });
      throw error;
    }
    this.#table.apply(order, made, true);
    this.#canceller.pursue(order);
    const handle = new LiveOrderHandle(this.#host, order);
    await waitFor(this.#host, handle, order, () => liveLegs(order.model).length === 0, {});
    await this.#untilCertain(order);
    const { model } = order;
    const remainder = subtract(to.qty ?? model.qty, filledQty(model));
    if (sameOr(remainder, '0') <= 0 || model.cancelReason !== undefined || model.conflict !== undefined) {
      const reason = model.conflict ?? model.cancelReason ?? 'it had filled as much as was asked for';
      this.#table.record(order, 'replaced', { reason });
      return order.view;
    }
    try {
      const { intentId: _, ...intent } = model.intent;
      const price = to.price ?? model.price;
      const next = { ...intent, intentId: linkedTo, qty: remainder, ...(price === undefined ? undefined : { price }) };
      const linked = await this.#intake.take(next, Math.max(1, deadlineAt - this.#clock.monotonic()), order.id);
      await linked.durable;
      this.#linked(order, to, linked, `replaced by ${linkedTo}`);
      return await waitFor(this.#host, new LiveOrderHandle(this.#host, linked), linked, () => isAcknowledged(linked.state), {});
    } catch (error) {
      this.#table.record(order, 'replaced', { reason: `its remainder was not placed: ${error instanceof Error ? error.message : String(error)}` });
      throw error;
    }
  }

  #linked(order: LiveOrder, to: ReplaceTarget, linked: LiveOrder, reason: string): void {
    const wanted = to.qty ?? order.model.qty;
    this.#table.record(order, 'replaced', { linkedTo: linked.id, reason });
    // A fill that came in while the remainder was being written was not taken off it.
    if (sameOr(add(filledQty(order.model), linked.model.intent.qty), wanted) > 0) this.#evidence.filledAfterReplacement(order);
  }

  /** A cancel that was acknowledged may still turn out to have filled: only after the lag, with all fills, is the remainder known. */
  async #untilCertain(order: LiveOrder): Promise<void> {
    await this.#clock.sleep(this.#visibilityLagMs, this.#host.closing);
    for (;;) {
      const sweep = await this.#resolver.sweep();
      if (sweep.isComplete && hasAllFills(order.model)) return;
      await this.#clock.sleep(this.#resolver.sweepGapMs, this.#host.closing);
    }
  }

  #checked(order: LiveOrder, wanted: ReplaceTarget): ReplaceTarget {
    requireObject('to', wanted);
    requireKnown('replace()', wanted, ['qty', 'price']);
    if (wanted.qty === undefined && wanted.price === undefined) throw invalid('to', 'given a qty or a price', '{}');
    const { intent } = order.model;
    if (isZero(intent.qty))
      throw invalid(
        'intentId',
        'of an order over a quantity: one over an amount of money, or what the venue says, can only be cancelled',
        intent.intentId,
      );
    if (wanted.price !== undefined && intent.price === undefined) throw invalid('to.price', `absent for a ${intent.type} order`, wanted.price);
    const to: ReplaceTarget = {
      ...(wanted.qty === undefined ? undefined : { qty: positive('to.qty', wanted.qty) }),
      ...(wanted.price === undefined ? undefined : { price: positive('to.price', wanted.price) }),
    };
    this.#filters.check({ symbol: intent.symbol, qty: to.qty ?? intent.qty, ...(to.price === undefined ? undefined : { price: to.price }) });
    this.#requireChangeable(order);
    return to;
  }

  #requireChangeable(order: LiveOrder): void {
    const { state, model } = order;
    const why = isTerminal(state)
      ? `is ${state}${model.linkedTo === undefined ? '' : ` and goes on as ${model.linkedTo}`}`
      : state === 'pending_cancel' || model.cancelReason !== undefined
        ? 'is being cancelled'
        : model.amendment !== undefined || model.replacing !== undefined || order.isReplacing
          ? 'is being replaced already'
          : undefined;
    if (why !== undefined) throw new TradingError('INVALID', `Order ${order.id} ${why}, so it can't be replaced.`, { intentId: order.id });
    requireSendable(model.intent, this.#clock.now(), this.#halts, 'the order stands as it was');
  }

  async #within(work: Promise<OrderView>, deadlineMs: number, signal: AbortSignal | undefined, handle: LiveOrderHandle): Promise<OrderView> {
    work.catch(() => {});
    const over = new AbortController();
    const late = this.#clock.sleep(deadlineMs, over.signal).then(() => {
      throw outcomeUnknown(handle, deadlineMs);
    });
    late.catch(() => {});
    try {
      return await abortable(Promise.race([work, late]), signal);
    } finally {
      over.abort(OVER);
    }
  }
}

type Replacing = NonNullable<OrderModel['replacing']>;

const OVER = new Error('over');
