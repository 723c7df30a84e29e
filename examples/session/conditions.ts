import type { Fault, ReplayBar, SimulatedVenueOptions } from 'venuekit/testing';
import type { RecordedBar } from './recorded-session.js';

/** Until an accepted order is sure to show in look-ups; what the venue keeps, and what the adapter is told. */
export const VISIBILITY_LAG_MS = 400;

const DROPPED_FOR_MS = 60_000;
const RATE_LIMITED_FOR_MS = 1_000;

/** The venue of the main job. */
export function venueConditions(seed: number): SimulatedVenueOptions {
  return {
    seed,
    visibilityLagMs: VISIBILITY_LAG_MS,
    partialFills: true,
    latency: { p50Ms: 8, p99Ms: 40 },
    symbols: Object.fromEntries(
      ['BTC/USD', 'ETH/USD', 'LTC/USD'].map((symbol) => [symbol, { price: 100, priceStep: '0.01', qtyStep: '0.00000001' }]),
    ),
    balances: { USD: '10000000', BTC: '1000', ETH: '10000', LTC: '100000' },
  };
}

/** The recorded bars under the names that the venue trades them by. */
export const sessionBars = (bars: readonly RecordedBar[]): readonly ReplayBar[] =>
  bars.map((bar) => ({ ...bar, symbol: `${bar.symbol.slice(0, 3)}/${bar.symbol.slice(3)}` }));

/** What strikes `share` of the requests, each kind as often as the others. */
export function mishaps(share: number): readonly Fault[] {
  if (share === 0) return [];
  const kinds: readonly Fault[] = [
    { when: 'before', kind: 'drop', ms: DROPPED_FOR_MS },
    { when: 'after', kind: 'drop', ms: DROPPED_FOR_MS },
    { when: 'before', kind: 'status', status: 503 },
    { when: 'before', kind: 'status', status: 429, code: -1003, ms: RATE_LIMITED_FOR_MS },
    { when: 'after', kind: 'reset' },
  ];
  return kinds.map((fault) => ({ ...fault, probability: share / kinds.length }));
}
