import { VenueKitError } from '../core/errors.js';
import type { OrderHandle } from './orders.js';

/** Stable codes of {@link TradingError}. */
export type TradingErrorCode =
  | 'NOT_SENT'
  | 'REFUSED'
  | 'REJECTED'
  | 'OUTCOME_UNKNOWN'
  | 'RATE_LIMITED'
  | 'BANNED'
  | 'CIRCUIT_OPEN'
  | 'BULKHEAD_FULL'
  | 'DEADLINE'
  | 'RETRY_BUDGET'
  | 'HALTED'
  | 'IDEMPOTENCY_CONFLICT'
  | 'INTENT_EXPIRED'
  | 'JOURNAL'
  | 'JOURNAL_LOCKED'
  | 'AUTH'
  | 'INVALID'
  | 'CLOSED';

/** What a {@link TradingError} knows beside its message. */
export interface TradingErrorFacts {
  readonly sent?: 'no' | 'yes' | 'maybe';
  readonly retryable?: boolean;
  readonly intentId?: string;
  readonly retryAfterMs?: number;
  readonly venueCode?: string;
  readonly handle?: OrderHandle;
  readonly cause?: unknown;
}

/** An error of the order path: says whether the request may have reached the venue. */
export class TradingError extends VenueKitError {
  declare readonly code: TradingErrorCode;
  /** Whether an order may be at the venue. */
  readonly sent: 'no' | 'yes' | 'maybe';
  /** Whether the same call may be made again as it is. */
  readonly retryable: boolean;
  readonly intentId?: string;
  readonly retryAfterMs?: number;
  readonly venueCode?: string;
  /** The order whose outcome is still being resolved. */
  readonly handle?: OrderHandle;

  constructor(code: TradingErrorCode, message: string, facts: TradingErrorFacts = {}) {
    super(code, message, 'cause' in facts ? { cause: facts.cause } : undefined);
    this.name = 'TradingError';
    this.sent = facts.sent ?? 'no';
    this.retryable = facts.retryable ?? false;
    if (facts.intentId !== undefined) this.intentId = facts.intentId;
    if (facts.retryAfterMs !== undefined) this.retryAfterMs = facts.retryAfterMs;
    if (facts.venueCode !== undefined) this.venueCode = facts.venueCode;
    // Not enumerable: a logger that prints the error must not print the whole order path with it.
    if (facts.handle !== undefined) Object.defineProperty(this, 'handle', { value: facts.handle });
  }
}
