import { type Check, figure, needsOrders } from '../check.js';

/** A bot that is let through with less than this of what it wants is held up by something else than the limit. */
const LEAST_USED = 0.5;

/** The venue's limits are kept, whatever the bot wants. */
export const limits: Check = {
  id: 'integration.limits',
  category: 'integration',
  critical: true,
  leftOut: needsOrders,
  async run(context) {
    const { mostUsed, refused, bans, sent } = await context.limits();
    return {
      passed: mostUsed >= LEAST_USED && mostUsed <= 1 && refused === 0 && bans === 0,
      measured: `${figure(100 * mostUsed)} % of the tightest limit used at most, ${refused} of ${sent} requests refused, ${bans} bans`,
      required: `${100 * LEAST_USED} to 100 %, 0 refused, 0 bans`,
      why: 'A bot wanted twenty orders a second and market data beside them from a venue that allows five orders and thirty units a second; what went out was counted in every window.',
    };
  },
};
