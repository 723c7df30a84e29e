import { requireInteger, requireKnown, requireOneOf, requireText } from '../../core/options.js';
import { loadBinding, type SqliteConnection, type SqliteStatement, type SqliteValue, transact } from './binding.js';
import { checkSchema, migrate, type SqliteSchema } from './migrations.js';
import { SqliteError, toSqliteError } from './sqlite-error.js';

export type { SqliteRow, SqliteStatement, SqliteValue } from './binding.js';
export type { SqliteSchema } from './migrations.js';
export { SqliteError, type SqliteFailure } from './sqlite-error.js';

/** How a file is opened. */
export interface OpenSqliteOptions {
  /** The file; made when absent, unless `readOnly`. An in-memory name is refused: use the memory stores. */
  readonly path: string;
  readonly schema: SqliteSchema;
  /** @defaultValue false */
  readonly readOnly?: boolean;
  /**
   * `full`: a commit is on the disk when it returns. `normal`: it survives a crash of the process, and
   * a power loss may take the newest commits, never the file. @defaultValue 'full'
   */
  readonly synchronous?: 'full' | 'normal';
  /** How long to wait for another writer, blocking this thread. @defaultValue 2_000 */
  readonly busyTimeoutMs?: number;
}

const OPTIONS = ['path', 'schema', 'readOnly', 'synchronous', 'busyTimeoutMs'] as const;

/**
 * Opens a SQLite file in WAL mode, checks that it is of this schema, and migrates it.
 * @throws SqliteError with the reason; VenueKitError MISSING_PEER where there is no SQLite.
 */
export async function openSqlite(options: OpenSqliteOptions): Promise<SqliteDatabase> {
  requireKnown('openSqlite', options, OPTIONS);
  const { schema, readOnly = false } = options;
  const path = requireText('path', options.path);
  if (path === ':memory:' || path.startsWith('file:')) throw new RangeError(`path must name a file, got ${JSON.stringify(path)}`);
  const synchronous = requireOneOf('synchronous', options.synchronous ?? 'full', ['full', 'normal']);
  const busyTimeoutMs = requireInteger('busyTimeoutMs', options.busyTimeoutMs ?? 2_000);

  const Connection = await loadBinding();
  let connection: SqliteConnection | undefined;
  try {
    connection = new Connection(path, { readOnly, timeout: busyTimeoutMs });
    // Before the journal mode, which is written into a file that might not be ours.
    checkSchema(connection, schema, path, readOnly);
    if (!readOnly) {
      setUpForWriting(connection, path, synchronous);
      migrate(connection, schema, path);
    }
    return new SqliteDatabase(connection, path, readOnly);
  } catch (error) {
    connection?.close();
    throw toSqliteError(error, path, 'open');
  }
}

function setUpForWriting(connection: SqliteConnection, path: string, synchronous: 'full' | 'normal'): void {
  const mode = connection.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode;
  if (mode !== 'wal') {
    throw new SqliteError('cannot_open', path, `${path} can't use a write-ahead log (journal mode stays ${String(mode)}): put it on a local disk.`);
  }
  connection.exec(`PRAGMA synchronous = ${synchronous}; PRAGMA foreign_keys = ON`);
}

/** An open file: prepared statements, transactions, and errors that say what to do. */
export class SqliteDatabase implements Disposable {
  readonly path: string;
  readonly readOnly: boolean;
  readonly #connection: SqliteConnection;
  #isClosed = false;

  /** @internal Use {@link openSqlite}. */
  constructor(connection: SqliteConnection, path: string, readOnly: boolean) {
    this.#connection = connection;
    this.path = path;
    this.readOnly = readOnly;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Compiles a statement; keep it, compiling costs more than running. Run it inside `read` or `write`, parameters as plain `?` (Node 22.13 does not bind `?1`). */
  prepare(sql: string): SqliteStatement {
    return this.read(() => this.#connection.prepare(sql));
  }

  /**
   * Runs `work`, which only reads.
   * @throws SqliteError for what SQLite throws; anything else that `work` throws goes through as it is.
   */
  read<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw toSqliteError(error, this.path, 'read');
    }
  }

  /**
   * Runs `work`, which is synchronous, as one transaction: all of it is in the file when this returns,
   * or none when it throws.
   * @throws SqliteError for what SQLite throws; anything else that `work` throws goes through as it is.
   */
  write<T>(work: () => T): T {
    try {
      return transact(this.#connection, work);
    } catch (error) {
      throw toSqliteError(error, this.path, 'write');
    }
  }

  /** A pragma's value. */
  pragma(name: string): SqliteValue | undefined {
    return this.read(() => Object.values(this.#connection.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
  }

  /** Closing twice is fine. Moves the write-ahead log into the file, unless another connection is using it. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (!this.readOnly) moveLogIntoFile(this.#connection);
    this.#connection.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

// SQLite does this itself as the last connection closes. But the peer's close leaves the connection
// half open until the garbage collector has found every prepared statement of it.
function moveLogIntoFile(connection: SqliteConnection): void {
  try {
    connection.exec('PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)');
  } catch {
    // Nothing is lost: the log stays beside the file, and whoever opens it next reads both.
  }
}
