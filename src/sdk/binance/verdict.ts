import { VenueKitError } from '../../core/errors.js';
import { redactText } from '../../core/logger.js';
import type { FailureVerdict } from '../shared/guarded-endpoints.js';
import { type HeaderReader, type HttpFacts, numberIn, readerOf, wasNeverConnected } from '../shared/http-facts.js';
import { rowOf } from './error-table.js';
import type { ApiAnswer } from './orders/api-session.js';
import { retryAfterOf as retryAfterOfAnswer, type SessionOutcome } from './orders/order-sessions.js';

interface VenueFault {
  readonly code: number;
  readonly message: string;
}

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
  const row = rowOf(status, fault?.code, fault?.message ?? '');
  switch (row?.verdict) {
    case 'refused':
      return {
        kind: 'refused',
        cause,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        ...(row.isBan === undefined ? {} : { ban: true }),
        ...(row.resyncClock === undefined ? {} : { resyncClock: true }),
      };
    case 'duplicate':
      return { kind: 'duplicate', cause };
    case 'rejected':
      return { kind: 'rejected', code: String(fault?.code ?? status), cause };
    default:
      return { kind: 'unknown', cause };
  }
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
