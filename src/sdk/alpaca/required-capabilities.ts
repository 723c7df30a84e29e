import type { VenueCapabilities } from '../../contracts/broker.js';
import { requireCapabilitiesOf } from '../shared/required-capabilities.js';
import { CAPABILITY_NAMES } from './alpaca-adapter.js';

const ALPACA = { venue: 'Alpaca', names: CAPABILITY_NAMES, fence: undefined };

/** @throws RangeError or TypeError naming the capability that Alpaca can't have. */
export function requireCapabilities(caller: string, capabilities?: Partial<VenueCapabilities>): void {
  requireCapabilitiesOf(ALPACA, caller, capabilities);
}
