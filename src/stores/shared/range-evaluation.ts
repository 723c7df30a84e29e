import type { RangeQuery, RangeResult, SeriesKey } from '../../contracts/metric-store.js';
import { requireKnown, requireObject, requirePositive, requireText } from '../../core/options.js';
import { QuantileSketch } from '../../core/quantile-sketch.js';
import { type RollupRow, rise } from './rollup.js';

/** How far before `from` the predecessor of the first point is looked for: its rise belongs to the first step. */
export const LOOKBACK_MS = 300_000;
const MOST_STEPS = 1_000_000;
const AGGREGATIONS: readonly string[] = ['min', 'max', 'avg', 'sum', 'last', 'rate', 'increase'];

/** @throws RangeError or TypeError when `query` can't be meant. */
export function requireRangeQuery(query: RangeQuery): RangeQuery {
  requireKnown('query', requireObject('query', query), ['metric', 'match', 'from', 'to', 'stepMs', 'agg', 'by', 'sketches']);
  requireText('metric', query.metric);
  for (const end of ['from', 'to'] as const) {
    if (typeof query[end] !== 'number' || Number.isNaN(query[end]))
      throw new TypeError(`${end} must be epoch milliseconds, got ${String(query[end])}`);
  }
  if (query.from > query.to) throw new RangeError(`from must not be after to, got ${query.from} and ${query.to}`);
  if (query.match !== undefined) requireObject('match', query.match);
  if (query.by !== undefined && !Array.isArray(query.by)) throw new TypeError('by must be a list of label names');
  if (query.stepMs !== undefined) {
    requirePositive('stepMs', query.stepMs);
    const steps = (query.to - query.from) / query.stepMs;
    if (!(steps < MOST_STEPS)) throw new RangeError(`stepMs must give at most ${MOST_STEPS} steps between from and to, got ${steps}`);
  }
  if (query.sketches !== undefined && typeof query.sketches !== 'boolean')
    throw new TypeError(`sketches must be true or false, got ${String(query.sketches)}`);
  if (query.agg !== undefined && !AGGREGATIONS.includes(query.agg)) percentileOf(query.agg);
  return query;
}

/** 0.99 of `p99`, 0.999 of `p99.9`; undefined for what is no percentile at all. */
function percentileOf(agg: string): number {
  const percent = /^p\d{1,2}(\.\d+)?$|^p100$/.test(agg) ? Number(agg.slice(1)) : Number.NaN;
  if (Number.isNaN(percent)) throw new RangeError(`agg must be one of ${AGGREGATIONS.join(', ')} or p0 to p100, got ${JSON.stringify(agg)}`);
  return percent / 100;
}

function wantsRises({ agg }: RangeQuery): boolean {
  return agg === 'rate' || agg === 'increase';
}

/** From when on points have a say in the answer. */
export function feedFrom(query: RangeQuery): number {
  return wantsRises(query) ? query.from - LOOKBACK_MS : query.from;
}

/** What one step of one group has seen. */
interface Step {
  min: number;
  max: number;
  sum: number;
  n: number;
  last: number;
  increase: number;
  /** Milliseconds that `increase` took. */
  over: number;
  sketch: QuantileSketch | undefined;
}

/** Series that agree in the labels of `by`. */
interface Group {
  readonly labels: Readonly<Record<string, string>>;
  readonly steps: Map<number, Step>;
}

/**
 * What a {@link RangeQuery} means, in one place for every store: a store feeds the points, roll-ups
 * and sketches of the matching series, each series in order of time, and takes the results.
 *
 * - Without `stepMs` every timestamp is a step of its own, so that the raw points come out.
 * - With `by`, series that agree in those labels become one: `min`, `max`, `avg`, `sum` and
 *   percentiles over all their points, `last`, `rate` and `increase` per series and then added.
 * - A counter's rise between two points belongs to the later one; a fall is a restart from 0.
 *   `rate` is the rise divided by the seconds that it took.
 * - Where a series has sketches (a histogram), every aggregation is over the single observations; how
 *   many there were rises in the series of the same name with `_count`.
 * - NaN and the infinities come out as raw points, and no aggregation counts them.
 */
