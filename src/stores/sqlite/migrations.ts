import { type SqliteConnection, transact } from './binding.js';
import { SqliteError } from './sqlite-error.js';

/** What kind of file it is and how its tables came to be. */
export interface SqliteSchema {
  /** For messages, with its article: `an order journal`. */
  readonly name: string;
  /** SQLite's `application_id`: four letters, so that one kind of file is never taken for another. */
  readonly applicationId: string;
  /**
   * SQL that leads from each version to the next; the version is how many have run. One that has been
   * released is never edited: files of that version exist.
   */
  readonly migrations: readonly string[];
}

/**
 * Reads what kind and version of file it is, and changes nothing.
 * @returns the version; 0 for a new file
 * @throws SqliteError foreign, newer_schema, or older_schema where it may only be read
 */
export function checkSchema(connection: SqliteConnection, schema: SqliteSchema, path: string, readOnly = false): number {
  const id = pragma(connection, 'application_id');
  const version = pragma(connection, 'user_version');
  const newest = schema.migrations.length;
  const isNew = id === 0 && version === 0 && connection.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (!isNew && id !== numberOf(schema.applicationId)) {
    throw new SqliteError('foreign', path, `${path} is a SQLite database, but not ${schema.name} of venuekit; it has been left as it was.`);
  }
  if (version > newest) {
    const was = `${schema.name} of version ${version}, and this venuekit knows versions up to ${newest}`;
    throw new SqliteError('newer_schema', path, `${path} is ${was}: a newer one has written it and must be used.`);
  }
  if (readOnly && version < newest) {
    const was = isNew ? `empty, not yet ${schema.name}` : `${schema.name} of version ${version}, and this venuekit reads version ${newest}`;
    throw new SqliteError('older_schema', path, `${path} is ${was}: open it once for writing, which brings it up to date.`);
  }
  return version;
}

/**
 * Brings the file to the newest version, each step a transaction of its own: a crash between two
 * leaves a whole older version, never half a newer one.
 */
export function migrate(connection: SqliteConnection, schema: SqliteSchema, path: string): void {
  while (checkSchema(connection, schema, path) < schema.migrations.length) {
    transact(connection, () => {
      // Read again under the lock: another process may have migrated in the meantime.
      const version = checkSchema(connection, schema, path);
      const step = schema.migrations[version];
      if (step === undefined) return;
      connection.exec(step);
      connection.exec(`PRAGMA application_id = ${numberOf(schema.applicationId)}; PRAGMA user_version = ${version + 1}`);
    });
  }
}

function pragma(connection: SqliteConnection, name: string): number {
  return Number(connection.prepare(`PRAGMA ${name}`).get()?.[name]);
}

function numberOf(letters: string): number {
  return [...letters].reduce((number, letter) => number * 256 + letter.charCodeAt(0), 0);
}
