import { type Check, figure, needsMarketData } from '../check.js';

const MOST_SHARE = 0.5;

/** The kit asks the venue less than the bot would. */
export const requests: Check = {
  id: 'performance.requests',
  category: 'performance',
  critical: false,
  leftOut: needsMarketData,
  async run(context) {
    const { fetches } = await context.session();
    const share = fetches.withKit / Math.max(1, fetches.without);
    return {
      passed: share <= MOST_SHARE,
      measured: `${fetches.withKit} requests for market data, ${fetches.without} without the kit: ${figure(share)}`,
      required: `at most ${MOST_SHARE} times as many`,
      why: 'Requests that reached the two venues for the same reads of the bot.',
    };
  },
};