export class RangeEvaluation {
  readonly #query: RangeQuery;
  readonly #match: readonly (readonly [label: string, value: string])[];
  readonly #percentile: number | undefined;
  readonly #groups = new Map<string, Group>();
  readonly #results: RangeResult[] = [];

  /** @throws RangeError or TypeError when `query` can't be meant. */
  constructor(query: RangeQuery) {
    this.#query = requireRangeQuery(query);
    const { agg, match } = query;
    this.#match = Object.entries(match ?? {});
    this.#percentile = agg === undefined || AGGREGATIONS.includes(agg) ? undefined : percentileOf(agg);
  }

  /** Whether sketches are wanted whole; their summaries do otherwise. */
  get wantsSketches(): boolean {
    return this.#percentile !== undefined || this.#query.sketches === true;
  }

  /** Whether rises are wanted, for which the point before `from` counts. */
  get wantsRises(): boolean {
    return wantsRises(this.#query);
  }

  /** Whether the newest value of each series is all that is wanted: `last` over one step. */
  get wantsLastOnly(): boolean {
    const { agg, stepMs, from, to, sketches } = this.#query;
    return agg === 'last' && stepMs !== undefined && to - from < stepMs && sketches !== true;
  }

  /** From when on the store should feed points. */
  get feedFrom(): number {
    return feedFrom(this.#query);
  }

  matches({ name, labels }: SeriesKey): boolean {
    if (name !== this.#query.metric) return false;
    // A label that a series has not is the same as an empty one, as in Prometheus.
    for (const [label, value] of this.#match) if ((labels[label] ?? '') !== value) return false;
    return true;
  }

  /** Begins a series; what it is fed counts when it is `done`. */
  series(labels: Readonly<Record<string, string>>): SeriesFeed {
    const { agg, by } = this.#query;
    const wants = { sketches: this.wantsSketches, values: this.#percentile !== undefined };
    // What is counted of each series for itself is added up when it is done; the rest goes to its group at once.
    const isCountedBySeries = by === undefined || agg === 'last' || this.wantsRises;
    const own = isCountedBySeries ? new Map<number, Step>() : this.#groupOf(labels).steps;
    return new SeriesFeed(this.#query, wants, own, (raw) => {
      if (raw !== undefined) this.#add(labels, raw.t, raw.v);
      // Without `by` no two series become one.
      else if (by === undefined) this.#addSteps(labels, own);
      else if (isCountedBySeries) this.#fold(labels, own);
    });
  }

  results(): readonly RangeResult[] {
    for (const { labels, steps } of this.#groups.values()) this.#addSteps(labels, steps);
    this.#groups.clear();
    return this.#results;
  }

  #addSteps(labels: Readonly<Record<string, string>>, steps: ReadonlyMap<number, Step>): void {
    const t: number[] = [];
    const v: number[] = [];
    const sketches: (Uint8Array | undefined)[] | undefined = this.#query.sketches === true ? [] : undefined;
    for (const time of Float64Array.from(steps.keys()).sort()) {
      const step = steps.get(time) as Step;
      const value = this.#valueOf(step);
      if (value === undefined) continue;
      t.push(time);
      v.push(value);
      sketches?.push(step.sketch?.toBytes());
    }
    this.#add(labels, t, v, sketches);
  }

  #add(labels: Readonly<Record<string, string>>, t: readonly number[], v: readonly number[], sketches?: RangeResult['sketches']): void {
    if (t.length === 0) return;
    const result = { labels, t: Float64Array.from(t), v: Float64Array.from(v) };
    this.#results.push(sketches === undefined ? result : { ...result, sketches });
  }

  #groupOf(labels: Readonly<Record<string, string>>): Group {
    const { by = [] } = this.#query;
    const kept = Object.fromEntries(by.filter((name) => Object.hasOwn(labels, name)).map((name) => [name, labels[name] as string]));
    const key = JSON.stringify(Object.entries(kept).sort(([a], [b]) => (a < b ? -1 : 1)));
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { labels: kept, steps: new Map() };
      this.#groups.set(key, group);
    }
    return group;
  }

  #fold(labels: Readonly<Record<string, string>>, steps: ReadonlyMap<number, Step>): void {
    const group = this.#groupOf(labels);
    for (const [time, step] of steps) {
      const into = group.steps.get(time);
      if (into === undefined) group.steps.set(time, step);
      else mergeSteps(into, step, this.#query.agg === 'rate');
    }
  }

  #valueOf(step: Step): number | undefined {
    const { agg } = this.#query;
    if (this.#percentile !== undefined) return step.sketch?.quantile(this.#percentile);
    if (agg === 'increase') return step.over > 0 ? step.increase : undefined;
    if (agg === 'rate') return step.over > 0 ? (step.increase / step.over) * 1000 : undefined;
    if (step.n === 0) return undefined;
    if (agg === 'min') return step.min;
    if (agg === 'max') return step.max;
    if (agg === 'sum') return step.sum;
    return agg === 'last' ? step.last : step.sum / step.n;
  }
}

function mergeSteps(into: Step, other: Step, rates: boolean): void {
  into.min = Math.min(into.min, other.min);
  into.max = Math.max(into.max, other.max);
  into.sum += other.sum;
  into.last = into.n === 0 ? other.last : other.n === 0 ? into.last : into.last + other.last;
  into.n += other.n;
  if (rates && into.over > 0 && other.over > 0) {
    // Two rates add up, however long each was observed.
    into.increase += (other.increase / other.over) * into.over;
  } else {
    into.increase += other.increase;
    into.over = Math.max(into.over, other.over);
  }
  if (other.sketch !== undefined) into.sketch = into.sketch === undefined ? other.sketch : into.sketch.merge(other.sketch);
}

interface RawPoints {
  readonly t: number[];
  readonly v: number[];
}

/** Takes what a store has of one series, in order of time. */
export class SeriesFeed {
  readonly #from: number;
  readonly #to: number;
  readonly #stepMs: number | undefined;
  /** Whether it is asked how much a counter rose: then nothing else is. */
  readonly #rises: boolean;
  readonly #sketching: boolean;
  // Whether values that come without a sketch are put into one.
  readonly #sketchesValues: boolean;
  readonly #onDone: (raw: RawPoints | undefined) => void;
  readonly #steps: Map<number, Step>;
  /** Where the points themselves are asked for, they need no steps. */
  readonly #raw: RawPoints | undefined;
  #current: Step | undefined;
  #currentStart = Number.NaN;
  #previous = Number.NaN;
  #previousT = Number.NaN;

