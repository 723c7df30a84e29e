import { autocorrelation } from '../fft.js';

// So many of the latest values are looked at: enough for a week of minutes.
const LONGEST_HISTORY = 16_384;
const LEAST_CORRELATION = 0.2;
const LEAST_PROMINENCE = 0.15;
// In standard errors of a correlation.
const LEAST_SIGNIFICANCE = 3;
const LEAST_GAIN = 1.5;

/**
 * The seasons of a history, in points: the basic one and, where there is one, the multiple of it that
 * repeats better than its neighbours (the week of a daily rhythm). Empty where nothing repeats.
 *
 * A season is a peak of the autocorrelation of the detrended values that stands out from the trough
 * before it and comes back at twice its lag. At least three of it must fit into the history.
 */
export function detectSeasons(history: Float64Array): readonly number[] {
  const recent = history.subarray(Math.max(0, history.length - LONGEST_HISTORY));
  if (recent.length < 12) return [];
  const values = detrended(recent);
  const season = basicSeason(unbiasedCorrelation(values));
  if (season === undefined) return [];
  const multiple = seasonMultiple(values, season);
  return multiple === undefined ? [season] : [season, multiple];
}

/** The multiple of `season` within `history` that repeats better than the multiples beside it. */
export function findMultiple(history: Float64Array, season: number): number | undefined {
  const recent = history.subarray(Math.max(0, history.length - Math.max(LONGEST_HISTORY, 30 * season)));
  return seasonMultiple(detrended(recent), season);
}

function basicSeason(correlation: Float64Array): number | undefined {
  const longest = Math.floor(correlation.length / 3);
  const peaks: number[] = [];
  let trough = 1;
  // Bartlett's variance of a correlation: a wandering series has high ones by chance.
  let squares = 0.5;
  for (let lag = 2; lag <= longest; lag++) {
    const value = correlation[lag]!;
    const significant = LEAST_SIGNIFICANCE * Math.sqrt((2 * squares) / correlation.length);
    if (lag % 2 === 0) squares += correlation[lag >> 1]! ** 2;
    if (value < trough) trough = value;
    else if (
      value >= Math.max(LEAST_CORRELATION, significant) &&
      value - trough >= LEAST_PROMINENCE &&
      isPeak(correlation, lag) &&
      comesBack(correlation, lag)
    )
      peaks.push(lag);
  }
  let highest = 0;
  for (const lag of peaks) highest = Math.max(highest, correlation[lag]!);
  return peaks.find((lag) => correlation[lag]! >= 0.6 * highest);
}

function isPeak(correlation: Float64Array, lag: number): boolean {
  const reach = Math.max(1, Math.floor(lag / 5));
  for (let other = lag - reach; other <= lag + reach; other++) if ((correlation[other] ?? 0) > correlation[lag]!) return false;
  return true;
}

// Noise has peaks too, but not at twice their lag.
function comesBack(correlation: Float64Array, lag: number): boolean {
  const half = correlation[lag + (lag >> 1)] ?? 0;
  const reach = Math.max(1, Math.floor(lag / 12));
  let again = -1;
  for (let other = 2 * lag - reach; other <= 2 * lag + reach; other++) again = Math.max(again, correlation[other] ?? 0);
  return again > half && again > 0.3 * correlation[lag]!;
}

// What the basic season explains is taken off first: it repeats at every multiple alike.
function seasonMultiple(values: Float64Array, season: number): number | undefined {
  const correlation = unbiasedCorrelation(withoutProfile(values, season));
  const longest = Math.floor(values.length / 3);
  let best: number | undefined;
  let most = LEAST_GAIN / Math.sqrt(values.length);
  for (let lag = 3 * season; lag <= longest; lag += season) {
    const gain = correlation[lag]! - Math.max(correlation[lag - season]!, correlation[lag + season]!);
    if (gain > most) [most, best] = [gain, lag];
  }
  return best;
}

// Sums run over fewer pairs at longer lags; brought to one measure, longer seasons are not held back.
function unbiasedCorrelation(values: Float64Array): Float64Array {
  const n = values.length;
  return autocorrelation(values).map((value, lag) => (value * n) / (n - lag));
}

function withoutProfile(values: Float64Array, season: number): Float64Array {
  const profile = new Float64Array(season);
  const counts = new Float64Array(season);
  for (let i = 0; i < values.length; i++) {
    profile[i % season]! += values[i]!;
    counts[i % season]!++;
  }
  return values.map((value, i) => value - profile[i % season]! / counts[i % season]!);
}

function detrended(values: Float64Array): Float64Array {
  const n = values.length;
  let mean = 0;
  let slope = 0;
  for (let i = 0; i < n; i++) {
    mean += values[i]! / n;
    slope += (i - (n - 1) / 2) * values[i]!;
  }
  slope *= 12 / (n * (n * n - 1));
  return values.map((value, i) => value - mean - slope * (i - (n - 1) / 2));
}
