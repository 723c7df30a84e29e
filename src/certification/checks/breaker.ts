import { type Check, needsOrders } from '../check.js';

const MOST_LATE = 10;

/** A venue that fails is left alone: one that is not, bans, and then nothing can be cancelled either. */
export const breaker: Check = {
  id: 'integration.breaker',
  category: 'integration',
  critical: true,
  leftOut: needsOrders,
  async run(context) {
    const { isOpened, sentLate, submitted, arrived } = await context.storm();
    return {
      passed: isOpened && sentLate <= MOST_LATE,
      measured: `breaker ${isOpened ? 'open' : 'never open'}, ${sentLate} placements in the last 10 s; ${arrived} of ${submitted} orders at the venue in the end`,
      required: `open, at most ${MOST_LATE} placements`,
      why: 'Ten orders a second for 20 s while the venue answered every placement with 503.',
    };
  },
};
