import type { MetricStore, RangeQuery } from '../../contracts/metric-store.js';
import { selectMedian } from '../select.js';
import type { TimeRange } from './collect.js';
import { stepFor } from './collect.js';
import { gradeFrom } from './letters.js';
import type { Objectives } from './objectives.js';
import { digits, type Grade, type GradePart } from './report.js';
import { queryInWindows, WINDOW_MS } from './windowed-query.js';

/** Points of a scale: a measured value and the score that it earns; straight lines between. */
type Scale = readonly (readonly [value: number, score: number])[];

interface Objective {
  readonly name: string;
  readonly weight: number;
  /** Whether it allows a share of what happens to miss it: a budget, which can be overspent. */
  readonly hasBudget?: true;
  readonly scale: Scale;
  measure(read: Reader): Promise<number | undefined>;
  why(value: number): string;
}

type Read = Pick<RangeQuery, 'metric' | 'match' | 'agg'> & { readonly stepMs?: number };
interface Reader {
  /** All values of all matching series, merged into one series. */
  values(query: Read): Promise<Float64Array>;
}

const percent = (value: number): string => `${digits(value * 100)} %`;

/** The sum of a counter's rise over the range; undefined when it was not recorded. */
async function rise(read: Reader, metric: string, match?: Readonly<Record<string, string>>): Promise<number | undefined> {
  const values = await read.values({ metric, agg: 'increase', ...(match === undefined ? {} : { match }) });
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}

async function share(part: Promise<number | undefined>, whole: Promise<number | undefined>): Promise<number | undefined> {
  // Together: one that fails while the other is awaited would be nobody's, and end the process.
  const [some, all] = await Promise.all([part, whole]);
  return all === undefined || all === 0 ? undefined : (some ?? 0) / all;
}

/** The percentile of all that was observed in a window, in the worst of 20 windows. */
async function inWorstWindows(read: Reader, metric: string, agg: `p${number}`): Promise<number | undefined> {
  return worst(await read.values({ metric, agg, stepMs: WINDOW_MS }));
}

/** The scale of an objective that can be chosen: at multiples of it. */
const times = (objective: number, scale: Scale): Scale => scale.map(([factor, score]) => [factor * objective, score] as const);

