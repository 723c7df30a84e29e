import { AnalyticsEngine } from '../../src/analytics/index.js';
import { seededRandom } from '../../src/core/random.js';
import { COMPONENT_OF, type FaultKind, givenWorkload } from '../../test/unit/analytics/given-workload.js';
import { table, targets } from './shared-data.js';

const SEEDS = 50;
const KINDS: readonly (FaultKind | undefined)[] = ['latency step', 'error burst', 'hit-rate drop', 'slow leak', undefined];

/** One fault in a simulated hour of a bot's events, at a random time; every fifth hour is calm. */
export async function faults(): Promise<string> {
  const tally = new Map<string, { hours: number; found: number; false: number }>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const kind = KINDS[seed % KINDS.length];
    const atS = 600 + Math.floor(2_000 * seededRandom(seed)());
    const { store, from, to } = await givenWorkload({ seed, faults: kind === undefined ? [] : [{ kind, atS }] });
    const { insights } = await new AnalyticsEngine({ store }).analyze({ from, to });
    const right = insights.filter(
      ({ since, component }) => kind !== undefined && component === COMPONENT_OF[kind] && Math.abs(since - from - atS * 1_000) <= 15_000,
    );
    const row = tally.get(kind ?? 'calm') ?? { hours: 0, found: 0, false: 0 };
    row.hours++;
    row.found += Math.min(1, right.length);
    row.false += insights.length - right.length;
    tally.set(kind ?? 'calm', row);
  }
  const faulty = [...tally].filter(([name]) => name !== 'calm').map(([, row]) => row);
  const recall = faulty.reduce((sum, row) => sum + row.found, 0) / faulty.reduce((sum, row) => sum + row.hours, 0);
  const wrong = [...tally.values()].reduce((sum, row) => sum + row.false, 0) / SEEDS;
  return [
    `### Insights on a simulated bot (${SEEDS} hours)`,
    '',
    "Events of a bot on the bus, through `instrument`, a registry and a store, under virtual time; the venue's answers are drawn, not matched. Found: the right component, within 15 s.",
    '',
    table(
      ['fault', 'hours', 'found', 'other insights'],
      [...tally].map(([name, row]) => [name, row.hours, name === 'calm' ? '–' : row.found, row.false]),
    ),
    '',
    targets([
      { target: 'recall ≥ 95 %', reached: `${(100 * recall).toFixed(0)} %`, met: recall >= 0.95 },
      { target: 'false insights ≤ 1 an hour', reached: wrong.toFixed(2), met: wrong <= 1 },
    ]),
    '',
  ].join('\n');
}
