import { requireInteger, requireKnown, requirePositive } from '../core/options.js';
import { select, selectMedian } from './select.js';
import { finiteValues } from './series.js';

/** {@link changePoints} */
export interface ChangePointOptions {
  /** Cost of one more change, in squared values. @defaultValue from the data: 3 ln n times the long-run variance */
  readonly penalty?: number;
  /** Fewest points between changes. @defaultValue 2 */
  readonly minSize?: number;
}

// Beyond so many, means of equally many points stand for them; the changes are then placed to the point.
const EXACT_POINTS = 4_096;
// How often the variance is measured again about the levels that were found.
const ROUNDS = 4;
const BLOCKS = 10;
const SMALLEST_BLOCK = 25;

/**
 * Where the level of the values changes: the index of the first value after each change, ascending.
 *
 * The levels are those of least squares with a price on each change. Where no price is given it
 * follows from the noise, and from how long the noise remembers: neighbouring values of a slowly
 * wandering series look like steps to a price made for independent ones. That memory is first
 * measured within short blocks; once changes are found, again about the levels between them.
 * With fewer than 8 values no price can be made up, and nothing is found.
 *
 * Source: PELT: Killick, Fearnhead, Eckley, JASA 107, 2012; long-run variance of an AR(1) process,
 * σ²/(1 − φ)².
 *
 * @throws RangeError on NaN or Infinity, naming the index, or on an option out of range
 */
export function changePoints(values: ArrayLike<number>, options: ChangePointOptions = {}): readonly number[] {
  requireKnown('changePoints', options, ['penalty', 'minSize']);
  const minSize = requireInteger('minSize', options.minSize ?? 2, 1);
  const y = finiteValues('values', values);
  if (options.penalty !== undefined) return detect(y, requirePositive('penalty', options.penalty), minSize);
  if (y.length < 8) return [];
  let noise = noiseWithinBlocks(y);
  let found: readonly number[] = [];
  const digits = roundOff(y);
  for (let round = 0; round < ROUNDS; round++) {
    const penalty = 3 * Math.log(y.length) * noise.longRunVariance;
    // What is left about exact levels is no noise: at its price every rounding error would be a change.
    if (!(penalty > digits)) break;
    const next = detect(y, penalty, minSize);
    // Never fewer than before: a price that rises again would make the rounds swing.
    if (next.length <= found.length) break;
    found = next;
    noise = noiseAboutLevels(y, found);
  }
  return placeWithMemory(y, found, noise.phi, minSize);
}

/** How far off a sum of squared deviations may be by rounding alone. */
function roundOff(y: Float64Array): number {
  const { squares } = prefixSums(y);
  return Number.EPSILON * y.length * squares[y.length]!;
}

function detect(y: Float64Array, penalty: number, minSize: number): readonly number[] {
  const width = Math.ceil(y.length / EXACT_POINTS);
  if (width <= 1) return pelt(y, penalty, minSize);
  const buckets = Math.floor(y.length / width);
  const means = new Float64Array(buckets);
  for (let i = 0; i < buckets * width; i++) means[Math.floor(i / width)]! += y[i]! / width;
  // A squared deviation of a mean of `width` values stands for `width` of theirs.
  const coarse = pelt(means, penalty / width, Math.max(1, Math.ceil(minSize / width)));
  return placeExactly(
    y,
    coarse.map((bucket) => bucket * width),
    width,
  );
}

/** Least squares segmentation with a price on each change, exactly, pruning what can't become best any more. */
function pelt(y: Float64Array, penalty: number, minSize: number): readonly number[] {
  const n = y.length;
  const { sum, squares } = prefixSums(y);
  const cost = (from: number, to: number): number => {
    const total = sum[to]! - sum[from]!;
    return squares[to]! - squares[from]! - (total * total) / (to - from);
  };
  const best = new Float64Array(n + 1).fill(Infinity);
  best[0] = -penalty;
  const previous = new Int32Array(n + 1);
  let candidates = new Int32Array(n + 1);
  let kept = new Int32Array(n + 1);
  const costs = new Float64Array(n + 1);
  let count = 0;
  for (let to = minSize; to <= n; to++) {
    // A segment can end here only where it began minSize ago or earlier, at 0 or after a full segment.
    const start = to - minSize;
    if (best[start]! < Infinity) candidates[count++] = start;
    let least = Infinity;
    for (let k = 0; k < count; k++) {
      const from = candidates[k]!;
      const total = (costs[k] = best[from]! + cost(from, to));
      if (total + penalty < least) {
        least = total + penalty;
        previous[to] = from;
      }
    }
    best[to] = least;
    let left = 0;
    for (let k = 0; k < count; k++) if (costs[k]! <= least) kept[left++] = candidates[k]!;
    [candidates, kept] = [kept, candidates];
    count = left;
  }
  const found: number[] = [];
  if (n >= minSize) for (let at = previous[n]!; at > 0; at = previous[at]!) found.unshift(at);
  return found;
}

function prefixSums(y: Float64Array): { readonly sum: Float64Array; readonly squares: Float64Array } {
  // About the mean, so that a large level does not eat the digits of the squares.
  let mean = 0;
  for (const value of y) mean += value / y.length;
  const sum = new Float64Array(y.length + 1);
  const squares = new Float64Array(y.length + 1);
  for (let i = 0; i < y.length; i++) {
    const d = y[i]! - mean;
    sum[i + 1] = sum[i]! + d;
    squares[i + 1] = squares[i]! + d * d;
  }
  return { sum, squares };
}

