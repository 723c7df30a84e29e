import type { JournalRecord } from '../../contracts/journal.js';
import { SETTLED } from '../../contracts/journal-records.js';
import { TradingError } from '../../contracts/trading-error.js';
import type { EncodedRecord } from '../shared/encoded-record.js';
import type { SqliteDatabase, SqliteRow, SqliteStatement } from './driver.js';

const COLUMNS = 'record.sequence, intent.account, intent.intent_id, record.at, record.epoch, record.type, record.body';

/** Intents and their records in the file. Writing methods run inside a transaction of the caller. */
export class RecordTable {
  readonly #path: string;
  readonly #touchIntent: SqliteStatement;
  readonly #insert: SqliteStatement;
  readonly #byIntentId: SqliteStatement;
  readonly #byRow: SqliteStatement;
  readonly #newestIntent: SqliteStatement;
  readonly #nextUnresolved: SqliteStatement;
  readonly #nextOfAll: SqliteStatement;
  readonly #shrinkable: SqliteStatement;
  readonly #shrink: SqliteStatement;
  readonly #markShrunk: SqliteStatement;
  readonly #forgettable: SqliteStatement;
  readonly #deleteRecords: SqliteStatement;
  readonly #deleteIntent: SqliteStatement;

  constructor(database: SqliteDatabase) {
    this.#path = database.path;
    this.#touchIntent = database.prepare(
      `INSERT INTO intent (account, intent_id, ended_at) VALUES (?, ?, ?) ON CONFLICT (intent_id, account)
       DO UPDATE SET ended_at = excluded.ended_at, compacted = 0 RETURNING id`,
    );
    this.#insert = database.prepare('INSERT INTO record (intent, at, epoch, type, body) VALUES (?, ?, ?, ?, ?)');
    this.#byIntentId = database.prepare(
      `SELECT ${COLUMNS} FROM intent JOIN record ON record.intent = intent.id WHERE intent.intent_id = ? ORDER BY record.sequence`,
    );
    this.#byRow = database.prepare(
      `SELECT ${COLUMNS} FROM record JOIN intent ON intent.id = record.intent WHERE record.intent = ? ORDER BY record.sequence`,
    );
    this.#newestIntent = database.prepare('SELECT max(id) AS id FROM intent');
    this.#nextUnresolved = database.prepare(
      'SELECT id FROM intent WHERE account = ? AND ended_at IS NULL AND id > ? AND id <= ? ORDER BY id LIMIT 1',
    );
    this.#nextOfAll = database.prepare('SELECT id FROM intent WHERE id > ? AND id <= ? ORDER BY id LIMIT 1');
    this.#shrinkable = database.prepare('SELECT id FROM intent WHERE account = ? AND compacted = 0 AND ended_at < ? LIMIT ?');
    this.#shrink = database.prepare('DELETE FROM record WHERE intent = ? AND sequence < (SELECT max(sequence) FROM record WHERE intent = ?)');
    this.#markShrunk = database.prepare('UPDATE intent SET compacted = 1 WHERE id = ?');
    this.#forgettable = database.prepare('SELECT id FROM intent WHERE account = ? AND compacted = 1 AND ended_at < ? LIMIT ?');
    this.#deleteRecords = database.prepare('DELETE FROM record WHERE intent = ?');
    this.#deleteIntent = database.prepare('DELETE FROM intent WHERE id = ?');
  }

  add(records: readonly EncodedRecord[]): void {
    let last: EncodedRecord | undefined;
    let intent = 0;
    for (const record of records) {
      // The common append is several records of one intent, for which it is looked up once; what ends it is the last.
      const isSame = last !== undefined && last.intentId === record.intentId && last.account === record.account;
      if (!isSame || isEnd(last) || isEnd(record)) intent = this.#touch(record);
      this.#insert.run(intent, record.at, record.epoch, record.type, record.body);
      last = record;
    }
  }

  #touch(record: EncodedRecord): number {
    return Number(this.#touchIntent.get(record.account, record.intentId, isEnd(record) ? record.at : null)?.id);
  }

  byIntent(intentId: string): JournalRecord[] {
    return this.#byIntentId.all(intentId).map((row) => this.#toRecord(row));
  }

  /** The row id up to which `next…` is to go, so that a walk ends although new intents keep coming. */
  newest(): number {
    return Number(this.#newestIntent.get()?.id ?? 0);
  }

  nextUnresolved(account: string, after: number, upTo: number): number | undefined {
    return idOf(this.#nextUnresolved.get(account, after, upTo));
  }

  next(after: number, upTo: number): number | undefined {
    return idOf(this.#nextOfAll.get(after, upTo));
  }

  ofRow(id: number): JournalRecord[] {
    return this.#byRow.all(id).map((row) => this.#toRecord(row));
  }

  /** Leaves the final record alone of up to `most` intents; how many there were. */
  shrink(account: string, before: number, most: number): number {
    const ids = this.#shrinkable.all(account, before, most);
    for (const { id } of ids) {
      this.#shrink.run(id as number, id as number);
      this.#markShrunk.run(id as number);
    }
    return ids.length;
  }

  /** Removes up to `most` intents that have been shrunk; how many there were. */
  forget(account: string, before: number, most: number): number {
    const ids = this.#forgettable.all(account, before, most);
    for (const { id } of ids) {
      this.#deleteRecords.run(id as number);
      this.#deleteIntent.run(id as number);
    }
    return ids.length;
  }

  #toRecord(row: SqliteRow): JournalRecord {
    const { sequence, account, intent_id, at, epoch, type, body } = row;
    return {
      sequence: Number(sequence),
      account: String(account),
      intentId: String(intent_id),
      at: Number(at),
      epoch: Number(epoch),
      type: String(type),
      body: this.#parse(String(body), Number(sequence)),
    };
  }

  #parse(body: string, sequence: number): unknown {
    try {
      return JSON.parse(body);
    } catch (cause) {
      throw new TradingError('JOURNAL', `Record ${sequence} of ${this.#path} is damaged: its body is no JSON. Restore the file from a copy.`, {
        cause,
      });
    }
  }
}

function isEnd(record: EncodedRecord | undefined): boolean {
  return record?.type === SETTLED;
}

function idOf(row: SqliteRow | undefined): number | undefined {
  return row === undefined ? undefined : Number(row.id);
}
