import { applyPlan, type Opportunity, PerformanceAnalyzer } from '../../../src/analyzer/index.js';
import type { Planted } from './desk.js';

/** What came of one flaw with one seed. */
export interface Judged {
  readonly id: string;
  readonly seed: number;
  readonly isFound: boolean;
  /** Findings of this detector in the run without the flaw. */
  readonly isFalse: boolean;
  /** Findings of any other detector in the run without the flaw. */
  readonly others: readonly string[];
  readonly why?: string;
  /** What the change was expected to move the metric by, and what it moved it by. */
  readonly expected?: number;
  readonly moved?: number;
  readonly noEstimate?: string;
  readonly option?: string;
  readonly to?: unknown;
  readonly from?: number;
  readonly estimate?: readonly [from: number, to: number];
}

/** Plants the flaw, analyzes, applies what is proposed, and runs again; and analyzes the run without it. */
export async function judge(planted: Planted, seed: number): Promise<Judged> {
  const { id, flawed, sound } = planted;
  const run = await planted.run({ seed, tuning: flawed, isFlawed: true });
  const report = await new PerformanceAnalyzer({ store: run.store, trace: run.trace }).analyze(run);
  const found = report.opportunities.find((one) => one.id === id);
  const why = report.undecided.find((one) => one.id === id)?.why;
  const well = await planted.run({ seed, tuning: sound, isFlawed: false });
  const quiet = await new PerformanceAnalyzer({ store: well.store, trace: well.trace }).analyze(well);
  const falseIds = quiet.opportunities.map((one) => one.id);
  return {
    id,
    seed,
    isFound: found !== undefined,
    isFalse: falseIds.includes(id),
    others: falseIds.filter((one) => one !== id),
    ...(why === undefined ? {} : { why }),
    ...(found === undefined ? {} : await applied(planted, seed, found, run.metric)),
  };
}

async function applied(planted: Planted, seed: number, found: Opportunity, before: number): Promise<Partial<Judged>> {
  const { estimate, noEstimate, change } = found;
  if (estimate === undefined) return { ...(noEstimate === undefined ? {} : { noEstimate }), option: change.option, to: change.to };
  // Only the change that is being judged.
  const { file } = applyPlan([found], planted.flawed);
  const { schema: _, ...tuning } = file;
  const after = await planted.run({ seed, tuning, isFlawed: true });
  return {
    expected: estimate.to - estimate.from,
    moved: after.metric - before,
    option: change.option,
    to: change.to,
    from: before,
    estimate: [estimate.from, estimate.to],
  };
}

/** Whether a change moved its metric by what was expected, give or take a quarter. */
export function isAsExpected({ expected, moved }: Judged): boolean {
  return expected !== undefined && moved !== undefined && Math.abs(moved - expected) <= 0.25 * Math.abs(expected);
}
