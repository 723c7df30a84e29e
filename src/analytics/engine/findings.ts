import { quantile } from '../quantile.js';
import { selectMedian } from '../select.js';
import type { Measure } from './measure.js';

/** A change for the worse in one series. */
export interface Finding {
  /** `jump`: from one moment on; `creep`: slowly, since then. */
  readonly kind: 'jump' | 'creep';
  readonly since: number;
  /** When it was over; undefined while it lasts. */
  readonly until?: number;
  readonly before: number;
  readonly after: number;
  /** How clear it is: the change in units of what would just have been worth a word. */
  readonly strength: number;
}

/** What of a {@link Measure} the search needs. */
export type Watched = Pick<Measure, 'worse' | 'least' | 'leaks'>;

/**
 * The changes for the worse in a series, in order of time; found in slices of a few milliseconds.
 * @param weights - how many events each value is a share of, where it is one
 */
export function* findChanges(
  t: Float64Array,
  v: Float64Array,
  weights: Float64Array | undefined,
  watched: Watched,
): Generator<void, readonly Finding[]> {
  // Downward changes are upward ones of the mirrored values.
  const mirror = watched.worse === 'lower' ? -1 : 1;
  const values = v.map((value) => mirror * value);
  const creep = watched.worse === 'higher' ? findCreep(t, values, watched) : undefined;
  yield;
  const jumps = watched.leaks === true ? [] : yield* findJumps(t, values, weights, watched);
  // What jumps out during a slow rise is the rise.
  const found = creep === undefined ? jumps : [creep, ...jumps.filter(({ since }) => since < creep.since)];
  return found.map((finding) => ({ ...finding, before: mirror * finding.before, after: mirror * finding.after })).sort((a, b) => a.since - b.since);
}

const BASELINE = 120;
const LEAST_BASELINE = 24;
const WIDTH = 2;
// What is over sooner is an incident of a single call or two, unless the measure says more.
const LASTING_MS = 15_000;
const LEAST_VALUES = 3;
// A run that chance brings about less than once in a million: natural logarithms.
const EVIDENCE = Math.log(1e6);
const GLARING = 3;
const OVER = 12;
const YIELD_EVERY = 100;

/**
 * Runs of values above what the ten minutes before them lead to expect: above their median by twice
 * the distance to their 95th percentile, and by what is worth a word. A run counts when it lasts and
 * chance would hardly bring it about, by how often the baseline itself exceeded the threshold; for a share of
 * counted events, by the events. The baseline stands still while a run lasts, so that a lasting
 * change does not become normal by lasting.
 */
function* findJumps(t: Float64Array, v: Float64Array, weights: Float64Array | undefined, { least }: Watched): Generator<void, Finding[]> {
  const found: Finding[] = [];
  const baseline: number[] = [];
  const learn = (i: number): void => {
    baseline.push(i);
    if (baseline.length > BASELINE) baseline.shift();
  };
  let i = 0;
  for (let turn = 1; i < v.length; turn++) {
    if (turn % YIELD_EVERY === 0) yield;
    if (baseline.length < LEAST_BASELINE) {
      learn(i++);
      continue;
    }
    const sorted = Float64Array.from(baseline, (k) => v[k]!).sort();
    const median = quantile(sorted, 0.5);
    const margin = Math.max(WIDTH * (quantile(sorted, 0.95) - median), least.absolute, least.relative * Math.abs(median));
    const threshold = median + margin;
    if (!(v[i]! > threshold)) {
      learn(i++);
      continue;
    }
    const end = runEnd(v, i, threshold);
    const during = selectMedian(v.slice(i, end));
    const onset = onsetOf(v, i, end, (median + during) / 2);
    if (!lasts(t, onset, end, least.lastingMs)) {
      learn(i++);
      continue;
    }
    const rare = weights === undefined ? rarityOfRun(v, i, end, threshold, baseline) : rarityOfShare(v, weights, i, end, baseline);
    if (rare < (weights === undefined && during - median > GLARING * margin ? EVIDENCE / 2 : EVIDENCE)) {
      // A value that ran away alone tells nothing of the level.
      learn(i++);
      continue;
    }
    const until = end < v.length ? { until: t[end]! } : {};
    found.push({
      kind: 'jump',
      since: t[onset]!,
      ...until,
      before: median,
      after: during,
      strength: (during - median) / margin,
    });
    i = end;
  }
  return found;
}

