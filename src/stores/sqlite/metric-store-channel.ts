import type { SeriesKey } from '../../contracts/metric-store.js';
import { VenueKitError } from '../../core/errors.js';
import { SqliteError, type SqliteFailure } from './sqlite-error.js';

/** A tick on its way to the worker: the names travel only when they change. */
export interface TickMessage {
  readonly t: number;
  readonly layout: number;
  readonly series: readonly SeriesKey[] | undefined;
  readonly values: Float64Array;
  readonly sketches: ReadonlyMap<number, Uint8Array> | undefined;
}

/** What the worker is asked. */
export interface StoreRequest {
  readonly id: number;
  readonly method:
    | 'open'
    | 'append'
    | 'query'
    | 'series'
    | 'retain'
    | 'stats'
    | 'newest'
    | 'saveAlert'
    | 'alerts'
    | 'alertState'
    | 'settled'
    | 'close';
  readonly argument: unknown;
}

/** What it answers: lists of these, since each message wakes the other thread up. */
export type StoreAnswer = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: SentError };

/** An error in a form that crosses threads: its class does not. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly code: string | undefined;
  readonly failure: SqliteFailure | undefined;
  readonly path: string | undefined;
}

export function sendError(error: unknown): SentError {
  const { name = 'Error', message = String(error), code, failure, path } = (error ?? {}) as Partial<SentError>;
  return { name, message, code, failure, path };
}

/** The error again, of the class that it was where that matters. */
export function receiveError({ name, message, code, failure, path }: SentError): Error {
  if (failure !== undefined && path !== undefined) return new SqliteError(failure, path, message);
  if (name === 'TypeError') return new TypeError(message);
  if (name === 'RangeError') return new RangeError(message);
  return code === undefined ? new Error(message) : new VenueKitError(code, message);
}
