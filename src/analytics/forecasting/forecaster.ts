import type { Random } from '../../core/random.js';

/** A way to forecast. */
export interface Forecaster {
  readonly name: string;
  /** Learns from `history`; undefined when it has too little to go by, or its values do not suit. */
  fit(history: Float64Array): FittedForecaster | undefined;
}

/** What a {@link Forecaster} learned from one history. */
export interface FittedForecaster {
  /** The expected next `horizon` values. */
  predict(horizon: number): Float64Array;
  /** One way that the next values may go, drawn with past one-step errors; absent where the method has none. */
  simulate?(horizon: number, random: Random): Float64Array;
}

/** Draws past errors again, with replacement: the bootstrap. */
export function resample(errors: Float64Array, random: Random): () => number {
  return () => errors[Math.floor(random() * errors.length)] ?? 0;
}
