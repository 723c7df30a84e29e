/** Samples `from` (included) to `to` (not included) of a series, which lie between `start` and `end`, both epoch ms. */
export interface RangeWindow {
  t: Float64Array;
  v: Float64Array;
  from: number;
  to: number;
  start: number;
  end: number;
  /** The first argument of `quantile_over_time`. */
  parameter: number;
}

/** Writes the value into `out[slot]` and gives 1, or 0 where there is none. NaN samples are no samples. */
export type RangeFunction = (window: RangeWindow, out: Float64Array, slot: number) => 0 | 1;

/**
 * The rise or difference between the first and the last sample, taken to the ends of the range.
 * Source: `extrapolatedRate` of Prometheus 2 (promql/functions.go).
 */
function extrapolated(window: RangeWindow, out: Float64Array, slot: number, isCounter: boolean, isRate: boolean): 0 | 1 {
  const { t, v, to, start, end } = window;
  let first = window.from;
  while (first < to && Number.isNaN(v[first])) first++;
  let last = to - 1;
  while (last > first && Number.isNaN(v[last])) last--;
  if (last <= first) return 0;
  let result = (v[last] as number) - (v[first] as number);
  let intervals = 0;
  let previous = v[first] as number;
  for (let i = first + 1; i <= last; i++) {
    const value = v[i] as number;
    if (Number.isNaN(value)) continue;
    intervals++;
    if (isCounter && value < previous) result += previous;
    previous = value;
  }
  const sampledMs = (t[last] as number) - (t[first] as number);
  const averageMs = sampledMs / intervals;
  const thresholdMs = averageMs * 1.1;
  let toStartMs = (t[first] as number) - start;
  const toEndMs = end - (t[last] as number);
  // A counter is not taken to below 0.
  if (isCounter && result > 0 && (v[first] as number) >= 0) {
    const toZeroMs = sampledMs * ((v[first] as number) / result);
    if (toZeroMs < toStartMs) toStartMs = toZeroMs;
  }
  const coveredMs = sampledMs + (toStartMs < thresholdMs ? toStartMs : averageMs / 2) + (toEndMs < thresholdMs ? toEndMs : averageMs / 2);
  let factor = coveredMs / sampledMs;
  if (isRate) factor /= (end - start) / 1000;
  out[slot] = result * factor;
  return 1;
}

/** Reduces the samples; Kahan's summation, since a sum over an hour has thousands of terms. */
function summed(window: RangeWindow, out: Float64Array, slot: number, isMean: boolean): 0 | 1 {
  const { v, from, to } = window;
  let sum = 0;
  let lost = 0;
  let count = 0;
  for (let i = from; i < to; i++) {
    const value = v[i] as number;
    if (Number.isNaN(value)) continue;
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
    count++;
  }
  if (count === 0) return 0;
  // An infinite sum has lost NaN.
  const total = Number.isFinite(lost) ? sum + lost : sum;
  out[slot] = isMean ? total / count : total;
  return 1;
}

function extreme({ v, from, to }: RangeWindow, out: Float64Array, slot: number, sign: 1 | -1): 0 | 1 {
  let best = Number.NaN;
  for (let i = from; i < to; i++) {
    const value = v[i] as number;
    if (!Number.isNaN(value) && !(best * sign >= value * sign)) best = value;
  }
  if (Number.isNaN(best)) return 0;
  out[slot] = best;
  return 1;
}

function counted({ v, from, to }: RangeWindow, out: Float64Array, slot: number): 0 | 1 {
  let count = 0;
  for (let i = from; i < to; i++) if (!Number.isNaN(v[i])) count++;
  out[slot] = count;
  return count > 0 ? 1 : 0;
}

function latest({ v, from, to }: RangeWindow, out: Float64Array, slot: number): 0 | 1 {
  for (let i = to - 1; i >= from; i--) {
    if (Number.isNaN(v[i])) continue;
    out[slot] = v[i] as number;
    return 1;
  }
  return 0;
}

/** How often a value differs from the one before, or is below it. */
function turns({ v, from, to }: RangeWindow, out: Float64Array, slot: number, fallsOnly: boolean): 0 | 1 {
  let previous = Number.NaN;
  let count = 0;
  for (let i = from; i < to; i++) {
    const value = v[i] as number;
    if (Number.isNaN(value)) continue;
    if (fallsOnly ? value < previous : value !== previous && !Number.isNaN(previous)) count++;
    previous = value;
  }
  out[slot] = count;
  return Number.isNaN(previous) ? 0 : 1;
}

let scratch = new Float64Array(256);

function quantileOver({ v, from, to }: RangeWindow, out: Float64Array, slot: number, q: number): 0 | 1 {
  if (scratch.length < to - from) scratch = new Float64Array((to - from) * 2);
  let count = 0;
  for (let i = from; i < to; i++) {
    const value = v[i] as number;
    if (!Number.isNaN(value)) scratch[count++] = value;
  }
  if (count === 0) return 0;
  out[slot] = quantileOf(scratch.subarray(0, count), q);
  return 1;
}

/**
 * Interpolated between the two nearest; sorts `values`. Below 0 it is -Infinity, above 1 Infinity, as in Prometheus.
 * Source: type 7 of Hyndman and Fan 1996, as Prometheus' `quantile`.
 */
export function quantileOf(values: Float64Array, q: number): number {
  if (values.length === 0 || Number.isNaN(q)) return Number.NaN;
  if (q < 0) return -Infinity;
  if (q > 1) return Infinity;
  values.sort();
  const rank = q * (values.length - 1);
  const low = Math.floor(rank);
  const high = Math.min(values.length - 1, low + 1);
  const weight = rank - low;
  return (values[low] as number) * (1 - weight) + (values[high] as number) * weight;
}

export const RANGE_FUNCTIONS: Readonly<Record<string, RangeFunction>> = {
  rate: (window, out, slot) => extrapolated(window, out, slot, true, true),
  increase: (window, out, slot) => extrapolated(window, out, slot, true, false),
  delta: (window, out, slot) => extrapolated(window, out, slot, false, false),
  changes: (window, out, slot) => turns(window, out, slot, false),
  resets: (window, out, slot) => turns(window, out, slot, true),
  avg_over_time: (window, out, slot) => summed(window, out, slot, true),
  sum_over_time: (window, out, slot) => summed(window, out, slot, false),
  min_over_time: (window, out, slot) => extreme(window, out, slot, -1),
  max_over_time: (window, out, slot) => extreme(window, out, slot, 1),
  count_over_time: counted,
  last_over_time: latest,
  median_over_time: (window, out, slot) => quantileOver(window, out, slot, 0.5),
  quantile_over_time: (window, out, slot) => quantileOver(window, out, slot, window.parameter),
};
