import { type Check, needsOrders } from '../check.js';

/** One kit at a time trades an account. */
export const singleWriter: Check = {
  id: 'production.single-writer',
  category: 'production',
  critical: true,
  leftOut: needsOrders,
  async run(context) {
    const { secondWriter } = await context.rules();
    return {
      passed: secondWriter === 'JOURNAL_LOCKED',
      measured: secondWriter,
      required: 'JOURNAL_LOCKED',
      why: 'A second kit was started on the journal of a trial kit that still ran.',
    };
  },
};
