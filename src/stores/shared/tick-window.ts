import type { MetricTick, RangeQuery, RangeResult, SeriesKey } from '../../contracts/metric-store.js';
import { RangeEvaluation, type SeriesFeed } from './range-evaluation.js';
import { seriesId } from './series-key.js';

/** Ticks that have the same series in the same order. */
interface Epoch {
  readonly series: readonly SeriesKey[];
  readonly columns: ReadonlyMap<string, number>;
  /** Columns by the name of their metric. */
  readonly named: ReadonlyMap<string, readonly NamedColumn[]>;
  /** Of the tick before this epoch, when there was one: what is new here was born after it. */
  readonly follows: number | undefined;
  readonly t: number[];
  readonly rows: Float64Array[];
  readonly sketches: (ReadonlyMap<number, Uint8Array> | undefined)[];
}

interface NamedColumn {
  readonly id: string;
  readonly column: number;
}

// Dropping from the front of a long array is dear: dead ticks are kept until there are this many.
const DROP_TOGETHER = 256;
const BYTES_A_POINT = 8;
const NOTHING = new Float64Array(0);

/** The newest ticks, in memory and bounded: the oldest make room for new ones. */
export class TickWindow {
  readonly #maxPoints: number;
  readonly #epochs: Epoch[] = [];
  #known: readonly SeriesKey[] | undefined;
  #dead = 0;
  #points = 0;
  #sketchBytes = 0;

  /** @param maxPoints - values held; sketches count by their bytes. */
  constructor(maxPoints: number) {
    this.#maxPoints = maxPoints;
  }

  /** Time of the oldest tick held; undefined while there is none. */
  get oldest(): number | undefined {
    return this.#epochs[0]?.t[this.#dead];
  }

  get points(): number {
    return this.#points;
  }

  get bytes(): number {
    return this.#points * BYTES_A_POINT + this.#sketchBytes;
  }

  /** Series that the held ticks have. */
  series(): readonly SeriesKey[] {
    const keys = new Map<string, SeriesKey>();
    for (const { columns, series } of this.#epochs) for (const [id, column] of columns) keys.set(id, series[column] as SeriesKey);
    return [...keys.values()];
  }

  /** Takes a tick that is after all others, and keeps its `values`. @throws RangeError where two series are the same. */
  add({ t, series, values, sketches }: MetricTick): void {
    const epoch = this.#epochFor(series);
    epoch.t.push(t);
    epoch.rows.push(values);
    epoch.sketches.push(sketches === undefined || sketches.size === 0 ? undefined : new Map(sketches));
    for (const bytes of sketches?.values() ?? []) this.#sketchBytes += bytes.length;
    this.#points += values.length;
    while (this.bytes > this.#maxPoints * BYTES_A_POINT && this.dropOldest());
  }

  query(query: RangeQuery): readonly RangeResult[] {
    const evaluation = new RangeEvaluation(query);
    const feeds = new Map<string, SeriesFeed>();
    for (const [index, epoch] of this.#epochs.entries()) {
      const first = index === 0 ? this.#dead : 0;
      const begin = lowerBound(epoch.t, evaluation.feedFrom, first);
      const end = lowerBound(epoch.t, query.to, begin, true);
      if (begin === end) continue;
      for (const { id, column } of epoch.named.get(query.metric) ?? []) {
        const key = epoch.series[column] as SeriesKey;
        if (!evaluation.matches(key)) continue;
        let feed = feeds.get(id);
        if (feed === undefined) feeds.set(id, (feed = evaluation.series(key.labels)));
        const isNew = epoch.follows !== undefined && !(this.#epochs[index - 1]?.columns.has(id) ?? true);
        if (isNew && begin === first) feed.born(epoch.follows);
        if (evaluation.wantsLastOnly) feedLast(feed, epoch, column, begin, end);
        else feedColumn(feed, epoch, column, begin, end);
      }
    }
    for (const feed of feeds.values()) feed.done();
    return evaluation.results();
  }

  /** False when there is nothing left to drop but the newest tick. */
  dropOldest(): boolean {
    const epoch = this.#epochs[0];
    if (epoch === undefined || (this.#epochs.length === 1 && epoch.t.length - this.#dead <= 1)) return false;
    this.#points -= epoch.rows[this.#dead]?.length ?? 0;
    for (const bytes of epoch.sketches[this.#dead]?.values() ?? []) this.#sketchBytes -= bytes.length;
    epoch.rows[this.#dead] = NOTHING;
    epoch.sketches[this.#dead] = undefined;
    this.#dead++;
    if (this.#dead === epoch.t.length) {
      this.#epochs.shift();
      this.#dead = 0;
    } else if (this.#dead >= DROP_TOGETHER) {
      epoch.t.splice(0, this.#dead);
      epoch.rows.splice(0, this.#dead);
      epoch.sketches.splice(0, this.#dead);
      this.#dead = 0;
    }
    return true;
  }

  clear(): void {
    this.#epochs.length = 0;
    this.#known = undefined;
    this.#dead = 0;
    this.#points = 0;
    this.#sketchBytes = 0;
  }

  #epochFor(series: readonly SeriesKey[]): Epoch {
    const current = this.#epochs.at(-1);
    // A collector hands over the same list while nothing is new.
    if (current !== undefined && this.#known === series && current.series.length === series.length) return current;
    const columns = new Map(series.map((key, column) => [seriesId(key), column]));
    if (columns.size !== series.length) throw new RangeError('series must differ in name or labels, got one twice');
    this.#known = series;
    if (current !== undefined && sameColumns(current.columns, columns)) return current;
    const named = new Map<string, NamedColumn[]>();
    for (const [id, column] of columns) {
      const { name } = series[column] as SeriesKey;
      const one = { id, column };
      const ofName = named.get(name);
      if (ofName === undefined) named.set(name, [one]);
      else ofName.push(one);
    }
    const epoch: Epoch = { series: [...series], columns, named, follows: current?.t.at(-1), t: [], rows: [], sketches: [] };
    this.#epochs.push(epoch);
    return epoch;
  }
}

function feedColumn(feed: SeriesFeed, { t, rows, sketches }: Epoch, column: number, begin: number, end: number): void {
  for (let i = begin; i < end; i++) {
    const value = (rows[i] as Float64Array)[column] as number;
    const sketch = sketches[i]?.get(column);
    if (sketch === undefined) feed.point(t[i] as number, value);
    else feed.observations(t[i] as number, value, sketch);
  }
}

/** The newest value alone: what is before it can't change the answer. */
function feedLast(feed: SeriesFeed, epoch: Epoch, column: number, begin: number, end: number): void {
  for (let i = end - 1; i >= begin; i--) {
    const value = (epoch.rows[i] as Float64Array)[column] as number;
    if (value - value !== 0 && epoch.sketches[i]?.has(column) !== true) continue;
    feedColumn(feed, epoch, column, i, i + 1);
    return;
  }
}

function sameColumns(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  if (a.size !== b.size) return false;
  for (const [id, column] of a) if (b.get(id) !== column) return false;
  return true;
}

/** The first index from `start` on whose time is at or after `t`; with `past`, after it. */
function lowerBound(times: readonly number[], t: number, start: number, past = false): number {
  let low = start;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const time = times[middle] as number;
    if (time < t || (past && time === t)) low = middle + 1;
    else high = middle;
  }
  return low;
}
