import type { Decimal } from '../core/decimal.js';
import type { Cost, Limit, LimitObservation } from '../core/limits.js';
import type { Fill, OrderIntent, OrderState } from './orders.js';

export type { Cost, Limit, LimitObservation } from '../core/limits.js';

/** An order as the venue shows it. */
export interface VenueOrder {
  readonly clientOrderId?: string;
  readonly venueOrderId: string;
  readonly state: Extract<OrderState, 'working' | 'partially_filled' | 'filled' | 'canceled' | 'expired' | 'rejected'>;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly qty: Decimal;
  /** The amount of money that it was placed over, where that was given in place of a quantity. */
  readonly quoteQty?: Decimal;
  readonly price?: Decimal;
  readonly filledQty: Decimal;
  readonly avgPrice?: Decimal;
  /** Epoch ms by the venue's clock. */
  readonly venueTime: number;
}

/** What one attempt proved. Whatever an adapter can't prove is `unknown`. */
export type Verdict =
  /** `fills`: those that the answer tells of, if it does, by the trade ids of the listing: they need not be asked for then. */
  | { readonly kind: 'accepted'; readonly order: VenueOrder; readonly fills?: readonly Fill[] }
  | { readonly kind: 'not_sent'; readonly cause: unknown }
  | { readonly kind: 'refused'; readonly cause: unknown; readonly retryAfterMs?: number; readonly ban?: boolean; readonly resyncClock?: boolean }
  /** `isFinal`: no earlier sending of the order has made one either, nor can it any more. */
  | { readonly kind: 'rejected'; readonly code: string; readonly cause: unknown; readonly isFinal?: true }
  | { readonly kind: 'duplicate'; readonly cause: unknown }
  | { readonly kind: 'unknown'; readonly cause: unknown; readonly fenceUntil?: number };

/** What a venue pushes about orders; `synced` opens each connection. */
export type VenueEvent =
  | { readonly kind: 'order'; readonly order: VenueOrder; readonly seq?: number }
  | {
      readonly kind: 'fill';
      readonly venueOrderId: string;
      readonly clientOrderId?: string;
      /** Needed where venue order ids are unique within a symbol only. */
      readonly symbol?: string;
      readonly fill: Fill;
      readonly seq?: number;
    }
  | { readonly kind: 'synced' }
  | { readonly kind: 'gap'; readonly sinceVenueMs: number };

/**
 * What a venue guarantees. The fence expires at `attempt.venueNow + fenceMs` in venue time; a request
 * that arrives later comes back `refused` with `resyncClock`.
 */
export interface VenueCapabilities {
  readonly clientId: { readonly maxLength: number; readonly pattern: RegExp; readonly unique: 'forever' | 'open_orders' | 'none' };
  /** Server-side deadline of a request. */
  readonly fence?: { readonly maxMs: number; readonly defaultMs: number };
  /** Upper bound from an accepted order to its visibility in lookups; stale reads never exceed it. */
  readonly visibilityLagMs: number;
  readonly lookup: 'by_client_id' | 'scan' | 'none';
  readonly amend: 'in_place' | 'cancel_replace_atomic' | 'none';
  readonly streamSequenced: boolean;
}

/** One sending of a request. */
export interface Attempt {
  readonly signal: AbortSignal;
  /** From 1. */
  readonly number: number;
  /** Absent: no fence. */
  readonly fenceMs?: number;
  /** The timestamp to sign, exactly, in venue time; it was journalled before the send. */
  readonly venueNow: number;
  /** The earliest that the venue can have taken the first sending of the order, by its own time. Of a placement only. */
  readonly since?: number;
}

/** What an order is looked up by. */
export interface OrderRef {
  readonly symbol: string;
  readonly clientOrderId: string;
  readonly venueOrderId?: string;
}

/**
 * The only venue-specific code of the trading side. A write that throws or is aborted counts as
 * `unknown`.
 */
export interface BrokerAdapter {
  readonly venue: string;
  readonly capabilities: VenueCapabilities;
  readonly limits: readonly Limit[];
  /** What calling the method of that name costs; a listing costs once a call. */
  cost(operation: string): readonly Cost[];
  place(intent: OrderIntent, clientOrderId: string, attempt: Attempt): Promise<Verdict>;
  cancel(ref: OrderRef, attempt: Attempt): Promise<Verdict>;
  amend?(
    ref: OrderRef,
    to: { readonly qty?: Decimal; readonly price?: Decimal; readonly newClientOrderId: string },
    attempt: Attempt,
  ): Promise<Verdict>;
  /** @throws when the read failed: a failed read never passes for 'not_found'. */
  find(ref: OrderRef, attempt: Attempt): Promise<VenueOrder | 'not_found'>;
  openOrders(attempt: Attempt): AsyncIterable<VenueOrder>;
  /** Orders of any state by last change, since then, in venue time. */
  history(sinceVenueMs: number, attempt: Attempt): AsyncIterable<VenueOrder>;
  fills(
    sinceVenueMs: number,
    attempt: Attempt,
  ): AsyncIterable<{ readonly venueOrderId: string; readonly clientOrderId?: string; readonly symbol?: string; readonly fill: Fill }>;
  /** Called again after it ends or throws; `seq` restarts with each connection, which opens with `synced`. */
  events?(signal: AbortSignal): AsyncIterable<VenueEvent>;
  serverTime?(attempt: Attempt): Promise<number>;
  observe?(listener: (seen: LimitObservation) => void): Disposable;
}
