import type { MetricStore, RangeResult } from '../../contracts/metric-store.js';

/** From minutes and hours, the next when a store has nothing finer; behind a gap of twice its size. */
const TIERS_MS = [60_000, 3_600_000] as const;

/** What is read of a store; times in epoch ms, both included. */
export interface Reading {
  readonly metric: string;
  readonly match: Readonly<Record<string, string>>;
  readonly from: number;
  readonly to: number;
}

/** Samples of a series in order of time. */
export interface SeriesSamples {
  readonly labels: Readonly<Record<string, string>>;
  readonly t: ArrayLike<number>;
  readonly v: ArrayLike<number>;
}

/**
 * The samples that a store has. Where its raw points do not reach back far enough, the last value of
 * each minute stands for them, and of each hour before those; it is taken to be of the end of its
 * minute, so that no value is known before its time.
 */
export async function readSamples(store: MetricStore, reading: Reading, signal?: AbortSignal): Promise<readonly SeriesSamples[]> {
  const { metric, match, from, to } = reading;
  let found: readonly SeriesSamples[] = await store.query({ metric, match, from, to }, signal);
  let begin = firstOf(found, to + 1);
  for (const stepMs of TIERS_MS) {
    if (begin - from <= 2 * stepMs) break;
    // Whole minutes only: the last value of one that began before may be from before.
    const start = Math.ceil(from / stepMs) * stepMs;
    const coarse = await store.query({ metric, match, from: start, to: begin - 1, stepMs, agg: 'last' }, signal);
    found = join(coarse, found, stepMs, begin);
    begin = firstOf(found, begin);
  }
  return found;
}

function firstOf(series: readonly SeriesSamples[], otherwise: number): number {
  let first = otherwise;
  for (const { t } of series) first = Math.min(first, t[0] ?? otherwise);
  return first;
}

function join(coarse: readonly RangeResult[], fine: readonly SeriesSamples[], stepMs: number, before: number): readonly SeriesSamples[] {
  const rest = new Map(fine.map((series) => [labelsKey(series.labels), series]));
  const joined = coarse.map(({ labels, t, v }): SeriesSamples => {
    const key = labelsKey(labels);
    const finer = rest.get(key);
    rest.delete(key);
    const times: number[] = [];
    const values: number[] = [];
    for (let i = 0; i < t.length; i++) {
      const end = (t[i] as number) + stepMs - 1;
      // The last value of one that is not over by then would be known before its time.
      if (end >= before) break;
      times.push(end);
      values.push(v[i] as number);
    }
    if (finer === undefined) return { labels, t: times, v: values };
    return { labels, t: times.concat(Array.from(finer.t)), v: values.concat(Array.from(finer.v)) };
  });
  return [...joined, ...rest.values()];
}

function labelsKey(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
