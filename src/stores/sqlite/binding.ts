import { missingPeerError, VenueKitError } from '../../core/errors.js';

/** What SQLite stores in a column. */
export type SqliteValue = null | number | bigint | string | Uint8Array;

/** A row by column names. */
export type SqliteRow = Record<string, SqliteValue>;

/** A prepared statement of either binding. */
export interface SqliteStatement {
  run(...parameters: SqliteValue[]): { readonly changes: number | bigint; readonly lastInsertRowid: number | bigint };
  get(...parameters: SqliteValue[]): SqliteRow | undefined;
  all(...parameters: SqliteValue[]): SqliteRow[];
  /** Holds a read transaction open until it ends: never leave one unfinished over an `await`. */
  iterate(...parameters: SqliteValue[]): IterableIterator<SqliteRow>;
}

/** A connection of either binding: what Node 22.13 has, since isOpen and isTransaction came later. */
export interface SqliteConnection {
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  close(): void;
}

/** The constructor that both bindings export. */
export type SqliteConnectionClass = new (path: string, options: { readonly readOnly: boolean; readonly timeout: number }) => SqliteConnection;

const PEER = '@photostructure/sqlite';
const WAYS_OUT = `Use Node 22.13 or newer, which brings SQLite itself, or install it: npm install ${PEER}@1.2`;

/**
 * The class that opens SQLite files: Node's own where it has one (22.13 and newer), else that of the
 * optional peer, which has the same interface. Looked for when the first file is opened, not at import.
 * @throws VenueKitError MISSING_PEER where there is neither.
 */
export async function loadBinding(): Promise<SqliteConnectionClass> {
  return builtIn() ?? (await peer());
}

// Asked for by name rather than imported, since bundlers rewrite or refuse an import of a built-in
// module that they do not know, and drop the prefix without which this one does not exist.
function builtIn(): SqliteConnectionClass | undefined {
  const lookUp = (process as { getBuiltinModule?: (id: string) => unknown }).getBuiltinModule;
  return classOf(lookUp?.('node:sqlite'));
}

async function peer(): Promise<SqliteConnectionClass> {
  let loaded: unknown;
  try {
    loaded = await import('@photostructure/sqlite');
  } catch (error) {
    const { code, message } = error as { code?: unknown; message?: unknown };
    const absent = (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') && String(message).includes(PEER);
    if (absent) throw missingPeerError(PEER, 'A SQLite file on this version of Node', WAYS_OUT);
    throw new VenueKitError('PEER_FAILED', `${PEER} is installed but can not be loaded: ${String(message)}. ${WAYS_OUT}`, { cause: error });
  }
  const found = classOf(loaded) ?? classOf((loaded as { default?: unknown }).default);
  if (found === undefined) throw new VenueKitError('PEER_FAILED', `${PEER} exports no DatabaseSync; venuekit works with version 1.2. ${WAYS_OUT}`);
  return found;
}

function classOf(module: unknown): SqliteConnectionClass | undefined {
  const candidate = (module as { DatabaseSync?: unknown } | undefined)?.DatabaseSync;
  return typeof candidate === 'function' ? (candidate as SqliteConnectionClass) : undefined;
}

/** Runs `work`, which is synchronous, as one transaction that holds the write lock from its start. */
export function transact<T>(connection: SqliteConnection, work: () => T): T {
  connection.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    connection.exec('COMMIT');
    return result;
  } catch (error) {
    rollBack(connection);
    throw error;
  }
}

function rollBack(connection: SqliteConnection): void {
  try {
    connection.exec('ROLLBACK');
  } catch {
    // SQLite has done so by itself, as it does when the disk is full; what matters is the first error.
  }
}