const gradedBy = ({ errorRatio, latencyP99Seconds, cacheHitRatio }: Objectives): readonly Objective[] => [
  {
    name: 'error rate',
    weight: 3,
    hasBudget: true,
    scale: times(errorRatio, [
      [1, 100],
      [10, 93],
      [50, 75],
      [200, 30],
      [500, 0],
    ]),
    measure: (read) => share(rise(read, 'venuekit_venue_call_failures_total'), rise(read, 'venuekit_venue_calls_total')),
    why: (value) => `${percent(value)} of venue calls failed; the objective is ${percent(errorRatio)}`,
  },
  {
    name: 'latency',
    weight: 2,
    hasBudget: true,
    scale: times(latencyP99Seconds, [
      [1, 100],
      [2, 93],
      [4, 80],
      [10, 50],
      [30, 0],
    ]),
    measure: (read) => inWorstWindows(read, 'venuekit_venue_call_seconds', 'p99'),
    why: (value) =>
      `in 95 % of all windows of 5 minutes, 99 % of the venue calls took at most ${digits(value * 1000)} ms; the objective is ${digits(latencyP99Seconds * 1000)} ms`,
  },
  {
    name: 'throughput',
    weight: 1,
    scale: [
      [0.8, 100],
      [0.5, 75],
      [0, 0],
    ],
    measure: async (read) => {
      const rates = await read.values({ metric: 'venuekit_venue_calls_total', agg: 'rate' });
      const recent = Math.ceil(rates.length / 4);
      if (rates.length < 8) return undefined;
      const baseline = selectMedian(rates.slice(0, -recent));
      return baseline > 0 ? selectMedian(rates.slice(-recent)) / baseline : undefined;
    },
    why: (value) => `the last quarter had ${percent(value)} of the calls a second of the time before; the objective is 80 %`,
  },
  {
    name: 'cache hit rate',
    weight: 1,
    hasBudget: true,
    scale: times(cacheHitRatio, [
      [1, 100],
      [0.875, 85],
      [0.625, 60],
      [0, 0],
    ]),
    measure: (read) => share(rise(read, 'venuekit_cache_reads_total', { outcome: 'hit' }), rise(read, 'venuekit_cache_reads_total')),
    why: (value) => `${percent(value)} of reads were answered from the cache; the objective is ${percent(cacheHitRatio)}`,
  },
  {
    name: 'pool utilisation',
    weight: 1,
    scale: [
      [0.8, 100],
      [0.95, 75],
      [1, 50],
    ],
    measure: (read) => peak(read, 'venuekit_pool_utilisation_ratio'),
    why: (value) => `the busiest 5 % of the time used ${percent(value)} of a pool or more; the objective is 80 %`,
  },
  {
    name: 'fetcher utilisation',
    weight: 1,
    scale: [
      [0.8, 100],
      [0.95, 85],
      [1, 70],
    ],
    measure: (read) => peak(read, 'venuekit_fetch_utilisation_ratio'),
    why: (value) => `the busiest 5 % of the time used ${percent(value)} of the concurrency or more; the objective is 80 %`,
  },
  {
    name: 'data age',
    weight: 2,
    scale: [
      [5, 100],
      [10, 85],
      [30, 50],
      [120, 0],
    ],
    measure: (read) => peak(read, 'venuekit_feed_age_seconds'),
    why: (value) => `the oldest feed was ${digits(value)} s old or older for 5 % of the time; the objective is 5 s`,
  },
  {
    name: 'time under alert',
    weight: 2,
    scale: [
      [0, 100],
      [0.05, 85],
      [0.25, 50],
      [1, 0],
    ],
    measure: async (read) => {
      const raised = await Promise.all(
        ['warning', 'critical'].map((severity) => read.values({ metric: 'venuekit_alerts_raised', match: { severity }, agg: 'max' })),
      );
      const length = Math.max(...raised.map((values) => values.length));
      if (length === 0) return undefined;
      let alarmed = 0;
      for (let i = 0; i < length; i++) if (raised.some((values) => (values[i] ?? 0) > 0)) alarmed++;
      return alarmed / length;
    },
    why: (value) => `an alert of severity warning or critical was raised for ${percent(value)} of the time; the objective is none`,
  },
];

// The 95th percentile over steps of the highest value in each: one busy second is no overload.
async function peak(read: Reader, metric: string): Promise<number | undefined> {
  return worst(await read.values({ metric, agg: 'max' }));
}

function worst(values: Float64Array): number | undefined {
  return values.sort()[Math.min(values.length - 1, Math.floor(0.95 * values.length))];
}

/** Grades a range by what was measured in it against its objectives; what was not measured is named and not graded. */
export async function gradeOf(store: MetricStore, range: TimeRange, objectives: Objectives, signal: AbortSignal | undefined): Promise<Grade> {
  const stepMs = stepFor(range);
  const read: Reader = {
    async values(query) {
      const results = await queryInWindows(store, { ...range, stepMs, ...query, by: [] }, signal);
      return (results[0]?.v ?? new Float64Array(0)).filter((value) => Number.isFinite(value));
    },
  };
  const parts: GradePart[] = [];
  const missing: string[] = [];
  const overspent: string[] = [];
  let sum = 0;
  let weights = 0;
  for (const { name, weight, scale, hasBudget, measure, why } of gradedBy(objectives)) {
    const value = await measure(read);
    if (value === undefined) {
      missing.push(name);
      continue;
    }
    const score = scoreOn(scale, value);
    parts.push({ name, score, why: why(value) });
    if (hasBudget && score < 100) overspent.push(name);
    sum += weight * score;
    weights += weight;
  }
  return gradeFrom(sum / weights, parts, missing, overspent);
}

function scoreOn(scale: Scale, value: number): number {
  // Some scales run towards larger values, some towards smaller ones.
  const direction = Math.sign(scale[1]![0] - scale[0]![0]);
  let previous = scale[0]!;
  if (direction * (value - previous[0]) <= 0) return previous[1];
  for (const point of scale.slice(1)) {
    if (direction * (value - point[0]) <= 0) return previous[1] + ((point[1] - previous[1]) * (value - previous[0])) / (point[0] - previous[0]);
    previous = point;
  }
  return previous[1];
}
