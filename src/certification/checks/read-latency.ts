import { quantileSorted } from 'simple-statistics';
import { type Check, figure, needsMarketData } from '../check.js';

const MOST_OF_MEAN = 0.6;

/** Reads wait less than they would without the kit. */
export const readLatency: Check = {
  id: 'performance.read-latency',
  category: 'performance',
  critical: false,
  leftOut: needsMarketData,
  async run(context) {
    const { withKit, without } = await context.session();
    const [mine, theirs] = [latencies(withKit.reads), latencies(without.reads)];
    return {
      passed: mine.mean <= MOST_OF_MEAN * theirs.mean && mine.p99 <= theirs.p99,
      measured: `mean ${figure(mine.mean)} ms, p99 ${figure(mine.p99)} ms; without the kit ${figure(theirs.mean)} and ${figure(theirs.p99)} ms`,
      required: `mean at most ${MOST_OF_MEAN} times, p99 at most, of what it is without`,
      why: 'Virtual time from the ask to the answer of every quote that the bot read, on both sides.',
    };
  },
};

/** In ms. */
export function latencies(calls: readonly { readonly tookMs: number }[]): { readonly mean: number; readonly p50: number; readonly p99: number } {
  const sorted = calls.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  if (sorted.length === 0) return { mean: 0, p50: 0, p99: 0 };
  return { mean: sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length, p50: quantileSorted(sorted, 0.5), p99: quantileSorted(sorted, 0.99) };
}
