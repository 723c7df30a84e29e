import { digits, mean, percent } from '../measures/numbers.js';
import { type Detector, NOTHING, undecided } from './detector.js';

const LEAST_SECONDS = 60;
const LEAST_STALLED = 0.02;

export const eventLoopStalls: Detector = {
  id: 'event-loop-stalls',
  component: 'event loop and memory',
  area: 'latency',
  sees: 'Seconds in which the event loop stood still for longer than the objective (100 ms): more than one in fifty, and garbage collection explains less than half of it.',
  option: 'node --cpu-prof',
  effort: 'medium',
  from: 'process metrics',
  replay: 'none: what holds the thread is not in a trace',
  async detect({ measured, objectives }) {
    const { process, seconds } = measured;
    if (process === undefined || process.loopDelayMax.length < LEAST_SECONDS)
      return undecided(`the delay of the event loop is known of ${process?.loopDelayMax.length ?? 0} seconds, and ${LEAST_SECONDS} are needed`);
    const stalls = process.loopDelayMax.filter((delay) => delay * 1_000 > objectives.loopDelayMs);
    const share = stalls.length / process.loopDelayMax.length;
    const gcSeconds = (process.minorGc?.sum ?? 0) + (process.majorGc?.sum ?? 0);
    const stalled = stalls.reduce((sum, delay) => sum + delay, 0);
    if (share <= LEAST_STALLED || gcSeconds > stalled / 2) return NOTHING;
    return {
      findings: [
        {
          finding: `In ${percent(share)} of the seconds the event loop stood still for more than ${objectives.loopDelayMs} ms, ${digits(mean(stalls) * 1_000)} ms on average: orders and timers waited.`,
          evidence: { stalledShare: share, stallMeanMs: mean(stalls) * 1_000, gcShare: gcSeconds / seconds, seconds: process.loopDelayMax.length },
          change: {
            option: 'node --cpu-prof',
            from: false,
            to: true,
            why: 'a profile names the function that holds the thread; move it to a worker, or cut it into slices',
          },
          noEstimate: 'a trace does not hold what the main thread was busy with',
        },
      ],
    };
  },
};
