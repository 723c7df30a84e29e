import { describe, expect, it } from 'vitest';
import type { MetricStore, RangeQuery } from '../../../src/contracts/metric-store.js';
import { FAULT_KINDS, type FaultKind } from '../../workload/injected-faults.js';
import { runSession, SimulatedSession } from '../../workload/simulated-session.js';

/** A range of a store that was recorded. */
interface Given {
  readonly store: MetricStore;
  readonly from: number;
  readonly to: number;
}

async function over({ store, from, to }: Given, query: Pick<RangeQuery, 'metric' | 'match' | 'agg'>): Promise<number> {
  const [result] = await store.query({ agg: 'increase', ...query, from, to, stepMs: to - from + 1, by: [] });
  return result?.v[0] ?? 0;
}

async function ratio(given: Given, part: Pick<RangeQuery, 'metric' | 'match'>, whole: Pick<RangeQuery, 'metric' | 'match'>): Promise<number> {
  return (await over(given, part)) / (await over(given, whole));
}

const CALLS = { metric: 'venuekit_venue_calls_total' };
const READS = { metric: 'venuekit_cache_reads_total' };

/** What each fault makes larger. */
const SYMPTOM: Readonly<Record<FaultKind, (given: Given) => Promise<number>>> = {
  'latency step': (given) => ratio(given, { metric: 'venuekit_venue_call_seconds_sum' }, CALLS),
  'error burst': (given) => ratio(given, { metric: 'venuekit_venue_call_failures_total' }, CALLS),
  'hit-rate drop': async (given) => 1 - (await ratio(given, { ...READS, match: { outcome: 'hit' } }, READS)),
  'slow leak': (given) => over(given, { metric: 'venuekit_pool_in_use', agg: 'avg' }),
};

describe('the simulated session', () => {
  it('trades, reads and records what every part did', async () => {
    await using session = await SimulatedSession.start({ seed: 4, seconds: 60 });
    await session.advance(60);
    const given = { store: session.store, from: session.from, to: session.clock.now() };
    expect(session.venue.stats().orders).toBeGreaterThan(40);
    expect(session.log!.readLatenciesMs.length).toBeGreaterThan(400);
    expect(await over(given, READS)).toBeGreaterThan(400);
  });

  it('is the same for the same seed, and another for another', async () => {
    const record = async (seed: number) => {
      const { store, from, to } = await runSession({ seed, seconds: 60, mishaps: 0.05 });
      return Promise.all(
        ['venuekit_venue_call_seconds', 'venuekit_cache_reads_total', 'venuekit_orders_open'].map((metric) => store.query({ metric, from, to })),
      );
    };
    const first = await record(1);
    expect(await record(1)).toEqual(first);
    expect(await record(2)).not.toEqual(first);
  });

  it.each(FAULT_KINDS)('shows an injected %s from its time on', async (kind) => {
    const { store, from, to } = await runSession({ seed: 9, seconds: 120, mishaps: 0, faults: [{ kind, atS: 60 }] });
    const before = await SYMPTOM[kind]({ store, from, to: from + 60_000 });
    const after = await SYMPTOM[kind]({ store, from: from + 61_000, to });
    expect(after).toBeGreaterThan(1.5 * before);
  });
});
