import type { Random } from '../../core/random.js';
import { type FittedForecaster, type Forecaster, resample } from './forecaster.js';

/** The value one season ago; with a season of 1 the last value: the naive forecast. */
export function seasonalNaive(season: number): Forecaster {
  return {
    name: season === 1 ? 'naive' : `seasonal naive ${season}`,
    fit(history: Float64Array): FittedForecaster | undefined {
      const n = history.length;
      if (n < season) return undefined;
      const predict = (horizon: number): Float64Array => Float64Array.from({ length: horizon }, (_, h) => history[n - season + (h % season)]!);
      if (season > 1 || n < 2) return { predict };
      const steps = Float64Array.from({ length: n - 1 }, (_, i) => history[i + 1]! - history[i]!);
      return { predict, simulate: (horizon: number, random: Random): Float64Array => walk(history[n - 1]!, horizon, resample(steps, random)) };
    },
  };
}

function walk(start: number, horizon: number, step: () => number): Float64Array {
  let value = start;
  return Float64Array.from({ length: horizon }, () => (value += step()));
}

/** The mean of the last `cycles` seasons, phase by phase. */
export function seasonalProfile(season: number, cycles: number): Forecaster {
  return {
    name: `profile ${season}`,
    fit(history: Float64Array): FittedForecaster | undefined {
      const n = history.length;
      if (n < cycles * season) return undefined;
      const profile = new Float64Array(season);
      for (let i = 0; i < cycles * season; i++) profile[i % season]! += history[n - cycles * season + i]! / cycles;
      return { predict: (horizon: number): Float64Array => Float64Array.from({ length: horizon }, (_, h) => profile[h % season]!) };
    },
  };
}