function lasts(t: Float64Array, from: number, end: number, lastingMs = LASTING_MS): boolean {
  const step = t[from]! - t[from - 1]!;
  return (t[end] ?? t[end - 1]! + step) - t[from]! >= lastingMs;
}

/** Where the run that begins at `from` is over: when the values stay nearer to the old level than to the run's for a minute. */
function runEnd(v: Float64Array, from: number, threshold: number): number {
  let end = from + 1;
  for (let i = from + 1, below = 0; i < v.length && below < OVER; i++) {
    if (v[i]! > threshold) {
      end = i + 1;
      below = 0;
    } else below++;
  }
  // A lone value in the next minute is no continuation of a short run.
  let above = 0;
  let last = from + 1;
  for (let i = from; i < end; i++) {
    if (v[i]! > threshold) above++;
    if (above >= (i - from + 1) / 2) last = i + 1;
  }
  return last;
}

// A value that chanced to be high shortly before is not yet the change: two in a row are, nearer to the new level than to the old.
function onsetOf(v: Float64Array, from: number, to: number, middle: number): number {
  for (let i = from; i + 1 < to; i++) if (v[i]! > middle && v[i + 1]! > middle) return i;
  return from;
}

function rarityOfRun(v: Float64Array, from: number, to: number, threshold: number, baseline: readonly number[]): number {
  let exceeding = 0;
  for (const k of baseline) if (v[k]! > threshold) exceeding++;
  let above = 0;
  for (let i = from; i < to; i++) if (v[i]! > threshold) above++;
  if (above < LEAST_VALUES) return 0;
  return above * Math.log((baseline.length + 2) / (exceeding + 1));
}

/** Chernoff's bound: −ln P(a share as high or higher in so many events) ≥ n KL(share of the run ‖ share before). */
function rarityOfShare(v: Float64Array, weights: Float64Array, from: number, to: number, baseline: readonly number[]): number {
  const indices = Array.from({ length: to - from }, (_, i) => from + i);
  const during = shareOver(v, weights, indices);
  const before = shareOver(v, weights, baseline);
  // One event more than was seen: no rate is known to be 0. Mirrored shares are negative.
  const sign = during.part < 0 || before.part < 0 ? -1 : 1;
  const p = sign * (during.part / during.whole);
  const q = (sign * before.part + (sign > 0 ? 1 : 0)) / (before.whole + 1);
  const term = (a: number, b: number): number => (a === 0 ? 0 : a * Math.log(a / Math.max(b, 1e-9)));
  return during.whole * (term(p, q) + term(1 - p, 1 - q));
}

function shareOver(v: Float64Array, weights: Float64Array, indices: readonly number[]): { readonly part: number; readonly whole: number } {
  let part = 0;
  let whole = 0;
  for (const i of indices) {
    part += v[i]! * weights[i]!;
    whole += weights[i]!;
  }
  return { part, whole };
}

const CREEP_POINTS = 240;
const LEAST_RAMP = 20;
const EXPLAINED = 0.85;
const BETTER_THAN_STEP = 0.7;

/**
 * A level that begins to climb and goes on climbing: least squares of a constant and a ramp. It must
 * explain most of the variation, and clearly better than a single step would.
 */
