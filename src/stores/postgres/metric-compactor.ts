import type { Clock } from '../../core/clock.js';
import { valueAt } from '../shared/logged-tick.js';
import { decodeRows, decodeSketches, encodeRows, encodeSketches, mergeRows, mergeSketches, type SketchRow } from '../shared/rollup.js';
import { encodeChunk, minutesOf } from '../shared/slot-chunk.js';
import type { PostgresDatabase, Run } from './database.js';
import type { MetricLog } from './metric-log.js';
import { HOUR_MS, SLOT_MS, TIER } from './metric-store-schema.js';

const TICKS_A_STEP = 64;
/** Series that are encoded before other work has its turn: some milliseconds. */
const SERIES_A_STEP = 16;
const BLOBS_A_STATEMENT = 500;

/** Points of one series while its slot is read. */
interface Column {
  readonly t: number[];
  readonly v: number[];
  readonly sketches: SketchRow[];
}

interface Blob {
  readonly series: number;
  readonly bytes: Uint8Array;
}

/** Turns slots that are over into blobs. Each slot is one transaction: readers see it as log or as blobs, and a crash leaves it as it was. */
export class MetricCompactor {
  readonly #database: PostgresDatabase;
  readonly #schema: string;
  readonly #store: number;
  readonly #log: MetricLog;
  readonly #clock: Clock;

  constructor(database: PostgresDatabase, schema: string, store: number, log: MetricLog, clock: Clock) {
    this.#database = database;
    this.#schema = schema;
    this.#store = store;
    this.#log = log;
    this.#clock = clock;
  }

