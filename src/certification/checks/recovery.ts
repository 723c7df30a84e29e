import { type Check, figure } from '../check.js';

const MOST_S = 30;

/** After an outage everything works again by itself. */
export const recovery: Check = {
  id: 'integration.recovery',
  category: 'integration',
  critical: false,
  async run(context) {
    const { recoveredAfterS } = await context.outage();
    return {
      passed: recoveredAfterS !== undefined && recoveredAfterS <= MOST_S,
      measured: recoveredAfterS === undefined ? 'never' : `${figure(recoveredAfterS)} s`,
      required: `at most ${MOST_S} s`,
      why: 'From the end of a minute in which the venue answered nothing but 503, until a quote came and the venue had an order, in virtual time.',
    };
  },
};
