import { max, mean, min, sampleStandardDeviation } from 'simple-statistics';
import { quantile } from './quantile.js';
import { finiteValues } from './series.js';

/** What describes a set of values. With n = 0 every figure is 0. */
export interface Summary {
  readonly n: number;
  readonly mean: number;
  /** With n − 1; 0 for a single value. */
  readonly sd: number;
  readonly min: number;
  /** Quantiles are of type 7: linear between the order statistics. */
  readonly p5: number;
  readonly median: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
  /** Third standardised moment of the population, 0 where all values are equal. */
  readonly skewness: number;
  /** Fourth standardised moment of the population less 3, 0 where all values are equal. */
  readonly kurtosis: number;
}

/**
 * Describes values.
 * @throws RangeError on NaN or Infinity, naming the index
 */
export function summarize(values: ArrayLike<number>): Summary {
  const sorted = Array.from(finiteValues('values', values).sort());
  const n = sorted.length;
  if (n === 0) return { n, mean: 0, sd: 0, min: 0, p5: 0, median: 0, p95: 0, p99: 0, max: 0, skewness: 0, kurtosis: 0 };
  const centre = mean(sorted);
  const { skewness, kurtosis } = shape(sorted, centre);
  return {
    n,
    mean: centre,
    sd: n > 1 ? sampleStandardDeviation(sorted) : 0,
    min: min(sorted),
    p5: quantile(sorted, 0.05),
    median: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
    max: max(sorted),
    skewness,
    kurtosis,
  };
}

// simple-statistics has the kurtosis of a sample only; both are of the population here.
function shape(values: readonly number[], centre: number): { readonly skewness: number; readonly kurtosis: number } {
  if (values[0] === values[values.length - 1]) return { skewness: 0, kurtosis: 0 };
  const scale = Math.max(...[values[0]!, values[values.length - 1]!].map((end) => Math.abs(end - centre)));
  let second = 0;
  let third = 0;
  let fourth = 0;
  for (const value of values) {
    // Relative to the largest deviation: powers of tiny or huge values would leave the range of doubles.
    const d = (value - centre) / scale;
    second += d * d;
    third += d ** 3;
    fourth += d ** 4;
  }
  const n = values.length;
  return { skewness: third / n / (second / n) ** 1.5, kurtosis: (n * fourth) / second ** 2 - 3 };
}
