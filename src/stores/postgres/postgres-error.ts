import { asError, VenueKitError } from '../../core/errors.js';

/** Why a {@link PostgresError} happened. */
export type PostgresFailure =
  /** No connection could be had, or it was lost on the way: whether a write was done is not known. */
  | 'unreachable'
  /** No answer in time: whether a write was done is not known. */
  | 'timeout'
  /** Another process is writing there. */
  | 'busy'
  /** Written by a newer version of venuekit. */
  | 'newer_schema'
  /** The role may not do this. */
  | 'forbidden'
  /** No room on the server's disk. */
  | 'full'
  | 'closed'
  | 'other';

/** What went wrong with PostgreSQL. `code` is always `STORAGE`; `failure` says which way. */
export class PostgresError extends VenueKitError {
  declare readonly code: 'STORAGE';
  readonly failure: PostgresFailure;
  /** PostgreSQL's own code, five letters, where the server answered. */
  readonly sqlState?: string;

  constructor(failure: PostgresFailure, message: string, options: { readonly cause?: unknown; readonly sqlState?: string } = {}) {
    super('STORAGE', message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'PostgresError';
    this.failure = failure;
    if (options.sqlState !== undefined) this.sqlState = options.sqlState;
  }
}

// Appendix A of the PostgreSQL manual; the first two letters are the class.
const BY_STATE: readonly (readonly [prefix: string, failure: PostgresFailure, meaning: string])[] = [
  ['08', 'unreachable', 'the connection was lost'],
  ['57P', 'unreachable', 'the server is shutting down or starting'],
  ['53100', 'full', 'its disk is full'],
  ['53300', 'unreachable', 'it has no connection left'],
  ['42501', 'forbidden', 'the role of the pool may not do this'],
  ['28', 'forbidden', 'the role of the pool was not let in'],
];

/** What the driver threw while it was to `action`. Errors of venuekit stay as they are. */
export function toPostgresError(thrown: unknown, action: string): VenueKitError {
  if (thrown instanceof VenueKitError) return thrown;
  const error = asError(thrown);
  const state = (error as { readonly code?: unknown }).code;
  const sqlState = typeof state === 'string' && /^[0-9A-Z]{5}$/.test(state) ? state : undefined;
  // Whatever has no code of the server's own came from the socket or the driver.
  if (sqlState === undefined) return new PostgresError('unreachable', `PostgreSQL could not ${action}: ${error.message}.`, { cause: error });
  const known = BY_STATE.find(([prefix]) => sqlState.startsWith(prefix));
  const why = known === undefined ? error.message : `${known[2]} (${error.message})`;
  return new PostgresError(known?.[1] ?? 'other', `PostgreSQL could not ${action}: ${why}, SQLSTATE ${sqlState}.`, { cause: error, sqlState });
}
