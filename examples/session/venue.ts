import { type Clock, systemClock } from 'venuekit';
import { type ServedVenue, SimulatedVenue, serveBinance } from 'venuekit/testing';
import type { RecordedBar } from './recorded-session.js';

/** How far the session runs ahead of the clock, so that it fits into the run. */
export const speedUp = (bars: readonly RecordedBar[], durationMs: number): number => (bars.at(-1)!.t - bars[0]!.t) / durationMs;

/** Until an accepted order is sure to show in look-ups; what the venue keeps, and what the adapter is told. */
export const VISIBILITY_LAG_MS = 400;

const DROPPED_FOR_MS = 60_000;
const RATE_LIMITED_FOR_MS = 1_000;
const KINDS = 5;

/**
 * One venue for one side: the recorded prices, and the same weather for both sides. Both venues have
 * the same seed, and each throws its own dice per request, so each side meets its own mishaps at the
 * same rate.
 */
export function openVenue(seed: number, bars: readonly RecordedBar[], speed: number, faults: number, clock: Clock = systemClock): SimulatedVenue {
  const venue = new SimulatedVenue({
    seed,
    clock,
    visibilityLagMs: VISIBILITY_LAG_MS,
    partialFills: true,
    latency: { p50Ms: 8, p99Ms: 40 },
    symbols: Object.fromEntries(
      ['BTC/USD', 'ETH/USD', 'LTC/USD'].map((symbol) => [symbol, { price: 100, priceStep: '0.01', qtyStep: '0.00000001' }]),
    ),
    balances: { USD: '10000000', BTC: '1000', ETH: '10000', LTC: '100000' },
  });
  venue.replay(
    bars.map((bar) => ({ ...bar, symbol: `${bar.symbol.slice(0, 3)}/${bar.symbol.slice(3)}` })),
    { speed },
  );
  if (faults > 0) {
    const probability = faults / KINDS;
    venue.fault({ when: 'before', kind: 'drop', probability, ms: DROPPED_FOR_MS });
    venue.fault({ when: 'after', kind: 'drop', probability, ms: DROPPED_FOR_MS });
    venue.fault({ when: 'before', kind: 'status', status: 503, probability });
    venue.fault({ when: 'before', kind: 'status', status: 429, code: -1003, probability, ms: RATE_LIMITED_FOR_MS });
    venue.fault({ when: 'after', kind: 'reset', probability });
  }
  return venue;
}

export const serve = (venue: SimulatedVenue, port: number): Promise<ServedVenue> => serveBinance(venue, { port });
