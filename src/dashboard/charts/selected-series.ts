import { STANDARD_MEASURES } from '../../analytics/engine/standard-measures.js';
import type { MetricStore, RangeQuery } from '../../contracts/metric-store.js';
import { type Unit, unitOfMetric } from './format.js';
import { type Grid, onGrid, rangeOf } from './grid.js';

/** Anomalies and forecast of one series, as plain numbers. */
export interface Explanation {
  /** Epoch ms: what was looked at ends here. */
  readonly at: number;
  readonly anomalies: readonly { readonly t: number; readonly value: number; readonly score: number; readonly expected?: number }[];
  readonly forecast: {
    readonly t: readonly number[];
    readonly mean: readonly number[];
    readonly bands: readonly { readonly level: number; readonly low: readonly number[]; readonly high: readonly number[] }[];
    readonly method: string;
  };
}

interface Reading {
  readonly metric: string;
  readonly match?: Readonly<Record<string, string>>;
}

/** The series that chart 6 shows. */
export interface SelectedSeries {
  /** As it was asked for, and as a report names it: `venuekit_venue_call_seconds p95{operation="place"}`. */
  readonly id: string;
  /** In words. */
  readonly what: string;
  readonly unit: Unit;
  readonly plan:
    | (Reading & { readonly kind: 'aggregate'; readonly agg: NonNullable<RangeQuery['agg']> })
    | { readonly kind: 'share'; readonly part: readonly Reading[]; readonly whole: Reading };
}

/** Shown where nothing else was asked for. */
export const DEFAULT_SERIES = 'venuekit_venue_call_seconds p95';

const ID = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?: (min|max|avg|sum|last|rate|increase|p(?:\d{1,2}(?:\.\d+)?|100)))?(\{.*\})?$/s;
const LABEL = /^\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*("(?:[^"\\]|\\.)*")\s*(?:,|$)/s;

/**
 * Reads the name of a series: that of a measure of the analytics report, or a metric of the store with
 * an aggregation (`rate` for what ends in `_total`, else `avg`) and labels: `my_queue_depth max{queue="a"}`.
 * @throws RangeError for what is neither
 */
export function selectSeries(id: string): SelectedSeries {
  const measure = STANDARD_MEASURES.find((one) => id === one.id || id.startsWith(`${one.id}{`));
  if (measure !== undefined) {
    const match = labelsOf(id.slice(measure.id.length), id);
    const { plan, what, unit } = measure;
    const narrowed = (reading: Reading): Reading => ({ metric: reading.metric, match: { ...reading.match, ...match } });
    if (plan.kind === 'share') return { id, what, unit, plan: { kind: 'share', part: plan.part.map(narrowed), whole: narrowed(plan.whole) } };
    return { id, what, unit, plan: { kind: 'aggregate', agg: plan.kind === 'points' ? 'avg' : plan.agg, ...narrowed(plan) } };
  }
  const [, metric, agg, labels = ''] = ID.exec(id) ?? [];
  if (metric === undefined)
    throw new RangeError(
      `metric must be the name of a metric, with an aggregation and labels where wanted, as in ${DEFAULT_SERIES}{operation="place"}; got ${JSON.stringify(id)}`,
    );
  const unit = unitOfMetric(metric);
  const how = (agg ?? (unit === 'per second' ? 'rate' : 'avg')) as NonNullable<RangeQuery['agg']>;
  const rises = how === 'rate' || how === 'increase';
  return {
    id,
    what: `${how} of ${metric}`,
    unit: rises ? (how === 'rate' ? 'per second' : 'count') : unit === 'per second' ? 'count' : unit,
    plan: { kind: 'aggregate', metric, agg: how, match: labelsOf(labels, id) },
  };
}

function labelsOf(text: string, id: string): Record<string, string> {
  const labels: Record<string, string> = {};
  let rest = text.replace(/^\{/, '').replace(/\}$/, '');
  while (rest !== '') {
    const [all, name, value] = LABEL.exec(rest) ?? [];
    const label = value === undefined ? undefined : unquoted(value);
    if (label === undefined) throw new RangeError(`metric must have its labels written as {name="value"}, got ${JSON.stringify(id)}`);
    labels[name!] = label;
    rest = rest.slice(all!.length);
  }
  return labels;
}

function unquoted(text: string): string | undefined {
  try {
    return JSON.parse(text) as string;
  } catch {
    return undefined;
  }
}

/** The values of a series, one a column. */
export async function readSelected(
  { plan }: SelectedSeries,
  store: Pick<MetricStore, 'query'>,
  grid: Grid,
  signal?: AbortSignal,
): Promise<(number | null)[]> {
  const column = async (reading: Reading, agg: NonNullable<RangeQuery['agg']>): Promise<(number | null)[]> => {
    const [result] = await store.query({ metric: reading.metric, match: reading.match ?? {}, agg, by: [], ...rangeOf(grid) }, signal);
    return onGrid(result ?? NOTHING, grid);
  };
  if (plan.kind === 'aggregate') return column(plan, plan.agg);
  const [whole, ...parts] = await Promise.all([column(plan.whole, 'increase'), ...plan.part.map((part) => column(part, 'increase'))]);
  return whole.map((all, i) => (all === null || all === 0 ? null : Math.min(1, parts.reduce((sum, part) => sum + (part[i] ?? 0), 0) / all)));
}

const NOTHING = { t: new Float64Array(0), v: new Float64Array(0) };
