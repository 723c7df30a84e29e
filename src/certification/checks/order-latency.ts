import { type Check, figure, needsOrders } from '../check.js';
import { latencies } from './read-latency.js';

const MOST_OF_MEDIAN = 1.25;

/** That orders are safe costs them no time while nothing is wrong. */
export const orderLatency: Check = {
  id: 'performance.order-latency',
  category: 'performance',
  critical: false,
  leftOut: needsOrders,
  async run(context) {
    const { withKit, without } = await context.session();
    const [mine, theirs] = [latencies(withKit.orders), latencies(without.orders)];
    return {
      passed: withKit.orders.length > 0 && mine.p50 <= MOST_OF_MEDIAN * theirs.p50,
      measured: `median ${figure(mine.p50)} ms, p99 ${figure(mine.p99)} ms; without the kit ${figure(theirs.p50)} and ${figure(theirs.p99)} ms`,
      required: `median at most ${MOST_OF_MEDIAN} times what it is without`,
      why: 'Virtual time from the submission to the acknowledgement of every order of the bot, on both sides; the p99 is told, since proof of a lost answer takes what it takes.',
    };
  },
};
