import { type Check, figure, needsMarketData } from '../check.js';

/** No value is older than its reader allows. */
export const freshness: Check = {
  id: 'integration.freshness',
  category: 'integration',
  critical: true,
  leftOut: needsMarketData,
  async run(context) {
    const { agesOverAllowed } = await context.session();
    const tooOld = agesOverAllowed.filter((share) => share > 1 + 1e-9).length;
    const oldest = agesOverAllowed.reduce((most, share) => Math.max(most, share), 0);
    return {
      passed: tooOld === 0 && agesOverAllowed.length > 0,
      measured: `${tooOld} of ${agesOverAllowed.length} too old; the oldest had ${figure(100 * oldest)} % of the age that was allowed`,
      required: '0',
      why: 'The age of every quote that was handed to the bot, from the moment at which its request left for the venue, as the venue side saw it.',
    };
  },
};
