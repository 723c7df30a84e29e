import { fullPolicy } from '../../trading/trading-defaults.js';
import { type Check, needsOrders } from '../check.js';

const WRITES = ['place', 'cancel'];

/** The adapter says what the venue allows, and what each write costs of it. */
export const limitsConfigured: Check = {
  id: 'production.limits-configured',
  category: 'production',
  critical: false,
  leftOut: needsOrders,
  async run({ host }) {
    const broker = host.options.broker!;
    const known = new Set(broker.limits.map(({ id }) => id));
    const free = WRITES.filter((operation) => !broker.cost(operation).some(({ limit, units }) => known.has(limit) && units > 0));
    const { reserve } = fullPolicy(host.kit.tuning.policy);
    const wrong = [
      ...(known.size === 0 ? ['no limits'] : free.map((operation) => `${operation} costs nothing`)),
      ...(reserve === 0 ? ['nothing reserved for cancels'] : []),
    ];
    return {
      passed: wrong.length === 0,
      measured: wrong.length === 0 ? `${known.size} limits, ${100 * reserve} % reserved` : wrong.join('; '),
      required: 'limits, a cost of each write, a reserve above 0',
      why: "Read from the host's adapter and the policy that is in force: without limits nothing can be kept within them.",
    };
  },
};
