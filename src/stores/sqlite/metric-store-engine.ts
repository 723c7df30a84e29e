import { statSync } from 'node:fs';
import type { AlertEvent } from '../../contracts/alerts.js';
import type { MetricTick, RangeQuery, RangeResult, SeriesKey } from '../../contracts/metric-store.js';
import { type Clock, systemClock } from '../../core/clock.js';
import { asError, closedError } from '../../core/errors.js';
import type { RetentionPolicy } from '../shared/retention.js';
import { openSqlite, type SqliteDatabase, type SqliteStatement } from './driver.js';
import { type AlertStateCall, AlertTable } from './metric-store-alerts.js';
import { Compactor } from './metric-store-compactor.js';
import { TickLog } from './metric-store-log.js';
import { MetricReader } from './metric-store-reader.js';
import { Retention } from './metric-store-retention.js';
import { METRIC_STORE_SCHEMA, SLOT_MS } from './metric-store-schema.js';
import { Marks, SeriesTable } from './metric-store-series.js';
import { lockForWriting } from './writer-lock.js';

/** How an engine opens its file. */
export interface EngineOptions {
  readonly path: string;
  readonly readOnly: boolean;
  /** Applied after each hour that was rolled up. */
  readonly retention?: RetentionPolicy | undefined;
}

/** Runs one turn of work on the database; see {@link ExitGate}. */
export type Turn = <T>(work: () => T) => T;

// Long work goes in turns of this length, with the event loop in between.
const TURN_MS = 4;
// Slots that may wait for compaction before the appends wait for it.
const MOST_SLOTS_BEHIND = 4;
const UNGUARDED: Turn = (work) => work();

/**
 * A metric store on one database connection, on whatever thread it is made: appends commit at once;
 * compaction, retention and queries go in short turns.
 */
export class MetricEngine {
  readonly #database: SqliteDatabase;
  readonly #lock: Disposable | undefined;
  readonly #clock: Clock;
  readonly #turn: Turn;
  readonly #retention: RetentionPolicy | undefined;
  readonly #series: SeriesTable;
  readonly #marks: Marks;
  readonly #log: TickLog;
  readonly #reader: MetricReader;
  readonly #alerts: AlertTable;
  readonly #compactor: Compactor | undefined;
  readonly #trimmer: Retention | undefined;
  readonly #begin: SqliteStatement;
  readonly #end: SqliteStatement;
  readonly #points: SqliteStatement;
  /** Marks from which running queries still read the log. */
  readonly #readingFrom = new Map<symbol, number>();
  #maintenance: Promise<void> | undefined;
  #trimming: Promise<unknown> = Promise.resolve();
  #failure: Error | undefined;
  #nextSlotAt = 0;
  #closing = false;

