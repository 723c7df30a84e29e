import type { VenueCapabilities } from '../../contracts/broker.js';
import { requireCapabilitiesOf } from '../shared/required-capabilities.js';
import { CAPABILITY_NAMES, LONGEST_FENCE_MS } from './binance-adapter.js';

const BINANCE = { venue: 'Binance', names: CAPABILITY_NAMES, fence: { shortestMs: 1, longestMs: LONGEST_FENCE_MS } };

/** @throws RangeError or TypeError naming the capability that Binance can't have. */
export function requireCapabilities(caller: string, capabilities?: Partial<VenueCapabilities>): void {
  requireCapabilitiesOf(BINANCE, caller, capabilities);
}
