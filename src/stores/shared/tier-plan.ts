import type { RangeQuery } from '../../contracts/metric-store.js';
import type { RangeEvaluation } from './range-evaluation.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** How far a store has been worked through. Times, each the start of what has not been. */
export interface TierMarks {
  /** Ticks before are in chunks. */
  readonly compacted: number;
  /** Hours before are rolled up. */
  readonly hours: number;
  /** Points before have been dropped. */
  readonly raw: number;
  /** Minutes before have been dropped. */
  readonly minutes: number;
}

/** What of a series a query takes from where: each tier up to where the next begins. */
export interface TierPlan {
  readonly from: number;
  readonly minutesFrom: number;
  readonly rawFrom: number;
  readonly logFrom: number;
}

/** From the coarsest tier that answers exactly: hours, minutes, chunks, log. */
export function planTiers(query: RangeQuery, evaluation: RangeEvaluation, isHistogram: boolean, marks: TierMarks): TierPlan {
  const { stepMs, from } = query;
  const { compacted } = marks;
  const raw = Math.min(compacted, marks.raw);
  const minutes = Math.min(compacted, marks.minutes);
  const base = { from: evaluation.feedFrom, logFrom: compacted };
  // Observations are kept by the minute once their slot is over, and a sketch of a minute is better than none.
  if (query.sketches === true && isHistogram && stepMs === undefined) return { ...base, minutesFrom: minutes, rawFrom: compacted };
  // Only raw points are points.
  if (stepMs === undefined) return { ...base, minutesFrom: -Infinity, rawFrom: -Infinity };
  const fits = (bucketMs: number): boolean => stepMs % bucketMs === 0 && from % bucketMs === 0;
  // A percentile of values that have no sketches needs the values.
  const needsValues = evaluation.wantsSketches && !isHistogram;
  if (needsValues) return { ...base, minutesFrom: -Infinity, rawFrom: -Infinity };
  if (fits(HOUR_MS)) return { ...base, minutesFrom: Math.max(minutes, Math.min(marks.hours, compacted)), rawFrom: compacted };
  // Observations of a histogram are kept by the minute once their slot is over.
  if (fits(MINUTE_MS) || isHistogram) return { ...base, minutesFrom: minutes, rawFrom: compacted };
  return { ...base, minutesFrom: minutes, rawFrom: raw };
}
