import type { VenueCapabilities } from '../../contracts/broker.js';
import { requireFence } from '../shared/require-fence.js';
import { CAPABILITY_NAMES, LONGEST_FENCE_MS } from './binance-adapter.js';

/** @throws RangeError or TypeError naming the capability that Binance can't have. */
export function requireCapabilities(caller: string, capabilities?: Partial<VenueCapabilities>): void {
  requireFence(caller, capabilities, CAPABILITY_NAMES, { shortestMs: 1, longestMs: LONGEST_FENCE_MS });
}
