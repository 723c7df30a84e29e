import { digits, percent, quantileOfSorted, roundUp } from '../measures/numbers.js';
import { estimateOf } from '../replay/estimate.js';
import { readCalls, replayReads } from '../replay/read-replay.js';
import { type Detector, NO_TRACE, NOTHING, undecided } from './detector.js';
import { attemptsOf, type latencyAt, readPolicy } from './policy.js';

const LEAST_CALLS = 500;
const LEAST_CUT_OFF = 0.001;
const MOST_CUT_OFF = 0.02;
const FAR = 4;
const ROOM = 1.5;

export const timeoutTooLong: Detector = {
  id: 'timeout-too-long',
  component: 'venue calls',
  area: 'latency',
  sees: 'Attempts that are waited for long after an answer could be expected: at least one in a thousand and at most one in fifty is cut off by timeoutMs, which is more than four times the 99.9th percentile of those that are answered.',
  option: 'policy.timeoutMs',
  effort: 'low',
  from: 'the calls of a trace',
  replay: 'calls, through Pipeline; what was cut off is taken to be never answered',
  async detect(context) {
    const { trace, random } = context;
    const policy = readPolicy(context);
    if (trace === undefined) return undecided(NO_TRACE);
    const { answered, cutOff, all } = attemptsOf(trace, policy.timeoutMs);
    if (all < LEAST_CALLS) return undecided(`the trace holds ${all} reads, and ${LEAST_CALLS} are needed`);
    const share = cutOff / all;
    const p999 = quantileOfSorted(answered, 0.999);
    if (share < LEAST_CUT_OFF || share > MOST_CUT_OFF || policy.timeoutMs < FAR * p999) return NOTHING;
    const calls = readCalls(trace, policy.timeoutMs);
    if (typeof calls === 'string') return undecided(calls);
    const to = roundUp(ROOM * p999);
    // The mean holds every lost attempt; a percentile may lie just beside them.
    const statistic = (ended: Parameters<ReturnType<typeof latencyAt>>[0]): number => ended.reduce((sum, { ms }) => sum + ms, 0) / ended.length;
    const before = await replayReads(calls, policy, 1);
    const after = await replayReads(calls, { ...policy, timeoutMs: to }, 1);
    return {
      findings: [
        {
          finding: `${percent(share)} of the attempts are never answered, and each is waited for ${policy.timeoutMs} ms, though 999 of 1,000 answers come within ${digits(p999)} ms.`,
          evidence: { cutOffShare: share, answeredP999Ms: p999, timeoutMs: policy.timeoutMs, attempts: all },
          change: {
            option: 'policy.timeoutMs',
            from: policy.timeoutMs,
            to,
            why: `half as much again as ${digits(p999)} ms; the retry then comes while the answer still matters`,
          },
          ...estimateOf({
            metric: 'latency of a read with its retries, mean, ms',
            how: `${calls.arrivals.length} reads replayed through Pipeline with timeoutMs ${to}`,
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
