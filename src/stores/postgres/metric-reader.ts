import type { RangeQuery, RangeResult } from '../../contracts/metric-store.js';
import { valueAt } from '../shared/logged-tick.js';
import { RangeEvaluation, type SeriesFeed } from '../shared/range-evaluation.js';
import { decodeRows, decodeSketches } from '../shared/rollup.js';
import { labelsOf } from '../shared/series-key.js';
import { decodeChunk } from '../shared/slot-chunk.js';
import { planTiers, type TierMarks, type TierPlan } from '../shared/tier-plan.js';
import type { PostgresDatabase, Run } from './database.js';
import type { MetricLog } from './metric-log.js';
import { HOUR_MS, SLOT_MS, TIER } from './metric-store-schema.js';

const TICKS_A_STEP = 256;

interface StoredSeries {
  readonly id: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly isHistogram: boolean;
}

/** Blobs of one tier, by series, in order of time. */
type Blobs = ReadonlyMap<number, readonly { readonly period: number; readonly d: Uint8Array }[]>;

/** What the log has of one series. */
interface Logged {
  readonly t: number[];
  readonly v: number[];
  readonly sketches: (Uint8Array | undefined)[];
}

/** Answers range queries from one snapshot, of the coarsest tiers that answer them exactly. */
export class MetricReader {
  readonly #database: PostgresDatabase;
  readonly #schema: string;
  readonly #store: number;
  readonly #log: MetricLog;

  constructor(database: PostgresDatabase, schema: string, store: number, log: MetricLog) {
    this.#database = database;
    this.#schema = schema;
    this.#store = store;
    this.#log = log;
  }

  query(query: RangeQuery): Promise<readonly RangeResult[]> {
    const evaluation = new RangeEvaluation(query);
    return this.#database.transaction(
      'query metrics',
      (run) => this.#query(run, query, evaluation),
      'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
    );
  }

  async #query(run: Run, query: RangeQuery, evaluation: RangeEvaluation): Promise<readonly RangeResult[]> {
    const matching = await this.#seriesOf(run, query.metric, evaluation);
    if (matching.length === 0) return [];
    const ids = matching.map(({ id }) => id);
    const marks = await this.#marks(run);
    const plans = matching.map(({ isHistogram }) => planTiers(query, evaluation, isHistogram, marks));
    const to = Math.min(query.to + 1, Number.MAX_SAFE_INTEGER);
    const births = evaluation.wantsRises ? await this.#births(run, ids, evaluation.feedFrom) : new Map<number, Birth[]>();
    const read = (tier: number, periodMs: number, from: number, end: number): Promise<Blobs> =>
      end > from ? this.#blobs(run, tier, ids, Math.floor(Math.max(0, from) / periodMs), Math.ceil(end / periodMs)) : Promise.resolve(new Map());
    const least = (pick: (plan: TierPlan) => number): number => Math.min(...plans.map(pick));
    const most = (pick: (plan: TierPlan) => number): number => Math.max(...plans.map(pick));
    // What any of the series needs, at once; each takes its own part of it.
    const hourEnd = Math.min(
      most(({ minutesFrom }) => minutesFrom),
      to,
    );
    const minuteFrom = least(({ from, minutesFrom }) => Math.max(from, minutesFrom));
    const minuteEnd = Math.min(
      most(({ rawFrom, logFrom }) => Math.min(rawFrom, logFrom)),
      to,
    );
    const pointsFrom = Math.max(
      0,
      evaluation.feedFrom,
      marks.raw,
      least(({ rawFrom }) => rawFrom),
    );
    const hours = await read(TIER.hours, HOUR_MS, evaluation.feedFrom, hourEnd);
    const hourSketches = evaluation.wantsSketches ? await read(TIER.hourSketches, HOUR_MS, evaluation.feedFrom, hourEnd) : new Map();
    const minutes = await read(TIER.minutes, SLOT_MS, Math.floor(minuteFrom / 60_000) * 60_000, minuteEnd);
    const minuteSketches = evaluation.wantsSketches
      ? await read(TIER.minuteSketches, SLOT_MS, Math.floor(minuteFrom / 60_000) * 60_000, minuteEnd)
      : new Map();
    const points = await read(TIER.points, SLOT_MS, pointsFrom, Math.min(marks.compacted, to));
    const logged = await this.#readLog(run, matching, Math.max(0, Math.ceil(Math.max(marks.compacted, evaluation.feedFrom))), to);
    for (const [i, { id, labels, isHistogram }] of matching.entries()) {
      const feed = evaluation.series(labels);
      const { from, minutesFrom, rawFrom, logFrom } = plans[i] as TierPlan;
      const bear = bearer(feed, births.get(id) ?? []);
      const rollups = (blobs: Blobs, sketches: Blobs, start: number, end: number): void =>
        feedRollups(feed, blobs.get(id) ?? [], isHistogram ? (sketches.get(id) ?? []) : undefined, start, end, bear);
      rollups(hours, hourSketches, Math.floor(from / HOUR_MS) * HOUR_MS, Math.min(minutesFrom, to));
      rollups(minutes, minuteSketches, Math.max(minutesFrom, Math.floor(from / 60_000) * 60_000), Math.min(rawFrom, logFrom, to));
      feedPoints(feed, points.get(id) ?? [], Math.max(0, evaluation.feedFrom, marks.raw, rawFrom), query.to, bear);
      feedLogged(feed, logged[i] as Logged, bear);
      feed.done();
    }
    return evaluation.results();
  }

  async #seriesOf(run: Run, name: string, evaluation: RangeEvaluation): Promise<StoredSeries[]> {
    const rows = await run(`SELECT id, labels, is_histogram FROM ${this.#schema}.metric_series WHERE store = $1 AND name = $2 ORDER BY id`, [
      this.#store,
      name,
    ]);
    return rows
      .map((row) => ({ id: Number(row.id), labels: labelsOf(String(row.labels)), isHistogram: row.is_histogram === true }))
      .filter(({ labels }) => evaluation.matches({ name, labels }));
  }

  async #marks(run: Run): Promise<TierMarks> {
    const [row] = await run(`SELECT compacted, hours, raw, minutes FROM ${this.#schema}.metric_store WHERE id = $1`, [this.#store]);
    return { compacted: Number(row?.compacted), hours: Number(row?.hours), raw: Number(row?.raw), minutes: Number(row?.minutes) };
  }

  async #births(run: Run, ids: readonly number[], from: number): Promise<Map<number, Birth[]>> {
    const text = `SELECT series, t, follows FROM ${this.#schema}.metric_birth WHERE series = ANY($1) AND t >= $2 ORDER BY t`;
    const births = new Map<number, Birth[]>();
    for (const { series, t, follows } of await run(text, [ids, Math.max(0, Math.ceil(from))])) {
      const birth = { t: Number(t), follows: Number(follows) };
      const list = births.get(Number(series));
      if (list === undefined) births.set(Number(series), [birth]);
      else list.push(birth);
    }
    return births;
  }

  async #blobs(run: Run, tier: number, ids: readonly number[], first: number, end: number): Promise<Blobs> {
    const text = `SELECT period, series, d FROM ${this.#schema}.metric_blob WHERE store = $1 AND tier = $2 AND period >= $3 AND period < $4 AND series = ANY($5) ORDER BY period`;
    const blobs = new Map<number, { readonly period: number; readonly d: Uint8Array }[]>();
    for (const { period, series, d } of await run(text, [this.#store, tier, first, Math.min(end, Number.MAX_SAFE_INTEGER), ids])) {
      const blob = { period: Number(period), d: d as Uint8Array };
      const list = blobs.get(Number(series));
      if (list === undefined) blobs.set(Number(series), [blob]);
      else list.push(blob);
    }
    return blobs;
  }

  async #readLog(run: Run, matching: readonly StoredSeries[], from: number, to: number): Promise<readonly Logged[]> {
    const logged = matching.map((): Logged => ({ t: [], v: [], sketches: [] }));
    const indexes = new Map(matching.map(({ id }, i) => [id, i]));
    let layout: Uint32Array | undefined;
    let columns: readonly (readonly [index: number, column: number])[] = [];
    for (let next = from; next < to; ) {
      const ticks = await this.#log.read(run, next, to, TICKS_A_STEP);
      for (const tick of ticks) {
        if (tick.ids !== layout) {
          layout = tick.ids;
          columns = Array.from(layout, (id, column) => [indexes.get(id) ?? -1, column] as const).filter(([index]) => index >= 0);
        }
        for (const [index, column] of columns) {
          const into = logged[index] as Logged;
          into.t.push(tick.t);
          into.v.push(valueAt(tick, column));
          into.sketches.push(tick.sketches.get(column));
        }
      }
      if (ticks.length < TICKS_A_STEP) break;
      next = (ticks.at(-1)?.t as number) + 1;
    }
    return logged;
  }
}

