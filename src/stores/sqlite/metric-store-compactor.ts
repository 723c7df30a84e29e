import { valueAt } from '../shared/logged-tick.js';
import {
  decodeRows,
  decodeSketches,
  encodeRows,
  encodeSketches,
  mergeRows,
  mergeSketches,
  putRows,
  RollupCursor,
  type RollupRow,
  type SketchRow,
} from '../shared/rollup.js';
import { encodeChunk, minutesOf } from '../shared/slot-chunk.js';
import type { SqliteDatabase, SqliteStatement } from './driver.js';
import type { TickLog } from './metric-store-log.js';
import { blobId, HOUR_MS, MINUTE_MS, ROWS_A_BLOB, SLOT_MS } from './metric-store-schema.js';
import type { Marks } from './metric-store-series.js';

/** What a step of work does between two looks at other work: a few milliseconds each. */
const VALUES_A_STEP = 8_000;
const MOST_TICKS_A_STEP = 64;
const SERIES_A_STEP = 8;
const DELETES_A_STEP = 20;
const COLUMNS_A_STEP = 256;

/** The points of one series in one slot. */
interface Column {
  readonly t: Float64Array;
  readonly v: Float64Array;
  n: number;
  readonly sketches: SketchRow[];
}

/**
 * Turns slots that are over into chunks and roll-ups, in small steps that yield between them.
 *
 * The log keeps a slot's ticks until the mark has passed it, in the transaction that records the slot
 * as done; whatever was written before a crash is written again, the same. Only ticks below the mark
 * are ever deleted.
 */
export class Compactor {
  readonly #database: SqliteDatabase;
  readonly #log: TickLog;
  readonly #marks: Marks;
  readonly #first: SqliteStatement;
  readonly #epochs: SqliteStatement;
  readonly #putChunk: SqliteStatement;
  readonly #seen: SqliteStatement;
  readonly #putSlot: SqliteStatement;
  readonly #below: SqliteStatement;
  readonly #delete: SqliteStatement;
  readonly #forgetEpochs: SqliteStatement;
  readonly #blobs: Readonly<Record<'r60' | 'r3600' | 'sk60' | 'sk3600', BlobTable>>;

