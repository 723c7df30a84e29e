import { changePoints } from './change-points.js';
import { mannKendall, type TrendMethod } from './mann-kendall.js';
import { isRegular } from './resample.js';
import { checkSeries, type Series } from './series.js';
import { finish } from './steps.js';

/** {@link seriesTrend} */
export interface TrendOptions {
  /** @defaultValue 0.05 */
  readonly alpha?: number;
  /** @defaultValue 'ar1' */
  readonly method?: TrendMethod;
}

/** Where a series is heading. */
export interface Trend {
  /** 'none' also where there are too few points to tell. */
  readonly direction: 'rising' | 'falling' | 'none';
  readonly slopePerHour: number;
  /** What the slope lies within at 1 − alpha; infinite where there are too few points to say. */
  readonly slopeInterval: readonly [number, number];
  readonly pValue: number;
  readonly z: number;
  /** Kendall's S. */
  readonly s: number;
  /** `t` of the first sample after each change of level. */
  readonly changePoints: readonly number[];
}

const HOUR_MS = 3_600_000;

/**
 * The trend of a series and where its level changes; see {@link mannKendall} and {@link changePoints}.
 * @throws RangeError on NaN, Infinity, unsorted or repeated t, naming the index
 */
export function seriesTrend(series: Series, options: TrendOptions = {}): Trend {
  return finish(trendInSteps(series, options));
}

/** {@link seriesTrend}, giving way between its parts. */
export function* trendInSteps(series: Series, options: TrendOptions = {}): Generator<void, Trend> {
  const { t, v } = checkSeries(series);
  // Whole steps where the spacing allows it: slopes are then exact, and ties stay ties.
  const regular = t.length > 1 && isRegular(t);
  const unitMs = regular ? t[1]! - t[0]! : HOUR_MS;
  const x = regular ? undefined : t.map((time) => (time - t[0]!) / HOUR_MS);
  const { direction, pValue, z, s, slope, slopeInterval } = mannKendall(v, { ...options, ...(x === undefined ? {} : { x }) });
  yield;
  const perHour = HOUR_MS / unitMs;
  return {
    direction,
    slopePerHour: slope * perHour,
    slopeInterval: [slopeInterval[0] * perHour, slopeInterval[1] * perHour],
    pValue,
    z,
    s,
    changePoints: changePoints(v).map((index) => t[index]!),
  };
}
