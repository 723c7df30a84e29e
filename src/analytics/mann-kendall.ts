import { requireKnown, requireOneOf, requireWithin } from '../core/options.js';
import { autocorrelation } from './fft.js';
import { normalQuantile, twoSidedP } from './normal.js';
import { rank } from './ranks.js';
import { finiteValues } from './series.js';
import { type TheilSen, theilSen } from './theil-sen.js';

/** How the variance of S accounts for autocorrelation. */
export type TrendMethod = 'ar1' | 'hamed_rao' | 'original';

/** {@link mannKendall} */
export interface MannKendallOptions {
  /** Two-sided level of the test and of the interval. @defaultValue 0.05 */
  readonly alpha?: number;
  /** @defaultValue 'ar1' */
  readonly method?: TrendMethod;
  /** Where the values lie, ascending strictly. @defaultValue 0, 1, 2 … */
  readonly x?: ArrayLike<number>;
}

/** What the test found. */
export interface MannKendall {
  readonly direction: 'rising' | 'falling' | 'none';
  /** Two-sided. */
  readonly pValue: number;
  readonly z: number;
  /** Kendall's S: pairs that rise less pairs that fall. */
  readonly s: number;
  /** Variance of S that the test used. */
  readonly varianceOfS: number;
  /** Theil-Sen slope, in values a unit of `x`; 0 with fewer than two points. */
  readonly slope: number;
  /** What the slope lies within at 1 − alpha; infinite where there are too few points to say. */
  readonly slopeInterval: readonly [number, number];
  /** Lag-1 autocorrelation that was allowed for; 0 for the other methods. */
  readonly phi: number;
}

const METHODS: readonly TrendMethod[] = ['ar1', 'hamed_rao', 'original'];

/**
 * Tests whether values rise or fall, whatever their distribution.
 *
 * Plain Mann-Kendall takes autocorrelation for a trend: on AR(1) noise with φ = 0.8 it cries wolf
 * about every second time. `ar1`, the default, inflates the variance of S by what an AR(1) process
 * of the measured φ inflates that of a mean, with its term for finite n; φ comes from the residuals
 * about the Theil-Sen line, corrected for its bias, and counts where it is positive. `hamed_rao`
 * sums the significant autocorrelations of the detrended values' ranks over all lags.
 *
 * Source: Mann 1945; Kendall 1975; Hamed and Rao, J. Hydrology 204, 1998; effective sample size of
 * Bayley and Hammersley, JRSS Supplement 8, 1946; bias of φ: Marriott and Pope, Biometrika 41, 1954.
 *
 * @throws RangeError on NaN or Infinity, naming the index, or on an option out of range
 */
export function mannKendall(values: ArrayLike<number>, options: MannKendallOptions = {}): MannKendall {
  requireKnown('mannKendall', options, ['alpha', 'method', 'x']);
  const { alpha = 0.05, method = 'ar1' } = options;
  requireWithin('alpha', alpha, 1e-12, 1 - 1e-12);
  requireOneOf('method', method, METHODS);
  const y = finiteValues('values', values);
  const n = y.length;
  if (n < 2) {
    return { direction: 'none', pValue: 1, z: 0, s: 0, varianceOfS: 0, slope: 0, slopeInterval: [-Infinity, Infinity], phi: 0 };
  }
  const x = options.x ?? Float64Array.from(y, (_, i) => i);
  if (x.length !== n) throw new RangeError(`x must be as long as values, ${n}, got ${x.length}`);
  const { order, ties } = rank(y);
  const s = kendallS(order, ties.length);
  const line = theilSen(x, y);
  const plain = plainVariance(n, ties);
  const phi = method === 'ar1' ? firstAutocorrelation(x, y, line.slope) : 0;
  const varianceOfS = method === 'original' ? plain : plain * (method === 'ar1' ? ar1Inflation(n, phi) : hamedRaoInflation(x, y, line, alpha));
  const z = varianceOfS > 0 ? (s - Math.sign(s)) / Math.sqrt(varianceOfS) : 0;
  const pValue = twoSidedP(z);
  const direction = pValue >= alpha ? 'none' : z > 0 ? 'rising' : 'falling';
  const slopeInterval: readonly [number, number] = n > 2 ? line.interval(alpha, varianceOfS) : [-Infinity, Infinity];
  return { direction, pValue, z, s, varianceOfS, slope: line.slope, slopeInterval, phi };
}

// Counts, for each value, the earlier ones below and above it in a Fenwick tree: O(n log n).
function kendallS(order: Int32Array, distinct: number): number {
  const counts = new Int32Array(distinct + 1);
  const countBelow = (limit: number): number => {
    let sum = 0;
    for (let k = limit; k > 0; k -= k & -k) sum += counts[k]!;
    return sum;
  };
  let s = 0;
  for (let i = 0; i < order.length; i++) {
    const position = order[i]! + 1;
    s += countBelow(position - 1) - (i - countBelow(position));
    for (let k = position; k <= distinct; k += k & -k) counts[k]!++;
  }
  return s;
}

function plainVariance(n: number, ties: Int32Array): number {
  let sum = n * (n - 1) * (2 * n + 5);
  for (const t of ties) if (t > 1) sum -= t * (t - 1) * (2 * t + 5);
  return sum / 18;
}

function firstAutocorrelation(x: ArrayLike<number>, y: Float64Array, slope: number): number {
  const n = y.length;
  // Too few to tell memory from chance.
  if (n < 8) return 0;
  let mean = 0;
  const residuals = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    residuals[i] = y[i]! - slope * (x[i]! - x[0]!);
    mean += residuals[i]! / n;
  }
  let variance = 0;
  let covariance = 0;
  for (let i = 0; i < n; i++) {
    variance += (residuals[i]! - mean) ** 2;
    if (i > 0) covariance += (residuals[i]! - mean) * (residuals[i - 1]! - mean);
  }
  if (variance === 0) return 0;
  // For the bias of a mean; that of a line, (nφ + 2)/(n − 4), costs power: .71 for .75 at n = 100, φ = .8.
  const corrected = ((n * covariance) / variance + 1) / (n - 3);
  return Math.min(Math.max(0, corrected), 1 - 1 / n);
}

function ar1Inflation(n: number, phi: number): number {
  return (1 + phi) / (1 - phi) - (2 * phi * (1 - phi ** n)) / (n * (1 - phi) ** 2);
}

function hamedRaoInflation(x: ArrayLike<number>, y: Float64Array, line: TheilSen, alpha: number): number {
  const n = y.length;
  if (n < 3) return 1;
  const detrended = Float64Array.from(y, (value, i) => value - (x[i]! - x[0]! + 1) * line.slope);
  const correlation = autocorrelation(rank(detrended).ranks);
  const bound = normalQuantile(1 - alpha / 2) / Math.sqrt(n);
  let sum = 0;
  for (let lag = 1; lag < n; lag++) {
    if (Math.abs(correlation[lag]!) > bound) sum += (n - lag) * (n - lag - 1) * (n - lag - 2) * correlation[lag]!;
  }
  // The sum by its size, as pyMannKendall takes it: negative correlations never make the test bolder.
  return 1 + (2 / (n * (n - 1) * (n - 2))) * Math.abs(sum);
}