/** Moves each change to the point, within a bucket to both sides, that splits its neighbours' span best. */
function placeExactly(y: Float64Array, coarse: readonly number[], width: number): readonly number[] {
  const { sum } = prefixSums(y);
  let from = 0;
  return coarse.map((at, k) => {
    const to = coarse[k + 1] ?? y.length;
    let best = at;
    let most = -Infinity;
    for (let split = Math.max(from + 1, at - width); split <= Math.min(to - 1, at + width); split++) {
      const left = sum[split]! - sum[from]!;
      const right = sum[to]! - sum[split]!;
      const gain = (left * left) / (split - from) + (right * right) / (to - split);
      if (gain > most) [most, best] = [gain, split];
    }
    return (from = best);
  });
}

/**
 * Moves each change, within the time that the noise remembers, to where an AR(1) process about the
 * two levels is least surprised: a slow excursion before a step must not pull the step towards it.
 */
function placeWithMemory(y: Float64Array, changes: readonly number[], phi: number, minSize: number): readonly number[] {
  const reach = Math.ceil(phi / (1 - phi)) * 2;
  if (reach === 0) return changes;
  const { sum } = prefixSums(y);
  const mean = (from: number, to: number): number => (sum[to]! - sum[from]!) / (to - from);
  let offset = 0;
  for (const value of y) offset += value / y.length;
  // Behind where the one before it was moved to: two that are close must not pass each other.
  let start = 0;
  return changes.map((at, k) => {
    const end = changes[k + 1] ?? y.length;
    const before = mean(start, at) + offset;
    const after = mean(at, end) + offset;
    const first = Math.max(start + minSize, at - reach);
    const last = Math.min(end - minSize, at + reach);
    let best = at;
    let least = Infinity;
    for (let split = first; split <= last; split++) {
      let squares = 0;
      for (let i = first; i <= last; i++) {
        const surprise = y[i]! - (i < split ? before : after) - phi * (y[i - 1]! - (i - 1 < split ? before : after));
        squares += surprise * surprise;
      }
      if (squares < least) [least, best] = [squares, split];
    }
    return (start = best);
  });
}

interface Noise {
  readonly phi: number;
  /** σ²/(1 − φ)². */
  readonly longRunVariance: number;
}

/**
 * The noise before any level is known: φ is the median over short blocks, each about its own mean,
 * so that the few blocks that a step falls into do not pass it off as memory.
 */
function noiseWithinBlocks(y: Float64Array): Noise {
  const size = Math.min(y.length, Math.max(SMALLEST_BLOCK, Math.floor(y.length / BLOCKS)));
  const phis: number[] = [];
  for (let from = 0; from + size <= y.length; from += size) phis.push(firstAutocorrelation(centred(y, [from, from + size])));
  return noiseOf(centred(y, [0, y.length]), selectMedian(Float64Array.from(phis)));
}

function noiseAboutLevels(y: Float64Array, changes: readonly number[]): Noise {
  const residuals = centred(y, [0, ...changes, y.length]);
  return noiseOf(residuals, firstAutocorrelation(residuals));
}

/** The values between the first and the last of `ends`, less their mean between each two. */
function centred(y: Float64Array, ends: readonly number[]): Float64Array {
  const residuals = y.slice(ends[0], ends[ends.length - 1]);
  for (let k = 1; k < ends.length; k++) {
    const segment = residuals.subarray(ends[k - 1]! - ends[0]!, ends[k]! - ends[0]!);
    let mean = 0;
    for (const value of segment) mean += value / segment.length;
    for (let i = 0; i < segment.length; i++) segment[i]! -= mean;
  }
  return residuals;
}

// Bias-corrected for the mean that was taken off (Marriott and Pope, Biometrika 41, 1954).
function firstAutocorrelation(residuals: Float64Array): number {
  const n = residuals.length;
  let variance = 0;
  let covariance = 0;
  for (let i = 0; i < n; i++) {
    variance += residuals[i]! ** 2;
    if (i > 0) covariance += residuals[i]! * residuals[i - 1]!;
  }
  return variance === 0 ? 0 : Math.min(Math.max(0, (n * (covariance / variance) + 1) / (n - 3)), 1 - 2 / n);
}

function noiseOf(residuals: Float64Array, phi: number): Noise {
  const innovations = new Float64Array(residuals.length - 1);
  for (let i = 1; i < residuals.length; i++) innovations[i - 1] = residuals[i]! - phi * residuals[i - 1]!;
  return { phi, longRunVariance: robustVariance(innovations) / (1 - phi) ** 2 };
}

function robustVariance(values: Float64Array): number {
  const centre = selectMedian(values);
  const deviations = values.map((value) => Math.abs(value - centre));
  const mad = select(deviations, deviations.length >> 1) / 0.6744897501960817;
  if (mad > 0) return mad * mad;
  // More than half of them equal: the ordinary variance is all there is.
  let sum = 0;
  for (const d of deviations) sum += d * d;
  return sum / Math.max(1, deviations.length - 1);
}
