import { beforeAll, describe, expect, it } from 'vitest';
import { queryInWindows } from '../../../src/analytics/engine/windowed-query.js';
import type { MetricStore, RangeQuery } from '../../../src/contracts/metric-store.js';
import { runSession } from '../../workload/simulated-session.js';

describe('queryInWindows', () => {
  let store: MetricStore;
  let from: number;
  let to: number;
  beforeAll(async () => {
    ({ store, from, to } = await runSession({ seed: 2, seconds: 720, mishaps: 0.02 }));
  });

  it.each<Pick<RangeQuery, 'metric' | 'agg' | 'by'>>([
    { metric: 'venuekit_venue_calls_total', agg: 'increase', by: ['operation'] },
    { metric: 'venuekit_venue_calls_total', agg: 'rate', by: [] },
    { metric: 'venuekit_venue_call_seconds', agg: 'p95', by: ['operation'] },
    { metric: 'venuekit_pool_in_use', agg: 'max', by: ['pool'] },
  ])('answers as one query would: $agg of $metric', async (query) => {
    const byLabels = (results: readonly { readonly labels: object }[]) =>
      [...results].sort((a, b) => (JSON.stringify(a.labels) < JSON.stringify(b.labels) ? -1 : 1));
    for (const range of [
      { from, to },
      { from: from + 1_234, to: to - 777 },
    ]) {
      const whole = { ...query, ...range, stepMs: 5_000 };
      const inWindows = await queryInWindows(store, whole, undefined);
      expect(byLabels(inWindows)).toEqual(byLabels(await store.query(whole)));
      expect(inWindows.reduce((points, { t }) => points + t.length, 0)).toBeGreaterThan(100);
    }
  });

  it('stops with the reason of its signal between windows', async () => {
    const controller = new AbortController();
    setImmediate(() => controller.abort(new Error('enough')));
    const asked = queryInWindows(store, { metric: 'venuekit_pool_in_use', from, to, stepMs: 5_000, agg: 'max' }, controller.signal);
    await expect(asked).rejects.toThrow('enough');
  });
});
