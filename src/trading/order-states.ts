import type { VenueOrder } from '../contracts/broker.js';
import type { OrderState } from '../contracts/orders.js';
import { compare, type Decimal } from '../core/decimal.js';

const TERMINAL: ReadonlySet<OrderState> = new Set(['filled', 'canceled', 'expired', 'rejected', 'abandoned']);
const UNACKNOWLEDGED: ReadonlySet<OrderState> = new Set(['prepared', 'sending', 'unknown']);

/** Whether nothing but a late fill can still change it. */
export function isTerminal(state: OrderState): boolean {
  return TERMINAL.has(state);
}

/** Whether the venue has it, or it is terminal, or escalated: what `acked` waits for. */
export function isAcknowledged(state: OrderState): boolean {
  return !UNACKNOWLEDGED.has(state);
}

// A total order, so that any permutation of the same evidence ends in the same state.
const RANKS = { working: 1, partially_filled: 2, expired: 3, canceled: 4, rejected: 5, filled: 6 } as const satisfies Record<
  VenueOrder['state'],
  number
>;

/** Whether an order at a venue can be in it. */
export function isVenueState(state: unknown): state is VenueOrder['state'] {
  return typeof state === 'string' && Object.hasOwn(RANKS, state);
}

/**
 * Whether evidence `a` says more than `b`: ordered by filled quantity, then rank, never by arrival,
 * since replicas and streams deliver late. Venue time breaks ties, for amendments that change
 * neither.
 */
export function isNewer(a: VenueOrder, b: VenueOrder): boolean {
  const byFilled = sameOr(a.filledQty, b.filledQty);
  if (byFilled !== 0) return byFilled > 0;
  if (a.state !== b.state) return RANKS[a.state] > RANKS[b.state];
  return a.venueTime > b.venueTime;
}

/** compare() of decimals, at the price of a string comparison where they are written alike. */
export function sameOr(a: Decimal, b: Decimal): number {
  return a === b ? 0 : compare(a, b);
}
