import { digits, mean, percent, quantile } from '../measures/numbers.js';
import { estimateOf } from '../replay/estimate.js';
import { limitCalls, type ReplayedSend, replayLimit } from '../replay/limit-replay.js';
import { type Detector, type Finding, NO_TRACE, NOTHING, tooFew } from './detector.js';

const LEAST_CALLS = 200;
const MOST_REFUSED = 0.005;
const MOST_RESERVE = 0.9;
const FIRST_STEP = 0.2;

const refusedShare = (sends: readonly ReplayedSend[]): number => mean(sends.map(({ isRefused }) => (isRefused ? 1 : 0)));

export const limitHeadroom: Detector = {
  id: 'limit-headroom',
  component: 'venue calls',
  area: 'errors',
  sees: 'Calls over the limit of the venue: it refused or blocked more than one call in 200. Where its reports count more than was sent from here, others share the limit, and the reserve must leave room for them.',
  option: 'policy.reserve',
  effort: 'low',
  from: 'call and limit metrics',
  replay: 'calls and reports of limits, with the limits themselves, through RateLimiter',
  async detect(context) {
    const { measured, trace, random, option } = context;
    const { calls: all, limits } = measured;
    if (all === undefined || all.calls < LEAST_CALLS) return tooFew(all?.calls, LEAST_CALLS, 'venue calls');
    const reserve = option('policy.reserve') as number;
    const findings: Finding[] = [];
    for (const { limit, blocks, usedP95 } of limits) {
      const refused = Math.max(all.refused, blocks) / all.calls;
      if (refused <= MOST_REFUSED || blocks === 0) continue;
      const evidence = { refusedShare: refused, blocks, ...(usedP95 === undefined ? {} : { limitUsedP95: usedP95 }), calls: all.calls };
      const finding = `The venue refused ${percent(refused)} of the calls for limit "${limit}".`;
      const calls = trace === undefined ? NO_TRACE : limitCalls(trace, limit);
      if (typeof calls === 'string') {
        const to = Math.min(MOST_RESERVE, reserve + FIRST_STEP);
        findings.push({
          finding,
          evidence,
          change: { option: 'policy.reserve', from: reserve, to, why: 'a first step, to be measured again' },
          noEstimate: calls,
        });
        continue;
      }
      const others =
        quantile(
          calls.others.map(({ units }) => units),
          0.95,
        ) / calls.limit.units;
      const to = Math.min(MOST_RESERVE, Math.ceil((others + 0.05) * 50) / 50);
      if (to <= reserve) continue;
      const before = await replayLimit(calls, reserve);
      const after = await replayLimit(calls, to);
      findings.push({
        finding,
        evidence: { ...evidence, othersShareP95: others },
        change: {
          option: 'policy.reserve',
          from: reserve,
          to,
          why: `others on the same limit use up to ${percent(others)} of it; refused calls wait longer than those that are held back, which then is ${digits(mean(after.map(({ waitMs }) => waitMs)))} ms on average`,
        },
        ...estimateOf({
          metric: 'share of calls that the venue refuses',
          how: `${calls.calls.length} calls replayed through RateLimiter with a reserve of ${to}, against a venue that also counts what its reports say of others`,
          before,
          after,
          statistic: refusedShare,
          measured: refused,
          random,
        }),
      });
    }
    return findings.length === 0 ? NOTHING : { findings };
  },
};
