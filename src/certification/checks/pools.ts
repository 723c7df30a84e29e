import type { Check } from '../check.js';
import { runPools } from '../trials/pools-trial.js';

/** Connections that were lent came back, and the pools can be made as the options say. */
export const pools: Check = {
  id: 'integration.pools',
  category: 'integration',
  critical: false,
  async run(context) {
    const { told } = await context.session();
    const made = await runPools(context.ground, context.host.kit.tuning.pools ?? {});
    const all = [...told.pools, ...made.pools];
    if (all.length === 0 && made.wrong.length === 0)
      return {
        leftOut:
          "no pool spoke on the bus of a trial kit, and tuning names none: the host's own are made by the function that makes its kit (create)",
      };
    const held = all.filter(([, { inUse, leaks }]) => inUse > 0 || leaks > 0);
    return {
      passed: held.length === 0 && made.wrong.length === 0,
      measured: [
        ...all.map(([name, { inUse, most, leaks }]) => `${name}: ${inUse} in use in the end, ${most} at most, ${leaks} leaks told`),
        ...made.wrong,
      ].join('; '),
      required: '0 in use in the end, 0 leaks, every pool of tuning made and within its max',
      why: 'pool.state and pool.leak of every pool that spoke on the bus of a trial kit, after the session was over; and each pool that tuning names, made as it says, under callers of which every fourth fails.',
    };
  },
};
