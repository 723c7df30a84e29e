import { digits } from '../measures/numbers.js';
import { estimateOf } from '../replay/estimate.js';
import { type ReplayedCall, readCalls, replayReads } from '../replay/read-replay.js';
import { type Detector, NO_TRACE, NOTHING, tooFew } from './detector.js';
import { readPolicy } from './policy.js';

const LEAST_CALLS = 500;
const MOST_AMPLIFIED = 1.3;
const CAREFUL = { ratio: 0.1, minPerSecond: 1 };

export const retryAmplification: Detector = {
  id: 'retry-amplification',
  component: 'venue calls',
  area: 'efficiency',
  sees: 'Retries that multiply the load on a venue that is failing: more than 1.3 attempts for each call, over the whole range.',
  option: 'policy.budget',
  effort: 'low',
  from: 'call metrics',
  replay: 'calls, through Pipeline, RetryBudget and CircuitBreaker; an attempt fails as often as one did then',
  async detect(context) {
    const { measured, trace, random } = context;
    const { calls: all } = measured;
    if (all === undefined || all.calls < LEAST_CALLS) return tooFew(all?.calls, LEAST_CALLS, 'venue calls');
    const first = all.calls - all.retries - all.hedges;
    const amplified = first > 0 ? (first + all.retries) / first : 1;
    if (amplified < MOST_AMPLIFIED) return NOTHING;
    const policy = readPolicy(context);
    if (policy.budget.ratio <= CAREFUL.ratio && policy.budget.minPerSecond <= CAREFUL.minPerSecond) return NOTHING;
    const evidence = { attemptsPerCall: amplified, failureShare: all.failures / all.calls, calls: first };
    const finding = `Each call becomes ${digits(amplified)} attempts: retries add to the load of a venue that is failing.`;
    const change = {
      option: 'policy.budget',
      from: policy.budget,
      to: CAREFUL,
      why: 'a tenth of the calls may be repeated, which covers what goes wrong by chance',
    };
    const calls = trace === undefined ? NO_TRACE : readCalls(trace, policy.timeoutMs);
    if (typeof calls === 'string') return { findings: [{ finding, evidence, change, noEstimate: calls }] };
    const statistic = (ended: readonly ReplayedCall[]): number => ended.reduce((sum, { sent }) => sum + sent, 0) / ended.length;
    return {
      findings: [
        {
          finding,
          evidence,
          change,
          ...estimateOf({
            metric: 'attempts for each read',
            how: `${calls.arrivals.length} reads replayed through Pipeline with a retry budget of ${CAREFUL.ratio}`,
            before: await replayReads(calls, policy, 1),
            after: await replayReads(calls, { ...policy, budget: CAREFUL }, 1),
            statistic,
            random,
          }),
        },
      ],
    };
  },
};