interface Birth {
  readonly t: number;
  readonly follows: number;
}

/** Tells the feed of births as their time comes. */
function bearer(feed: SeriesFeed, births: readonly Birth[]): (t: number) => void {
  let next = 0;
  return (t) => {
    for (let birth = births[next]; birth !== undefined && birth.t <= t; birth = births[++next]) feed.born(birth.follows);
  };
}

function feedRollups(
  feed: SeriesFeed,
  blobs: readonly { readonly d: Uint8Array }[],
  sketchBlobs: readonly { readonly d: Uint8Array }[] | undefined,
  from: number,
  to: number,
  bear: (t: number) => void,
): void {
  if (!(to > from) || blobs.length === 0) return;
  const sketches = new Map((sketchBlobs ?? []).flatMap(({ d }) => decodeSketches(d).map(({ t, bytes }) => [t, bytes] as const)));
  for (const { d } of blobs) {
    for (const row of decodeRows(d)) {
      if (row.t < from || row.t >= to) continue;
      bear(row.firstT);
      if (sketchBlobs !== undefined) feed.observedRollup(row, sketches.get(row.t));
      else feed.rollup(row);
    }
  }
}

function feedPoints(feed: SeriesFeed, blobs: readonly { readonly d: Uint8Array }[], from: number, to: number, bear: (t: number) => void): void {
  for (const { d } of blobs) {
    const { t, v } = decodeChunk(d);
    for (let i = 0; i < t.length; i++) {
      const at = t[i] as number;
      if (at < from || at > to) continue;
      bear(at);
      feed.point(at, v[i] as number);
    }
  }
}

function feedLogged(feed: SeriesFeed, { t, v, sketches }: Logged, bear: (t: number) => void): void {
  for (let i = 0; i < t.length; i++) {
    const at = t[i] as number;
    const sketch = sketches[i];
    bear(at);
    if (sketch === undefined) feed.point(at, v[i] as number);
    else feed.observations(at, v[i] as number, sketch);
  }
}
