import { digits, mean, quantile } from '../measures/numbers.js';
import { estimateOf } from '../replay/estimate.js';
import { poolCalls, replayPool } from '../replay/pool-replay.js';
import { type Detector, type Finding, NO_TRACE, NOTHING, undecided } from './detector.js';
import { demandOf, poolTuning, smallestGoodSize } from './pool-sizing.js';

const LEAST_LOANS = 200;
const MOST_USED = 0.4;
const LEAST_SPARE = 4;

export const poolTooLarge: Detector = {
  id: 'pool-too-large',
  component: 'connection pool',
  area: 'efficiency',
  sees: 'Connections that nobody uses: fewer than two fifths of those that are open are ever lent out (99 of 100 seconds), at least four are spare, and nobody waits.',
  option: 'pools.<name>.max (and min, where it is above)',
  effort: 'low',
  from: 'pool metrics, and the loans of a trace',
  replay: 'loans, returns and openings of the pool, through ConnectionPool',
  async detect(context) {
    const { measured, trace, objectives, random } = context;
    if (!measured.pools.some(({ acquired }) => acquired >= LEAST_LOANS)) return undecided(`no pool lent ${LEAST_LOANS} connections`);
    const findings: Finding[] = [];
    for (const { pool, max, size, inUse, acquired, waitSeconds } of measured.pools) {
      if (acquired < LEAST_LOANS) continue;
      const openMean = mean(size);
      const inUseP99 = quantile(inUse, 0.99);
      if (openMean - inUseP99 < LEAST_SPARE || inUseP99 > MOST_USED * openMean) continue;
      if ((waitSeconds?.quantile(0.95) ?? 0) * 1_000 > objectives.poolWaitP95Ms) continue;
      const evidence = { openMean, inUseMean: mean(inUse), inUseP99, max, loans: acquired };
      const finding = `Pool "${pool}" is too large: ${digits(openMean)} connections are open and ${digits(inUseP99)} are used at most.`;
      const why = 'each open connection costs memory here and a place at the venue';
      // A gauge that is read once a second misses short bursts: only the loans show whether fewer would do.
      const calls = trace === undefined ? NO_TRACE : poolCalls(trace, pool);
      if (typeof calls === 'string') return undecided(calls);
      const tuning = poolTuning(context, pool, max);
      const good = await smallestGoodSize(calls, tuning, {
        least: Math.ceil(demandOf(calls)) + 1,
        most: max - 1,
        waitP95Ms: objectives.poolWaitP95Ms / 4,
        seed: 1,
      });
      if (good === undefined || good.max > MOST_USED * 2 * openMean) continue;
      const before = await replayPool(calls, tuning, 1);
      findings.push({
        finding,
        evidence: { ...evidence, demand: demandOf(calls) },
        change: { option: `pools.${pool}.max`, from: max, to: good.max, why },
        ...estimateOf({
          metric: `connections open of pool "${pool}", mean`,
          how: `${calls.calls.length} loans replayed through ConnectionPool with ${good.max} connections, whose callers wait no longer than ${objectives.poolWaitP95Ms / 4} ms in 95 of 100 cases`,
          before: before.seconds,
          after: good.replay.seconds,
          statistic: (seconds) => mean(seconds.map((second) => second.size)),
          measured: openMean,
          random,
        }),
      });
    }
    return findings.length === 0 ? NOTHING : { findings };
  },
};
