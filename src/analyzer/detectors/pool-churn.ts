import { digits, mean } from '../measures/numbers.js';
import type { PoolSecond } from '../replay/pool-replay.js';
import { type Detector, type Finding, NOTHING, undecided } from './detector.js';
import { lengthened } from './pool-lifetimes.js';

const LEAST_LOANS = 200;
const MOSTLY = 0.5;
/** Openings a minute for each connection that is kept. */
const MOST_A_MINUTE = 1;

const aMinute = (seconds: readonly PoolSecond[]): number => 60 * mean(seconds.map(({ opened }) => opened));

export const poolChurn: Detector = {
  id: 'pool-connection-churn',
  component: 'connection pool',
  area: 'efficiency',
  sees: 'Connections that are replaced for their age all the time: more than one opening a minute for each open connection, most of them because of maxLifetimeMs.',
  option: 'pools.<name>.maxLifetimeMs',
  effort: 'low',
  from: 'pool metrics',
  replay: 'loans, returns and openings of the pool and its maxLifetimeMs, through ConnectionPool',
  async detect(context) {
    const { measured } = context;
    if (!measured.pools.some(({ acquired }) => acquired >= LEAST_LOANS)) return undecided(`no pool lent ${LEAST_LOANS} connections`);
    const findings: Finding[] = [];
    for (const one of measured.pools) {
      const { pool, acquired, opened, closed, size } = one;
      if (acquired < LEAST_LOANS || size.length === 0) continue;
      const rate = (opened / measured.seconds) * 60;
      const aged = closed.lifetime ?? 0;
      if (rate <= MOST_A_MINUTE * Math.max(1, mean(size)) || aged < MOSTLY * opened) continue;
      const found = await lengthened(context, one, {
        option: 'maxLifetimeMs',
        finding: `Pool "${pool}" opens ${digits(rate)} connections a minute to keep ${digits(mean(size))}: they are replaced for their age.`,
        why: 'an opening costs round trips, and often a log-in; a lifetime of many minutes is as safe against a stale connection',
        evidence: { openedPerMinute: rate, closedLifetime: aged, loans: acquired },
        metric: `connections opened by pool "${pool}" a minute`,
        rows: ({ seconds }) => seconds,
        statistic: () => (part) => aMinute(part as readonly PoolSecond[]),
        isGood: ({ seconds }) => aMinute(seconds) <= (MOST_A_MINUTE / 4) * Math.max(1, mean(seconds.map(({ size: open }) => open))),
      });
      if (found !== undefined) findings.push(found);
    }
    return findings.length === 0 ? NOTHING : { findings };
  },
};
