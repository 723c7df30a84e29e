import type { MetricTick, SeriesKey } from '../../contracts/metric-store.js';
import { asError } from '../../core/errors.js';
import { type LoggedTick, loggedTick, NO_SKETCHES, SketchPacker } from '../shared/logged-tick.js';
import { requireTick } from '../shared/series-key.js';
import type { SqliteDatabase, SqliteRow, SqliteStatement } from './driver.js';
import type { SeriesTable } from './metric-store-series.js';

/** What the series of ticks are, for as long as they stay the same. */
interface Epoch {
  readonly id: number;
  readonly series: readonly SeriesKey[];
  readonly ids: Uint32Array;
  readonly histograms: ReadonlySet<number>;
}

/** What the next tick comes after. */
interface Newest {
  readonly epoch: Epoch | undefined;
  readonly last: number;
}

/** Ticks as they come, one row each: what has been acknowledged is in here, whatever happens to the process. */
export class TickLog {
  readonly #database: SqliteDatabase;
  readonly #series: SeriesTable;
  readonly #insertTick: SqliteStatement;
  readonly #insertEpoch: SqliteStatement;
  readonly #insertBirth: SqliteStatement;
  readonly #getEpoch: SqliteStatement;
  readonly #range: SqliteStatement;
  readonly #backwards: SqliteStatement;
  readonly #lastTick: SqliteStatement;
  readonly #layouts = new Map<number, Uint32Array>();
  readonly #packer = new SketchPacker();
  #epoch: Epoch | undefined;
  #last: number;

  constructor(database: SqliteDatabase, series: SeriesTable) {
    this.#database = database;
    this.#series = series;
    this.#insertTick = database.prepare('INSERT INTO tick (t, epoch, d, sketches) VALUES (?, ?, ?, ?)');
    this.#insertEpoch = database.prepare('INSERT INTO epoch (t0, series_ids) VALUES (?, ?) RETURNING id');
    this.#insertBirth = database.prepare('INSERT OR REPLACE INTO birth (series, t, follows) VALUES (?, ?, ?)');
    this.#getEpoch = database.prepare('SELECT series_ids FROM epoch WHERE id = ?');
    this.#range = database.prepare('SELECT t, epoch, d, sketches FROM tick WHERE t >= ? AND t < ? ORDER BY t LIMIT ?');
    this.#backwards = database.prepare('SELECT t, epoch, d, sketches FROM tick WHERE t >= ? AND t < ? ORDER BY t DESC LIMIT ?');
    this.#lastTick = database.prepare(
      'SELECT max(t) AS t, (SELECT max(t1) FROM chunk WHERE id >= (SELECT max(id) FROM slot) * 1048576) AS t1 FROM tick',
    );
    this.#last = this.newest();
  }

  /** Time of the newest tick; -Infinity while there is none. */
  get last(): number {
    return this.#last;
  }

  /** As {@link last}, read anew: another process may have written since. */
  newest(): number {
    const { t, t1 } = this.#database.read(() => this.#lastTick.get()) ?? {};
    return Math.max(Number(t ?? -Infinity), Number(t1 ?? -Infinity));
  }

  /**
   * Commits ticks in their order, all together where all can be taken, else each by itself.
   * @returns by tick: undefined once it is in the file, or why it is not: VenueKitError TIME_BACKWARDS for
   * one that is not after the one before; SqliteError where the file can't take it.
   */
  append(ticks: readonly MetricTick[]): readonly (Error | undefined)[] {
    try {
      this.#commit(ticks);
      return ticks.map(() => undefined);
    } catch (error) {
      return ticks.length === 1 ? [asError(error)] : ticks.flatMap((tick) => this.append([tick]));
    }
  }

  #commit(ticks: readonly MetricTick[]): void {
    const newest = this.#database.write(() => {
      let newest: Newest = { epoch: this.#epoch, last: this.#last };
      for (const tick of ticks) newest = this.#insert(tick, newest);
      return newest;
    });
    // Only now: what a failed transaction made up is not in the file.
    this.#epoch = newest.epoch;
    this.#last = newest.last;
  }

  #insert(tick: MetricTick, before: Newest): Newest {
    requireTick(tick, before.last);
    const { t, values, sketches } = tick;
    const epoch = this.#withHistograms(this.#epochFor(tick, before), sketches ?? NO_SKETCHES);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.#insertTick.run(t, epoch.id, bytes, this.#packer.pack(sketches));
    return { epoch, last: t };
  }

  /** At most `limit` ticks of [from, to), in order. */
  read(from: number, to: number, limit: number): LoggedTick[] {
    return this.#range.all(from, to, limit).map((row) => this.#toTick(row));
  }

  /** At most `limit` ticks of [from, to), the newest first. */
  readBackwards(from: number, to: number, limit: number): LoggedTick[] {
    return this.#backwards.all(from, to, limit).map((row) => this.#toTick(row));
  }

  #toTick(row: SqliteRow): LoggedTick {
    return loggedTick(row, this.#layout(Number(row.epoch)));
  }

  #epochFor({ t, series }: MetricTick, { epoch: current, last }: Newest): Epoch {
    if (current !== undefined && current.series === series && current.ids.length === series.length) return current;
    const stored = series.map((key) => this.#series.idOf(key, t));
    const ids = Uint32Array.from(stored, ({ id }) => id);
    const seen = new Set(ids);
    if (seen.size !== ids.length) throw new RangeError('series must differ in name or labels, got one twice');
    if (current !== undefined && ids.length === current.ids.length && ids.every((id, column) => id === current.ids[column])) {
      return { ...current, series };
    }
    const id = Number(this.#insertEpoch.get(t, new Uint8Array(ids.buffer))?.id);
    if (current !== undefined) {
      const before = new Set(current.ids);
      for (const one of seen) if (!before.has(one)) this.#insertBirth.run(one, t, last);
    }
    return { id, series, ids, histograms: new Set(stored.filter(({ isHistogram }) => isHistogram).map((one) => one.id)) };
  }

  #withHistograms(epoch: Epoch, sketches: ReadonlyMap<number, Uint8Array>): Epoch {
    let { histograms } = epoch;
    for (const column of sketches.keys()) {
      const id = epoch.ids[column] as number;
      if (histograms.has(id)) continue;
      this.#series.markAsHistogram(id);
      histograms = new Set(histograms).add(id);
    }
    return histograms === epoch.histograms ? epoch : { ...epoch, histograms };
  }

  #layout(epoch: number): Uint32Array {
    const known = this.#layouts.get(epoch);
    if (known !== undefined) return known;
    const bytes = this.#getEpoch.get(epoch)?.series_ids as Uint8Array;
    const ids = new Uint32Array(bytes.slice().buffer);
    this.#layouts.set(epoch, ids);
    return ids;
  }
}
