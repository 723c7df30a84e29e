import { digits } from '../measures/numbers.js';
import { estimateOf } from '../replay/estimate.js';
import { readCalls, replayReads } from '../replay/read-replay.js';
import { type Detector, NO_TRACE, NOTHING, tooFew, undecided } from './detector.js';
import { latencyAt, readPolicy } from './policy.js';

const LEAST_CALLS = 500;
const TAIL = 5;
const HEDGE = { quantile: 0.95, maxRatio: 0.05 };
const LEAST_GAIN = 0.2;

export const hedging: Detector = {
  id: 'hedging-worth-it',
  component: 'venue calls',
  area: 'latency',
  sees: 'A long tail that a second copy would cut: reads are not hedged, the 99th percentile is above five times the median, and in the replay hedging takes a fifth or more off the 99th percentile.',
  option: 'policy.hedge',
  effort: 'low',
  from: 'call metrics, and the calls of a trace',
  replay: 'calls, through Pipeline and Hedge; each copy takes what a call then took, independent of the first',
  async detect(context) {
    const { measured, trace, random } = context;
    const seconds = measured.calls?.seconds;
    if (seconds === undefined || seconds.count < LEAST_CALLS) return tooFew(seconds?.count, LEAST_CALLS, 'venue calls');
    const policy = readPolicy(context);
    const [p50, p99] = [seconds.quantile(0.5)! * 1_000, seconds.quantile(0.99)! * 1_000];
    if (policy.hedge !== false || measured.calls!.hedges > 0 || p99 < TAIL * p50) return NOTHING;
    const calls = trace === undefined ? NO_TRACE : readCalls(trace, policy.timeoutMs);
    if (typeof calls === 'string') return undecided(calls);
    const statistic = latencyAt(0.99);
    const before = await replayReads(calls, policy, 1);
    const after = await replayReads(calls, { ...policy, hedge: HEDGE }, 2);
    if (!(statistic(after) <= (1 - LEAST_GAIN) * statistic(before))) return NOTHING;
    return {
      findings: [
        {
          finding: `One read in a hundred takes ${digits(p99)} ms or more, ${digits(p99 / p50)} times the median: a second copy would be back sooner.`,
          evidence: { p50Ms: p50, p99Ms: p99, calls: seconds.count },
          change: {
            option: 'policy.hedge',
            from: policy.hedge,
            to: HEDGE,
            why: 'at most one call in twenty is sent twice, and only reads are',
          },
          ...estimateOf({
            metric: 'latency of a read with its retries, p99, ms',
            how: `${calls.arrivals.length} reads replayed through Pipeline and Hedge; copies are taken to be independent of what they copy`,
            before,
            after,
            statistic,
            random,
          }),
        },
      ],
    };
  },
};
