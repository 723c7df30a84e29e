import type { FittedForecaster, Forecaster } from './forecaster.js';

/** How forecasters did on the latest part of a history, and their combination. */
export interface BackTest {
  /** The combined forecast. */
  readonly mean: Float64Array;
  /** Forecasters with a weight worth naming, heaviest first. */
  readonly names: readonly string[];
  readonly weighted: readonly { readonly fitted: FittedForecaster; readonly weight: number }[];
  /** Absolute errors of the combination at the rolling origins, ascending. */
  readonly errors: Float64Array;
  /** How many values ahead was tried. */
  readonly horizon: number;
}

const ORIGINS = 3;
const POWER = 4;
const WORTH_NAMING = 0.02;

/**
 * Weighs forecasters by what they would have got wrong: each forecasts from three earlier moments,
 * and its weight is its mean absolute error to the power −4. The errors of the combination at
 * those moments are kept: they say how far it may be off. Yields after each fit.
 */
export function* backTest(forecasters: readonly Forecaster[], history: Float64Array, horizon: number): Generator<void, BackTest> {
  const n = history.length;
  // No more than half of the history is held back.
  const ahead = Math.max(1, Math.min(horizon, Math.floor(n / (2 * ORIGINS))));
  const trials: { readonly actual: Float64Array; readonly forecasts: (Float64Array | undefined)[] }[] = [];
  for (let cut = n - ahead; cut >= n - ORIGINS * ahead; cut -= ahead) {
    const past = history.slice(0, cut);
    const forecasts: (Float64Array | undefined)[] = [];
    for (const forecaster of forecasters) {
      forecasts.push(forecaster.fit(past)?.predict(ahead));
      yield;
    }
    trials.push({ actual: history.subarray(cut, cut + ahead), forecasts });
  }
  const fitted: (FittedForecaster | undefined)[] = [];
  for (const forecaster of forecasters) {
    fitted.push(forecaster.fit(history));
    yield;
  }
  const forecasts = fitted.map((one) => one?.predict(horizon));
  const errors = forecasters.map((_, i) => {
    if (!isFiniteForecast(forecasts[i])) return Infinity;
    let sum = 0;
    for (const { actual, forecasts } of trials) sum += meanAbsoluteError(forecasts[i], actual);
    return sum;
  });
  const weights = weightsOf(errors);
  const combined = trials.flatMap(({ actual, forecasts }) => {
    const mean = combine(forecasts, weights, ahead);
    return Array.from(actual, (value, h) => Math.abs(value - mean[h]!));
  });
  const ranking = weights.map((weight, i) => ({ weight, name: forecasters[i]!.name })).sort((a, b) => b.weight - a.weight);
  return {
    mean: combine(forecasts, weights, horizon),
    names: ranking.filter(({ weight }) => weight >= WORTH_NAMING).map(({ name }) => name),
    weighted: weights.flatMap((weight, i) => (weight > 0 ? [{ fitted: fitted[i]!, weight }] : [])),
    errors: Float64Array.from(combined).sort(),
    horizon: ahead,
  };
}

function isFiniteForecast(forecast: Float64Array | undefined): boolean {
  return forecast?.every((value) => Number.isFinite(value)) ?? false;
}

function meanAbsoluteError(forecast: Float64Array | undefined, actual: Float64Array): number {
  if (forecast === undefined || !isFiniteForecast(forecast)) return Infinity;
  let sum = 0;
  for (let h = 0; h < actual.length; h++) sum += Math.abs(forecast[h]! - actual[h]!);
  return sum / actual.length;
}

/** In proportion to error⁻⁴, summing to 1; relative to the least error, so that no power leaves the range of doubles. */
function weightsOf(errors: readonly number[]): readonly number[] {
  const least = Math.min(...errors);
  const raw = errors.map((error) => {
    if (error === Infinity) return 0;
    if (least === 0) return error === 0 ? 1 : 0;
    return (error / least) ** -POWER;
  });
  const total = raw.reduce((sum, weight) => sum + weight, 0);
  return raw.map((weight) => weight / total);
}

function combine(forecasts: readonly (Float64Array | undefined)[], weights: readonly number[], horizon: number): Float64Array {
  const mean = new Float64Array(horizon);
  forecasts.forEach((forecast, i) => {
    const weight = weights[i]!;
    if (forecast === undefined || weight === 0) return;
    for (let h = 0; h < horizon; h++) mean[h]! += weight * forecast[h]!;
  });
  return mean;
}
