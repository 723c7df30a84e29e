import { seriesAnomalies } from '../../analytics/series-anomalies.js';
import { seriesForecast } from '../../analytics/series-forecast.js';
import type { ChartData } from '../charts/chart.js';
import type { Unit } from '../charts/format.js';
import { columnTime } from '../charts/grid.js';
import type { Explanation } from '../charts/selected-series.js';

/** The values to explain: plain data, so that it can go to a worker. */
export interface ExplainTask {
  readonly t: readonly number[];
  readonly v: readonly number[];
  readonly unit: Unit;
  readonly stepMs: number;
  /** Length of the range that the picture shows. */
  readonly rangeMs: number;
}

const LONGEST_HORIZON_MS = 30 * 60_000;
/** With fewer points a forecast would only say that nobody knows. */
const FEWEST_POINTS = 3;

/** The values of the metric chart that there are. */
export function explainTask({ series, grid }: ChartData): ExplainTask | undefined {
  const [one] = series;
  if (one === undefined) return undefined;
  const columns = [...one.v.keys()].filter((i) => one.v[i] !== null);
  return {
    t: columns.map((i) => columnTime(grid, i)),
    v: columns.map((i) => one.v[i]!),
    unit: one.unit,
    stepMs: grid.stepMs,
    rangeMs: grid.to - grid.from,
  };
}

/** Anomalies and forecast, in slices of a few milliseconds. */
export function* explain({ t, v, unit, stepMs, rangeMs }: ExplainTask): Generator<void, Explanation> {
  const at = t.at(-1) ?? 0;
  const found = yield* seriesAnomalies({ t, v });
  const anomalies = found.map(({ t: when, value, score, expected }) => ({ t: when, value, score, ...(expected === undefined ? {} : { expected }) }));
  if (t.length < FEWEST_POINTS) return { at, anomalies, forecast: { t: [], mean: [], bands: [], method: `none: ${t.length} points are too few` } };
  const horizonMs = Math.max(5 * stepMs, Math.min(LONGEST_HORIZON_MS, rangeMs / 3));
  const made = yield* seriesForecast({ t, v }, { horizonMs, stepMs });
  const [low, high] = [v.every((value) => value >= 0) ? 0 : -Infinity, unit === 'ratio' && v.every((value) => value <= 1) ? 1 : Infinity];
  const within = (values: ArrayLike<number>): number[] => Array.from(values, (value) => Math.min(high, Math.max(low, value)));
  const bands = made.intervals.map((interval) => ({ level: interval.level, low: within(interval.low), high: within(interval.high) }));
  return { at, anomalies, forecast: { t: Array.from(made.t), mean: within(made.mean), bands, method: made.method } };
}
