import { requireInteger, requireKnown } from '../../core/options.js';
import { seededRandom } from '../../core/random.js';
import { normalQuantile } from '../normal.js';
import { quantile } from '../quantile.js';
import { finiteValues } from '../series.js';
import { finish } from '../steps.js';
import { type BackTest, backTest } from './back-test.js';
import { candidatesFor } from './candidates.js';
import { detectSeasons, findMultiple } from './season.js';

/** {@link forecast} */
export interface ForecastOptions {
  /** How many values to forecast, 1 or more. */
  readonly horizon: number;
  /** In points. One season is searched for a multiple of it that repeats as well; an array is taken as it is, its two shortest. @defaultValue 'auto' */
  readonly season?: number | readonly number[] | 'auto';
  /** Probabilities of the intervals, in (0, 1). @defaultValue [0.8, 0.95] */
  readonly levels?: readonly number[];
  /** Of the simulated paths: the same values with the same seed give the same intervals. @defaultValue 1 */
  readonly seed?: number;
}

/** What the next values are expected to be. */
export interface ForecastResult {
  readonly mean: Float64Array;
  /** In the order of `levels`. */
  readonly intervals: readonly ForecastInterval[];
  /** What the forecast was made with, in words; also what was asked for and could not be done. */
  readonly method: string;
  /** The seasons that were used, in points, shortest first. */
  readonly seasons: readonly number[];
}

/** Where the next values lie with probability `level`. */
export interface ForecastInterval {
  readonly level: number;
  readonly low: Float64Array;
  readonly high: Float64Array;
}

// History that is learned from, at least six times the longest season: more costs time and forgets change.
const LONGEST_HISTORY = 4_096;
const PATHS = 100;
// Coverage of the plain average of both widths falls short by a few per cent: M4 Hourly .915 for .95.
const WIDENING = 1.05;

/**
 * Forecasts the next values of an evenly spaced series.
 *
 * Autoregressions with few and many lags on levels, logarithms and differences, seasonal naive and
 * smoothing methods are tried on the latest part of the history; their forecasts are averaged with
 * weights error⁻⁴. An interval is as wide as the mean of what simulated paths and what the errors of
 * the trial say. Nothing is chosen by hand for a series.
 *
 * With fewer than 12 values the last one is the forecast, within bands of a random walk; with a
 * single one nothing is known of its variation, and the bands are as wide as the value itself.
 *
 * Source: combination and its weights as in the M4 competition's combinations (Makridakis et al.,
 * IJF 36, 2020); calibration of intervals by past errors: Vovk et al., "Algorithmic Learning in a
 * Random World", 2005.
 *
 * @throws RangeError on no values, NaN or Infinity (naming the index), or an option out of range
 */
export function forecast(values: ArrayLike<number>, options: ForecastOptions): ForecastResult {
  return finish(forecastInSteps(values, options));
}

/** {@link forecast} in steps of a few milliseconds, for a thread that has other work to do. */
export function* forecastInSteps(values: ArrayLike<number>, options: ForecastOptions): Generator<void, ForecastResult> {
  requireKnown('forecast', options, ['horizon', 'season', 'levels', 'seed']);
  const horizon = requireInteger('horizon', options.horizon, 1);
  const levels = checkLevels(options.levels ?? [0.8, 0.95]);
  const asked = checkSeason(options.season ?? 'auto');
  const random = seededRandom(options.seed ?? 1);
  const all = finiteValues('values', values);
  if (all.length === 0) throw new RangeError('values must have at least one value to forecast from, got none');
  if (all.length < 12) return fromFewValues(all, horizon, levels);
  if (all.every((value) => value === all[0])) return flat(all[0]!, horizon, levels, 'constant: the history never changed');
  const { seasons, remark } = chooseSeasons(all, asked);
  const longest = seasons[seasons.length - 1] ?? 0;
  const history = all.slice(-Math.max(LONGEST_HISTORY, 6 * longest));
  const tested = yield* backTest(candidatesFor(seasons), history, horizon);
  const spread = yield* simulatedSpread(tested, horizon, levels, random);
  const intervals = levels.map((level, k) => interval(tested.mean, level, spread[k]!, tested.errors, tested.horizon));
  return { mean: tested.mean, intervals, method: `combination of ${tested.names.join(', ')}${remark}`, seasons };
}

function checkLevels(levels: readonly number[]): readonly number[] {
  const isArray: boolean = Array.isArray(levels);
  if (!isArray || levels.length === 0) throw new TypeError('levels must be an array with at least one probability');
  for (const level of levels) if (!(level > 0 && level < 1)) throw new RangeError(`levels must lie between 0 and 1, both excluded, got ${level}`);
  return levels;
}

