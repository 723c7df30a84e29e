import type { Fault } from '../../src/testing/faults.js';

/** Every way in which a request or a stream may fail, with its share of the raw fault rate. */
const REQUEST_FAULTS: readonly (Fault & { readonly share: number })[] = [
  { share: 0.16, when: 'before', kind: 'drop', ms: 20_000 },
  { share: 0.16, when: 'after', kind: 'drop', ms: 20_000 },
  { share: 0.03, when: 'before', kind: 'delay', ms: 900 },
  { share: 0.03, when: 'before', kind: 'delay', ms: 1_700 },
  { share: 0.05, when: 'before', kind: 'delay', ms: 6_000 },
  { share: 0.04, when: 'after', kind: 'delay', ms: 3_500 },
  { share: 0.1, when: 'before', kind: 'reset' },
  { share: 0.1, when: 'after', kind: 'reset' },
  { share: 0.04, when: 'after', kind: 'html' },
  { share: 0.04, when: 'after', kind: 'half_body' },
  { share: 0.05, when: 'before', kind: 'status', status: 503 },
  { share: 0.05, when: 'after', kind: 'status', status: 503 },
  { share: 0.04, when: 'before', kind: 'status', status: 429, ms: 1_500 },
  { share: 0.03, when: 'before', kind: 'status', status: 429 },
  { share: 0.03, when: 'before', kind: 'stale_read' },
];

// A request judged by a server whose clock is off. Only where there is a fence for it to be judged by: that a venue
// stamps its orders with a false time is beyond what any client can bear.
const CLOCK_FAULTS: readonly (Fault & { readonly share: number })[] = [
  { share: 0.03, operation: 'place', when: 'before', kind: 'clock_skew', ms: 3_000 },
  { share: 0.03, operation: 'place', when: 'before', kind: 'clock_skew', ms: -3_000 },
];

const STREAM_FAULTS: readonly (Fault & { readonly share: number })[] = [
  { share: 0.2, when: 'before', kind: 'stream_gap' },
  { share: 0.3, when: 'before', kind: 'stream_duplicate' },
  { share: 0.3, when: 'before', kind: 'stream_reorder' },
  { share: 0.05, when: 'before', kind: 'stream_stall', ms: 8_000 },
  { share: 0.1, when: 'before', kind: 'stream_drop' },
];

/** The faults of a venue at which `rate` of all requests and events are struck. */
export function faultsAt(rate: number, hasFence: boolean): readonly Fault[] {
  const all: Fault[] = [];
  for (const { share, ...fault } of hasFence ? [...REQUEST_FAULTS, ...CLOCK_FAULTS] : REQUEST_FAULTS)
    all.push({ ...fault, probability: rate * share });
  for (const { share, ...fault } of STREAM_FAULTS) all.push({ ...fault, operation: 'events', probability: rate * share });
  // Only placements: a venue that takes an order and then throws it out, and a ban.
  all.push({ operation: 'place', when: 'after', kind: 'reject', ms: 300, probability: rate * 0.04 });
  all.push({ operation: 'place', when: 'before', kind: 'reject', probability: rate * 0.02 });
  all.push({ operation: 'place', when: 'before', kind: 'ban', ms: 5_000, probability: rate * 0.002 });
  return all;
}
