import { selectMedian } from './select.js';

/** An evenly spaced series: the value at `start + i * stepMs`. */
export interface RegularSeries {
  readonly start: number;
  readonly stepMs: number;
  readonly v: Float64Array;
}

/** The usual distance between points; undefined with fewer than two. */
export function medianStep(t: Float64Array): number | undefined {
  if (t.length < 2) return undefined;
  return selectMedian(Float64Array.from({ length: t.length - 1 }, (_, i) => t[i + 1]! - t[i]!));
}

/** Whether all points lie one step apart. */
export function isRegular(t: Float64Array): boolean {
  const step = t[1]! - t[0]!;
  for (let i = 2; i < t.length; i++) if (t[i]! - t[i - 1]! !== step) return false;
  return true;
}

const MOST_STEPS = 1_000_000;

/**
 * Brings a series onto a grid that ends at its last point: each value is the mean of the points of
 * the step up to it, and gaps are bridged by straight lines.
 * @param t - ascending, at least one
 * @throws RangeError when the grid would have more than a million steps
 */
export function resample(t: Float64Array, v: Float64Array, stepMs: number): RegularSeries {
  const last = t[t.length - 1]!;
  const count = Math.floor((last - t[0]!) / stepMs + 1e-9) + 1;
  if (!(count <= MOST_STEPS)) throw new RangeError(`stepMs must give at most ${MOST_STEPS} steps over the series, got ${count}`);
  const values = new Float64Array(count);
  const counts = new Uint32Array(count);
  for (let i = 0; i < t.length; i++) {
    const slot = count - 1 - Math.floor((last - t[i]!) / stepMs + 1e-9);
    if (slot < 0) continue;
    counts[slot]!++;
    values[slot]! += (v[i]! - values[slot]!) / counts[slot]!;
  }
  bridge(values, counts);
  return { start: last - (count - 1) * stepMs, stepMs, v: values };
}

function bridge(values: Float64Array, counts: Uint32Array): void {
  // The last slot always has a point; the first may lack one where the grid does not begin at a point.
  let known = counts.findIndex((count) => count > 0);
  values.fill(values[known]!, 0, known);
  for (let i = known + 1; i < values.length; i++) {
    if (counts[i] === 0) continue;
    for (let gap = known + 1; gap < i; gap++) values[gap] = values[known]! + ((values[i]! - values[known]!) * (gap - known)) / (i - known);
    known = i;
  }
}
