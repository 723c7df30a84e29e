import type { VenueCapabilities } from '../../contracts/broker.js';
import { requireKnown, requireWithin } from '../../core/options.js';

/** How far ahead a venue takes a deadline, ms. */
export interface FenceRange {
  readonly shortestMs: number;
  readonly longestMs: number;
}

/** @param names - of the capabilities that may be overridden. @throws RangeError or TypeError naming the capability that the venue can't have. */
export function requireFence(
  caller: string,
  capabilities: Partial<VenueCapabilities> | undefined,
  names: readonly string[],
  { shortestMs, longestMs }: FenceRange,
): void {
  requireKnown(`${caller} capabilities`, capabilities ?? {}, names);
  const fence = capabilities?.fence;
  if (fence === undefined) return;
  requireWithin('capabilities.fence.maxMs', fence.maxMs, shortestMs, longestMs);
  requireWithin('capabilities.fence.defaultMs', fence.defaultMs, shortestMs, fence.maxMs);
}
