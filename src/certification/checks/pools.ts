import type { Check } from '../check.js';

/** Connections that were lent came back. */
export const pools: Check = {
  id: 'integration.pools',
  category: 'integration',
  critical: false,
  async run(context) {
    const { told } = await context.session();
    const held = [...told.pools].filter(([, { inUse, leaks }]) => inUse > 0 || leaks > 0);
    return {
      passed: held.length === 0,
      measured:
        told.pools.size === 0
          ? 'no pool on the bus'
          : [...told.pools]
              .map(([name, { inUse, most, leaks }]) => `${name}: ${inUse} in use in the end, ${most} at most, ${leaks} leaks told`)
              .join('; '),
      required: '0 in use in the end, 0 leaks',
      why: 'pool.state and pool.leak of every pool that spoke on the bus of a trial kit, after the session was over.',
    };
  },
};
