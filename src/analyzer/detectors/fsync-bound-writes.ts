import { digits, percent } from '../measures/numbers.js';
import { type Detector, NOTHING, undecided } from './detector.js';

const LEAST_APPENDS = 100;
const SLOW_MS = 5;
const LEAST_SHARE = 0.3;

export const fsyncBoundWrites: Detector = {
  id: 'fsync-bound-writes',
  component: 'order path',
  area: 'latency',
  sees: "Orders that wait for the disk: a durable append takes 5 ms or more (median), and three tenths or more of an append and the venue's answer together.",
  option: 'journal.synchronous',
  effort: 'high',
  from: 'journal and order metrics',
  replay: 'none: a trace does not tell how much of an append the disk is',
  async detect({ measured }) {
    const { orders } = measured;
    const [append, place] = [orders?.appendSeconds, orders?.placeSeconds];
    if (orders === undefined || append === undefined || place === undefined || append.count < LEAST_APPENDS || place.count < LEAST_APPENDS / 2)
      return undecided(
        `${append?.count ?? 0} appends and ${place?.count ?? 0} placements were measured, and ${LEAST_APPENDS} and ${LEAST_APPENDS / 2} are needed`,
      );
    const [appendMs, placeMs] = [append.quantile(0.5)! * 1_000, place.quantile(0.5)! * 1_000];
    const share = appendMs / (appendMs + placeMs);
    if (appendMs < SLOW_MS || share < LEAST_SHARE) return NOTHING;
    return {
      findings: [
        {
          finding: `${percent(share)} of the way of an order is the wait for the disk: an append takes ${digits(appendMs)} ms, the venue ${digits(placeMs)} ms.`,
          evidence: {
            appendP50Ms: appendMs,
            appendP99Ms: append.quantile(0.99)! * 1_000,
            placeP50Ms: placeMs,
            share,
            recordsPerAppend: orders.records / orders.appends,
          },
          change: {
            option: 'journal.synchronous',
            from: 'full',
            to: 'normal',
            why: "a faster local disk is the better way; 'normal' survives a crash or kill of the process, but a loss of power may take the newest records: a decision for a person, which --apply leaves alone",
          },
          noEstimate: 'a trace does not tell how much of an append the disk is',
        },
      ],
    };
  },
};
