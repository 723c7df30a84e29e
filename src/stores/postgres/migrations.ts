import type { PostgresDatabase, Run } from './database.js';
import { PostgresError } from './postgres-error.js';

/** How a group of tables came to be. */
export interface PostgresSchema {
  /** Its key in the table of versions. */
  readonly part: string;
  /** For messages, with its article: `an order journal`. */
  readonly name: string;
  /**
   * Statements that lead from each version to the next, `$schema` standing for the schema's name; the
   * version is how many have run. One that has been released is never edited.
   */
  readonly migrations: readonly string[];
}

/** A name that needs no quotes, so that it reads the same in every statement. @throws RangeError */
export function requireSchemaName(schema: string): string {
  if (typeof schema !== 'string' || !/^[a-z_][a-z0-9_]{0,62}$/.test(schema))
    throw new RangeError(`schema must be a name of at most 63 lower-case letters, digits and underscores, got ${JSON.stringify(schema)}`);
  return schema;
}

/**
 * Brings the tables to the newest version, in one transaction. Any number of processes may start at
 * once: an advisory lock lets one through, and the others find the work done.
 * @throws PostgresError newer_schema, forbidden
 */
export async function migrate(database: PostgresDatabase, schema: string, what: PostgresSchema): Promise<void> {
  const action = `prepare the tables of ${what.name}`;
  const read: Run = (text, values) => database.query(action, text, values);
  // Most starts find everything in place, and need neither the lock nor the right to make tables.
  if ((await versionOf(read, schema, what)) === what.migrations.length) return;
  await database.transaction(action, async (run) => {
    await run('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`venuekit ${schema}`]);
    await run(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
    await run(`CREATE TABLE IF NOT EXISTS ${schema}.version (part text PRIMARY KEY, version integer NOT NULL)`);
    const version = await versionOf(run, schema, what);
    for (const step of what.migrations.slice(version)) await run(step.replaceAll('$schema', schema));
    await run(`INSERT INTO ${schema}.version VALUES ($1, $2) ON CONFLICT (part) DO UPDATE SET version = excluded.version`, [
      what.part,
      what.migrations.length,
    ]);
  });
}

async function versionOf(run: Run, schema: string, { part, name, migrations }: PostgresSchema): Promise<number> {
  const [table] = await run('SELECT to_regclass($1) IS NOT NULL AS exists', [`${schema}.version`]);
  if (table?.exists !== true) return 0;
  const [row] = await run(`SELECT version FROM ${schema}.version WHERE part = $1`, [part]);
  const version = Number(row?.version ?? 0);
  if (version > migrations.length) {
    const was = `${name} of version ${version}, and this venuekit knows versions up to ${migrations.length}`;
    throw new PostgresError('newer_schema', `The schema ${schema} holds ${was}: a newer one has written it and must be used.`);
  }
  return version;
}
