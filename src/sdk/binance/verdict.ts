import { VenueKitError } from '../../core/errors.js';
import { redactText } from '../../core/logger.js';
import type { FailureVerdict } from '../shared/guarded-endpoints.js';
import { type HeaderReader, type HttpFacts, numberIn, readerOf, wasNeverConnected } from '../shared/http-facts.js';
import type { ApiAnswer } from './api-session.js';
import { retryAfterOf as retryAfterOfAnswer, type SessionOutcome } from './order-sessions.js';

interface VenueFault {
  readonly code: number;
  readonly message: string;
}

/**
 * Codes that say the request reached the venue and its outcome is not known.
 * Source: Binance spot API, error codes: -1000 UNKNOWN, -1001 DISCONNECTED, -1006 UNEXPECTED_RESP,
 * -1007 TIMEOUT ("Send status unknown; execution status unknown").
 */
const AMBIGUOUS = new Set([-1000, -1001, -1006, -1007]);
/** -1003 TOO_MANY_REQUESTS, -1015 TOO_MANY_ORDERS: refused before execution. */
const OVER_LIMIT = new Set([-1003, -1015]);
/** -1021 INVALID_TIMESTAMP: outside of recvWindow, so never executed. */
const OUTSIDE_FENCE = -1021;
/** -2010 NEW_ORDER_REJECTED covers both a duplicate id and a lack of funds; only the text tells them apart. */
const DUPLICATE = 'Duplicate order sent.';

/**
 * Reads a failure by what the venue answered, never by the class of the SDK's error alone: SDKs map
 * ambiguous and final answers to the same classes.
 */
export function verdictOf(call: HttpFacts, error: unknown): FailureVerdict {
  if (!call.sent) return { kind: 'not_sent', cause: error };
  if (call.status === undefined) return wasNeverConnected(error) ? { kind: 'not_sent', cause: error } : { kind: 'unknown', cause: error };
  return answerVerdict(call.status, faultIn(call.body), retryAfterOf(readerOf(call.headers)), error);
}

/** The same for a request on a WebSocket session: lost with the session, its outcome is unknown. */
export function sessionVerdict(
  outcome: Exclude<SessionOutcome, { kind: 'answered' }> | { readonly kind: 'answered'; readonly answer: ApiAnswer },
): FailureVerdict {
  switch (outcome.kind) {
    case 'lost':
      return { kind: 'unknown', cause: outcome.cause };
    case 'not_sent':
    case 'unavailable':
      return { kind: 'not_sent', cause: outcome.cause };
    default: {
      const { status, error } = outcome.answer;
      const fault = typeof error?.code === 'number' ? { code: error.code, message: error.msg ?? '' } : undefined;
      return answerVerdict(status, fault, retryAfterOfAnswer(outcome.answer), answerError(outcome.answer));
    }
  }
}

/** The error of an answer that says no. */
export function answerError({ status, error }: ApiAnswer): VenueKitError {
  return new VenueKitError('BINANCE', `Binance answered status ${status}, code ${error?.code ?? 'none'}: ${redactText(error?.msg ?? 'no message')}`);
}

function answerVerdict(status: number, fault: VenueFault | undefined, retryAfterMs: number | undefined, cause: unknown): FailureVerdict {
  if (status === 429 || status === 418 || (fault !== undefined && OVER_LIMIT.has(fault.code))) {
    return { kind: 'refused', cause, ...(retryAfterMs === undefined ? {} : { retryAfterMs }), ...(status === 418 ? { ban: true } : {}) };
  }
  // A firewall's page: the request did not pass it.
  if (status === 403) return { kind: 'refused', cause, ban: true };
  if (status >= 500 || status < 400 || fault === undefined || AMBIGUOUS.has(fault.code)) return { kind: 'unknown', cause };
  if (fault.code === OUTSIDE_FENCE) return { kind: 'refused', cause, resyncClock: true };
  if (fault.code === -2010 && fault.message === DUPLICATE) return { kind: 'duplicate', cause };
  return { kind: 'rejected', code: String(fault.code), cause };
}

/** Milliseconds of a Retry-After header, which Binance gives in seconds. */
export function retryAfterOf(header: HeaderReader): number | undefined {
  const seconds = numberIn(header, 'retry-after');
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

function faultIn(body: string | undefined): VenueFault | undefined {
  if (body === undefined) return undefined;
  try {
    const parsed = JSON.parse(body) as { code?: unknown; msg?: unknown } | null;
    if (typeof parsed?.code !== 'number') return undefined;
    return { code: parsed.code, message: typeof parsed.msg === 'string' ? parsed.msg : '' };
  } catch {
    return undefined;
  }
}
