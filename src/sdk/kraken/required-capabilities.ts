import type { VenueCapabilities } from '../../contracts/broker.js';
import { requireCapabilitiesOf } from '../shared/required-capabilities.js';
import { CAPABILITY_NAMES, FENCE } from './kraken-adapter.js';

const KRAKEN = { venue: 'Kraken', names: CAPABILITY_NAMES, fence: FENCE };

/** @throws RangeError or TypeError naming the capability that Kraken can't have. */
export function requireCapabilities(caller: string, capabilities?: Partial<VenueCapabilities>): void {
  requireCapabilitiesOf(KRAKEN, caller, capabilities);
}