  /** Works through every slot that is over; slots left over from a crash included. @returns whether an hour was rolled up */
  async run(): Promise<boolean> {
    let hasRolled = false;
    for (;;) {
      const [row] = await this.#database.query(
        'look for metrics to compact',
        `SELECT last_t, hours, (SELECT min(t) FROM ${this.#schema}.metric_tick WHERE store = $1) AS first FROM ${this.#schema}.metric_store WHERE id = $1`,
        [this.#store],
      );
      if (row === undefined || row.first === null) return hasRolled;
      const slot = Math.floor(Number(row.first) / SLOT_MS);
      if (Number(row.last_t) < (slot + 1) * SLOT_MS) return hasRolled;
      if (await this.#rollHours(slot * SLOT_MS, Number(row.hours))) hasRolled = true;
      await this.#compact(slot);
    }
  }

  async #compact(slot: number): Promise<void> {
    const from = slot * SLOT_MS;
    const to = from + SLOT_MS;
    const read: Run = (text, values) => this.#database.query('read metrics to compact', text, values);
    const columns = new Map<number, Column>();
    for (let next = from; ; ) {
      const ticks = await this.#log.read(read, next, to, TICKS_A_STEP);
      for (const tick of ticks) {
        tick.ids.forEach((id, column) => {
          let points = columns.get(id);
          if (points === undefined) columns.set(id, (points = { t: [], v: [], sketches: [] }));
          points.t.push(tick.t);
          points.v.push(valueAt(tick, column));
          const bytes = tick.sketches.get(column);
          if (bytes !== undefined) points.sketches.push({ t: tick.t, bytes: bytes.slice() });
        });
      }
      if (ticks.length < TICKS_A_STEP) break;
      next = (ticks.at(-1)?.t as number) + 1;
    }
    const tiers: Record<'points' | 'minutes' | 'minuteSketches', Blob[]> = { points: [], minutes: [], minuteSketches: [] };
    let points = 0;
    let done = 0;
    for (const [series, column] of columns) {
      const slotPoints = { t: Float64Array.from(column.t), v: Float64Array.from(column.v), sketches: column.sketches };
      points += column.t.length;
      tiers.points.push({ series, bytes: encodeChunk(slotPoints.t, slotPoints.v).bytes });
      const minutes = minutesOf(slotPoints);
      if (minutes.rows.length > 0) tiers.minutes.push({ series, bytes: encodeRows(minutes.rows) });
      if (minutes.sketches.length > 0) tiers.minuteSketches.push({ series, bytes: encodeSketches(minutes.sketches) });
      if (++done % SERIES_A_STEP === 0) await this.#clock.sleep(0);
    }
    await this.#database.transaction('compact metrics', async (run) => {
      await this.#put(run, TIER.points, slot, tiers.points, points);
      await this.#put(run, TIER.minutes, slot, tiers.minutes, 0);
      await this.#put(run, TIER.minuteSketches, slot, tiers.minuteSketches, 0);
      await run(`UPDATE ${this.#schema}.metric_series SET last_seen = $2 WHERE id = ANY($1)`, [[...columns.keys()], to - 1]);
      await run(`UPDATE ${this.#schema}.metric_store SET compacted = $2 WHERE id = $1`, [this.#store, to]);
      await run(`DELETE FROM ${this.#schema}.metric_tick WHERE store = $1 AND t < $2`, [this.#store, to]);
      await run(
        `DELETE FROM ${this.#schema}.metric_layout WHERE store = $1 AND id < (SELECT min(layout) FROM ${this.#schema}.metric_tick WHERE store = $1)`,
        [this.#store],
      );
    });
  }

  /** Rolls up the hours that are over before `until`. */
  async #rollHours(until: number, rolled: number): Promise<boolean> {
    const end = Math.floor(until / HOUR_MS) * HOUR_MS;
    if (end <= rolled) return false;
    const read: Run = (text, values) => this.#database.query('read metrics to roll up', text, values);
    const text = `SELECT DISTINCT period / 6 AS hour FROM ${this.#schema}.metric_period WHERE store = $1 AND tier = $2 AND period >= $3 AND period < $4 ORDER BY hour`;
    const hours = await read(text, [this.#store, TIER.minutes, rolled / SLOT_MS, end / SLOT_MS]);
    for (const row of hours) {
      const hour = Number(row.hour);
      const rows = await this.#blobsOf(read, TIER.minutes, hour);
      const sketches = await this.#blobsOf(read, TIER.minuteSketches, hour);
      const merged: Blob[] = [];
      for (const [series, blobs] of rows) {
        const one = mergeRows(hour * HOUR_MS, blobs.flatMap(decodeRows));
        if (one !== undefined) merged.push({ series, bytes: encodeRows([one]) });
        if (merged.length % SERIES_A_STEP === 0) await this.#clock.sleep(0);
      }
      const observed: Blob[] = [];
      for (const [series, blobs] of sketches) {
        const sketch = mergeSketches(blobs.flatMap((blob) => decodeSketches(blob).map(({ bytes }) => bytes)));
        if (sketch !== undefined) observed.push({ series, bytes: encodeSketches([{ t: hour * HOUR_MS, bytes: sketch.toBytes() }]) });
      }
      await this.#database.transaction('roll up metrics', async (run) => {
        await this.#put(run, TIER.hours, hour, merged, 0);
        await this.#put(run, TIER.hourSketches, hour, observed, 0);
      });
    }
    await this.#database.query('roll up metrics', `UPDATE ${this.#schema}.metric_store SET hours = $2 WHERE id = $1`, [this.#store, end]);
    return true;
  }

  async #blobsOf(read: Run, tier: number, hour: number): Promise<Map<number, Uint8Array[]>> {
    const text = `SELECT series, d FROM ${this.#schema}.metric_blob WHERE store = $1 AND tier = $2 AND period >= $3 AND period < $4 ORDER BY series, period`;
    const found = new Map<number, Uint8Array[]>();
    for (const { series, d } of await read(text, [this.#store, tier, hour * 6, hour * 6 + 6])) {
      const list = found.get(Number(series));
      if (list === undefined) found.set(Number(series), [d as Uint8Array]);
      else list.push(d as Uint8Array);
    }
    return found;
  }

  async #put(run: Run, tier: number, period: number, blobs: readonly Blob[], points: number): Promise<void> {
    if (blobs.length === 0) return;
    const text = `INSERT INTO ${this.#schema}.metric_blob SELECT $1, $2, $3, series, d FROM unnest($4::integer[], $5::bytea[]) AS given (series, d)
      ON CONFLICT (store, tier, period, series) DO UPDATE SET d = excluded.d`;
    for (let from = 0; from < blobs.length; from += BLOBS_A_STATEMENT) {
      const part = blobs.slice(from, from + BLOBS_A_STATEMENT);
      const bytes = part.map((blob) => Buffer.from(blob.bytes.buffer, blob.bytes.byteOffset, blob.bytes.byteLength));
      await run(text, [this.#store, tier, period, part.map(({ series }) => series), bytes]);
    }
    const bytes = blobs.reduce((sum, blob) => sum + blob.bytes.length, 0);
    const kept = `INSERT INTO ${this.#schema}.metric_period VALUES ($1, $2, $3, $4, $5)
      ON CONFLICT (store, tier, period) DO UPDATE SET points = excluded.points, bytes = excluded.bytes`;
    await run(kept, [this.#store, tier, period, points, bytes]);
  }
}
