import { digits, percent } from '../measures/numbers.js';
import { type Detector, NOTHING, undecided } from './detector.js';

const LEAST_COLLECTIONS = 20;
const MOST_SHARE = 0.05;
const LONG_MS = 50;

export const gcPauses: Detector = {
  id: 'gc-pauses',
  component: 'event loop and memory',
  area: 'latency',
  sees: 'Garbage collection that costs more than 5 % of the time, or whose longest pauses (99th percentile) are above 50 ms.',
  option: 'node --max-semi-space-size, node --max-old-space-size',
  effort: 'medium',
  from: 'process metrics',
  replay: 'none: what is allocated is not in a trace',
  async detect({ measured }) {
    const { process, seconds } = measured;
    const [minor, major] = [process?.minorGc, process?.majorGc];
    const collections = (minor?.count ?? 0) + (major?.count ?? 0);
    if (process === undefined || collections < LEAST_COLLECTIONS)
      return undecided(`${collections} collections were measured, and ${LEAST_COLLECTIONS} are needed`);
    const [minorS, majorS] = [minor?.sum ?? 0, major?.sum ?? 0];
    const share = (minorS + majorS) / seconds;
    const longMs = 1_000 * Math.max(minor?.quantile(0.99) ?? 0, major?.quantile(0.99) ?? 0);
    if (share <= MOST_SHARE && longMs <= LONG_MS) return NOTHING;
    const isMinor = minorS >= majorS;
    const heapMax = process.heapUsed.length === 0 ? Number.NaN : Math.max(...process.heapUsed);
    return {
      findings: [
        {
          finding: `The garbage collector takes ${percent(share)} of the time, with pauses of up to ${digits(longMs)} ms, most of it for ${isMinor ? 'short-lived' : 'long-lived'} objects.`,
          evidence: { gcShare: share, pauseP99Ms: longMs, minorSeconds: minorS, majorSeconds: majorS, collections },
          change: isMinor
            ? {
                option: 'node --max-semi-space-size',
                from: 16,
                to: 64,
                why: 'MiB: the more room for young objects, the fewer collections, and the fewer objects survive one',
              }
            : {
                option: 'node --max-old-space-size',
                from: null,
                to: Number.isFinite(heapMax) ? Math.max(512, Math.ceil((heapMax * 3) / 2 ** 20 / 256) * 256) : 4_096,
                why: 'MiB: a heap that is nearly full is collected all the time; if it keeps growing, something is never let go of',
              },
          noEstimate: 'a trace does not hold what is allocated; measure again with the option',
        },
      ],
    };
  },
};
