import type { Random } from '../../core/random.js';
import { type FittedForecaster, type Forecaster, resample } from './forecaster.js';

/**
 * The parameters of exponential smoothing. `beta` is the trend's own rate:
 * b = beta (l − l') + (1 − beta) phi b', with l' and b' the level and trend before.
 */
export interface SmoothingParameters {
  readonly alpha: number;
  /** @defaultValue 0: the trend stays as it starts */
  readonly beta?: number;
  /** @defaultValue 0: the season stays as it starts */
  readonly gamma?: number;
  /** Damping of the trend. @defaultValue 1: none */
  readonly phi?: number;
  readonly level: number;
  /** @defaultValue 0 */
  readonly trend?: number;
  /** Additive, one value a phase. @defaultValue none */
  readonly season?: readonly number[];
}

/** What smoothing a history gave. */
export interface Smoothed {
  /** Sum of squared one-step errors. */
  readonly sse: number;
  readonly errors: Float64Array;
  forecast(horizon: number): Float64Array;
  simulate(horizon: number, nextError: () => number): Float64Array;
}

/**
 * Simple, Holt's, damped and additive Holt-Winters smoothing in one recursion.
 *
 * Source: Hyndman and Athanasopoulos, "Forecasting: Principles and Practice", chapter 8; damped
 * trend: Gardner and McKenzie, Management Science 31, 1985.
 */
export function exponentialSmoothing(history: ArrayLike<number>, parameters: SmoothingParameters): Smoothed {
  const { alpha, beta = 0, gamma = 0, phi = 1, season = [] } = parameters;
  let level = parameters.level;
  let trend = parameters.trend ?? 0;
  const seasonal = Float64Array.from(season);
  const phases = seasonal.length;
  const n = history.length;
  const errors = new Float64Array(n);
  let sse = 0;
  for (let t = 0; t < n; t++) {
    const phase = phases === 0 ? 0 : t % phases;
    const season = phases === 0 ? 0 : seasonal[phase]!;
    const base = level + phi * trend;
    const error = history[t]! - base - season;
    errors[t] = error;
    sse += error * error;
    const next = base + alpha * error;
    trend = beta * (next - level) + (1 - beta) * phi * trend;
    level = next;
    if (phases > 0) seasonal[phase] = season + gamma * error;
  }
  const simulate = (horizon: number, nextError: () => number): Float64Array => {
    let l = level;
    let b = trend;
    const s = seasonal.slice();
    return Float64Array.from({ length: horizon }, (_, h) => {
      const phase = phases === 0 ? 0 : (n + h) % phases;
      const base = l + phi * b;
      const error = nextError();
      const value = base + (s[phase] ?? 0) + error;
      const next = base + alpha * error;
      b = beta * (next - l) + (1 - beta) * phi * b;
      l = next;
      if (phases > 0) s[phase]! += gamma * error;
      return value;
    });
  };
  return { sse, errors, simulate, forecast: (horizon: number): Float64Array => simulate(horizon, () => 0) };
}

type Box = readonly (readonly [number, number])[];

// alpha, beta, phi
const RATES: Box = [
  [0.001, 0.9999],
  [0, 0.9999],
  [0.8, 0.995],
];
const STARTS: readonly (readonly number[])[] = [
  [0.2, 0.05, 0.95],
  [0.95, 0.6, 0.9],
];

/** Smooths with Holt's damped trend, with the parameters that leave the least squared one-step error. @param history - four values or more */
export function smoothDamped(history: Float64Array): Smoothed {
  const start = startOf(history);
  let reach = 0;
  for (const value of history) reach = Math.max(reach, Math.abs(value - start.level));
  const box: Box = [...RATES, [start.level - reach, start.level + reach], [-reach, reach]];
  const parametersOf = ([alpha, beta, phi, level, trend]: readonly number[]): SmoothingParameters => ({
    alpha: alpha!,
    beta: beta!,
    phi: phi!,
    level: level!,
    trend: trend!,
  });
  let best: Smoothed | undefined;
  // The surface has a valley for slow levels and one for fast ones.
  for (const rates of STARTS) {
    const point = minimise((candidate) => exponentialSmoothing(history, parametersOf(candidate)).sse, box, [...rates, start.level, start.trend]);
    const smoothed = exponentialSmoothing(history, parametersOf(point));
    if (best === undefined || smoothed.sse < best.sse) best = smoothed;
  }
  return best!;
}