  constructor(database: SqliteDatabase, log: TickLog, marks: Marks) {
    this.#database = database;
    this.#log = log;
    this.#marks = marks;
    this.#first = database.prepare('SELECT min(t) AS t FROM tick WHERE t >= ?');
    this.#epochs = database.prepare(
      'SELECT series_ids, n FROM (SELECT epoch, count(*) AS n FROM tick WHERE t >= ? AND t < ? GROUP BY epoch) JOIN epoch ON epoch.id = epoch',
    );
    this.#putChunk = database.prepare('INSERT OR REPLACE INTO chunk (id, t0, t1, n, codec, d) VALUES (?, ?, ?, ?, ?, ?)');
    this.#seen = database.prepare('UPDATE series SET last_seen = ? WHERE id = ?');
    this.#putSlot = database.prepare('INSERT OR REPLACE INTO slot (id, ticks, points) VALUES (?, ?, ?)');
    this.#below = database.prepare('SELECT max(t) AS t FROM (SELECT t FROM tick WHERE t < ? ORDER BY t LIMIT ?)');
    this.#delete = database.prepare('DELETE FROM tick WHERE t <= ?');
    this.#forgetEpochs = database.prepare('DELETE FROM epoch WHERE id < (SELECT min(epoch) FROM tick)');
    this.#blobs = {
      r60: new BlobTable(database, 'r60'),
      r3600: new BlobTable(database, 'r3600'),
      sk60: new BlobTable(database, 'sk60'),
      sk3600: new BlobTable(database, 'sk3600'),
    };
  }

  /** The oldest slot that is over and still in the log; slots left over from a crash included. */
  nextSlot(): number | undefined {
    const first = this.#first.get(this.#marks.get('compacted'))?.t;
    if (first === null || first === undefined) return undefined;
    const slot = Math.floor(Number(first) / SLOT_MS);
    return this.#log.last >= (slot + 1) * SLOT_MS ? slot : undefined;
  }

  /** Works through every slot that is over. */
  *run(): Generator<void, void> {
    for (let slot = this.nextSlot(); slot !== undefined; slot = this.nextSlot()) {
      yield* this.#rollHours(slot * SLOT_MS);
      yield* this.#compact(slot);
    }
  }

  /** Deletes the ticks that are in chunks, up to `before`, and the layouts that no tick needs any more. */
  *clean(before: () => number): Generator<void, void> {
    for (;;) {
      const end = Math.min(before(), this.#marks.get('compacted'));
      const last = this.#below.get(end, DELETES_A_STEP)?.t;
      if (last === null || last === undefined) break;
      this.#database.write(() => this.#delete.run(Number(last)));
      yield;
    }
    this.#database.write(() => this.#forgetEpochs.run());
  }

  *#compact(slot: number): Generator<void, void> {
    const from = slot * SLOT_MS;
    const to = from + SLOT_MS;
    const columns = yield* this.#emptyColumns(from, to);
    const ticksAStep = Math.max(1, Math.min(MOST_TICKS_A_STEP, Math.floor(VALUES_A_STEP / Math.max(1, columns.size))));
    let ticks = 0;
    let ids: Uint32Array | undefined;
    let layout: Column[] = [];
    for (let next = from; ; ) {
      const read = this.#log.read(next, to, ticksAStep);
      if (read.length === 0) break;
      for (const tick of read) {
        if (tick.ids !== ids) {
          ids = tick.ids;
          layout = Array.from(ids, (id) => columns.get(id) as Column);
        }
        for (let column = 0; column < layout.length; column++) {
          const points = layout[column] as Column;
          points.t[points.n] = tick.t;
          points.v[points.n++] = valueAt(tick, column);
        }
        for (const [column, bytes] of tick.sketches) layout[column]?.sketches.push({ t: tick.t, bytes: bytes.slice() });
      }
      ticks += read.length;
      next = (read[read.length - 1]?.t as number) + 1;
      yield;
    }
    let points = 0;
    const entries = [...columns].sort(([a], [b]) => a - b);
    for (let i = 0; i < entries.length; i += SERIES_A_STEP) {
      this.#database.write(() => {
        for (const [id, column] of entries.slice(i, i + SERIES_A_STEP)) {
          this.#writeSeries(slot, id, column);
          points += column.n;
        }
      });
      yield;
    }
    this.#database.write(() => {
      this.#putSlot.run(slot, ticks, points);
      this.#marks.set('compacted', to);
    });
  }

  *#emptyColumns(from: number, to: number): Generator<void, Map<number, Column>> {
    const counts = new Map<number, number>();
    const epochs = this.#epochs.all(from, to);
    for (const row of epochs) {
      const ids = new Uint32Array((row.series_ids as Uint8Array).slice().buffer);
      for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + Number(row.n));
    }
    // While no series comes or goes, all share one list of times.
    const shared = epochs.length === 1 ? new Float64Array(Number(epochs[0]?.n)) : undefined;
    const columns = new Map<number, Column>();
    for (const [id, n] of counts) {
      columns.set(id, { t: shared ?? new Float64Array(n), v: new Float64Array(n), n: 0, sketches: [] });
      if (columns.size % COLUMNS_A_STEP === 0) yield;
    }
    return columns;
  }

  #writeSeries(slot: number, id: number, { t, v, sketches }: Column): void {
    const last = t[t.length - 1] as number;
    const d = encodeChunk(t, v);
    this.#putChunk.run(blobId(slot, id), t[0] as number, last, t.length, d.codec, d.bytes);
    this.#seen.run(last, id);
    const minutes = minutesOf({ t, v, sketches });
    if (minutes.sketches.length > 0) this.#blobs.sk60.putSketches(id, MINUTE_MS, minutes.sketches);
    this.#blobs.r60.putRows(id, MINUTE_MS, minutes.rows);
  }

  /** Makes the rows of the hour that the last slots filled, once a slot of a later hour comes. */
  *#rollHours(slotStart: number): Generator<void, void> {
    const hour = this.#marks.get('hours');
    const end = Math.floor(slotStart / HOUR_MS) * HOUR_MS;
    if (hour >= end) return;
    const period = Math.floor(hour / (MINUTE_MS * ROWS_A_BLOB));
    const ids = hour === 0 ? [] : this.#blobs.r60.seriesIn(period);
    yield;
    for (let i = 0; i < ids.length; i += SERIES_A_STEP) {
      this.#database.write(() => {
        for (const id of ids.slice(i, i + SERIES_A_STEP)) this.#rollHour(hour, period, id);
      });
      yield;
    }
    this.#database.write(() => this.#marks.set('hours', end));
  }

  #rollHour(hour: number, period: number, id: number): void {
    const within = ({ t }: { readonly t: number }): boolean => t >= hour && t < hour + HOUR_MS;
    const row = mergeRows(hour, this.#blobs.r60.rows(period, id).filter(within));
    if (row === undefined) return;
    this.#blobs.r3600.putRows(id, HOUR_MS, [row]);
    const sketch = mergeSketches(
      this.#blobs.sk60
        .sketches(period, id)
        .filter(within)
        .map(({ bytes }) => bytes),
    );
    if (sketch !== undefined) this.#blobs.sk3600.putSketches(id, HOUR_MS, [{ t: hour, bytes: sketch.toBytes() }]);
  }
}

