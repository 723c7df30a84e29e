import type { VenueOrder } from '../contracts/broker.js';
import type { Fill, OrderIntent, OrderState, OrderView } from '../contracts/orders.js';
import { add, type Decimal, divide, multiply } from '../core/decimal.js';
import type { ReplaceTarget } from './order-entry.js';
import { isTerminal, sameOr } from './order-states.js';

/** One sending of the intent, and what is known of it. `absent`: it made no order, by proof. */
export interface SendAttempt {
  readonly number: number;
  /** Epoch ms, our clock. */
  readonly at: number;
  /** The timestamp that was signed. */
  readonly venueNow: number;
  /** Venue time after which the venue refuses the request; undefined without a fence. */
  readonly fenceUntil?: number;
  /** How far off the timestamp may be, ms; undefined where the venue had never told its time. */
  readonly uncertaintyMs?: number;
  readonly outcome: 'open' | 'unknown' | 'absent';
  /** What the venue said of it, where that proves nothing alone. */
  readonly answer?: 'duplicate' | 'rejected' | 'distorted';
}

/** One order of the intent at the venue. */
export interface Leg {
  /** The best evidence of the order itself; undefined while only fills were seen. */
  readonly order?: VenueOrder;
  readonly venueOrderId: string;
  /** The sum of the fills that are known. */
  readonly filled: Decimal;
}

/** A fill with the order that it belongs to: a self-trade gives two own orders one trade id. */
export interface OwnFill {
  readonly venueOrderId: string;
  readonly fill: Fill;
}

/** All that is known of one intent. Made by the reducer alone. */
export interface OrderModel {
  readonly intent: OrderIntent & { readonly intentId: string };
  readonly payloadHash: string;
  /** The id of the next sending. */
  readonly clientOrderId: string;
  /** Every id that was ever sent for it, amendments included. */
  readonly clientOrderIds: readonly string[];
  readonly preparedAt: number;
  readonly attempts: readonly SendAttempt[];
  readonly legs: readonly Leg[];
  readonly fills: readonly OwnFill[];
  readonly cancelReason?: string;
  readonly amendment?: {
    readonly attempt: number;
    readonly to: ReplaceTarget;
    readonly newClientOrderId: string;
    readonly venueNow: number;
    readonly fenceUntil?: number;
  };
  readonly amendments: number;
  /** Quantity and price after the amendments that were applied. */
  readonly qty: Decimal;
  readonly price?: Decimal;
  readonly replacing?: { readonly to: ReplaceTarget; readonly linkedTo: string };
  readonly ended?: { readonly state: 'abandoned' | 'rejected'; readonly reason: string };
  readonly rejection?: { readonly code: string; readonly reason: string };
  readonly escalated?: string;
  readonly conflict?: string;
  readonly linkedFrom?: string;
  readonly linkedTo?: string;
  readonly reason?: string;
  /** The view of a record that was settled, when nothing else is left of it. */
  readonly final?: OrderView;
}

/** What a leg has filled: the larger of what the order says and what the fills add up to. */
export function legFilled(leg: Leg): Decimal {
  return leg.order === undefined || sameOr(leg.filled, leg.order.filledQty) > 0 ? leg.filled : leg.order.filledQty;
}

/** The state of a leg, fills included. */
export function legState(leg: Leg, qty: Decimal): VenueOrder['state'] {
  const filled = legFilled(leg);
  if (sameOr(filled, '0') === 0) return leg.order?.state ?? 'working';
  const wanted = leg.order?.qty ?? qty;
  // Of an order over an amount of money it may not be known yet how much that is.
  if (sameOr(wanted, '0') > 0 && sameOr(filled, wanted) >= 0) return 'filled';
  const state = leg.order?.state ?? 'working';
  return state === 'working' ? 'partially_filled' : state;
}

/** Whether the leg can still fill. */
export function isLive(leg: Leg, qty: Decimal): boolean {
  return !isTerminal(legState(leg, qty));
}

/** The legs that can still fill: what a cancel goes to. */
export function liveLegs(model: OrderModel): readonly Leg[] {
  return model.legs.filter((leg) => isLive(leg, model.qty));
}

/** How many attempts the venue has answered so. */
export function answered(model: OrderModel, answer: NonNullable<SendAttempt['answer']>): number {
  return model.attempts.reduce((count, attempt) => count + (attempt.answer === answer ? 1 : 0), 0);
}