  private constructor(database: SqliteDatabase, lock: Disposable | undefined, { readOnly, retention }: EngineOptions, clock: Clock, turn: Turn) {
    this.#database = database;
    this.#lock = lock;
    this.#clock = clock;
    this.#turn = turn;
    this.#retention = retention;
    this.#series = new SeriesTable(database);
    this.#marks = new Marks(database);
    this.#log = new TickLog(database, this.#series);
    this.#reader = new MetricReader(database, this.#log, this.#series, this.#marks);
    this.#alerts = new AlertTable(database);
    this.#begin = database.prepare('BEGIN');
    this.#end = database.prepare('COMMIT');
    this.#points = database.prepare(
      `SELECT (SELECT coalesce(sum(points), 0) FROM slot)
        + (SELECT coalesce(sum(n * length(series_ids) / 4), 0) FROM (SELECT epoch, count(*) AS n FROM tick WHERE t >= ? GROUP BY epoch) JOIN epoch ON epoch.id = epoch) AS n`,
    );
    if (readOnly) return;
    this.#compactor = new Compactor(database, this.#log, this.#marks);
    this.#trimmer = new Retention(database, this.#log, this.#marks);
  }

  /** @throws SqliteError where the file is no metric store, is newer, or can't be opened. */
  static async open(options: EngineOptions, clock: Clock = systemClock, turn: Turn = UNGUARDED): Promise<MetricEngine> {
    const { path, readOnly } = options;
    const database = await openSqlite({ path, readOnly, schema: METRIC_STORE_SCHEMA, synchronous: 'normal' });
    let lock: Disposable | undefined;
    try {
      lock = readOnly ? undefined : await lockForWriting(path, METRIC_STORE_SCHEMA.name);
      if (!readOnly && Number(database.pragma('auto_vacuum')) !== 2) letPagesGo(database);
      const engine = new MetricEngine(database, lock, options, clock, turn);
      if (!readOnly) engine.#maintain();
      return engine;
    } catch (error) {
      database.close();
      lock?.[Symbol.dispose]();
      throw error;
    }
  }

  /** For tests of a full disk and of damage. */
  get database(): SqliteDatabase {
    return this.#database;
  }

  async append(tick: MetricTick): Promise<void> {
    const [refused] = await this.appendTogether([tick]);
    if (refused !== undefined) throw refused;
  }

  /** Commits ticks together, so that those who wait share a transaction; gives why one is not in the file, by tick. */
  async appendTogether(ticks: readonly MetricTick[]): Promise<readonly (Error | undefined)[]> {
    const refused = this.#turn(() => this.#log.append(ticks));
    if (this.#log.last >= this.#nextSlotAt) await this.#beginSlot();
    return refused;
  }

  async query(query: RangeQuery, signal?: AbortSignal): Promise<readonly RangeResult[]> {
    const job = this.#reader.query(query);
    // One snapshot of what another process is writing: all in one turn.
    if (this.#database.readOnly) return this.#turn(() => this.#inSnapshot(() => finish(job)));
    const reading = Symbol();
    this.#readingFrom.set(
      reading,
      this.#turn(() => this.#marks.get('compacted')),
    );
    try {
      return await this.#inTurns(job, signal);
    } finally {
      this.#readingFrom.delete(reading);
    }
  }

  async retain(policy: RetentionPolicy): Promise<{ readonly freedBytes: number }> {
    const trimmer = this.#trimmer;
    if (trimmer === undefined) return this.#turn(() => this.#database.write(() => ({ freedBytes: 0 })));
    // Compaction first: what it makes smaller need not be dropped.
    await this.#maintenance;
    const run = this.#trimming.then(() => this.#inTurns(trimmer.run(policy)));
    this.#trimming = run.catch(() => {});
    return run;
  }

  series(): readonly SeriesKey[] {
    return this.#turn(() => this.#series.all());
  }

  stats(): { readonly series: number; readonly points: number; readonly bytes: number } {
    return this.#turn(() => ({
      series: this.#series.count(),
      points: Number(this.#points.get(this.#marks.get('compacted'))?.n),
      bytes: sizeOf(this.#database.path) + sizeOf(`${this.#database.path}-wal`),
    }));
  }

  newest(): number | undefined {
    const t = this.#turn(() => this.#log.newest());
    return t === -Infinity ? undefined : t;
  }

  saveAlert(event: AlertEvent): void {
    this.#turn(() => this.#alerts.save(event));
  }

  alerts(range: { readonly from: number; readonly to: number }): readonly AlertEvent[] {
    return this.#turn(() => this.#alerts.within(range.from, range.to));
  }

  alertState(call: AlertStateCall): unknown {
    return this.#turn(() => this.#alerts.answer(call));
  }

  /** Resolves when what is over has been compacted. @throws what stopped the compaction. */
  async settled(): Promise<void> {
    while (this.#maintenance !== undefined) await this.#maintenance;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#maintenance;
    await this.#trimming;
    this.#turn(() => {
      this.#database.close();
      this.#lock?.[Symbol.dispose]();
    });
  }

  async #beginSlot(): Promise<void> {
    this.#nextSlotAt = (Math.floor(this.#log.last / SLOT_MS) + 1) * SLOT_MS;
    this.#maintain();
    // Somebody who appends faster than slots can be compacted waits; a bot's one tick a second never does.
    const slot = this.#turn(() => this.#compactor?.nextSlot());
    if (slot !== undefined && this.#log.last > (slot + MOST_SLOTS_BEHIND) * SLOT_MS) await this.#maintenance;
  }

  /** Compacts what is over, one run at a time. What fails is tried again with the next slot; the log keeps it. */
  #maintain(): void {
    if (this.#compactor === undefined || this.#maintenance !== undefined || this.#closing) return;
    this.#maintenance = this.#compact(this.#compactor);
  }

  async #compact(compactor: Compactor): Promise<void> {
    const rolledUp = (): number => this.#turn(() => this.#marks.get('hours'));
    try {
      do {
        const hours = rolledUp();
        await this.#inTurns(compactor.run());
        await this.#inTurns(compactor.clean(() => Math.min(Infinity, ...this.#readingFrom.values())));
        if (this.#retention !== undefined && this.#trimmer !== undefined && rolledUp() > hours)
          await this.#inTurns(this.#trimmer.run(this.#retention));
        this.#failure = undefined;
        // A slot that ended meanwhile found this run under way, and it may have looked for the last time before.
      } while (!this.#closing && this.#turn(() => compactor.nextSlot()) !== undefined);
    } catch (error) {
      this.#failure = asError(error);
    } finally {
      this.#maintenance = undefined;
    }
  }

  async #inTurns<T>(job: Generator<void, T>, signal?: AbortSignal): Promise<T> {
    for (;;) {
      signal?.throwIfAborted();
      const step = this.#turn(() => {
        const until = this.#clock.monotonic() + TURN_MS;
        for (;;) {
          const result = this.#database.read(() => job.next());
          if (result.done === true || this.#clock.monotonic() >= until) return result;
        }
      });
      if (step.done === true) return step.value;
      await this.#clock.sleep(0);
      // A close need not wait for work that the next opening does again.
      if (this.#closing) throw closedError('SqliteMetricStore');
    }
  }

  #inSnapshot<T>(work: () => T): T {
    return this.#database.read(() => {
      this.#begin.run();
      try {
        return work();
      } finally {
        this.#end.run();
      }
    });
  }
}

function finish<T>(job: Generator<void, T>): T {
  for (;;) {
    const step = job.next();
    if (step.done === true) return step.value;
  }
}

// Without this, pages that were freed stay in the file for ever. It can only be set on an empty file.
function letPagesGo(database: SqliteDatabase): void {
  database.pragma('auto_vacuum = INCREMENTAL');
  database.read(() => database.prepare('VACUUM').run());
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
