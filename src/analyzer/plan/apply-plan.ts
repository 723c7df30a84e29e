import { type KitTuning, TUNING_SCHEMA } from '../../contracts/kit-tuning.js';
import { pathOf } from '../present-options.js';
import type { Opportunity } from './plan.js';

/** What a file of options holds: see `optionsFile` of createVenueKit. */
export interface TuningFile extends KitTuning {
  readonly schema: typeof TUNING_SCHEMA;
}

export interface AppliedPlan {
  readonly file: TuningFile;
  readonly applied: readonly Opportunity[];
  /** What is not an option of a kit, asks for a person's decision, or changes what another change of the plan has set. */
  readonly left: readonly Opportunity[];
}

/** An option of a kit; all others are Node's, or decisions for a person. */
const TUNED = /^(policy|marketData|fetcher|pools)\./;

/**
 * The options of a plan, on top of those that are in a file already. Where two opportunities change one option, the one that comes
 * first in the plan is taken: apply it, measure, and plan again.
 */
export function applyPlan(opportunities: readonly Opportunity[], onto: KitTuning = {}): AppliedPlan {
  const file: Record<string, unknown> = structuredClone({ ...onto, schema: TUNING_SCHEMA });
  const applied: Opportunity[] = [];
  const left: Opportunity[] = [];
  const set = new Set<string>();
  for (const opportunity of opportunities) {
    const { option, to } = opportunity.change;
    if (!TUNED.test(option) || set.has(option)) {
      left.push(opportunity);
      continue;
    }
    set.add(option);
    put(file, pathOf(option), to);
    applied.push(opportunity);
  }
  keepMinBelowMax(file.pools as KitTuning['pools']);
  return { file: file as unknown as TuningFile, applied, left };
}

function put(into: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let place = into;
  for (const name of path.slice(0, -1)) place = (place[name] ??= {}) as Record<string, unknown>;
  place[path.at(-1)!] = value;
}

function keepMinBelowMax(pools: KitTuning['pools']): void {
  for (const pool of Object.values(pools ?? {})) {
    const { max, min } = pool;
    if (max !== undefined && min !== undefined && min > max) (pool as { min: number }).min = max;
  }
}
