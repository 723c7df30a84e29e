import { requireFraction, requireKnown } from '../core/options.js';
import { checkSeries, type Series } from './series.js';
import { DEFAULT_ANOMALY_THRESHOLD, StreamingDetector } from './streaming-detector.js';

/** {@link seriesAnomalies} */
export interface AnomalyOptions {
  /** Score from which a point is anomalous, 0 to 1. @defaultValue 0.5: at most one false alarm in 1,000 calm points */
  readonly threshold?: number;
}

/** A point that does not fit what came before it. */
export interface Anomaly {
  readonly t: number;
  readonly value: number;
  /** The detector's surprise, 0 to 1. */
  readonly score: number;
  /** What was expected instead. */
  readonly expected?: number;
}

const YIELD_EVERY = 100;
const LONGEST_PROBATION = 100;
const SHORTEST_PROBATION = 40;

/**
 * The anomalies of a series, in slices; each judged by what came before it alone. The first 100
 * points are only learned from, or the first half of a shorter series (40 at least): with fewer
 * points nothing is reported.
 * @throws RangeError on NaN, Infinity, unsorted or repeated t (naming the index), or a threshold out of range
 */
export function* seriesAnomalies(series: Series, options: AnomalyOptions = {}): Generator<void, readonly Anomaly[]> {
  requireKnown('anomalies', options, ['threshold']);
  const threshold = requireFraction('threshold', options.threshold ?? DEFAULT_ANOMALY_THRESHOLD);
  const { t, v } = checkSeries(series);
  const probation = Math.min(LONGEST_PROBATION, Math.max(SHORTEST_PROBATION, t.length >> 1));
  const detector = new StreamingDetector({ probation });
  const found: Anomaly[] = [];
  for (let i = 0; i < t.length; i++) {
    const { score, expected } = detector.push(t[i]!, v[i]!);
    if (score >= threshold && score > 0) found.push({ t: t[i]!, value: v[i]!, score, ...(expected === undefined ? {} : { expected }) });
    if (i % YIELD_EVERY === YIELD_EVERY - 1) yield;
  }
  return found;
}
