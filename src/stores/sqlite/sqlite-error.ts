import { VenueKitError } from '../../core/errors.js';

/** Why a {@link SqliteError} happened. */
export type SqliteFailure =
  /** Another connection held the write lock for longer than the busy timeout. */
  | 'busy'
  /** No room on the disk, or the file has reached its size limit. */
  | 'full'
  /** The file is no SQLite database. */
  | 'not_a_database'
  /** A SQLite database that another application made. */
  | 'foreign'
  /** Written by a newer version of venuekit. */
  | 'newer_schema'
  /** Opened read-only, and its schema is older than this version reads. */
  | 'older_schema'
  /** SQLite found the file damaged. */
  | 'corrupt'
  | 'cannot_open'
  | 'read_only'
  /** Reading or writing the file failed. */
  | 'io'
  | 'closed'
  | 'other';

/** What went wrong with a database file. `code` is always `STORAGE`; `failure` says which way. */
export class SqliteError extends VenueKitError {
  declare readonly code: 'STORAGE';
  readonly failure: SqliteFailure;
  /** The database file. */
  readonly path: string;

  constructor(failure: SqliteFailure, path: string, message: string, cause?: unknown) {
    super('STORAGE', message, cause === undefined ? undefined : { cause });
    this.name = 'SqliteError';
    this.failure = failure;
    this.path = path;
  }
}

// Primary result codes, the low byte of an extended one: https://www.sqlite.org/rescode.html
const FAILURES: Readonly<Record<number, readonly [SqliteFailure, string]>> = {
  5: ['busy', 'another process is writing to it and has not finished in time'],
  6: ['busy', 'another connection of this process holds a table of it'],
  8: ['read_only', 'it can only be read'],
  10: ['io', 'reading or writing it failed'],
  11: ['corrupt', 'the file is damaged'],
  13: ['full', 'the disk is full, or the file has reached its size limit'],
  14: ['cannot_open', 'it can not be opened; does the directory exist, and may this user write there?'],
  26: ['not_a_database', 'the file is no SQLite database'],
};

/**
 * What the SQLite binding threw while it was to `action` (read, write, open) the file at `path`, as a
 * {@link SqliteError}. Errors that are not SQLite's are given back as they are.
 */
export function toSqliteError(thrown: unknown, path: string, action: string): unknown {
  const { code, errcode, message } = (thrown ?? {}) as { code?: unknown; errcode?: unknown; message?: unknown };
  if (code === 'ERR_INVALID_STATE') return new SqliteError('closed', path, `Could not ${action} ${path}: it is closed.`, thrown);
  if (code !== 'ERR_SQLITE_ERROR') return thrown;
  const result = typeof errcode === 'number' ? errcode : 0;
  const [failure, reason] = FAILURES[result & 0xff] ?? ['other', String(message)];
  const detail = result > 0xff ? ` (SQLite result ${result})` : '';
  return new SqliteError(failure, path, `Could not ${action} ${path}: ${reason}${detail}.`, thrown);
}