/** Whether the venue shows an order that was made of the intent and is not what it asked for. */
export function isDistorted(model: OrderModel): boolean {
  return model.attempts.some((attempt) => attempt.answer === 'distorted' && attempt.outcome !== 'absent');
}

/** Whether an attempt may have made an order that nobody has seen. */
export function hasUnresolvedAttempt(model: OrderModel): boolean {
  return model.attempts.some((attempt) => attempt.outcome !== 'absent');
}

// Which leg speaks for the order: a live one; else the one that filled; else the latest that was not
// rejected. No tie is left to the order of arrival.
function leadingLeg(model: OrderModel): Leg | undefined {
  const { legs, qty } = model;
  if (legs.length < 2) return legs[0];
  const weight = (leg: Leg): number => {
    const state = legState(leg, qty);
    return !isTerminal(state) ? 3 : state === 'filled' ? 2 : state === 'rejected' ? 0 : 1;
  };
  return [...legs].sort(
    (a, b) => weight(b) - weight(a) || (b.order?.venueTime ?? 0) - (a.order?.venueTime ?? 0) || (a.venueOrderId < b.venueOrderId ? 1 : -1),
  )[0];
}

/** Where the order stands. */
export function stateOf(model: OrderModel): OrderState {
  if (model.final !== undefined) return model.final.state;
  const leg = leadingLeg(model);
  if (leg !== undefined) {
    const state = legState(leg, model.qty);
    // A rejected order proves nothing about an earlier attempt that was never heard of.
    if (state !== 'rejected' || !hasOtherUnresolved(model)) {
      if (isTerminal(state)) return state;
      if (model.cancelReason !== undefined) return 'pending_cancel';
      return model.amendment !== undefined || model.replacing !== undefined ? 'pending_replace' : state;
    }
  }
  if (model.ended !== undefined) return model.ended.state;
  const last = model.attempts.at(-1);
  if (last === undefined) return 'prepared';
  if (model.escalated !== undefined) return 'escalated';
  if (last.outcome === 'open') return 'sending';
  return hasUnresolvedAttempt(model) ? 'unknown' : 'prepared';
}

// The rejected order was made by one of the attempts that are not proved absent, the latest.
function hasOtherUnresolved(model: OrderModel): boolean {
  return model.attempts.filter((attempt) => attempt.outcome !== 'absent').length > 1;
}

/** What all legs have filled. */
export function filledQty(model: OrderModel): Decimal {
  if (model.final !== undefined) return model.final.filledQty;
  const [first, ...others] = model.legs;
  if (first === undefined) return '0';
  return others.reduce((sum, leg) => add(sum, legFilled(leg)), legFilled(first));
}

/** Whether the known fills account for all that the venue says was filled. */
export function hasAllFills(model: OrderModel): boolean {
  return model.final !== undefined || model.legs.every((leg) => leg.order === undefined || sameOr(leg.filled, leg.order.filledQty) >= 0);
}

function averagePrice(model: OrderModel, filled: Decimal): Decimal | undefined {
  if (sameOr(filled, '0') === 0) return undefined;
  if (hasAllFills(model)) {
    const [first] = model.fills;
    if (first === undefined) return undefined;
    if (model.fills.every(({ fill }) => fill.price === first.fill.price)) return first.fill.price;
    const value = model.fills.reduce((sum, { fill }) => add(sum, multiply(fill.qty, fill.price)), '0');
    return divide(value, filled);
  }
  return leadingLeg(model)?.order?.avgPrice;
}

/** The order as the caller sees it. Frozen. */
export function viewOf(model: OrderModel): OrderView {
  if (model.final !== undefined) return model.final;
  const filled = filledQty(model);
  const avgPrice = averagePrice(model, filled);
  const reason = model.conflict ?? model.ended?.reason ?? model.escalated ?? model.reason ?? model.cancelReason;
  return Object.freeze({
    intent: model.intent,
    clientOrderId: model.clientOrderId,
    venueOrderIds: Object.freeze(model.legs.map((leg) => leg.venueOrderId)),
    state: stateOf(model),
    filledQty: filled,
    ...(avgPrice === undefined ? undefined : { avgPrice }),
    fills: Object.freeze(model.fills.map(({ fill }) => fill)),
    attempts: model.attempts.length,
    ...(reason === undefined ? undefined : { reason }),
    ...(model.linkedFrom === undefined ? undefined : { linkedFrom: model.linkedFrom }),
    ...(model.linkedTo === undefined ? undefined : { linkedTo: model.linkedTo }),
  });
}
