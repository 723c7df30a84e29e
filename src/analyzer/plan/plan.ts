import type { Area, Effort, Finding } from '../detectors/detector.js';
import type { ComponentReport, Objectives } from '../measures/components.js';
import type { ComponentName } from '../measures/measurements.js';

/** Something that can be better, with the change that makes it so. */
export interface Opportunity extends Finding {
  /** Of the detector that found it; see docs/reference/detectors.md. */
  readonly id: string;
  readonly component: ComponentName;
  readonly area: Area;
  readonly effort: Effort;
  /** 1 is to be done first. */
  readonly phase: 1 | 2 | 3;
}

export interface Target {
  readonly area: Area;
  readonly metric: string;
  readonly current: number;
  readonly target: number;
  readonly deadlinePhase: 1 | 2 | 3;
}

const WORK: Readonly<Record<Effort, number>> = { low: 1, medium: 2, high: 4 };
const FIRST = 0.4;
const SECOND = 0.15;

/** By gain over effort; what has no estimate can't go first, however easy it is. */
export function phaseOf({ estimate }: Finding, effort: Effort): 1 | 2 | 3 {
  const worth = gainOf(estimate) / WORK[effort];
  if (worth >= FIRST) return 1;
  return worth >= SECOND || (estimate === undefined && effort === 'low') ? 2 : 3;
}

/** By how much of the larger of the two a metric moves; 0 where it is not known. */
function gainOf(estimate: Finding['estimate']): number {
  if (estimate === undefined) return 0;
  const { from, to } = estimate;
  const larger = Math.max(Math.abs(from), Math.abs(to));
  return larger === 0 ? 0 : Math.abs(to - from) / larger;
}

/** Those of phase 1 first, and in each phase the most gain over effort. */
export function byPlan(a: Opportunity, b: Opportunity): number {
  return a.phase - b.phase || gainOf(b.estimate) / WORK[b.effort] - gainOf(a.estimate) / WORK[a.effort] || (a.id < b.id ? -1 : 1);
}

/** Measure of a component, the words for it, the objective, and which side of it is good. */
const MEASURED: readonly (readonly [Area, ComponentName, string, string, keyof Objectives | undefined, 'most' | 'least'])[] = [
  ['latency', 'venue calls', 'latencyP99Ms', 'latency of an attempt at the venue, p99, ms', 'callP99Ms', 'most'],
  ['latency', 'order path', 'ackP99Ms', 'from an order to the answer of the venue, p99, ms', 'ackP99Ms', 'most'],
  ['errors', 'venue calls', 'failureShare', 'share of venue calls that fail', 'failureShare', 'most'],
  ['throughput', 'venue calls', 'callsPerSecond', 'venue calls a second', undefined, 'least'],
  ['throughput', 'parallel fetch', 'tasksPerSecond', 'tasks a second', undefined, 'least'],
  ['efficiency', 'market-data cache', 'hitShare', 'share of reads answered from the cache', 'hitShare', 'least'],
  ['efficiency', 'connection pool', 'reuseShare', 'share of loans that reuse a connection', 'reuseShare', 'least'],
  ['freshness', 'market-data cache', 'ageP95Ms', 'age of what readers get, p95, ms', 'readAgeP95Ms', 'most'],
];

/** What to reach: an objective that is missed, what is good and should stay, and what each change of the plan is expected to bring. */
export function targetsOf(components: readonly ComponentReport[], opportunities: readonly Opportunity[], objectives: Objectives): readonly Target[] {
  const measured = MEASURED.flatMap(([area, component, measure, metric, objective, good]): readonly Target[] => {
    const current = components.find(({ name }) => name === component)?.measures[measure];
    if (current === undefined) return [];
    const bound = objective === undefined ? current : objectives[objective];
    const isMet = good === 'most' ? current <= bound : current >= bound;
    // A change to the same part may be for something else, and even cost this.
    const first = opportunities.find((one) => one.component === component && one.area === area)?.phase ?? 3;
    return [{ area, metric, current, target: isMet ? current : bound, deadlinePhase: isMet ? 1 : first }];
  });
  const planned = opportunities.flatMap(({ area, estimate, phase }): readonly Target[] =>
    estimate === undefined ? [] : [{ area, metric: estimate.metric, current: estimate.from, target: estimate.to, deadlinePhase: phase }],
  );
  return [...measured, ...planned];
}
