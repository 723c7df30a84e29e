import { type Check, figure, needsOrders } from '../check.js';

const MOST_MS = 1_000;

/** A cancel does not queue behind orders: a bot that can't cancel has lost its hold on its risk. */
export const urgentCancels: Check = {
  id: 'integration.urgent-cancels',
  category: 'integration',
  critical: true,
  leftOut: needsOrders,
  async run(context) {
    const { cancelMs } = await context.limits();
    return {
      passed: cancelMs <= MOST_MS,
      measured: `${figure(cancelMs)} ms`,
      required: `at most ${MOST_MS} ms`,
      why: 'The slowest of five cancels while hundreds of orders waited for the limits that the venue tells of, in virtual time, on a venue that refuses nothing.',
    };
  },
};
