import { type RetentionPolicy, requireRetention } from '../shared/retention.js';
import type { SqliteDatabase, SqliteStatement } from './driver.js';
import type { TickLog } from './metric-store-log.js';
import { blobId, HOUR_MS, MINUTE_MS, ROWS_A_BLOB, SLOT_MS } from './metric-store-schema.js';
import type { Marks } from './metric-store-series.js';

const ROWS_A_STEP = 256;
const PAGES_A_STEP = 512;
const MINUTES_PERIOD_MS = MINUTE_MS * ROWS_A_BLOB;
const HOURS_PERIOD_MS = HOUR_MS * ROWS_A_BLOB;

/** A table whose ids grow with time. */
interface Tier {
  readonly oldest: SqliteStatement;
  readonly step: SqliteStatement;
  readonly delete: SqliteStatement;
}

/** Drops what is too old or too much, in small steps, and gives the pages back to the file system. */
export class Retention {
  readonly #database: SqliteDatabase;
  readonly #log: TickLog;
  readonly #marks: Marks;
  readonly #tiers: Readonly<Record<'chunk' | 'slot' | 'r60' | 'sk60' | 'r3600' | 'sk3600', Tier>>;
  readonly #births: SqliteStatement;
  readonly #deadSeries: SqliteStatement;
  /** What is known of alerts, some rows at a time; an alert that is not over is kept, however old. */
  readonly #alerts: readonly SqliteStatement[];
  readonly #vacuum: SqliteStatement;

  constructor(database: SqliteDatabase, log: TickLog, marks: Marks) {
    this.#database = database;
    this.#log = log;
    this.#marks = marks;
    const tier = (table: string): Tier => ({
      oldest: database.prepare(`SELECT min(id) AS id FROM ${table}`),
      step: database.prepare(`SELECT max(id) AS id FROM (SELECT id FROM ${table} WHERE id < ? ORDER BY id LIMIT ${ROWS_A_STEP})`),
      delete: database.prepare(`DELETE FROM ${table} WHERE id <= ?`),
    });
    this.#tiers = { chunk: tier('chunk'), slot: tier('slot'), r60: tier('r60'), sk60: tier('sk60'), r3600: tier('r3600'), sk3600: tier('sk3600') };
    this.#births = database.prepare('DELETE FROM birth WHERE t < ?');
    this.#deadSeries = database.prepare('DELETE FROM series WHERE last_seen < ?');
    const isOver = "(to_state = 'inactive' OR id < (SELECT max(id) FROM alert_event AS later WHERE later.fingerprint = alert_event.fingerprint))";
    this.#alerts = [
      `DELETE FROM alert_event WHERE id IN (SELECT id FROM alert_event WHERE t < ? AND ${isOver} ORDER BY t LIMIT ${ROWS_A_STEP})`,
      `DELETE FROM alert_action WHERE id IN (SELECT id FROM alert_action WHERE t < ? ORDER BY t LIMIT ${ROWS_A_STEP})`,
      `DELETE FROM alert_silence WHERE id IN (SELECT id FROM alert_silence WHERE until < ? LIMIT ${ROWS_A_STEP})`,
    ].map((sql) => database.prepare(sql));
    this.#vacuum = database.prepare(`PRAGMA incremental_vacuum(${PAGES_A_STEP})`);
  }

  /** Bytes in use, without the pages that are free. */
  usedBytes(): number {
    return (this.#pragma('page_count') - this.#pragma('freelist_count')) * this.#pragma('page_size');
  }

  fileBytes(): number {
    return this.#pragma('page_count') * this.#pragma('page_size');
  }

  *run(policy: RetentionPolicy): Generator<void, { readonly freedBytes: number }> {
    const { rawMs, minuteMs, hourMs, maxBytes = Infinity } = requireRetention(policy);
    const before = this.fileBytes();
    const now = this.#log.last;
    if (now > 0) {
      yield* this.#dropRaw(Math.floor((now - rawMs) / SLOT_MS));
      yield* this.#dropMinutes(Math.floor((now - minuteMs) / MINUTES_PERIOD_MS));
      yield* this.#dropHours(Math.floor((now - hourMs) / HOURS_PERIOD_MS));
      const oldest = now - Math.max(rawMs, minuteMs, hourMs);
      // What refers to nothing that is left.
      this.#database.write(() => {
        for (const statement of [this.#births, this.#deadSeries]) statement.run(oldest);
      });
      while (this.#dropAlerts(oldest) > 0) yield;
      yield* this.#shrinkTo(maxBytes, now);
    }
    while (this.#pragma('freelist_count') > 0) {
      const free = this.#pragma('freelist_count');
      this.#database.read(() => this.#vacuum.all());
      if (this.#pragma('freelist_count') >= free) break;
      yield;
    }
    // The file itself shrinks only when the write-ahead log has been moved into it.
    this.#database.pragma('wal_checkpoint(TRUNCATE)');
    return { freedBytes: Math.max(0, before - this.fileBytes()) };
  }

  /** The finest tier first: it is the largest, and the coarser ones still tell what it was. */
  *#shrinkTo(maxBytes: number, now: number): Generator<void, void> {
    while (this.usedBytes() > maxBytes) {
      const { slot, r60, r3600 } = this.#tiers;
      const raw = this.#oldest(slot);
      const minutes = this.#oldest(r60);
      const hours = this.#oldest(r3600);
      if (raw !== undefined) yield* this.#dropRaw(raw + 1);
      else if (minutes !== undefined) yield* this.#dropMinutes(Math.floor(minutes / blobId(1, 0)) + 1);
      else if (hours !== undefined) yield* this.#dropHours(Math.floor(hours / blobId(1, 0)) + 1);
      else if (this.#dropAlerts(now) > 0) yield;
      else return;
    }
  }

  /** One step of it, the oldest first; gives how many rows went. */
  #dropAlerts(before: number): number {
    return this.#database.write(() => this.#alerts.reduce((gone, statement) => gone + Number(statement.run(before).changes), 0));
  }

  *#dropRaw(slot: number): Generator<void, void> {
    // The mark first: a reader must not expect what is about to go.
    this.#advance('raw', slot * SLOT_MS);
    yield* this.#drop(this.#tiers.chunk, blobId(slot, 0));
    yield* this.#drop(this.#tiers.slot, slot);
  }

  *#dropMinutes(period: number): Generator<void, void> {
    this.#advance('minutes', period * MINUTES_PERIOD_MS);
    yield* this.#drop(this.#tiers.r60, blobId(period, 0));
    yield* this.#drop(this.#tiers.sk60, blobId(period, 0));
  }

  *#dropHours(period: number): Generator<void, void> {
    yield* this.#drop(this.#tiers.r3600, blobId(period, 0));
    yield* this.#drop(this.#tiers.sk3600, blobId(period, 0));
  }

  *#drop(tier: Tier, below: number): Generator<void, void> {
    for (;;) {
      const id = tier.step.get(below)?.id;
      if (id === null || id === undefined) return;
      this.#database.write(() => tier.delete.run(Number(id)));
      yield;
    }
  }

  #oldest(tier: Tier): number | undefined {
    const id = tier.oldest.get()?.id;
    return id === null || id === undefined ? undefined : Number(id);
  }

  #advance(mark: 'raw' | 'minutes', to: number): void {
    if (to > this.#marks.get(mark)) this.#database.write(() => this.#marks.set(mark, to));
  }

  #pragma(name: string): number {
    return Number(this.#database.pragma(name));
  }
}
