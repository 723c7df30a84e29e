import { type Check, needsOrders } from '../check.js';

/** The same intent is the same order, and another payload under its id is refused. */
export const idempotence: Check = {
  id: 'integration.idempotence',
  category: 'integration',
  critical: true,
  leftOut: needsOrders,
  async run(context) {
    const { ordersOfOneIntent, otherPayload } = await context.rules();
    return {
      passed: ordersOfOneIntent === 1 && otherPayload === 'IDEMPOTENCY_CONFLICT',
      measured: `${ordersOfOneIntent} order at the venue; another payload: ${otherPayload}`,
      required: '1 order; another payload: IDEMPOTENCY_CONFLICT',
      why: 'One intent was submitted 20 times at once and three times later, and then with another quantity.',
    };
  },
};
