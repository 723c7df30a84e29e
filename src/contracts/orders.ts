import type { Decimal } from '../core/decimal.js';
import type { CallOptions } from './calls.js';

/** What the bot wants. Quantities and prices are decimal strings. */
export interface OrderIntent {
  /** Caller-stable idempotency key; generated when absent. The same id never makes a second order. */
  readonly intentId?: string;
  readonly account?: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly type: 'market' | 'limit' | 'stop' | 'stop_limit';
  /** `'0'` where {@link quoteQty} is given instead, or where it is for the venue to say: with its own request in `extra.request`, such as one to replace an order. */
  readonly qty: Decimal;
  /** Amount of the quote currency to spend or to receive, in place of a quantity, which the venue then makes of it: market orders only, and limit orders whose {@link extra} has the venue's own request. */
  readonly quoteQty?: Decimal;
  readonly price?: Decimal;
  /** Of stop orders. May be absent where {@link extra} says what triggers the order instead: a trail, where the venue has it. */
  readonly stopPrice?: Decimal;
  readonly timeInForce?: 'gtc' | 'ioc' | 'fok' | 'day';
  readonly reduceOnly?: boolean;
  /** Epoch ms: never sent, nor re-sent, after this. */
  readonly validUntil?: number;
  /** Handed to the adapter untouched. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** Where an order stands; `unknown` until the venue has proved one way or the other. */
export type OrderState =
  | 'prepared'
  | 'sending'
  | 'unknown'
  | 'escalated'
  | 'working'
  | 'partially_filled'
  | 'pending_cancel'
  | 'pending_replace'
  | 'filled'
  | 'canceled'
  | 'expired'
  | 'rejected'
  | 'abandoned';

export interface Fill {
  readonly tradeId: string;
  readonly qty: Decimal;
  readonly price: Decimal;
  readonly fee?: Decimal;
  readonly feeAsset?: string;
  /** Venue time, epoch ms. */
  readonly at: number;
}

/** An order as it is known at one moment. Frozen. */
export interface OrderView {
  readonly intent: OrderIntent & { readonly intentId: string };
  readonly clientOrderId: string;
  /** Every id that the venue has ever shown for this intent. */
  readonly venueOrderIds: readonly string[];
  readonly state: OrderState;
  readonly filledQty: Decimal;
  readonly avgPrice?: Decimal;
  readonly fills: readonly Fill[];
  readonly attempts: number;
  readonly reason?: string;
  readonly linkedFrom?: string;
  readonly linkedTo?: string;
}

/**
 * A running order. Not thenable, so that `await place()` gives the handle and not the order's end.
 * A venue's rejection and an escalation resolve `acked` and `done` with the view that says so; they
 * reject only for the caller's own deadline, abort or close.
 */
export interface OrderHandle extends AsyncIterable<OrderView> {
  /** Live: the newest view at each reading. */
  readonly view: OrderView;
  /** The venue has it, or it is terminal. */
  acked(options?: CallOptions): Promise<OrderView>;
  /** It is terminal. */
  done(options?: CallOptions): Promise<OrderView>;
  cancel(options?: CallOptions): Promise<OrderView>;
}
