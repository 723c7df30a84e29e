import { type Check, needsOrders } from '../check.js';

/** A halt holds, and cancels pass. */
export const halt: Check = {
  id: 'integration.halt',
  category: 'integration',
  critical: true,
  leftOut: needsOrders,
  async run(context) {
    const { placedWhileHalted, cancelledWhileHalted } = await context.rules();
    return {
      passed: placedWhileHalted === 0 && cancelledWhileHalted,
      measured: `${placedWhileHalted} placed; a cancel ${cancelledWhileHalted ? 'passed' : 'did not pass'}`,
      required: '0 placed, and the cancel passed',
      why: 'A trial kit was halted; then an order and a cancel were tried.',
    };
  },
};
