import { mean, percent } from '../measures/numbers.js';
import type { PoolReplay } from '../replay/pool-replay.js';
import { type Detector, type Finding, NOTHING, undecided } from './detector.js';
import { lengthened } from './pool-lifetimes.js';

const LEAST_LOANS = 200;
const MOSTLY = 0.5;

const reuseOf = (loans: PoolReplay['loans']): number => mean(loans.map(({ reused }) => (reused ? 1 : 0)));

export const poolReuse: Detector = {
  id: 'pool-reuse-below-target',
  component: 'connection pool',
  area: 'efficiency',
  sees: 'Connections that are closed for being idle and opened anew: the share of loans that reuse one is below the objective (90 %), and most connections were closed because nobody used them for idleTimeoutMs.',
  option: 'pools.<name>.idleTimeoutMs',
  effort: 'low',
  from: 'pool metrics',
  replay: 'loans, returns and openings of the pool and its idleTimeoutMs, through ConnectionPool',
  async detect(context) {
    const { measured, objectives } = context;
    if (!measured.pools.some(({ acquired }) => acquired >= LEAST_LOANS)) return undecided(`no pool lent ${LEAST_LOANS} connections`);
    const findings: Finding[] = [];
    for (const one of measured.pools) {
      const { pool, acquired, reused, closed, opened } = one;
      if (acquired < LEAST_LOANS) continue;
      const share = reused / acquired;
      const idle = closed.idle ?? 0;
      if (share >= objectives.reuseShare || idle < MOSTLY * opened) continue;
      const found = await lengthened(context, one, {
        option: 'idleTimeoutMs',
        finding: `Pool "${pool}" reuses a connection for ${percent(share)} of its loans: ${percent(idle / opened)} of those opened were closed for being idle.`,
        why: 'an idle connection is cheaper than a new one, as long as its next caller comes before the venue closes it',
        evidence: { reuseShare: share, closedIdle: idle, opened, loans: acquired },
        metric: `share of loans of pool "${pool}" that reuse a connection`,
        rows: ({ loans }) => loans,
        statistic: () => (part) => reuseOf(part as PoolReplay['loans']),
        isGood: ({ loans }) => reuseOf(loans) >= Math.max(0.95, objectives.reuseShare),
      });
      if (found !== undefined) findings.push(found);
    }
    return findings.length === 0 ? NOTHING : { findings };
  },
};