/** {@link smoothDamped} as a forecaster. */
export const dampedHolt: Forecaster = {
  name: 'damped Holt',
  fit: (history: Float64Array): FittedForecaster | undefined => (history.length < 4 ? undefined : fitted(smoothDamped(history))),
};

/**
 * The theta method: simple smoothing with half the straight line's slope as drift.
 *
 * Source: Assimakopoulos and Nikolopoulos, IJF 16, 2000; its equivalence to smoothing with drift:
 * Hyndman and Billah, IJF 19, 2003.
 */
export const theta: Forecaster = {
  name: 'theta',
  fit(history: Float64Array): FittedForecaster | undefined {
    const n = history.length;
    if (n < 3) return undefined;
    const drift = leastSquaresSlope(history) / 2;
    const smooth = (alpha: number): Smoothed => exponentialSmoothing(history, { alpha, level: history[0]!, trend: 0 });
    const [alpha] = minimise(([a]) => smooth(a!).sse, [[0.01, 0.999]], [0.3]);
    const { errors, simulate } = smooth(alpha!);
    // What the first observations pull the drift by at the start has been forgotten by now.
    const lag = (1 - (1 - alpha!) ** n) / alpha!;
    const drifting = (path: Float64Array): Float64Array => path.map((value, h) => value + drift * (h + lag));
    return {
      predict: (horizon: number): Float64Array => drifting(simulate(horizon, () => 0)),
      simulate: (horizon: number, random: Random): Float64Array => drifting(simulate(horizon, resample(errors, random))),
    };
  },
};

function fitted({ errors, forecast, simulate }: Smoothed): FittedForecaster {
  return { predict: forecast, simulate: (horizon: number, random: Random): Float64Array => simulate(horizon, resample(errors, random)) };
}

// A straight line through the first values: where the recursion starts matters most where they are few.
function startOf(history: Float64Array): { readonly level: number; readonly trend: number } {
  const head = history.subarray(0, Math.min(10, history.length));
  const trend = leastSquaresSlope(head);
  let mean = 0;
  for (const value of head) mean += value / head.length;
  return { level: mean - (trend * (head.length + 1)) / 2, trend };
}

function leastSquaresSlope(values: Float64Array): number {
  const n = values.length;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += (i - (n - 1) / 2) * values[i]!;
  return (12 * sum) / (n * (n * n - 1));
}

/**
 * A pattern search within a box: steps along each axis, halved when none helps. Few evaluations are
 * enough for smoothing parameters, whose surface is flat about its minimum.
 *
 * Source: Hooke and Jeeves, JACM 8, 1961.
 */
function minimise(
  cost: (point: readonly number[]) => number,
  box: readonly (readonly [number, number])[],
  start: readonly number[],
): readonly number[] {
  const point = [...start];
  const steps = box.map(([low, high]) => (high - low) / 4);
  let least = cost(point);
  for (let halvings = 0, rounds = 0; halvings < 9 && rounds < 100; rounds++) {
    let improved = false;
    for (let axis = 0; axis < box.length; axis++) {
      const [low, high] = box[axis]!;
      for (const direction of [1, -1]) {
        const before = point[axis]!;
        point[axis] = Math.min(high, Math.max(low, before + direction * steps[axis]!));
        const found = cost(point);
        if (found < least) {
          least = found;
          improved = true;
          break;
        }
        point[axis] = before;
      }
    }
    if (improved) continue;
    halvings++;
    for (let axis = 0; axis < box.length; axis++) steps[axis]! /= 2;
  }
  return point;
}
