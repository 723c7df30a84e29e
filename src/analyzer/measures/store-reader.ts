import type { TimeRange } from '../../analytics/index.js';
import type { MetricStore, RangeQuery, RangeResult } from '../../contracts/metric-store.js';
import { nextMacrotask } from '../../core/macrotask.js';
import { QuantileSketch } from '../../core/quantile-sketch.js';
import type { RecordedPart } from './recorded.js';

type Labels = Readonly<Record<string, string>>;

/** A value of each group of series. */
export interface Grouped {
  readonly labels: Labels;
  readonly value: number;
}

// A store answers so much at once, so that one on this thread does not hold it up for long.
const WINDOW_MS = 300_000;
const MOST_WINDOWS = 96;
const FINEST_STEP_MS = 1_000;
const MOST_STEPS = 3_600;

/** Asks a store for one range, window by window. */
export class StoreReader {
  readonly range: TimeRange;
  /** How much of the range was recorded. */
  readonly recordedMs: number;
  readonly #store: MetricStore;
  readonly #signal: AbortSignal | undefined;

  constructor(store: MetricStore, { from, to, recordedMs }: RecordedPart, signal: AbortSignal | undefined) {
    this.#store = store;
    this.range = { from, to };
    this.recordedMs = recordedMs;
    this.#signal = signal;
  }

  /** By how much counters rose, added up by labels. */
  async rises(metric: string, by: readonly string[] = [], match?: Labels): Promise<readonly Grouped[]> {
    const results = await this.#ask({ metric, agg: 'increase', stepMs: this.#windowMs, by, ...(match === undefined ? {} : { match }) });
    return results.map(({ labels, v }) => ({ labels, value: v.reduce((sum, rise) => (Number.isFinite(rise) ? sum + rise : sum), 0) }));
  }

  /** By how much counters rose, all together; undefined where there are none. */
  async rise(metric: string, match?: Labels): Promise<number | undefined> {
    const all = await this.rises(metric, [], match);
    return all.length === 0 ? undefined : all.reduce((sum, { value }) => sum + value, 0);
  }

  /** Everything that a histogram observed; undefined where it observed nothing. */
  async distribution(metric: string, match?: Labels): Promise<QuantileSketch | undefined> {
    return (await this.distributions(metric, [], match))[0]?.sketch;
  }

  /** The same by labels. */
  async distributions(
    metric: string,
    by: readonly string[],
    match?: Labels,
  ): Promise<readonly { readonly labels: Labels; readonly sketch: QuantileSketch }[]> {
    const results = await this.#ask({ metric, stepMs: this.#windowMs, by, sketches: true, ...(match === undefined ? {} : { match }) });
    return results.flatMap(({ labels, sketches = [] }) => {
      const whole = new QuantileSketch();
      for (const bytes of sketches) if (bytes !== undefined) whole.merge(QuantileSketch.fromBytes(bytes));
      return whole.count === 0 ? [] : [{ labels, sketch: whole }];
    });
  }

  /** The values of gauges over time, in steps of a second or more. */
  async values(metric: string, by: readonly string[], agg: 'avg' | 'max' | 'min' | 'last', match?: Labels): Promise<readonly RangeResult[]> {
    const { from, to } = this.range;
    const stepMs = Math.max(FINEST_STEP_MS, Math.ceil((to - from) / MOST_STEPS / 1_000) * 1_000);
    const results = await this.#ask({ metric, agg, stepMs, by, ...(match === undefined ? {} : { match }) });
    return results
      .map(({ labels, t, v }) => ({ labels, t: t.filter((_, i) => Number.isFinite(v[i])), v: v.filter(Number.isFinite) }))
      .filter(({ v }) => v.length > 0);
  }

  get #windowMs(): number {
    const { from, to } = this.range;
    return Math.max(WINDOW_MS, Math.ceil((to - from) / MOST_WINDOWS / 1_000) * 1_000);
  }

  async #ask(query: Omit<RangeQuery, 'from' | 'to'> & { readonly stepMs: number }): Promise<readonly RangeResult[]> {
    const found = new Map<string, RangeResult[]>();
    const windowMs = Math.ceil(this.#windowMs / query.stepMs) * query.stepMs;
    for (let from = this.range.from; from <= this.range.to; from += windowMs) {
      const to = Math.min(this.range.to, from + windowMs - 1);
      for (const part of await this.#store.query({ ...query, from, to }, this.#signal)) {
        const key = JSON.stringify(Object.entries(part.labels).sort(([a], [b]) => (a < b ? -1 : 1)));
        const parts = found.get(key);
        if (parts === undefined) found.set(key, [part]);
        else parts.push(part);
      }
      await nextMacrotask();
    }
    return [...found.values()].map(joined);
  }
}

function joined(parts: readonly RangeResult[]): RangeResult {
  const [first] = parts as [RangeResult];
  if (parts.length === 1) return first;
  const join = (column: 't' | 'v'): Float64Array => Float64Array.from(parts.flatMap((part) => Array.from(part[column])));
  const sketches = parts.flatMap((part) => part.sketches ?? []);
  return { labels: first.labels, t: join('t'), v: join('v'), ...(sketches.length === 0 ? {} : { sketches }) };
}
