import type { MetricStore, RangeResult } from '../../contracts/metric-store.js';
import { nextMacrotask } from '../../core/macrotask.js';
import { selectMedian } from '../select.js';
import type { Measure, Reading } from './measure.js';
import { queryInWindows, WINDOW_MS } from './windowed-query.js';

/** One series of a measure, as it came out of a store. */
export interface MeasuredSeries {
  readonly measure: Measure;
  /** The measure's id, with the labels that tell its series apart: `venuekit_venue_call_seconds p95{operation="place"}`. */
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly t: Float64Array;
  readonly v: Float64Array;
  /** How many events each value is a share of, where it is one. */
  readonly weights?: Float64Array;
}

export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

// A metric with a thousand symbols must not become a thousand analyses: the fullest series are taken.
const MOST_SERIES = 16;
const FINEST_STEP_MS = 5_000;
const MOST_STEPS = 1_440;

/** Steps in which a range is looked at: 5 s up to two hours, 60 s for a day. */
export function stepFor({ from, to }: TimeRange): number {
  return Math.max(FINEST_STEP_MS, Math.ceil((to - from) / MOST_STEPS / 1_000) * 1_000);
}

interface Shares extends RangeResult {
  readonly weights?: Float64Array;
}

/** Reads the series of a measure; none when nothing was recorded. */
export async function collect(
  store: MetricStore,
  measure: Measure,
  range: TimeRange,
  signal: AbortSignal | undefined,
): Promise<readonly MeasuredSeries[]> {
  const results = await READERS[measure.plan.kind](store, measure, range, signal);
  return results
    .map((result) => ({ measure, id: nameOf(measure.id, result.labels), ...finite(result) }))
    .filter(({ t }) => t.length > 0)
    .sort((a, b) => b.t.length - a.t.length || (a.id < b.id ? -1 : 1))
    .slice(0, MOST_SERIES);
}

async function points(store: MetricStore, { plan, by }: Measure, range: TimeRange, signal: AbortSignal | undefined): Promise<readonly RangeResult[]> {
  if (plan.kind !== 'points') return [];
  const stepMs = stepFor(range);
  const groups = new Map<string, { readonly labels: Readonly<Record<string, string>>; readonly t: number[]; readonly v: number[] }>();
  const windowMs = Math.ceil(WINDOW_MS / stepMs) * stepMs;
  for (let from = range.from; from <= range.to; from += windowMs) {
    const to = Math.min(range.to, from + windowMs - 1);
    for (const [key, { labels, steps }] of stepsOf(await store.query({ ...reading(plan), from, to }, signal), by, from, stepMs)) {
      let group = groups.get(key);
      if (group === undefined) groups.set(key, (group = { labels, t: [], v: [] }));
      for (const [start, values] of [...steps].sort(([x], [y]) => x - y)) {
        group.t.push(start);
        // One call that was given up after a second is no slow venue.
        group.v.push(selectMedian(Float64Array.from(values)));
      }
    }
    await nextMacrotask();
  }
  return [...groups.values()].map(({ labels, t, v }) => ({ labels, t: Float64Array.from(t), v: Float64Array.from(v) }));
}

interface Steps {
  readonly labels: Readonly<Record<string, string>>;
  readonly steps: Map<number, number[]>;
}

/** The raw points of each step, of all series that the labels `by` do not tell apart. */
function stepsOf(results: readonly RangeResult[], by: readonly string[], from: number, stepMs: number): ReadonlyMap<string, Steps> {
  const groups = new Map<string, Steps>();
  for (const { labels, t, v } of results) {
    const key = keyOf(labels, by);
    let group = groups.get(key);
    if (group === undefined) {
      const kept = Object.fromEntries(by.filter((label) => labels[label] !== undefined).map((label) => [label, labels[label]!]));
      groups.set(key, (group = { labels: kept, steps: new Map() }));
    }
    for (let i = 0; i < t.length; i++) {
      if (Number.isNaN(v[i])) continue;
      const start = from + Math.floor((t[i]! - from) / stepMs) * stepMs;
      const step = group.steps.get(start);
      if (step === undefined) group.steps.set(start, [v[i]!]);
      else step.push(v[i]!);
    }
  }
  return groups;
}

async function aggregates(
  store: MetricStore,
  { plan, by }: Measure,
  range: TimeRange,
  signal: AbortSignal | undefined,
): Promise<readonly RangeResult[]> {
  if (plan.kind !== 'aggregate') return [];
  return queryInWindows(store, { ...reading(plan), ...range, stepMs: stepFor(range), agg: plan.agg, by }, signal);
}

async function shares(store: MetricStore, { plan, by }: Measure, range: TimeRange, signal: AbortSignal | undefined): Promise<readonly Shares[]> {
  if (plan.kind !== 'share') return [];
  const rise = (read: Reading): Promise<readonly RangeResult[]> =>
    queryInWindows(store, { ...reading(read), ...range, stepMs: stepFor(range), agg: 'increase', by }, signal);
  const wholes = await rise(plan.whole);
  const parts: RangeResult[] = [];
  for (const read of plan.part) parts.push(...(await rise(read)));
  return wholes.map((whole) => {
    const key = keyOf(whole.labels, by);
    const risen = new Map<number, number>();
    for (const part of parts) {
      if (keyOf(part.labels, by) !== key) continue;
      for (let i = 0; i < part.t.length; i++) risen.set(part.t[i]!, (risen.get(part.t[i]!) ?? 0) + part.v[i]!);
    }
    // A step without a single call has no share.
    const used = [...whole.t.keys()].filter((i) => whole.v[i]! > 0);
    return {
      labels: whole.labels,
      t: Float64Array.from(used, (i) => whole.t[i]!),
      v: Float64Array.from(used, (i) => Math.min(1, (risen.get(whole.t[i]!) ?? 0) / whole.v[i]!)),
      weights: Float64Array.from(used, (i) => whole.v[i]!),
    };
  });
}

const READERS: Readonly<Record<Measure['plan']['kind'], typeof shares>> = { aggregate: aggregates, points, share: shares };

function reading({ metric, match }: Reading): Reading {
  return match === undefined ? { metric } : { metric, match };
}

function keyOf(labels: Readonly<Record<string, string>>, by: readonly string[]): string {
  return JSON.stringify(by.map((label) => labels[label] ?? ''));
}

function nameOf(id: string, labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? id : `${id}{${pairs.join(',')}}`;
}

// A histogram that saw nothing in a step has no value there.
function finite(result: Shares): Shares {
  const { labels, t, v } = result;
  const kept = [...t.keys()].filter((i) => Number.isFinite(v[i]));
  if (kept.length === t.length) return result;
  return { labels, t: Float64Array.from(kept, (i) => t[i]!), v: Float64Array.from(kept, (i) => v[i]!) };
}
