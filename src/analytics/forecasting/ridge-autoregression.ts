import type { Random } from '../../core/random.js';
import { solveSymmetric } from './cholesky.js';
import { type FittedForecaster, type Forecaster, resample } from './forecaster.js';

// A share of the number of rows: the values are standardised, so that it means the same everywhere.
const RIDGE = 3e-4;
// A recursion that leaves the range of the past by so much has gone astray.
const FARTHEST = 4;

/**
 * Regresses each value on those `lags` before it, with a light ridge, and forecasts by feeding
 * forecasts back.
 *
 * Source: Hoerl and Kennard, Technometrics 12, 1970; sparse seasonal lags as in Doornik, Castle,
 * Hendry, "Card forecasts for M4", IJF 36, 2020.
 * @param lags - distinct, positive
 */
export function ridgeAutoregression(name: string, lags: readonly number[]): Forecaster {
  return {
    name,
    fit(history: Float64Array): FittedForecaster | undefined {
      // Lags that leave fewer rows than three a coefficient teach nothing.
      const usable = lags.filter((lag) => history.length - lag >= 3 * (lags.length + 1));
      return usable.length < Math.min(lags.length, 2) ? undefined : fitAutoregression(history, usable);
    },
  };
}

function fitAutoregression(history: Float64Array, lags: readonly number[]): FittedForecaster {
  const { z, mean, sd, bound } = standardise(history);
  const coefficients = regress(z, lags);
  const errors = oneStepErrors(z, lags, coefficients);
  const roll = (horizon: number, noise: (() => number) | undefined): Float64Array => {
    const n = z.length;
    const extended = new Float64Array(n + horizon);
    extended.set(z);
    for (let i = n; i < n + horizon; i++) {
      const next = expected(extended, i, lags, coefficients) + (noise === undefined ? 0 : noise());
      extended[i] = Math.min(bound, Math.max(-bound, next));
    }
    return extended.subarray(n).map((value) => value * sd + mean);
  };
  return {
    predict: (horizon: number): Float64Array => roll(horizon, undefined),
    simulate: (horizon: number, random: Random): Float64Array => roll(horizon, resample(errors, random)),
  };
}

function standardise(history: Float64Array): { readonly z: Float64Array; readonly mean: number; readonly sd: number; readonly bound: number } {
  const n = history.length;
  let mean = 0;
  for (const value of history) mean += value / n;
  let variance = 0;
  for (const value of history) variance += (value - mean) ** 2 / n;
  const sd = Math.sqrt(variance) || 1;
  let bound = 1;
  const z = history.map((value) => (value - mean) / sd);
  for (const value of z) bound = Math.max(bound, Math.abs(value));
  return { z, mean, sd, bound: FARTHEST * bound };
}

/** Coefficients in the order of `lags`, the constant last. */
function regress(z: Float64Array, lags: readonly number[]): Float64Array {
  const p = lags.length;
  const q = p + 1;
  const longest = Math.max(...lags);
  const rows = z.length - longest;
  const gram = new Float64Array(q * q);
  const moments = new Float64Array(q);
  const row = new Float64Array(q);
  row[p] = 1;
  for (let t = longest; t < z.length; t++) {
    for (let k = 0; k < p; k++) row[k] = z[t - lags[k]!]!;
    const target = z[t]!;
    for (let i = 0; i < q; i++) {
      const x = row[i]!;
      const base = i * q;
      for (let j = 0; j <= i; j++) gram[base + j]! += x * row[j]!;
      moments[i]! += x * target;
    }
  }
  for (let i = 0; i < p; i++) gram[i * q + i]! += RIDGE * rows;
  solveSymmetric(gram, moments, q);
  return moments;
}

function expected(z: Float64Array, t: number, lags: readonly number[], coefficients: Float64Array): number {
  const p = lags.length;
  let sum = coefficients[p]!;
  for (let k = 0; k < p; k++) sum += coefficients[k]! * z[t - lags[k]!]!;
  return sum;
}

function oneStepErrors(z: Float64Array, lags: readonly number[], coefficients: Float64Array): Float64Array {
  const longest = Math.max(...lags);
  const errors = new Float64Array(z.length - longest);
  for (let t = longest; t < z.length; t++) errors[t - longest] = z[t]! - expected(z, t, lags, coefficients);
  return errors;
}
