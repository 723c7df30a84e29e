import type { Check } from '../check.js';

/** What the venue's errors hold comes out nowhere. */
export const secrets: Check = {
  id: 'production.secrets',
  category: 'production',
  critical: true,
  async run(context) {
    const { leaks, searched, offered } = await context.secrets();
    return {
      passed: leaks.length === 0 && offered > 0,
      measured: leaks.length === 0 ? `0 of ${searched} outputs, ${offered} times offered` : `in ${leaks.join(', ')}`,
      required: '0 outputs',
      why: 'The adapter of a trial kit threw errors with API keys and signatures in their text, as SDKs do; log lines, every event, errors, notifications, alerts, orders, the journal, metrics and their names were searched for them.',
    };
  },
};
