import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MetricTick, RangeQuery } from '../../../src/contracts/metric-store.js';
import { QuantileSketch } from '../../../src/core/quantile-sketch.js';
import { seededRandom } from '../../../src/core/random.js';
import { MemoryMetricStore } from '../../../src/stores/memory/memory-metric-store.js';
import { SqliteMetricStore } from '../../../src/stores/sqlite/metric-store.js';
import { MetricEngine } from '../../../src/stores/sqlite/metric-store-engine.js';

const HOUR = 3_600_000;
const T0 = 1_704_067_200_000;
const AGGREGATIONS: readonly RangeQuery['agg'][] = ['min', 'max', 'avg', 'sum', 'last', 'increase', 'rate', 'p50', 'p99'];

/** Ticks over some hours with gaps, jitter, a counter that restarts, a series that comes late, and a histogram. */
function ticksOf(seed: number, stepMs: number, hours: number): MetricTick[] {
  const random = seededRandom(seed);
  const ticks: MetricTick[] = [];
  let counter = 0;
  for (let t = T0; t < T0 + hours * HOUR; t += stepMs) {
    if (random() < 0.002) t += Math.floor(random() * 40 * 60_000);
    counter = random() < 0.005 ? Math.floor(random() * 5) : counter + Math.floor(random() * 10);
    const observed = Array.from({ length: Math.floor(random() * 4) }, () => Math.exp(random() * 6 - 3));
    const sketch = new QuantileSketch();
    for (const value of observed) sketch.add(value);
    const isLate = t > T0 + HOUR / 2;
    const series = [
      { name: 'gauge', labels: {} },
      { name: 'calls_total', labels: { op: 'a' } },
      { name: 'wait_seconds', labels: {} },
      ...(isLate ? [{ name: 'calls_total', labels: { op: 'late' } }] : []),
    ];
    const values = [
      random() < 0.01 ? Number.NaN : Math.round(random() * 1e6) / 100,
      counter,
      observed.length === 0 ? Number.NaN : sketch.sum / sketch.count,
    ];
    if (isLate) values.push(Math.floor((t - T0) / 1000));
    ticks.push({
      t: t + Math.floor(random() * 7) - 3 + 3,
      series,
      values: Float64Array.from(values),
      ...(observed.length === 0 ? {} : { sketches: new Map([[2, sketch.toBytes()]]) }),
    });
  }
  return ticks;
}

describe('SqliteMetricStore', () => {
  it('answers as the memory store does, from whatever tiers the answer comes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.constantFrom(5_000, 10_000, 30_000), fc.integer({ min: 1, max: 4 }), async (seed, everyMs, hours) => {
        const directory = mkdtempSync(join(tmpdir(), 'venuekit-equal-'));
        const memory = new MemoryMetricStore();
        const sqlite = await MetricEngine.open({ path: join(directory, 'm.db'), readOnly: false });
        try {
          const ticks = ticksOf(seed, everyMs, hours);
          for (const tick of ticks) await memory.append(tick);
          // Some ticks a commit, as they come from a writer in a hurry.
          for (let i = 0, together = 1; i < ticks.length; i += together, together = (together * 7) % 61) {
            const refused = await sqlite.appendTogether(ticks.slice(i, i + together));
            expect(refused.filter(Boolean)).toEqual([]);
          }
          await sqlite.settled();
          const from = T0;
          const to = T0 + (hours + 2) * HOUR;
          const queries: RangeQuery[] = [
            { metric: 'gauge', from, to },
            { metric: 'wait_seconds', from, to },
          ];
          for (const metric of ['gauge', 'calls_total', 'wait_seconds'])
            for (const agg of AGGREGATIONS) for (const stepMs of [60_000, 600_000, HOUR]) queries.push({ metric, from, to, stepMs, agg: agg! });
          for (const agg of ['min', 'avg', 'increase', 'last'] as const)
            queries.push({ metric: 'gauge', from: from + 17_003, to, stepMs: 45_000, agg });
          queries.push({ metric: 'calls_total', from: from + 2 * 60_000, to: to - HOUR, stepMs: 300_000, agg: 'rate', by: [] });
          for (const query of queries) {
            const [wanted, got] = [await memory.query(query), await sqlite.query(query)];
            const name = JSON.stringify(query);
            expect(
              got.map(({ labels }) => labels),
              name,
            ).toEqual(wanted.map(({ labels }) => labels));
            for (const [i, { t, v }] of wanted.entries()) {
              expect([...got[i]!.t], name).toEqual([...t]);
              for (let k = 0; k < v.length; k++) {
                const [a, b] = [got[i]!.v[k]!, v[k]!];
                expect(Object.is(a, b) || Math.abs(a - b) <= 1e-9 * Math.abs(b), `${name} at ${t[k]}: ${a} for ${b}`).toBe(true);
              }
            }
          }
        } finally {
          await sqlite.close();
          rmSync(directory, { recursive: true });
        }
      }),
      { numRuns: 8 },
    );
  });

  it('answers from the newest ticks in memory as from the file', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.integer({ min: 40, max: 4_000 }), async (seed, recentPoints) => {
        const directory = mkdtempSync(join(tmpdir(), 'venuekit-recent-'));
        const path = join(directory, 'm.db');
        const store = await SqliteMetricStore.open({ path, worker: false, recentPoints });
        const file = await SqliteMetricStore.open({ path, worker: false, readOnly: true });
        try {
          const ticks = ticksOf(seed, 5_000, 1);
          for (const [i, tick] of ticks.entries()) {
            await store.append(tick);
            if (i % 150 !== 149) continue;
            // Ranges that begin in memory, at its edge, and before it.
            for (const backMs of [0, 4_999, 30_000, 61_000, 600_000, 1_800_000]) {
              const from = tick.t - backMs;
              const queries: RangeQuery[] = [{ metric: 'gauge', from, to: tick.t }];
              for (const metric of ['gauge', 'calls_total']) {
                for (const agg of AGGREGATIONS) {
                  queries.push({ metric, from, to: tick.t, stepMs: backMs + 1, agg: agg! });
                  queries.push({ metric, from, to: tick.t, stepMs: 13_000, agg: agg!, by: [] });
                }
              }
              queries.push({ metric: 'calls_total', match: { op: 'a' }, from, to: tick.t + 1e6 });
              for (const query of queries) {
                const plain = (results: Awaited<ReturnType<typeof store.query>>) => results.map(({ labels, t, v }) => [labels, [...t], [...v]]);
                expect(plain(await store.query(query)), JSON.stringify(query)).toEqual(plain(await file.query(query)));
              }
            }
          }
        } finally {
          await file[Symbol.asyncDispose]();
          await store[Symbol.asyncDispose]();
          rmSync(directory, { recursive: true });
        }
      }),
      { numRuns: 10 },
    );
  });
});
