import { seededRandom } from '../core/random.js';
import { normalQuantile } from './normal.js';
import { select, selectMedian } from './select.js';

// Up to here every pair of points is looked at; beyond, so many pairs drawn at random.
const EXACT_POINTS = 1_000;
const SAMPLED_PAIRS = 1_000_000;

/** A robust straight line: `slope` in values a unit of `x`. */
export interface TheilSen {
  readonly slope: number;
  /** What the slope lies within at the asked confidence, given the variance of Kendall's S. */
  interval(alpha: number, varianceOfS: number): readonly [number, number];
}

/**
 * The median of the slopes between all pairs of points; of a million pairs, drawn by a fixed seed,
 * where there are more than 1,000 points (its error is then a tenth of the interval's half width or
 * less, up to 100,000 points).
 *
 * Source: Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau", JASA 63, 1968.
 * @param x - ascending strictly; at least two points
 */
export function theilSen(x: ArrayLike<number>, y: ArrayLike<number>): TheilSen {
  const n = x.length;
  const pairs = (n * (n - 1)) / 2;
  const slopes = n <= EXACT_POINTS ? allSlopes(x, y) : sampledSlopes(x, y);
  const slope = selectMedian(slopes);
  return {
    slope,
    interval(alpha: number, varianceOfS: number): readonly [number, number] {
      const spread = normalQuantile(1 - alpha / 2) * Math.sqrt(varianceOfS);
      const last = slopes.length - 1;
      // Ranks among all pairs, brought down to those that were looked at.
      const scale = slopes.length / pairs;
      const low = Math.max(0, Math.round(((pairs - spread) / 2) * scale) - 1);
      const high = Math.min(last, Math.round(((pairs + spread) / 2) * scale));
      return [select(slopes, Math.min(low, last)), select(slopes, Math.max(high, 0))];
    },
  };
}

function allSlopes(x: ArrayLike<number>, y: ArrayLike<number>): Float64Array {
  const n = x.length;
  const slopes = new Float64Array((n * (n - 1)) / 2);
  let k = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) slopes[k++] = (y[j]! - y[i]!) / (x[j]! - x[i]!);
  }
  return slopes;
}

function sampledSlopes(x: ArrayLike<number>, y: ArrayLike<number>): Float64Array {
  const n = x.length;
  const random = seededRandom(n);
  const slopes = new Float64Array(SAMPLED_PAIRS);
  for (let k = 0; k < slopes.length; k++) {
    const i = Math.floor(random() * n);
    const other = Math.floor(random() * (n - 1));
    const j = other < i ? other : other + 1;
    slopes[k] = (y[j]! - y[i]!) / (x[j]! - x[i]!);
  }
  return slopes;
}
