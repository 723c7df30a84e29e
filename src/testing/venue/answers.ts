/** Why the venue did not do what was asked; the faces put it into their protocol's words. */
export type RefusalReason =
  | 'too_many_requests'
  | 'banned'
  | 'timestamp_outside_fence'
  | 'fence_too_long'
  | 'unknown_symbol'
  | 'price_filter'
  | 'lot_size'
  | 'min_notional'
  | 'bad_parameter'
  | 'bad_client_id'
  | 'insufficient_funds'
  | 'duplicate_client_id'
  | 'unknown_order'
  | 'would_match'
  | 'bad_list'
  | 'rejected';

export interface Refusal {
  readonly ok: false;
  readonly reason: RefusalReason;
  readonly message: string;
  readonly retryAfterMs?: number;
}

export interface Done<T> {
  readonly ok: true;
  readonly value: T;
}

export type Answer<T> = Done<T> | Refusal;

export function done<T>(value: T): Done<T> {
  return { ok: true, value };
}

export function refuse(reason: RefusalReason, message: string, retryAfterMs?: number): Refusal {
  return retryAfterMs === undefined ? { ok: false, reason, message } : { ok: false, reason, message, retryAfterMs };
}
