import type { VenueOrder, Verdict } from '../../contracts/broker.js';
import { TradingError } from '../../contracts/trading-error.js';
import { VenueKitError } from '../../core/errors.js';
import type { Answer, Refusal, RefusalReason } from '../venue/answers.js';

/** What of one call came back to the caller. */
export type Delivery<T> =
  | { readonly kind: 'answer'; readonly answer: Answer<T> }
  /** Something stood in for the venue: a gateway, or the venue's front door. */
  | { readonly kind: 'http'; readonly status: number; readonly code: number | undefined; readonly retryAfterMs: number | undefined }
  /** Nothing that could be read. */
  | { readonly kind: 'broken'; readonly cause: Error };

/** The rows of the decision table for a write: only what the answer proves. */
export function verdictOf(delivery: Delivery<VenueOrder>, fenceUntil: number | undefined): Verdict {
  if (delivery.kind === 'answer') return delivery.answer.ok ? { kind: 'accepted', order: delivery.answer.value } : refusalVerdict(delivery.answer);
  const until = fenceUntil === undefined ? undefined : { fenceUntil };
  if (delivery.kind === 'broken') return { kind: 'unknown', cause: delivery.cause, ...until };
  const cause = httpError(delivery);
  const { status, code, retryAfterMs } = delivery;
  const wait = retryAfterMs === undefined ? undefined : { retryAfterMs };
  if (status === 429 || code === -1003 || code === -1015) return { kind: 'refused', cause, ...wait };
  if (status === 418 || status === 403) return { kind: 'refused', cause, ban: true, ...wait };
  if (code === -1021) return { kind: 'refused', cause, resyncClock: true };
  if (status >= 400 && status < 500 && status !== 408) return { kind: 'rejected', code: String(code ?? status), cause };
  return { kind: 'unknown', cause, ...until };
}

/** What a read gives, or throws: a failed read never passes for an answer. */
export function readValue<T>(delivery: Delivery<T>): T {
  if (delivery.kind === 'answer') {
    if (delivery.answer.ok) return delivery.answer.value;
    throw readRefused(delivery.answer);
  }
  if (delivery.kind === 'broken')
    throw new TradingError('OUTCOME_UNKNOWN', delivery.cause.message, { sent: 'maybe', retryable: true, cause: delivery.cause });
  const { status, code, retryAfterMs } = delivery;
  const facts = { retryable: true, ...(code !== undefined && { venueCode: String(code) }), ...(retryAfterMs !== undefined && { retryAfterMs }) };
  const { message } = httpError(delivery);
  if (status === 429) throw new TradingError('RATE_LIMITED', message, facts);
  if (status === 418 || status === 403) throw new TradingError('BANNED', message, facts);
  if (code === -1021) throw new TradingError('REFUSED', message, facts);
  if (status >= 400 && status < 500 && status !== 408) throw new TradingError('INVALID', message, { ...facts, retryable: false });
  throw new TradingError('OUTCOME_UNKNOWN', message, { ...facts, sent: 'maybe' });
}

/** The code of a `rejected` verdict: the reason in upper case, e.g. `INSUFFICIENT_FUNDS`. */
function rejectionCode(reason: RefusalReason): string {
  return reason.toUpperCase();
}

function refusalVerdict(refusal: Refusal): Verdict {
  const cause = refusalError(refusal);
  const wait = refusal.retryAfterMs === undefined ? undefined : { retryAfterMs: refusal.retryAfterMs };
  switch (refusal.reason) {
    case 'too_many_requests':
      return { kind: 'refused', cause, ...wait };
    case 'banned':
      return { kind: 'refused', cause, ban: true, ...wait };
    case 'timestamp_outside_fence':
      return { kind: 'refused', cause, resyncClock: true };
    case 'duplicate_client_id':
      return { kind: 'duplicate', cause };
    default:
      return { kind: 'rejected', code: rejectionCode(refusal.reason), cause };
  }
}

function readRefused(refusal: Refusal): TradingError {
  const facts = { cause: refusalError(refusal), ...(refusal.retryAfterMs !== undefined && { retryAfterMs: refusal.retryAfterMs }) };
  switch (refusal.reason) {
    case 'too_many_requests':
      return new TradingError('RATE_LIMITED', refusal.message, { ...facts, retryable: true });
    case 'banned':
      return new TradingError('BANNED', refusal.message, { ...facts, retryable: true });
    case 'timestamp_outside_fence':
      return new TradingError('REFUSED', refusal.message, { ...facts, retryable: true, venueCode: '-1021' });
    default:
      return new TradingError('INVALID', refusal.message, facts);
  }
}

function refusalError(refusal: Refusal): VenueKitError {
  return new VenueKitError(rejectionCode(refusal.reason), refusal.message);
}

function httpError({ status, code }: Extract<Delivery<unknown>, { kind: 'http' }>): VenueKitError {
  return new VenueKitError('VENUE_HTTP', `The venue's front answered HTTP ${status}${code === undefined ? '' : `, code ${code}`}.`);
}