  constructor(
    { from, to, stepMs, agg, by, sketches }: RangeQuery,
    wants: { readonly sketches: boolean; readonly values: boolean },
    steps: Map<number, Step>,
    onDone: (raw: RawPoints | undefined) => void,
  ) {
    this.#from = from;
    this.#to = to;
    this.#stepMs = stepMs;
    this.#rises = agg === 'rate' || agg === 'increase';
    this.#sketching = wants.sketches;
    this.#sketchesValues = wants.values;
    this.#steps = steps;
    this.#onDone = onDone;
    this.#raw = agg === undefined && stepMs === undefined && by === undefined && sketches !== true ? { t: [], v: [] } : undefined;
  }

  /** A series that was not there at `t`, when others were: as a counter it started from 0 since. */
  born(t: number): void {
    this.#previous = 0;
    this.#previousT = t;
  }

  point(t: number, value: number): void {
    if (this.#raw !== undefined) {
      this.#takeRaw(this.#raw, t, value);
      return;
    }
    const step = t < this.#from || t > this.#to ? undefined : this.#stepAt(t);
    // Neither NaN nor an infinity is a value to aggregate.
    if (value - value !== 0) return;
    if (this.#rises) this.#riseTo(step, t, value);
    if (step === undefined) return;
    count(step, value, value, value, 1);
    step.last = value;
    if (this.#sketchesValues) (step.sketch ??= new QuantileSketch()).add(value);
  }

  /** A tick of a histogram: `mean` is its point, `bytes` the sketch of its observations. */
  observations(t: number, mean: number, bytes: Uint8Array): void {
    if (this.#raw !== undefined) {
      this.#takeRaw(this.#raw, t, mean);
      return;
    }
    if (t < this.#from || t > this.#to) return;
    const step = this.#stepAt(t);
    step.last = mean;
    if (this.#sketching) addSketch(step, bytes);
    else {
      const { min, max, sum, count: n } = QuantileSketch.summaryOf(bytes);
      count(step, min, max, sum, n);
    }
  }

  /** What was kept of a minute or an hour. */
  rollup(row: RollupRow): void {
    const step = this.#stepOf(row);
    if (!this.#rises) {
      if (step === undefined) return;
      step.last = row.last;
      count(step, row.min, row.max, row.sum, row.n);
      return;
    }
    const { firstT, lastT } = row;
    this.#riseTo(step, firstT, row.first);
    this.#previous = row.last;
    this.#previousT = lastT;
    if (step === undefined) return;
    step.increase += row.increase;
    step.over += lastT - firstT;
  }

  /** What was kept of a minute or an hour of a histogram; `bytes` where sketches are wanted. */
  observedRollup(row: RollupRow, bytes: Uint8Array | undefined): void {
    // Without steps it is a point, of when the last of it was known.
    const step = this.#stepMs === undefined ? this.#stepOf({ t: row.lastT }) : this.#stepOf(row);
    if (step === undefined) return;
    step.last = row.last;
    if (bytes !== undefined && this.#sketching) addSketch(step, bytes);
    else count(step, row.min, row.max, row.sum, row.n);
  }

  done(): void {
    this.#onDone(this.#raw);
  }

  #takeRaw({ t, v }: RawPoints, at: number, value: number): void {
    if (at < this.#from || at > this.#to) return;
    t.push(at);
    v.push(value);
  }

  #stepOf({ t }: Pick<RollupRow, 't'>): Step | undefined {
    return t < this.#from || t > this.#to ? undefined : this.#stepAt(t);
  }

  #riseTo(step: Step | undefined, t: number, value: number): void {
    if (step !== undefined && !Number.isNaN(this.#previous)) {
      step.increase += rise(this.#previous, value);
      step.over += t - this.#previousT;
    }
    this.#previous = value;
    this.#previousT = t;
  }

  #stepAt(t: number): Step {
    const start = this.#stepMs === undefined ? t : this.#from + Math.floor((t - this.#from) / this.#stepMs) * this.#stepMs;
    if (start === this.#currentStart) return this.#current as Step;
    let step = this.#steps.get(start);
    if (step === undefined) {
      step = { min: Infinity, max: -Infinity, sum: 0, n: 0, last: Number.NaN, increase: 0, over: 0, sketch: undefined };
      this.#steps.set(start, step);
    }
    this.#current = step;
    this.#currentStart = start;
    return step;
  }
}

function addSketch(step: Step, bytes: Uint8Array): void {
  const { min, max, sum, count: n } = QuantileSketch.summaryOf(bytes);
  count(step, min, max, sum, n);
  step.sketch = step.sketch === undefined ? QuantileSketch.fromBytes(bytes) : step.sketch.mergeBytes(bytes);
}

function count(step: Step, min: number, max: number, sum: number, n: number): void {
  if (min < step.min) step.min = min;
  if (max > step.max) step.max = max;
  step.sum += sum;
  step.n += n;
}
