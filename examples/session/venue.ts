import { type Clock, systemClock } from 'venuekit';
import { type ServedVenue, SimulatedVenue, serveBinance } from 'venuekit/testing';
import { mishaps, sessionBars, venueConditions } from './conditions.js';
import type { RecordedBar } from './recorded-session.js';

/** How far the session runs ahead of the clock, so that it fits into the run. */
export const speedUp = (bars: readonly RecordedBar[], durationMs: number): number => (bars.at(-1)!.t - bars[0]!.t) / durationMs;

/**
 * One venue for one side: the recorded prices, and the same weather for both sides. Both venues have
 * the same seed, and each throws its own dice per request, so each side meets its own mishaps at the
 * same rate.
 */
export function openVenue(seed: number, bars: readonly RecordedBar[], speed: number, faults: number, clock: Clock = systemClock): SimulatedVenue {
  const venue = new SimulatedVenue({ ...venueConditions(seed), clock });
  venue.replay(sessionBars(bars), { speed });
  for (const fault of mishaps(faults)) venue.fault(fault);
  return venue;
}

export const serve = (venue: SimulatedVenue, port: number): Promise<ServedVenue> => serveBinance(venue, { port });
