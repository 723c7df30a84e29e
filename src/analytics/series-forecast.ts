import { requireKnown, requirePositive } from '../core/options.js';
import { type ForecastInterval, forecastInSteps } from './forecasting/forecast.js';
import { medianStep, resample } from './resample.js';
import { checkSeries, type Series } from './series.js';

/** {@link seriesForecast} */
export interface SeriesForecastOptions {
  /** How far ahead. @defaultValue 30 min */
  readonly horizonMs?: number;
  /** @defaultValue the median step of the series, or 30 s where that is finer: the series is then aggregated */
  readonly stepMs?: number;
  /** @defaultValue [0.8, 0.95] */
  readonly levels?: readonly number[];
  /** In steps. @defaultValue 'auto' */
  readonly season?: number | 'auto';
  /** @defaultValue 1 */
  readonly seed?: number;
}

/** Where a series is expected to go. */
export interface Forecast {
  /** First one is a step after the last point. */
  readonly t: Float64Array;
  readonly mean: Float64Array;
  /** In the order of `levels`. */
  readonly intervals: readonly ForecastInterval[];
  /** What the forecast was made with; says so where there was nothing to go by. */
  readonly method: string;
  /** The basic season that was used, in steps. */
  readonly season?: number;
}

const FINEST_STEP_MS = 30_000;

/**
 * Forecasts a series of any spacing in even steps, in slices of a few milliseconds. Without a point
 * there is no forecast, and `method` says so.
 * @throws RangeError on NaN, Infinity, unsorted or repeated t (naming the index), or an option out of range
 */
export function* seriesForecast(series: Series, options: SeriesForecastOptions = {}): Generator<void, Forecast> {
  requireKnown('forecast', options, ['horizonMs', 'stepMs', 'levels', 'season', 'seed']);
  const horizonMs = requirePositive('horizonMs', options.horizonMs ?? 30 * 60_000);
  const { t, v } = checkSeries(series);
  const stepMs = requirePositive('stepMs', options.stepMs ?? Math.max(FINEST_STEP_MS, medianStep(t) ?? 0));
  const { levels = [0.8, 0.95], season = 'auto', seed } = options;
  if (t.length === 0) {
    const none = new Float64Array(0);
    return { t: none, mean: none, intervals: levels.map((level) => ({ level, low: none, high: none })), method: 'none: the series has no points' };
  }
  const horizon = Math.max(1, Math.round(horizonMs / stepMs));
  const made = yield* forecastInSteps(resample(t, v, stepMs).v, { horizon, levels, season, ...(seed === undefined ? {} : { seed }) });
  const last = t[t.length - 1]!;
  const [basic] = made.seasons;
  return {
    t: Float64Array.from({ length: horizon }, (_, h) => last + (h + 1) * stepMs),
    mean: made.mean,
    intervals: made.intervals,
    method: made.method,
    ...(basic === undefined ? {} : { season: basic }),
  };
}
