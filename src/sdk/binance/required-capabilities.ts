import type { VenueCapabilities } from '../../contracts/broker.js';
import { requireKnown, requireWithin } from '../../core/options.js';
import { CAPABILITY_NAMES, LONGEST_FENCE_MS } from './binance-adapter.js';

/** @throws RangeError or TypeError naming the capability that Binance can't have. */
export function requireCapabilities(caller: string, capabilities: Partial<VenueCapabilities> = {}): void {
  requireKnown(`${caller} capabilities`, capabilities, CAPABILITY_NAMES);
  const { fence } = capabilities;
  if (fence === undefined) return;
  requireWithin('capabilities.fence.maxMs', fence.maxMs, 1, LONGEST_FENCE_MS);
  requireWithin('capabilities.fence.defaultMs', fence.defaultMs, 1, fence.maxMs);
}
