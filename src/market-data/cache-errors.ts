import type { MarketKind } from '../contracts/market-data.js';
import { VenueKitError } from '../core/errors.js';

/** Nothing young enough could be had. */
export function overAgeError(kind: MarketKind, symbol: string, ageMs: number, maxAgeMs: number): VenueKitError {
  return new VenueKitError(
    'OVER_AGE',
    `The ${kind} of ${symbol} was ${ageMs.toFixed(1)} ms old when it could be handed over, older than maxAgeMs ${maxAgeMs} allows.`,
  );
}

/** It was within its TTL when it came, and no more when it could be handed over. */
export function expiredError(kind: MarketKind, symbol: string, ageMs: number, ttlMs: number): VenueKitError {
  return new VenueKitError(
    'OVER_AGE',
    `The ${kind} of ${symbol} was ${ageMs.toFixed(1)} ms old when the others of its getMany() had come, past its ttlMs ${ttlMs}. Ask for fewer at once, or allow a longer ttlMs.`,
  );
}

/** What was held was dropped, again and again, before it could be handed over. */
export function droppedError(kind: MarketKind, symbol: string): VenueKitError {
  return new VenueKitError(
    'OVER_AGE',
    `The ${kind} of ${symbol} was dropped, by a gap in its stream or by invalidate, before it could be handed over.`,
  );
}

/** The adapter gave no answer for one of the requests. */
export function missingAnswerError(venue: string, kind: MarketKind, symbol: string, asked: number, answered: number): VenueKitError {
  return new VenueKitError(
    'MISSING_ANSWER',
    `The adapter of ${venue} answered ${answered} of ${asked} ${kind} requests; ${symbol} is among those it left out.`,
  );
}

/** The adapter took too long; the load was given up so that it blocks no later one. */
export function loadTimeoutError(venue: string, kind: MarketKind, ms: number): VenueKitError {
  return new VenueKitError('LOAD_TIMEOUT', `${venue} did not answer a ${kind} request within ${ms} ms.`);
}

/** The caller's own deadline. */
export function deadlineError(kind: MarketKind, symbol: string, deadlineMs: number): VenueKitError {
  return new VenueKitError('DEADLINE', `The ${kind} of ${symbol} did not arrive within deadlineMs ${deadlineMs}.`);
}

/** The adapter's value is not what its kind promises. */
export function malformedValueError(kind: MarketKind, symbol: string, cause: unknown): VenueKitError {
  return new VenueKitError('BAD_ANSWER', `The adapter's value for ${symbol} is no ${kind}: ${String(cause)}`, { cause });
}
