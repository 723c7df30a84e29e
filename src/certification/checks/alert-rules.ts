import { type Check, figure } from '../check.js';

const MOST_S = 60;

/** An outage raises an alert. */
export const alertRules: Check = {
  id: 'production.alert-rules',
  category: 'production',
  critical: false,
  async run(context) {
    const { raisedAfterS, rulesRaised } = await context.outage();
    return {
      passed: raisedAfterS !== undefined && raisedAfterS <= MOST_S,
      measured: raisedAfterS === undefined ? 'none was raised' : `${figure(raisedAfterS)} s, by ${rulesRaised.join(', ')}`,
      required: `within ${MOST_S} s`,
      why: "The host's rules, on a trial kit whose venue answered nothing but 503 for a minute, in virtual time; what fired before that does not count.",
    };
  },
};
