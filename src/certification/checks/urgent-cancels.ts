import { type Check, figure, needsOrders } from '../check.js';

const MOST_MS = 1_000;

/** A cancel does not queue behind orders. */
export const urgentCancels: Check = {
  id: 'integration.urgent-cancels',
  category: 'integration',
  critical: false,
  leftOut: needsOrders,
  async run(context) {
    const { cancelMs } = await context.limits();
    return {
      passed: cancelMs <= MOST_MS,
      measured: `${figure(cancelMs)} ms`,
      required: `at most ${MOST_MS} ms`,
      why: 'The slowest of five cancels while hundreds of orders waited for the order limit, in virtual time.',
    };
  },
};
