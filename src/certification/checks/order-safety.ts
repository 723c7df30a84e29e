import { type Check, needsOrders } from '../check.js';

/** Of the orders that are wanted, so many must have been tried, and so many faults must have struck, for the books to say something. */
const LEAST_SHARE = 0.9;
const LEAST_FAULTS = 60;

/** At most one order an intent, none unknown, none forgotten. */
export const orderSafety: Check = {
  id: 'integration.order-safety',
  category: 'integration',
  critical: true,
  leftOut: needsOrders,
  async run(context) {
    const { wanted, intents, struck, duplicates, orphans, lost, wronglyFilled, escalated, findings } = await context.hostility();
    return {
      passed: intents >= LEAST_SHARE * wanted && struck >= LEAST_FAULTS && duplicates + orphans + lost + wronglyFilled === 0,
      measured: `${duplicates} doubled, ${orphans} orphaned, ${lost} lost, ${wronglyFilled} wrongly filled of ${intents} intents, ${wanted} wanted, ${struck} faults; ${escalated} escalated for want of any proof${findings.length === 0 ? '' : `; ${findings.slice(0, 3).join('; ')}`}`,
      required: `0 doubled, orphaned, lost, wrongly filled, of ${LEAST_SHARE * wanted} intents or more and under ${LEAST_FAULTS} faults or more`,
      why: 'Orders and cancels against simulated venues of three kinds that lose, delay and garble requests, answers and events; when the faults were over, the books of both sides were compared.',
    };
  },
};
