import type { SimulatedVenueOptions } from '../../src/testing/venue/venue-options.js';

/** Three kinds of venue, by what they guarantee. */
export const PROFILES = {
  /** As Binance: ids unique among open orders, and a server-side deadline. */
  fence: { fence: { maxMs: 60_000, defaultMs: 2_000 }, clientIdUniqueness: 'open_orders', visibilityLagMs: 1_000 },
  /** As Alpaca: ids unique for good, no deadline. */
  forever: { fence: false, clientIdUniqueness: 'forever', visibilityLagMs: 1_000 },
  /** As Interactive Brokers: neither. */
  neither: { fence: false, clientIdUniqueness: 'open_orders', visibilityLagMs: 1_000 },
} as const satisfies Record<string, SimulatedVenueOptions>;

export type ProfileName = keyof typeof PROFILES;
export const PROFILE_NAMES = Object.keys(PROFILES) as readonly ProfileName[];
