import type { RangeQuery, RangeResult } from '../../contracts/metric-store.js';
import { type LoggedTick, valueAt } from '../shared/logged-tick.js';
import { RangeEvaluation, type SeriesFeed } from '../shared/range-evaluation.js';
import { decodeChunk } from '../shared/slot-chunk.js';
import { planTiers, type TierPlan } from '../shared/tier-plan.js';
import type { SqliteDatabase, SqliteStatement } from './driver.js';
import { BlobTable } from './metric-store-compactor.js';
import type { TickLog } from './metric-store-log.js';
import { blobId, HOUR_MS, MINUTE_MS, ROWS_A_BLOB, SLOT_MS } from './metric-store-schema.js';
import type { Marks, SeriesTable, StoredSeries } from './metric-store-series.js';

const TICKS_A_STEP = 64;

/** Tells the births of a series up to `t`; absent where there are none. */
type Bear = ((t: number) => void) | undefined;

/** Points of one series from the log, waiting for the older ones to be fed first. */
interface Logged {
  readonly t: number[];
  readonly v: number[];
  readonly sketches: (Uint8Array | undefined)[];
}

/** Answers range queries from the coarsest tier that answers them exactly: hours, minutes, chunks, log. */
export class MetricReader {
  readonly #log: TickLog;
  readonly #series: SeriesTable;
  readonly #marks: Marks;
  readonly #chunk: SqliteStatement;
  readonly #slots: SqliteStatement;
  readonly #blobs: Readonly<Record<'r60' | 'r3600' | 'sk60' | 'sk3600', BlobTable>>;

  constructor(database: SqliteDatabase, log: TickLog, series: SeriesTable, marks: Marks) {
    this.#log = log;
    this.#series = series;
    this.#marks = marks;
    this.#chunk = database.prepare('SELECT d FROM chunk WHERE id = ?');
    this.#slots = database.prepare('SELECT id FROM slot WHERE id >= ? AND id < ? ORDER BY id');
    this.#blobs = {
      r60: new BlobTable(database, 'r60'),
      r3600: new BlobTable(database, 'r3600'),
      sk60: new BlobTable(database, 'sk60'),
      sk3600: new BlobTable(database, 'sk3600'),
    };
  }

  /**
   * In steps of a few milliseconds. Ticks at or after the mark `compacted`, as it is at the first
   * step, must stay in the log until the last.
   */
  *query(query: RangeQuery): Generator<void, readonly RangeResult[]> {
    const evaluation = new RangeEvaluation(query);
    const matching = this.#series.named(query.metric).filter(({ labels }) => evaluation.matches({ name: query.metric, labels }));
    const compacted = this.#marks.get('compacted');
    // The log first: what it has now may be in chunks by the time that the older tiers have been read.
    const logFrom = Math.max(0, Math.ceil(Math.max(compacted, evaluation.feedFrom)));
    const logTo = Math.min(query.to + 1, Number.MAX_SAFE_INTEGER);
    const { wantsLastOnly } = evaluation;
    const logged = yield* wantsLastOnly ? this.#readNewest(matching, logFrom, logTo) : this.#readLog(matching, logFrom, logTo);
    const marks = { compacted, hours: this.#marks.get('hours'), raw: this.#marks.get('raw'), minutes: this.#marks.get('minutes') };
    const raw = Math.max(0, evaluation.feedFrom, marks.raw);
    const slots = this.#slotsIn(raw, Math.min(compacted, query.to + 1));
    for (const [i, series] of matching.entries()) {
      const feed = evaluation.series(series.labels);
      const births = evaluation.wantsRises ? this.#series.births(series.id, evaluation.feedFrom) : [];
      const bear =
        births.length === 0
          ? undefined
          : (t: number): void => {
              while (births.length > 0 && (births[0]?.t as number) <= t) feed.born(births.shift()?.follows as number);
            };
      const isAnswered = wantsLastOnly && (logged[i] as Logged).t.length > 0;
      if (!isAnswered) {
        const plan = planTiers(query, evaluation, series.isHistogram, marks);
        this.#feedBlobs(feed, series, plan, query.to, evaluation.wantsSketches, bear);
        this.#feedChunks(feed, series, slots, Math.max(raw, plan.rawFrom), query.to, bear);
      }
      feedLogged(feed, logged[i] as Logged, bear);
      feed.done();
      yield;
    }
    return evaluation.results();
  }

  #feedBlobs(feed: SeriesFeed, { id, isHistogram }: StoredSeries, plan: TierPlan, to: number, sketches: boolean, bear: Bear): void {
    const { from, minutesFrom, rawFrom, logFrom } = plan;
    const minuteEnd = Math.min(rawFrom, logFrom, to + 1);
    if (minutesFrom > from) {
      const kept = isHistogram && sketches ? this.#blobs.sk3600 : undefined;
      feedRollups(feed, this.#blobs.r3600, isHistogram, kept, id, HOUR_MS, Math.floor(from / HOUR_MS) * HOUR_MS, Math.min(minutesFrom, to + 1), bear);
    }
    if (minuteEnd > Math.max(from, minutesFrom)) {
      const kept = isHistogram && sketches ? this.#blobs.sk60 : undefined;
      const start = Math.max(minutesFrom, Math.floor(from / MINUTE_MS) * MINUTE_MS);
      feedRollups(feed, this.#blobs.r60, isHistogram, kept, id, MINUTE_MS, start, minuteEnd, bear);
    }
  }

  /** The slots that there are: a bot that slept for a year, or a query from the beginning of time, must not be walked through. */
  #slotsIn(from: number, to: number): number[] {
    return this.#slots.all(Math.floor(from / SLOT_MS), Math.ceil(to / SLOT_MS)).map((row) => Number(row.id));
  }

  #feedChunks(feed: SeriesFeed, { id }: StoredSeries, slots: readonly number[], from: number, to: number, bear: Bear): void {
    for (const slot of slots) {
      if ((slot + 1) * SLOT_MS <= from) continue;
      const d = this.#chunk.get(blobId(slot, id))?.d;
      if (d === undefined) continue;
      const { t, v } = decodeChunk(d as Uint8Array);
      for (let i = 0; i < t.length; i++) {
        const at = t[i] as number;
        if (at < from || at > to) continue;
        bear?.(at);
        feed.point(at, v[i] as number);
      }
    }
  }

  /** What the log has of each series in [from, to), in order of time. */
  *#readLog(matching: readonly StoredSeries[], from: number, to: number): Generator<void, Logged[]> {
    const logged = matching.map((): Logged => ({ t: [], v: [], sketches: [] }));
    const columnsOf = columnsIn(matching);
    for (let next = from; matching.length > 0 && next < to; ) {
      const ticks = this.#log.read(next, to, TICKS_A_STEP);
      for (const tick of ticks) {
        for (const [i, column] of columnsOf(tick)) take(logged[i] as Logged, tick, column);
      }
      if (ticks.length < TICKS_A_STEP) break;
      next = (ticks[ticks.length - 1]?.t as number) + 1;
      yield;
    }
    return logged;
  }

  /** The newest value of each series in [from, to) that counts, looked for from the end. */
  *#readNewest(matching: readonly StoredSeries[], from: number, to: number): Generator<void, Logged[]> {
    const logged = matching.map((): Logged => ({ t: [], v: [], sketches: [] }));
    const columnsOf = columnsIn(matching);
    let missing = matching.length;
    // The newest tick has nearly always all of them.
    for (let end = to, limit = 1; missing > 0 && from < end; limit = TICKS_A_STEP) {
      const ticks = this.#log.readBackwards(from, end, limit);
      for (const tick of ticks) {
        for (const [i, column] of columnsOf(tick)) {
          const into = logged[i] as Logged;
          if (into.t.length > 0 || !(Number.isFinite(valueAt(tick, column)) || tick.sketches.has(column))) continue;
          take(into, tick, column);
          missing--;
        }
      }
      if (ticks.length < limit) break;
      end = ticks[ticks.length - 1]?.t as number;
      yield;
    }
    return logged;
  }
}

