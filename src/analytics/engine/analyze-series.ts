import { type Anomaly, seriesAnomalies } from '../series-anomalies.js';
import { type Forecast, seriesForecast } from '../series-forecast.js';
import { type Trend, trendInSteps } from '../series-trend.js';
import { type Summary, summarize } from '../summary.js';
import { type Finding, findChanges, type Watched } from './findings.js';

/** What is to be analyzed: plain data, so that it can go to a worker. */
export interface SeriesTask {
  readonly t: Float64Array;
  readonly v: Float64Array;
  /** How many events each value is a share of, where it is one. */
  readonly weights?: Float64Array;
  readonly watched: Watched;
  /** Values never leave [low, high]: a share stays one. */
  readonly bounds: readonly [number, number];
  readonly seed: number;
}

/** All that is said of one series. */
export interface SeriesAnalysis {
  readonly summary: Summary;
  readonly trend: Trend;
  readonly anomalies: readonly Anomaly[];
  readonly forecast: Forecast;
  readonly findings: readonly Finding[];
}

// A trend over a day needs no more, and its pairs grow with the square.
const TREND_POINTS = 240;

/** Analyzes one series, in slices of a few milliseconds. */
export function* analyzeSeries({ t, v, weights, watched, bounds, seed }: SeriesTask): Generator<void, SeriesAnalysis> {
  const summary = summarize(v);
  yield;
  const trend = yield* trendInSteps(thinned(t, v));
  yield;
  const anomalies = yield* seriesAnomalies({ t, v });
  yield;
  const findings = yield* findChanges(t, v, weights, watched);
  yield;
  const forecast = bounded(yield* seriesForecast({ t, v }, { seed }), bounds);
  return { summary, trend, anomalies, forecast, findings };
}

function thinned(t: Float64Array, v: Float64Array): { readonly t: Float64Array; readonly v: Float64Array } {
  const width = Math.ceil(t.length / TREND_POINTS);
  if (width <= 1) return { t, v };
  const buckets = Math.floor(t.length / width);
  const mean = (b: number): number => {
    let sum = 0;
    for (let i = b * width; i < (b + 1) * width; i++) sum += v[i]!;
    return sum / width;
  };
  return { t: Float64Array.from({ length: buckets }, (_, b) => t[b * width]!), v: Float64Array.from({ length: buckets }, (_, b) => mean(b)) };
}

function bounded(forecast: Forecast, [low, high]: readonly [number, number]): Forecast {
  const clamp = (values: Float64Array): Float64Array => values.map((value) => Math.min(high, Math.max(low, value)));
  const intervals = forecast.intervals.map((interval) => ({ level: interval.level, low: clamp(interval.low), high: clamp(interval.high) }));
  return { ...forecast, mean: clamp(forecast.mean), intervals };
}