function findCreep(t: Float64Array, v: Float64Array, { least, leaks }: Watched): Finding | undefined {
  const top = summit(v);
  const { time, value } = thin(t, v, top + 1);
  const n = value.length;
  if (n < 3 * LEAST_RAMP) return undefined;
  let best: Ramp | undefined;
  for (let start = 0; start <= n - LEAST_RAMP; start++) {
    const ramp = fitRamp(value, start);
    if (best === undefined || ramp.squares < best.squares) best = ramp;
  }
  const flat = squaresAbout(value, 0, n);
  if (best === undefined || !(best.slope > 0) || best.squares > (1 - EXPLAINED) * flat || best.squares > BETTER_THAN_STEP * bestStep(value))
    return undefined;
  const rise = best.slope * (n - 1 - best.start);
  const worth = Math.max(least.absolute, least.relative * Math.abs(best.level)) * (leaks === true ? 1 : 2);
  if (rise < worth || rise < 4 * Math.sqrt(best.squares / n)) return undefined;
  const over = endOfCreep(t, v, top, best.level + rise / 2);
  return {
    kind: 'creep',
    since: onsetNear(t, v.slice(0, top + 1), time[best.start]!, time[1]! - time[0]!),
    ...over,
    before: best.level,
    after: best.level + rise,
    strength: rise / worth,
  };
}

/** Where the ramp begins to the point, within two buckets of where it began among them. */
function onsetNear(t: Float64Array, v: Float64Array, coarse: number, bucketMs: number): number {
  let best = coarse;
  let least = Infinity;
  for (let start = 0; start < v.length && t[start]! <= coarse + 2 * bucketMs; start++) {
    if (t[start]! < coarse - 2 * bucketMs) continue;
    const { squares } = fitRamp(v, start);
    // The first value that is above the level comes one after the bend.
    if (squares < least) [least, best] = [squares, t[Math.min(start + 1, v.length - 1)]!];
  }
  return best;
}

// Where the climb ends: what has reached the ceiling stays there, and would hide that it climbed.
function summit(v: Float64Array): number {
  let low = Infinity;
  let high = -Infinity;
  for (const value of v) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return v.findIndex((value) => value >= high - 0.05 * (high - low));
}

function endOfCreep(t: Float64Array, v: Float64Array, top: number, middle: number): { readonly until?: number } {
  for (let i = top + 1; i + OVER <= v.length; i++) {
    let below = 0;
    for (let k = i; k < i + OVER; k++) if (v[k]! < middle) below++;
    if (below === OVER) return { until: t[i]! };
  }
  return {};
}

function thin(t: Float64Array, v: Float64Array, count: number): { readonly time: Float64Array; readonly value: Float64Array } {
  const width = Math.ceil(count / CREEP_POINTS);
  const buckets = Math.floor(count / width);
  const offset = count - buckets * width;
  const time = Float64Array.from({ length: buckets }, (_, b) => t[offset + b * width]!);
  const value = Float64Array.from({ length: buckets }, (_, b) => selectMedian(v.slice(offset + b * width, offset + (b + 1) * width)));
  return { time, value };
}

interface Ramp {
  readonly start: number;
  readonly level: number;
  readonly slope: number;
  readonly squares: number;
}

function fitRamp(v: Float64Array, start: number): Ramp {
  const n = v.length;
  let meanX = 0;
  let meanY = 0;
  for (let i = 0; i < n; i++) {
    meanX += Math.max(0, i - start) / n;
    meanY += v[i]! / n;
  }
  let xx = 0;
  let xy = 0;
  let yy = 0;
  for (let i = 0; i < n; i++) {
    const x = Math.max(0, i - start) - meanX;
    const y = v[i]! - meanY;
    xx += x * x;
    xy += x * y;
    yy += y * y;
  }
  const slope = xx === 0 ? 0 : xy / xx;
  return { start, slope, level: meanY - slope * meanX, squares: Math.max(0, yy - slope * xy) };
}

function squaresAbout(v: Float64Array, from: number, to: number): number {
  let mean = 0;
  for (let i = from; i < to; i++) mean += v[i]! / (to - from);
  let squares = 0;
  for (let i = from; i < to; i++) squares += (v[i]! - mean) ** 2;
  return squares;
}

function bestStep(v: Float64Array): number {
  const n = v.length;
  let total = 0;
  for (const value of v) total += value;
  const flat = squaresAbout(v, 0, n);
  let left = 0;
  let most = 0;
  for (let split = 1; split < n; split++) {
    left += v[split - 1]!;
    most = Math.max(most, left ** 2 / split + (total - left) ** 2 / (n - split) - total ** 2 / n);
  }
  return flat - most;
}