/** Gives, for a tick, where among `matching` and in which column each series is that the tick has. */
function columnsIn(matching: readonly StoredSeries[]): (tick: LoggedTick) => readonly (readonly [index: number, column: number])[] {
  let layout: Uint32Array | undefined;
  let columns: readonly (readonly [number, number])[] = [];
  return ({ ids }) => {
    if (ids !== layout) {
      layout = ids;
      const byId = new Map(Array.from(ids, (id, column) => [id, column]));
      columns = matching.flatMap(({ id }, index) => {
        const column = byId.get(id);
        return column === undefined ? [] : [[index, column] as const];
      });
    }
    return columns;
  };
}

function take(into: Logged, tick: LoggedTick, column: number): void {
  into.t.push(tick.t);
  into.v.push(valueAt(tick, column));
  into.sketches.push(tick.sketches.get(column));
}

function feedLogged(feed: SeriesFeed, { t, v, sketches }: Logged, bear: Bear): void {
  for (let i = 0; i < t.length; i++) {
    const at = t[i] as number;
    const sketch = sketches[i];
    bear?.(at);
    if (sketch === undefined) feed.point(at, v[i] as number);
    else feed.observations(at, v[i] as number, sketch);
  }
}

function feedRollups(
  feed: SeriesFeed,
  table: BlobTable,
  isHistogram: boolean,
  sketchTable: BlobTable | undefined,
  id: number,
  bucketMs: number,
  from: number,
  to: number,
  bear: Bear,
): void {
  const periodMs = bucketMs * ROWS_A_BLOB;
  for (let period = Math.max(Math.floor(from / periodMs), table.firstPeriod()); period * periodMs < to; period++) {
    const rows = table.cursor(period, id);
    if (rows === undefined) continue;
    const sketches = sketchTable?.sketches(period, id) ?? [];
    for (let i = 0, next = 0; i < rows.length; i++) {
      const row = rows.at(i);
      const { t } = row;
      if (t < from || t >= to) continue;
      bear?.(row.firstT);
      if (!isHistogram) {
        feed.rollup(row);
        continue;
      }
      // Both are in order of time.
      while (next < sketches.length && (sketches[next]?.t as number) < t) next++;
      const sketch = sketches[next];
      feed.observedRollup(row, sketch?.t === t ? sketch.bytes : undefined);
    }
  }
}
