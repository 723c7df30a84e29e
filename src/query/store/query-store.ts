import type { MetricStore } from '../../contracts/metric-store.js';
import { throwIfAborted } from '../../core/abort.js';
import { requireKnown, requireMethods, requireObject, requirePositive } from '../../core/options.js';
import { type CompiledQuery, compileQuery } from '../compiled-query.js';
import type { QueryVector } from '../evaluation/prepared-query.js';
import { SampleWindows } from '../evaluation/sample-windows.js';
import type { QuerySlot } from '../evaluation/slots.js';
import { unknownMetricText } from '../near-names.js';
import { replay } from './replay.js';

const MOST_STEPS = 11_000; // of Prometheus

/** One series of an answer. */
export interface QuerySeries {
  /** The metric, where the values are still those of one. */
  readonly name: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** Epoch ms, ascending; instants without a value are left out. */
  readonly t: Float64Array;
  readonly v: Float64Array;
}

/** What a query gives. */
export interface QueryResult {
  readonly type: 'scalar' | 'vector';
  readonly series: readonly QuerySeries[];
  /** For people, such as a metric that nobody knows, with names that are near. */
  readonly warnings: readonly string[];
}

/**
 * The value of a query at one instant.
 * @param options - `at` in epoch ms.
 * @throws QuerySyntaxError; QueryEvaluationError; what the store throws; the signal's reason.
 * @example
 * await queryInstant(store, 'histogram_quantile(0.99, rate(venuekit_venue_call_seconds[5m]))', { at: Date.now() });
 */
export async function queryInstant(
  store: MetricStore,
  query: string | CompiledQuery,
  options: { readonly at: number; readonly signal?: AbortSignal },
): Promise<QueryResult> {
  requireKnown('queryInstant', requireObject('options', options), ['at', 'signal']);
  requireTime('at', options.at);
  return run(store, query, { from: options.at, to: options.at, stepMs: 1, signal: options.signal });
}

/**
 * The values of a query at `from`, and every `stepMs` from there up to `to`, all epoch ms.
 * @throws RangeError for more than 11,000 steps, and what {@link queryInstant} throws.
 */
export async function queryRange(
  store: MetricStore,
  query: string | CompiledQuery,
  options: { readonly from: number; readonly to: number; readonly stepMs: number; readonly signal?: AbortSignal },
): Promise<QueryResult> {
  requireKnown('queryRange', requireObject('options', options), ['from', 'to', 'stepMs', 'signal']);
  const { from, to, stepMs } = options;
  requireTime('from', from);
  requireTime('to', to);
  if (from > to) throw new RangeError(`from must not be after to, got ${from} and ${to}`);
  requirePositive('stepMs', stepMs);
  const steps = Math.floor((to - from) / stepMs) + 1;
  if (steps > MOST_STEPS) throw new RangeError(`stepMs must give at most ${MOST_STEPS} steps between from and to, got ${steps}`);
  return run(store, query, { ...options, signal: options.signal });
}

async function run(
  store: MetricStore,
  query: string | CompiledQuery,
  range: { readonly from: number; readonly to: number; readonly stepMs: number; readonly signal: AbortSignal | undefined },
): Promise<QueryResult> {
  requireMethods('store', store, ['query']);
  throwIfAborted(range.signal);
  const compiled = typeof query === 'string' ? compileQuery(query) : query;
  const windows = new SampleWindows();
  const prepared = windows.prepare(compiled);
  const collected = new Collected();
  await replay(store, windows, range, (at) => collected.add(prepared.evaluate(at)));
  await windows.learnNames(store, range.signal);
  return { type: compiled.type, series: collected.series(), warnings: windows.unknownMetrics().map(unknownMetricText) };
}

function requireTime(name: string, value: number): void {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new TypeError(`${name} must be epoch milliseconds, got ${String(value)}`);
}

/** Vectors, one instant after another, turned into series. */
class Collected {
  readonly #series = new Map<string, { readonly slot: QuerySlot; readonly t: number[]; readonly v: number[] }>();
  #version = -1;
  #bySlot: { readonly t: number[]; readonly v: number[] }[] = [];

  add({ at, version, slots, present, values }: QueryVector): void {
    if (version !== this.#version) {
      this.#version = version;
      this.#bySlot = slots.map((slot) => {
        let series = this.#series.get(slot.key);
        if (series === undefined) this.#series.set(slot.key, (series = { slot, t: [], v: [] }));
        return series;
      });
    }
    for (let i = 0; i < slots.length; i++) {
      if (present[i] !== 1) continue;
      this.#bySlot[i]?.t.push(at);
      this.#bySlot[i]?.v.push(values[i] as number);
    }
  }

  series(): readonly QuerySeries[] {
    const some = [...this.#series.values()].filter(({ t }) => t.length > 0);
    return some.map(({ slot: { name, labels }, t, v }) => ({ name, labels, t: Float64Array.from(t), v: Float64Array.from(v) }));
  }
}
