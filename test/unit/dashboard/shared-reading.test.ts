import { describe, expect, it } from 'vitest';
import type { RangeQuery, RangeResult } from '../../../src/contracts/metric-store.js';
import { sharedReading } from '../../../src/dashboard/view/shared-reading.js';
import { MemoryMetricStore } from '../../../src/metrics/index.js';
import { givenDesk } from '../../workload/given-desk.js';

describe('one reading for all charts', () => {
  it('takes all percentiles of the same observations from one answer, and they are what the store says', async () => {
    const store = new MemoryMetricStore();
    await using desk = await givenDesk({ store, seconds: 120 });
    const asked: RangeQuery[] = [];
    const shared = sharedReading({
      query: (query) => {
        asked.push(query);
        return store.query(query);
      },
    });
    const query = { metric: 'venuekit_venue_call_seconds', by: ['operation'], from: desk.from, to: desk.now() - 1, stepMs: 5_000 } as const;
    const aggs = ['p50', 'p95', 'p99', 'p99.9'] as const;
    const answers = await Promise.all(aggs.map((agg) => shared.query({ ...query, agg })));
    expect(asked).toHaveLength(1);
    for (const [i, agg] of aggs.entries())
      expect(answers[i]!.map(({ labels, t, v }) => ({ labels, t, v }))).toEqual(await store.query({ ...query, agg }));
    expect(answers[0]![0]!.v.length).toBeGreaterThan(20);

    // Whether it says that it matches nothing in particular, or does not say it, is the same question.
    await shared.query({ agg: 'p95', match: {}, ...query });
    expect(asked).toHaveLength(1);

    await Promise.all([1, 2].map(() => shared.query({ ...query, metric: 'venuekit_venue_calls_total', agg: 'rate' })));
    expect(asked).toHaveLength(2);
  });

  it('asks a store that gives no sketches for each percentile', async () => {
    const given: RangeResult = { labels: {}, t: Float64Array.of(1_000), v: Float64Array.of(0.25) };
    const asked: RangeQuery['agg'][] = [];
    const shared = sharedReading({
      query: async ({ agg }) => {
        asked.push(agg);
        return [given];
      },
    });
    for (const agg of ['p95', 'p99'] as const) expect(await shared.query({ metric: 'x', from: 0, to: 2_000, stepMs: 1_000, agg })).toEqual([given]);
    expect(asked).toEqual(['p50', 'p95', 'p99']);
  });
});
