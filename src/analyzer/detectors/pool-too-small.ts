import { digits, mean } from '../measures/numbers.js';
import { estimateOf } from '../replay/estimate.js';
import { poolCalls, replayPool } from '../replay/pool-replay.js';
import { type Detector, type Finding, NO_TRACE, NOTHING, undecided } from './detector.js';
import { demandOf, meanWait, poolTuning, smallestGoodSize } from './pool-sizing.js';

const LEAST_LOANS = 200;
const LEAST_BUSY = 0.6;
/** Who waits for a connection to be opened is not helped by a larger pool. */
const LEAST_GAIN = 0.5;

export const poolTooSmall: Detector = {
  id: 'pool-too-small',
  component: 'connection pool',
  area: 'latency',
  sees: "Callers that wait for a connection: the 95th percentile of the wait is above the objective (20 ms) while three fifths of the connections or more are lent out, and more of them take half of the wait away. Little's law gives the size to begin with, the wait distribution of the replay the one to take.",
  option: 'pools.<name>.max',
  effort: 'low',
  from: 'pool metrics',
  replay: 'loans, returns and openings of the pool, through ConnectionPool',
  async detect(context) {
    const { measured, trace, objectives, random } = context;
    if (!measured.pools.some(({ acquired }) => acquired >= LEAST_LOANS)) return undecided(`no pool lent ${LEAST_LOANS} connections`);
    const findings: Finding[] = [];
    for (const { pool, max, inUse, acquired, waitSeconds } of measured.pools) {
      if (acquired < LEAST_LOANS || waitSeconds === undefined) continue;
      const waitP95Ms = waitSeconds.quantile(0.95)! * 1_000;
      const busy = mean(inUse) / max;
      if (waitP95Ms <= objectives.poolWaitP95Ms || busy < LEAST_BUSY) continue;
      const evidence = { waitP95Ms, waitMeanMs: (waitSeconds.sum / waitSeconds.count) * 1_000, inUseMean: mean(inUse), max, loans: acquired };
      const finding = `Pool "${pool}" is too small: one caller in twenty waits ${digits(waitP95Ms)} ms or more for one of ${max} connections.`;
      const calls = trace === undefined ? NO_TRACE : poolCalls(trace, pool);
      const why = 'a caller should find a connection free';
      if (typeof calls === 'string') {
        findings.push({
          finding,
          evidence,
          change: { option: `pools.${pool}.max`, from: max, to: Math.ceil(max * 1.5), why: `${why}; a first step, to be measured again` },
          noEstimate: calls,
        });
        continue;
      }
      const tuning = poolTuning(context, pool, max);
      const demand = demandOf(calls);
      const good = await smallestGoodSize(calls, tuning, {
        least: Math.max(max + 1, Math.ceil(demand + Math.sqrt(demand))),
        most: max * 10 + 20,
        waitP95Ms: objectives.poolWaitP95Ms / 2,
        seed: 1,
      });
      if (good === undefined) continue;
      const before = await replayPool(calls, tuning, 1);
      if (meanWait(good.replay.loans) > (1 - LEAST_GAIN) * meanWait(before.loans)) continue;
      findings.push({
        finding,
        evidence: { ...evidence, demand },
        change: { option: `pools.${pool}.max`, from: max, to: good.max, why: `${why}: on average ${digits(demand)} are needed at once` },
        ...estimateOf({
          metric: `mean wait for a connection of pool "${pool}", ms`,
          how: `${calls.calls.length} loans replayed through ConnectionPool with ${good.max} connections`,
          before: before.loans,
          after: good.replay.loans,
          statistic: meanWait,
          measured: mean(calls.calls.map(({ waitedMs }) => waitedMs)),
          random,
        }),
      });
    }
    return findings.length === 0 ? NOTHING : { findings };
  },
};
