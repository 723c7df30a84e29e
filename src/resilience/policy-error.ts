import { VenueKitError } from '../core/errors.js';

/** Why a policy kept a call from the venue, or ended it. */
export type PolicyErrorCode = 'RATE_LIMITED' | 'BANNED' | 'CIRCUIT_OPEN' | 'BULKHEAD_FULL' | 'DEADLINE' | 'RETRY_BUDGET';

/** What a {@link PolicyError} knows beside its message. */
export interface PolicyErrorFacts {
  /** Milliseconds after which the same call may pass, where that is known. */
  readonly retryAfterMs?: number;
  /** The limit that stood in the way. */
  readonly limit?: string;
  readonly cause?: unknown;
}

/**
 * A call that a policy prevented or ended. Made only on the failing path: an Error costs
 * microseconds, mostly for its stack.
 */
export class PolicyError extends VenueKitError {
  declare readonly code: PolicyErrorCode;
  readonly retryAfterMs?: number;
  readonly limit?: string;

  constructor(code: PolicyErrorCode, message: string, facts: PolicyErrorFacts = {}) {
    super(code, message, 'cause' in facts ? { cause: facts.cause } : undefined);
    this.name = 'PolicyError';
    if (facts.retryAfterMs !== undefined) this.retryAfterMs = facts.retryAfterMs;
    if (facts.limit !== undefined) this.limit = facts.limit;
  }
}