function checkSeason(season: number | readonly number[] | 'auto'): number | readonly number[] | 'auto' {
  if (season === 'auto') return season;
  for (const one of typeof season === 'number' ? [season] : season) requireInteger('season', one, 1);
  return season;
}

function chooseSeasons(
  history: Float64Array,
  asked: number | readonly number[] | 'auto',
): { readonly seasons: readonly number[]; readonly remark: string } {
  if (asked === 'auto') return { seasons: detectSeasons(history), remark: '' };
  const wanted = [...(typeof asked === 'number' ? [asked] : asked)].filter((season) => season > 1).sort((a, b) => a - b);
  const seasons = wanted.filter((season) => 2 * season <= history.length).slice(0, 2);
  const left = wanted.filter((season) => !seasons.includes(season));
  const remark = left.length === 0 ? '' : `; season ${left.join(', ')} left out: the history must hold it twice, and two seasons are used at most`;
  if (typeof asked !== 'number' || seasons.length === 0) return { seasons, remark };
  const multiple = findMultiple(history, asked);
  return { seasons: multiple === undefined ? seasons : [asked, multiple], remark };
}

/** Half the width of the middle `level` of simulated paths, averaged over the methods by their weights; a row for each level. */
function* simulatedSpread(
  tested: BackTest,
  horizon: number,
  levels: readonly number[],
  random: () => number,
): Generator<void, readonly Float64Array[]> {
  const spread = levels.map(() => new Float64Array(horizon));
  let total = 0;
  const column = new Float64Array(PATHS);
  for (const { fitted, weight } of tested.weighted) {
    const { simulate } = fitted;
    if (simulate === undefined) continue;
    yield;
    total += weight;
    const paths = Array.from({ length: PATHS }, () => simulate(horizon, random));
    for (let h = 0; h < horizon; h++) {
      for (let p = 0; p < PATHS; p++) column[p] = paths[p]![h]!;
      column.sort();
      levels.forEach((level, k) => {
        spread[k]![h]! += (weight * (quantile(column, (1 + level) / 2) - quantile(column, (1 - level) / 2))) / 2;
      });
    }
  }
  if (total > 0) for (const row of spread) for (let h = 0; h < horizon; h++) row[h]! /= total;
  return spread;
}

function interval(mean: Float64Array, level: number, spread: Float64Array, errors: Float64Array, tried: number): ForecastInterval {
  // The conformal rank: with few errors the largest of them.
  const rank = Math.min(errors.length, Math.ceil(level * (errors.length + 1)));
  const error = errors[rank - 1] ?? 0;
  let within = 0;
  for (let h = 0; h < Math.min(tried, spread.length); h++) within += spread[h]! / Math.min(tried, spread.length);
  const half = spread.map((simulated, h) => {
    // Beyond the horizon that was tried, errors grow as the simulated paths spread.
    const growth = h < tried || within === 0 ? 1 : Math.max(1, simulated / within);
    return (WIDENING * (simulated + error * growth)) / 2;
  });
  return { level, low: mean.map((value, h) => value - half[h]!), high: mean.map((value, h) => value + half[h]!) };
}

function flat(
  value: number,
  horizon: number,
  levels: readonly number[],
  method: string,
  half: (level: number, h: number) => number = () => 0,
): ForecastResult {
  const mean = new Float64Array(horizon).fill(value);
  const intervals = levels.map((level) => ({ level, low: mean.map((v, h) => v - half(level, h)), high: mean.map((v, h) => v + half(level, h)) }));
  return { mean, intervals, method, seasons: [] };
}

function fromFewValues(values: Float64Array, horizon: number, levels: readonly number[]): ForecastResult {
  const n = values.length;
  const last = values[n - 1]!;
  if (n === 1) {
    const size = Math.max(Math.abs(last), 1);
    return flat(
      last,
      horizon,
      levels,
      'naive: one value says nothing of its variation',
      (level, h) => normalQuantile((1 + level) / 2) * size * Math.sqrt(h + 1),
    );
  }
  let squares = 0;
  for (let i = 1; i < n; i++) squares += (values[i]! - values[i - 1]!) ** 2 / (n - 1);
  const half = (level: number, h: number): number => studentQuantile((1 + level) / 2, n - 1) * Math.sqrt(squares * (h + 1));
  return flat(last, horizon, levels, `naive: only ${n} values`, half);
}

// Cornish-Fisher expansion about the normal quantile: Abramowitz and Stegun 1964, 26.7.5.
function studentQuantile(p: number, freedom: number): number {
  const z = normalQuantile(p);
  const first = (z ** 3 + z) / 4;
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  return z + first / freedom + second / freedom ** 2;
}
