import type { VenueCapabilities } from '../../contracts/broker.js';
import { requireBoolean, requireInteger, requireKnown, requireNonNegative, requireObject, requireOneOf, requireWithin } from '../../core/options.js';

/** How far ahead a venue takes a deadline, ms. */
export interface FenceRange {
  readonly shortestMs: number;
  readonly longestMs: number;
}

/** What a venue's capabilities may be overridden with. */
interface Overridable {
  /** As in messages. */
  readonly venue: string;
  readonly names: readonly string[];
  /** Undefined where the venue knows no deadline of a request. */
  readonly fence: FenceRange | undefined;
}

/**
 * @param caller - whose option it is.
 * @throws RangeError or TypeError naming the capability that the venue can't have: what is proved by it would be proved by nothing.
 */
export function requireCapabilitiesOf(
  { venue, names, fence: range }: Overridable,
  caller: string,
  capabilities: Partial<VenueCapabilities> | undefined,
): void {
  if (capabilities === undefined) return;
  requireKnown(`${caller} capabilities`, requireObject('capabilities', capabilities), [...names, 'fence']);
  const { fence, visibilityLagMs, lookup, amend, streamSequenced, clientId } = capabilities;
  if (visibilityLagMs !== undefined) requireNonNegative('capabilities.visibilityLagMs', visibilityLagMs);
  if (amend !== undefined) requireOneOf('capabilities.amend', amend, ['in_place', 'cancel_replace_atomic', 'none']);
  if (streamSequenced !== undefined) requireBoolean('capabilities.streamSequenced', streamSequenced);
  if (lookup !== undefined && requireOneOf('capabilities.lookup', lookup, ['by_client_id', 'scan', 'none']) === 'none')
    throw new RangeError(
      `capabilities.lookup must be "by_client_id" or "scan" under ${caller} on ${venue}, got "none": where no order can be looked up, nothing tells what became of one whose answer was lost`,
    );
  if (clientId !== undefined) {
    const { maxLength, pattern, unique } = requireObject('capabilities.clientId', clientId);
    requireInteger('capabilities.clientId.maxLength', maxLength, 1);
    if (!((pattern as unknown) instanceof RegExp)) throw new TypeError(`capabilities.clientId.pattern must be a RegExp, got ${typeof pattern}`);
    requireOneOf('capabilities.clientId.unique', unique, ['forever', 'open_orders', 'none']);
  }
  if (fence === undefined) return;
  if (range === undefined)
    throw new TypeError(`capabilities.fence must be left out: ${venue} knows no deadline of a request, so that its passing would prove nothing`);
  requireObject('capabilities.fence', fence);
  requireWithin('capabilities.fence.maxMs', fence.maxMs, range.shortestMs, range.longestMs);
  requireWithin('capabilities.fence.defaultMs', fence.defaultMs, range.shortestMs, fence.maxMs);
}
