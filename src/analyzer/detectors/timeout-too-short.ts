import type { Random } from '../../core/random.js';
import { digits, percent, roundUp } from '../measures/numbers.js';
import { censoredLogNormal } from '../replay/censored-log-normal.js';
import { estimateOf } from '../replay/estimate.js';
import { type ReadCalls, type ReplayedCall, readCalls, replayReads } from '../replay/read-replay.js';
import { type Detector, NO_TRACE, NOTHING, undecided } from './detector.js';
import { attemptsOf, readPolicy } from './policy.js';

const LEAST_CALLS = 500;
const MOST_CUT_OFF = 0.02;
const WANTED = 0.999;
const BELIEVED = 0.03;

export const timeoutTooShort: Detector = {
  id: 'timeout-too-short',
  component: 'venue calls',
  area: 'errors',
  sees: 'Attempts that are given up while their answer is on its way: more than one in fifty is cut off by timeoutMs, and a log-normal distribution fitted to the answered and the cut-off ones explains how many.',
  option: 'policy.timeoutMs',
  effort: 'low',
  from: 'the calls of a trace',
  replay: 'calls, through Pipeline; what was cut off takes what the fitted distribution says beyond the time limit',
  async detect(context) {
    const { trace, random } = context;
    const policy = readPolicy(context);
    if (trace === undefined) return undecided(NO_TRACE);
    const { answered, cutOff, all } = attemptsOf(trace, policy.timeoutMs);
    if (all < LEAST_CALLS) return undecided(`the trace holds ${all} reads, and ${LEAST_CALLS} are needed`);
    const share = cutOff / all;
    if (share <= MOST_CUT_OFF) return NOTHING;
    const fitted = censoredLogNormal(answered, cutOff, policy.timeoutMs);
    // A venue that does not answer at all is not helped by more patience.
    if (fitted === undefined || Math.abs(fitted.above(policy.timeoutMs) - share) > BELIEVED) return NOTHING;
    const calls = readCalls(trace, policy.timeoutMs);
    if (typeof calls === 'string') return undecided(calls);
    const to = Math.min(policy.deadlineMs, roundUp(fitted.quantile(WANTED)));
    if (to <= policy.timeoutMs * 1.1) return NOTHING;
    const patient = withTail(calls, (u) => fitted.beyond(policy.timeoutMs, u), random);
    const statistic = (ended: readonly ReplayedCall[]): number =>
      ended.reduce((sum, { failed }) => sum + failed, 0) / ended.reduce((sum, { sent }) => sum + sent, 0);
    const before = await replayReads(calls, policy, 1);
    const after = await replayReads(patient, { ...policy, timeoutMs: to }, 1);
    return {
      findings: [
        {
          finding: `${percent(share)} of the attempts are given up after ${policy.timeoutMs} ms, which the venue often needs: by the distribution of its answers, one in a hundred takes ${digits(fitted.quantile(0.99))} ms.`,
          evidence: { cutOffShare: share, fittedP99Ms: fitted.quantile(0.99), timeoutMs: policy.timeoutMs, attempts: all },
          change: { option: 'policy.timeoutMs', from: policy.timeoutMs, to, why: 'what was given up is asked again, and takes as long again' },
          ...estimateOf({
            metric: 'share of attempts of reads that fail',
            how: `${calls.arrivals.length} reads replayed through Pipeline with timeoutMs ${to}; answers beyond ${policy.timeoutMs} ms, which the run never saw, are drawn from a log-normal distribution fitted to all others`,
            before,
            after,
            statistic,
            measured: share,
            random,
          }),
        },
      ],
    };
  },
};

function withTail(calls: ReadCalls, beyond: (u: number) => number, random: Random): ReadCalls {
  const attempts = new Map(
    [...calls.attempts].map(([operation, of]) => [
      operation,
      of.map((one) => (one.ms === Infinity ? { t: one.t, ms: beyond(random()), ok: true } : one)),
    ]),
  );
  return { arrivals: calls.arrivals, attempts };
}