/** Blobs of rows, so many to a blob, a series and a period each. */
export class BlobTable {
  readonly #get: SqliteStatement;
  readonly #put: SqliteStatement;
  readonly #in: SqliteStatement;
  readonly #first: SqliteStatement;

  constructor(database: SqliteDatabase, table: 'r60' | 'r3600' | 'sk60' | 'sk3600') {
    this.#get = database.prepare(`SELECT d FROM ${table} WHERE id = ?`);
    this.#put = database.prepare(`INSERT OR REPLACE INTO ${table} (id, d) VALUES (?, ?)`);
    this.#in = database.prepare(`SELECT id FROM ${table} WHERE id >= ? AND id < ?`);
    this.#first = database.prepare(`SELECT min(id) AS id FROM ${table}`);
  }

  /** Before this there is nothing; Infinity while there is nothing at all. */
  firstPeriod(): number {
    const id = this.#first.get()?.id;
    return id === null || id === undefined ? Infinity : Math.floor(Number(id) / blobId(1, 0));
  }

  rows(period: number, id: number): RollupRow[] {
    const d = this.#get.get(blobId(period, id))?.d;
    return d === undefined ? [] : decodeRows(d as Uint8Array);
  }

  /** For a query. */
  cursor(period: number, id: number): RollupCursor | undefined {
    const d = this.#get.get(blobId(period, id))?.d;
    return d === undefined ? undefined : new RollupCursor(d as Uint8Array);
  }

  sketches(period: number, id: number): SketchRow[] {
    const d = this.#get.get(blobId(period, id))?.d;
    return d === undefined ? [] : decodeSketches(d as Uint8Array);
  }

  seriesIn(period: number): number[] {
    return this.#in.all(blobId(period, 0), blobId(period + 1, 0)).map((row) => Number(row.id) - blobId(period, 0));
  }

  putRows(id: number, bucketMs: number, rows: readonly RollupRow[]): void {
    for (const [period, added] of byPeriod(rows, bucketMs)) {
      const known = this.rows(period, id);
      this.#put.run(blobId(period, id), encodeRows(putRows(known, added)));
    }
  }

  putSketches(id: number, bucketMs: number, rows: readonly SketchRow[]): void {
    for (const [period, added] of byPeriod(rows, bucketMs)) {
      const known = this.sketches(period, id);
      this.#put.run(blobId(period, id), encodeSketches(putRows(known, added)));
    }
  }
}

function byPeriod<R extends { readonly t: number }>(rows: readonly R[], bucketMs: number): Map<number, R[]> {
  const periods = new Map<number, R[]>();
  for (const row of rows) {
    const period = Math.floor(row.t / (bucketMs * ROWS_A_BLOB));
    const list = periods.get(period);
    if (list === undefined) periods.set(period, [row]);
    else list.push(row);
  }
  return periods;
}
