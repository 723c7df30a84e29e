import { type Check, needsOrders } from '../check.js';

/** At most one order an intent, none unknown, none forgotten. */
export const orderSafety: Check = {
  id: 'integration.order-safety',
  category: 'integration',
  critical: true,
  leftOut: needsOrders,
  async run(context) {
    const { intents, struck, duplicates, orphans, lost, wronglyFilled, escalated, findings } = await context.hostility();
    return {
      passed: intents > 0 && duplicates + orphans + lost + wronglyFilled === 0,
      measured: `${duplicates} doubled, ${orphans} orphaned, ${lost} lost, ${wronglyFilled} wrongly filled of ${intents} intents, ${struck} faults; ${escalated} escalated for want of any proof${findings.length === 0 ? '' : `; ${findings.slice(0, 3).join('; ')}`}`,
      required: '0 doubled, orphaned, lost, wrongly filled',
      why: 'Orders and cancels against simulated venues of three kinds that lose, delay and garble requests, answers and events; when the faults were over, the books of both sides were compared.',
    };
  },
};
