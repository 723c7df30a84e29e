import type { JournalRecord } from '../../contracts/journal.js';
import { SETTLED } from '../../contracts/journal-records.js';
import { TradingError } from '../../contracts/trading-error.js';
import type { EncodedRecord } from '../shared/encoded-record.js';
import type { Authority } from './commit-queue.js';
import type { PostgresDatabase } from './database.js';
import type { PostgresRow } from './postgres-pool.js';

const INTENTS_A_PAGE = 200;

/** Intents and their records. Every write is one statement, which checks the lease itself: nobody can take the account over in between. */
export class RecordTable {
  readonly #database: PostgresDatabase;
  readonly #schema: string;
  readonly #appendText: string;
  #commits = 0;

  constructor(database: PostgresDatabase, schema: string) {
    this.#database = database;
    this.#schema = schema;
    this.#appendText = appendText(schema);
  }

  /**
   * Writes the groups whose leases all hold, together; gives the leases that hold. A commit that was
   * given up because no answer came, and reaches the server late, finds a higher number and writes nothing.
   */
  async add(batch: readonly (readonly EncodedRecord[])[]): Promise<readonly Authority[]> {
    const columns: unknown[][] = [[], [], [], [], [], [], []];
    for (const [group, records] of batch.entries()) {
      for (const { account, epoch, intentId, at, type, body } of records)
        [group, account, epoch, intentId, at, type, body].forEach((value, column) => {
          columns[column]?.push(value);
        });
    }
    const rows = await this.#database.query('append to the order journal', this.#appendText, [...columns, ++this.#commits]);
    return rows.map(toAuthority);
  }

