import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { QuantileSketch } from '../../../src/core/quantile-sketch.js';
import { queryInstant } from '../../../src/query/index.js';
import { SqliteMetricStore } from '../../../src/stores/sqlite/metric-store.js';
import { START } from './history.js';

let directory: string;
let store: SqliteMetricStore;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'venuekit-query-'));
  store = await SqliteMetricStore.open({ path: join(directory, 'metrics.db'), worker: false });
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

/** An hour of a counter that rises by one a second, and of a histogram whose values are the minute. */
async function givenAnHour(): Promise<void> {
  const series = [
    { name: 'x_total', labels: {} },
    { name: 'x_seconds', labels: {} },
  ];
  for (let i = 0; i <= 3_600; i++) {
    const sketch = new QuantileSketch();
    sketch.add(1 + Math.floor(i / 60));
    await store.append({
      t: START + i * 1_000,
      series,
      values: Float64Array.of(i, 1 + Math.floor(i / 60)),
      sketches: new Map([[1, sketch.toBytes()]]),
    });
  }
  await store.settled();
}

const answer = async (query: string, afterMs: number): Promise<number | undefined> =>
  (await queryInstant(store, query, { at: START + afterMs })).series[0]?.v[0];

describe('a query to SQLite', () => {
  it('merges sketches of ticks and, where they have been compacted, of minutes', async () => {
    await givenAnHour();
    expect(await answer('histogram_quantile(1, rate(x_seconds[5m]))', 3_599_000)).toBe(60);
    expect(await answer('histogram_quantile(0, rate(x_seconds[5m]))', 3_599_000)).toBe(56);
    expect(await answer('histogram_quantile(0, rate(x_seconds[5m]))', 659_000)).toBe(7);
    expect(await answer('histogram_count(increase(x_seconds[5m]))', 659_000)).toBe(300);
  });

  it('reads minutes where there are no raw points any more, and no value before its time', async () => {
    await givenAnHour();
    await store.retain({ rawMs: 1_200_000, minuteMs: 1e10, hourMs: 1e12 });
    expect(await answer('x_total', 600_000)).toBe(599);
    expect(await answer('rate(x_total[10m])', 1_199_999)).toBeCloseTo(1, 5);
    expect(await answer('increase(x_total[1m])', 3_600_000)).toBe(60);
  });

  it('knows the names that there are', async () => {
    await store.append({ t: START, series: [{ name: 'x_total', labels: { a: 'b' } }], values: Float64Array.of(1) });
    expect(await store.series()).toEqual([{ name: 'x_total', labels: { a: 'b' } }]);
    expect((await queryInstant(store, 'x_totl', { at: START })).warnings).toEqual(['no series of x_totl has been kept; did you mean x_total?']);
  });
});
