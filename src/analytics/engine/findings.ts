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
export type Watched = Pick<Measure, 'worse' | 'least' | 'lasting' | 'leaks'>;

/** The changes for the worse in a series, in order of time. */
export function findChanges(t: Float64Array, v: Float64Array, watched: Watched): readonly Finding[] {
  // Downward changes are upward ones of the mirrored values.
  const mirror = watched.worse === 'lower' ? -1 : 1;
  const values = v.map((value) => mirror * value);
  const creep = watched.worse === 'higher' ? findCreep(t, values, watched) : undefined;
  const jumps = watched.leaks === true ? [] : findJumps(t, values, watched);
  // What jumps out during a slow rise is the rise.
  const found = creep === undefined ? jumps : [creep, ...jumps.filter(({ since }) => since < creep.since)];
  return found.map((finding) => ({ ...finding, before: mirror * finding.before, after: mirror * finding.after })).sort((a, b) => a.since - b.since);
}

const BASELINE = 120;
const LEAST_BASELINE = 12;
const WIDTH = 2;
const LASTING = 3;
const GLARING = 3;

/**
 * Runs of values above what the ten minutes before them lead to expect: above their median by twice
 * the distance to their 95th percentile, and by what is worth a word. The baseline stands still while
 * a run lasts, so that a lasting change does not become normal by lasting.
 */
function findJumps(t: Float64Array, v: Float64Array, { least, lasting = LASTING }: Watched): Finding[] {
  const found: Finding[] = [];
  const baseline: number[] = [];
  let i = 0;
  while (i < v.length) {
    if (baseline.length < LEAST_BASELINE) {
      baseline.push(v[i++]!);
      continue;
    }
    const sorted = Float64Array.from(baseline).sort();
    const median = quantile(sorted, 0.5);
    const margin = Math.max(WIDTH * (quantile(sorted, 0.95) - median), least.absolute, least.relative * Math.abs(median));
    const run = runAt(v, i, median + margin, lasting);
    if (run === undefined) {
      // A value that ran away alone tells nothing of the level.
      baseline.push(v[i++]!);
      if (baseline.length > BASELINE) baseline.shift();
      continue;
    }
    const during = selectMedian(v.slice(i, run));
    const isShort = run - i < lasting;
    if (!isShort || during - median > GLARING * margin) {
      const until = run < v.length ? { until: t[run]! } : {};
      found.push({ kind: 'jump', since: t[i]!, ...until, before: median, after: during, strength: (during - median) / margin });
    }
    i = run;
  }
  return found;
}

/** Where the run that begins at `from` ends; undefined when none of two values or more begins there. */
function runAt(v: Float64Array, from: number, threshold: number, lasting: number): number | undefined {
  if (!(v[from]! > threshold)) return undefined;
  let end = from + 1;
  let above = 1;
  for (let i = from + 1, below = 0; i < v.length && below < lasting; i++) {
    if (v[i]! > threshold) {
      below = 0;
      above++;
      end = i + 1;
    } else below++;
  }
  // More gaps than values is a scatter, not a run.
  return above >= 2 && above > (end - from) / 2 ? end : undefined;
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
  const top = v.reduce((best, value, i) => (value >= v[best]! ? i : best), 0);
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
  const over = top < t.length - Math.max(LASTING, t.length >> 4) ? { until: t[top]! } : {};
  return { kind: 'creep', since: time[best.start]!, ...over, before: best.level, after: best.level + rise, strength: rise / worth };
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