  async setCursor(account: string, name: string, venueMs: number, epoch: number): Promise<boolean> {
    const text = `WITH ${this.#held} INSERT INTO ${this.#schema}.cursor SELECT $1, $3, $4 FROM held
      ON CONFLICT (account, name) DO UPDATE SET venue_ms = excluded.venue_ms RETURNING 1`;
    return (await this.#database.query('set a cursor', text, [account, epoch, name, venueMs])).length > 0;
  }

  async cursor(account: string, name: string): Promise<number | undefined> {
    const text = `SELECT venue_ms FROM ${this.#schema}.cursor WHERE account = $1 AND name = $2`;
    const [row] = await this.#database.query('read a cursor', text, [account, name]);
    return row === undefined ? undefined : Number(row.venue_ms);
  }

  /** Leaves the final record alone of up to `most` intents. @returns how many there were; undefined where the lease does not hold */
  async shrink(account: string, epoch: number, before: number, most: number): Promise<number | undefined> {
    const text = `WITH ${this.#held}, ended AS (
        SELECT id, (SELECT max(sequence) FROM ${this.#schema}.record WHERE intent = known.id) AS last FROM ${this.#schema}.intent AS known, held
        WHERE account = $1 AND NOT compacted AND ended_at < $3 LIMIT $4
      ), gone AS (
        DELETE FROM ${this.#schema}.record USING ended WHERE intent = ended.id AND sequence < ended.last
      ), marked AS (
        UPDATE ${this.#schema}.intent AS known SET compacted = true FROM ended WHERE known.id = ended.id AND ended_at IS NOT NULL RETURNING 1
      ) SELECT (SELECT count(*) FROM marked) AS n FROM held`;
    const [row] = await this.#database.query('compact the order journal', text, [account, epoch, before, most]);
    return row === undefined ? undefined : Number(row.n);
  }

  /** Removes up to `most` intents that have been shrunk. @returns as {@link shrink} */
  async forget(account: string, epoch: number, before: number, most: number): Promise<number | undefined> {
    const text = `WITH ${this.#held}, gone AS (
        DELETE FROM ${this.#schema}.intent WHERE id IN (
          SELECT id FROM ${this.#schema}.intent, held WHERE account = $1 AND compacted AND ended_at < $3 LIMIT $4) RETURNING 1
      ) SELECT (SELECT count(*) FROM gone) AS n FROM held`;
    const [row] = await this.#database.query('compact the order journal', text, [account, epoch, before, most]);
    return row === undefined ? undefined : Number(row.n);
  }

  async byIntent(intentId: string): Promise<JournalRecord[]> {
    const text = `SELECT ${COLUMNS} FROM ${this.#schema}.intent JOIN ${this.#schema}.record ON record.intent = intent.id WHERE intent_id = $1 ORDER BY sequence`;
    return (await this.#database.query('read the order journal', text, [intentId])).map(toRecord);
  }

  /** An intent at a time, in the order of their first records; those that come after the walk began are left out. */
  async *walk(which: { readonly account: string } | 'all'): AsyncIterable<readonly JournalRecord[]> {
    const read = (text: string, values: readonly unknown[]): Promise<readonly PostgresRow[]> =>
      this.#database.query('read the order journal', text, values);
    const newest = (await read(`SELECT max(id) AS id FROM ${this.#schema}.intent`, []))[0]?.id;
    if (newest === null || newest === undefined) return;
    const condition = which === 'all' ? '$3::text IS NULL' : 'account = $3 AND ended_at IS NULL';
    const text = `SELECT ${COLUMNS} FROM (SELECT * FROM ${this.#schema}.intent WHERE ${condition} AND id > $1 AND id <= $2 ORDER BY id LIMIT ${INTENTS_A_PAGE}) AS intent
      JOIN ${this.#schema}.record ON record.intent = intent.id ORDER BY intent.id, sequence`;
    for (let after: unknown = 0; ; ) {
      const page = groupsOf(await read(text, [after, newest, which === 'all' ? null : which.account]));
      for (const { records } of page) yield records;
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.id;
    }
  }

  // The row lock holds until the commit: a takeover waits for it, or comes first and is seen.
  get #held(): string {
    return `held AS (SELECT 1 FROM ${this.#schema}.lease WHERE account = $1 AND epoch = $2 AND holder IS NOT NULL FOR UPDATE)`;
  }
}

const COLUMNS = 'intent.id, sequence, account, intent_id, at, epoch, type, body';

// `set_config` makes this very transaction durable where the server's default is not to wait for the disk.
function appendText(schema: string): string {
  return `WITH input AS MATERIALIZED (
    SELECT * FROM unnest($1::integer[], $2::text[], $3::bigint[], $4::text[], $5::double precision[], $6::text[], $7::text[])
      WITH ORDINALITY AS input (work, account, epoch, intent_id, at, type, body, n)
  ), locked AS MATERIALIZED (
    SELECT account FROM ${schema}.lease WHERE account IN (SELECT account FROM input) ORDER BY account FOR UPDATE
  ), held AS (
    UPDATE ${schema}.lease SET written = $8 WHERE account IN (SELECT account FROM locked) AND holder IS NOT NULL AND written < $8
      AND (account, epoch) IN (SELECT account, epoch FROM input) RETURNING account, epoch
  ), accepted AS (
    SELECT * FROM input WHERE work NOT IN (SELECT work FROM input LEFT JOIN held USING (account, epoch) WHERE held.account IS NULL)
  ), touched AS (
    INSERT INTO ${schema}.intent (account, intent_id, ended_at)
    SELECT DISTINCT ON (account, intent_id) account, intent_id, CASE WHEN type = '${SETTLED}' THEN at END FROM accepted ORDER BY account, intent_id, n DESC
    ON CONFLICT (intent_id, account) DO UPDATE SET ended_at = excluded.ended_at, compacted = false RETURNING id, account, intent_id
  ), written AS (
    INSERT INTO ${schema}.record (intent, at, epoch, type, body)
    SELECT id, at, epoch, type, body FROM accepted JOIN touched USING (account, intent_id) ORDER BY n
  ) SELECT account, epoch, set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true)
    FROM held`;
}

function groupsOf(rows: readonly PostgresRow[]): { readonly id: unknown; readonly records: JournalRecord[] }[] {
  const groups: { readonly id: unknown; readonly records: JournalRecord[] }[] = [];
  for (const row of rows) {
    const last = groups.at(-1);
    if (last !== undefined && String(last.id) === String(row.id)) last.records.push(toRecord(row));
    else groups.push({ id: row.id, records: [toRecord(row)] });
  }
  return groups;
}

function toAuthority(row: PostgresRow): Authority {
  return { account: String(row.account), epoch: Number(row.epoch) };
}

function toRecord({ sequence, account, intent_id, at, epoch, type, body }: PostgresRow): JournalRecord {
  const record = { sequence: Number(sequence), account: String(account), intentId: String(intent_id), at: Number(at), epoch: Number(epoch) };
  try {
    return { ...record, type: String(type), body: JSON.parse(String(body)) };
  } catch (cause) {
    throw new TradingError('JOURNAL', `Record ${record.sequence} of the order journal is damaged: its body is no JSON. Restore it from a copy.`, {
      cause,
    });
  }
}
