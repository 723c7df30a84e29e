import { requireFraction, requireKnown, requireObject, requirePositive } from '../../core/options.js';

/** What grades, budgets and charts are held against. */
export interface Objectives {
  /** Share of calls that may fail. @defaultValue 0.001 */
  readonly errorRatio: number;
  /** What 99 % of venue calls should stay within, in seconds. @defaultValue 0.5 */
  readonly latencyP99Seconds: number;
  /** Share of reads that the cache should answer. @defaultValue 0.8 */
  readonly cacheHitRatio: number;
}

export const DEFAULT_OBJECTIVES: Objectives = { errorRatio: 0.001, latencyP99Seconds: 0.5, cacheHitRatio: 0.8 };

/** @throws RangeError or TypeError naming the objective that can't be meant. */
export function requireObjectives(given: Partial<Objectives> | undefined): Objectives {
  if (given === undefined) return DEFAULT_OBJECTIVES;
  requireKnown('objectives', requireObject('objectives', given), Object.keys(DEFAULT_OBJECTIVES));
  const objectives = { ...DEFAULT_OBJECTIVES, ...given };
  for (const name of ['errorRatio', 'cacheHitRatio'] as const) {
    requireFraction(`objectives.${name}`, objectives[name]);
    // Nothing allowed is no budget that could be spent in parts.
    if (objectives[name] === 0 || objectives[name] === 1)
      throw new RangeError(`objectives.${name} must be above 0 and below 1, got ${objectives[name]}`);
  }
  requirePositive('objectives.latencyP99Seconds', objectives.latencyP99Seconds);
  return objectives;
}
