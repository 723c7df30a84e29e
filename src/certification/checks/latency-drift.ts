import { type Check, figure } from '../check.js';

const WINDOWS = 8;
const MOST_PERCENT = 25;

/** The kit is as fast at the end as at the beginning. */
export const latencyDrift: Check = {
  id: 'integration.latency-drift',
  category: 'integration',
  critical: false,
  async run(context) {
    const { withKit, without } = await context.session();
    // What the venue's own faults and latencies do, happens on both sides.
    const kit = driftOf([...withKit.orders, ...withKit.reads.filter(({ tookMs }) => tookMs > 0)]);
    const bare = driftOf([...without.orders, ...without.reads]);
    const percent = 100 * (kit - Math.max(0, bare));
    return {
      passed: percent <= MOST_PERCENT,
      measured: `${figure(100 * kit)} % over the session; ${figure(100 * bare)} % without the kit`,
      required: `at most ${MOST_PERCENT} % more than without`,
      why: `Medians of the waits for the venue in ${WINDOWS} stretches of the session; the slope through all pairs of them (Theil-Sen), as a share of their median.`,
    };
  },
};

/** Change of the median over the whole session, as a share of it. */
function driftOf(calls: readonly { readonly at: number; readonly tookMs: number }[]): number {
  const [first, last] = calls.reduce(([least, most], { at }) => [Math.min(least, at), Math.max(most, at)], [Infinity, -Infinity]);
  const medians: number[] = [];
  for (let window = 0; window < WINDOWS; window++) {
    const [from, to] = [first + ((last - first) * window) / WINDOWS, first + ((last - first) * (window + 1)) / WINDOWS];
    const within = calls.filter(({ at }) => at >= from && at < to).map(({ tookMs }) => tookMs);
    if (within.length > 0) medians.push(median(within));
  }
  const slopes: number[] = [];
  for (let i = 0; i < medians.length; i++) for (let j = i + 1; j < medians.length; j++) slopes.push((medians[j]! - medians[i]!) / (j - i));
  const level = median(medians);
  return slopes.length === 0 || level === 0 ? 0 : (median(slopes) * (medians.length - 1)) / level;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? 0 : sorted[Math.floor(sorted.length / 2)]!;
}
