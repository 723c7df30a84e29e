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

interface Reason {
  readonly failure: SqliteFailure;
  /** SQLite's own words for the result, by which it is known where the binding drops the number (the peer does, in `all`). */
  readonly text: string;
  readonly explanation: string;
}

// Primary result codes, the low byte of an extended one: https://www.sqlite.org/rescode.html
const REASONS: Readonly<Record<number, Reason>> = {
  5: { failure: 'busy', text: 'database is locked', explanation: 'another process is writing to it and has not finished in time' },
  6: { failure: 'busy', text: 'database table is locked', explanation: 'another connection of this process is using a table of it' },
  8: { failure: 'read_only', text: 'attempt to write a readonly database', explanation: 'it can only be read' },
  10: { failure: 'io', text: 'disk I/O error', explanation: 'reading or writing it failed' },
  11: { failure: 'corrupt', text: 'database disk image is malformed', explanation: 'the file is damaged' },
  13: { failure: 'full', text: 'database or disk is full', explanation: 'the disk is full, or the file has reached its size limit' },
  14: {
    failure: 'cannot_open',
    text: 'unable to open database file',
    explanation: 'it can not be opened; does the directory exist, and may this user write there?',
  },
  26: { failure: 'not_a_database', text: 'file is not a database', explanation: 'the file is no SQLite database' },
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
  const reason = REASONS[result & 0xff] ?? Object.values(REASONS).find(({ text }) => text === message);
  const detail = result > 0xff ? ` (SQLite result ${result})` : '';
  return new SqliteError(
    reason?.failure ?? 'other',
    path,
    `Could not ${action} ${path}: ${reason?.explanation ?? String(message)}${detail}.`,
    thrown,
  );
}
