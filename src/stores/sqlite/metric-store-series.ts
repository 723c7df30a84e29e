import type { SeriesKey } from '../../contracts/metric-store.js';
import { labelsJson, labelsOf } from '../shared/series-key.js';
import type { SqliteDatabase, SqliteStatement } from './driver.js';
import { MOST_SERIES } from './metric-store-schema.js';

/** A series as the file knows it. */
export interface StoredSeries {
  readonly id: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Whether it has sketches. */
  readonly isHistogram: boolean;
}

/** The series of a file, and when each was born. */
export class SeriesTable {
  readonly #byName: SqliteStatement;
  readonly #byKey: SqliteStatement;
  readonly #all: SqliteStatement;
  readonly #insert: SqliteStatement;
  readonly #mark: SqliteStatement;
  readonly #count: SqliteStatement;
  readonly #births: SqliteStatement;

  constructor(database: SqliteDatabase) {
    this.#byName = database.prepare('SELECT id, labels_json, kind FROM series WHERE name = ? ORDER BY id');
    this.#byKey = database.prepare('SELECT id, kind FROM series WHERE name = ? AND labels_json = ?');
    this.#all = database.prepare('SELECT name, labels_json FROM series');
    this.#insert = database.prepare("INSERT INTO series (name, labels_json, kind, created, last_seen) VALUES (?, ?, 'value', ?, ?) RETURNING id");
    this.#mark = database.prepare("UPDATE series SET kind = 'histogram' WHERE id = ?");
    this.#count = database.prepare('SELECT count(*) AS n FROM series');
    this.#births = database.prepare('SELECT t, follows FROM birth WHERE series = ? AND t >= ? ORDER BY t');
  }

  named(name: string): StoredSeries[] {
    return this.#byName
      .all(name)
      .map((row) => ({ id: Number(row.id), labels: labelsOf(String(row.labels_json)), isHistogram: row.kind === 'histogram' }));
  }

  all(): SeriesKey[] {
    return this.#all.all().map((row) => ({ name: String(row.name), labels: labelsOf(String(row.labels_json)) }));
  }

  /** The id of a series, made where there is none; inside a transaction. */
  idOf({ name, labels }: SeriesKey, t: number): { readonly id: number; readonly isHistogram: boolean } {
    const json = labelsJson(labels);
    const known = this.#byKey.get(name, json);
    if (known !== undefined) return { id: Number(known.id), isHistogram: known.kind === 'histogram' };
    const id = Number(this.#insert.get(name, json, t, t)?.id);
    if (id >= MOST_SERIES) throw new RangeError(`a metric store holds at most ${MOST_SERIES} series`);
    return { id, isHistogram: false };
  }

  markAsHistogram(id: number): void {
    this.#mark.run(id);
  }

  count(): number {
    return Number(this.#count.get()?.n);
  }

  /** When the series appeared beside others that were there already, in order of time. */
  births(id: number, from: number): { readonly t: number; readonly follows: number }[] {
    return this.#births.all(id, from).map((row) => ({ t: Number(row.t), follows: Number(row.follows) }));
  }
}

/** How far the file has been worked through. Times, each the start of what has not been. */
export class Marks {
  readonly #get: SqliteStatement;
  readonly #set: SqliteStatement;

  constructor(database: SqliteDatabase) {
    this.#get = database.prepare('SELECT t FROM mark WHERE name = ?');
    this.#set = database.prepare('UPDATE mark SET t = ? WHERE name = ?');
  }

  /** `compacted`: ticks before are in chunks. `hours`: hours before are rolled up. `raw`, `minutes`: what is before has been dropped. */
  get(name: 'compacted' | 'hours' | 'raw' | 'minutes'): number {
    return Number(this.#get.get(name)?.t);
  }

  set(name: 'compacted' | 'hours' | 'raw' | 'minutes', t: number): void {
    this.#set.run(t, name);
  }
}
