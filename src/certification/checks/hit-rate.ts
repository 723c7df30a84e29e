import { type Check, figure, needsMarketData } from '../check.js';

const LEAST = 0.7;

/** Most reads are answered from the cache. */
export const hitRate: Check = {
  id: 'performance.hit-rate',
  category: 'performance',
  critical: false,
  leftOut: needsMarketData,
  async run(context) {
    const { withKit } = await context.session();
    // An answer without any wait came from memory, whatever the statistics say.
    const share = withKit.reads.filter(({ tookMs, error }) => tookMs === 0 && error === undefined).length / Math.max(1, withKit.reads.length);
    return {
      passed: share >= LEAST,
      measured: `${figure(100 * share)} % of ${withKit.reads.length} reads at once`,
      required: `at least ${100 * LEAST} %`,
      why: 'Four strategies read three quotes every 300 ms that may be 500 ms old: what was answered without waiting came from memory.',
    };
  },
};
