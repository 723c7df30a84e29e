import { type Check, needsOrders } from '../check.js';

/** A kit that starts sees what is on the account. */
export const reconciliation: Check = {
  id: 'component.reconciliation',
  category: 'component',
  critical: false,
  leftOut: needsOrders,
  async run(context) {
    const { isExternalSeen } = await context.rules();
    return {
      passed: isExternalSeen,
      measured: isExternalSeen ? 'seen' : 'not seen',
      required: 'seen',
      why: 'Somebody else placed an order on the account before a trial kit was started; order.external must tell of it.',
    };
  },
};
