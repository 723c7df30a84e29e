import type { Random } from '../../core/random.js';
import type { FittedForecaster, Forecaster } from './forecaster.js';

/** Forecasts the changes over `lag` values, and sums them up again. */
export function differenced(lag: number, inner: Forecaster): Forecaster {
  return {
    name: inner.name,
    fit(history: Float64Array): FittedForecaster | undefined {
      if (history.length <= lag) return undefined;
      const changes = history.slice(lag);
      for (let i = 0; i < changes.length; i++) changes[i]! -= history[i]!;
      return through(inner.fit(changes), (forecast) => {
        for (let h = 0; h < forecast.length; h++) forecast[h]! += h < lag ? history[history.length - lag + h]! : forecast[h - lag]!;
        return forecast;
      });
    },
  };
}

/** Forecasts the logarithm, where all values are positive. */
export function logged(inner: Forecaster): Forecaster {
  return {
    name: inner.name,
    fit(history: Float64Array): FittedForecaster | undefined {
      if (!history.every((value) => value > 0)) return undefined;
      return through(inner.fit(history.map(Math.log)), (forecast) => forecast.map(Math.exp));
    },
  };
}

function through(fitted: FittedForecaster | undefined, back: (forecast: Float64Array) => Float64Array): FittedForecaster | undefined {
  if (fitted === undefined) return undefined;
  const predict = (horizon: number): Float64Array => back(fitted.predict(horizon));
  const { simulate } = fitted;
  if (simulate === undefined) return { predict };
  return { predict, simulate: (horizon: number, random: Random): Float64Array => back(simulate(horizon, random)) };
}
