import { AnalyticsEngine } from '../../src/analytics/index.js';
import { seededRandom } from '../../src/core/random.js';
import { FAULT_KINDS, type FaultKind, INJECTED_FAULTS } from '../../test/workload/injected-faults.js';
import { runSession } from '../../test/workload/simulated-session.js';

/** What became of one hour. */
export interface Hour {
  readonly seed: number;
  readonly kind: FaultKind | 'calm';
  readonly atS: number;
  readonly isFound: boolean;
  /** Insights that name another component or another time. */
  readonly others: readonly { readonly atS: number; readonly component: string; readonly change: string; readonly metric: string }[];
}

const CLOSE_MS = 15_000;

/** One fault in an hour of the main job's workload, at a random time; every fifth hour is calm. */
export async function injectedHour(seed: number, mishaps: number): Promise<Hour> {
  const kind = FAULT_KINDS[seed % (FAULT_KINDS.length + 1)];
  const atS = 600 + Math.floor(2_000 * seededRandom(seed)());
  const { store, from, to } = await runSession({ seed, mishaps, faults: kind === undefined ? [] : [{ kind, atS }] });
  const { insights } = await new AnalyticsEngine({ store }).analyze({ from, to });
  const isRight = ({ since, component }: (typeof insights)[number]): boolean =>
    kind !== undefined && component === INJECTED_FAULTS[kind].component && Math.abs(since - from - atS * 1_000) <= CLOSE_MS;
  return {
    seed,
    kind: kind ?? 'calm',
    atS,
    isFound: insights.some(isRight),
    others: insights
      .filter((insight) => !isRight(insight))
      .map(({ since, component, change, metric }) => ({ atS: (since - from) / 1_000, component, change, metric })),
  };
}

// As a process of its own, for `insights.bench.ts`: seeds and the share of mishaps in, a line of JSON an hour out.
if (process.argv[1]?.endsWith('injected-hours.ts') === true) {
  const [first, last, every, mishaps] = process.argv.slice(2).map(Number) as [number, number, number, number];
  for (let seed = first; seed <= last; seed += every) console.log(JSON.stringify(await injectedHour(seed, mishaps)));
}
