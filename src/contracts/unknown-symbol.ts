import { VenueKitError } from '../core/errors.js';

/** What an adapter rejects with for a symbol that its venue does not list; a cache may remember it. */
export function unknownSymbolError(venue: string, symbol: string, cause?: unknown): VenueKitError {
  return new VenueKitError('UNKNOWN_SYMBOL', `${venue} lists no symbol ${JSON.stringify(symbol)}`, cause === undefined ? undefined : { cause });
}

// Binance, and the venues that copied its codes.
const VENUE_CODES: ReadonlySet<unknown> = new Set(['-1121', -1121]);
const WORDING = /\b(?:unknown|invalid|bad|no such)[ _]symbol\b|\blists no symbol\b|\bdoes not have market symbol\b/i;

/**
 * Whether `error` proves that the venue does not list the symbol: by our own code, by ccxt's class,
 * by Binance's code, or in words. A fault that may pass (429, 5xx, a timeout) is never one.
 */
export function isUnknownSymbol(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, name, venueCode, retryable, status, message } = error as Readonly<Record<string, unknown>>;
  if (code === 'UNKNOWN_SYMBOL' || name === 'BadSymbol' || VENUE_CODES.has(code) || VENUE_CODES.has(venueCode)) return true;
  const mayPass = retryable === true || status === 429 || (typeof status === 'number' && status >= 500);
  return !mayPass && typeof message === 'string' && WORDING.test(message);
}
