import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MetricStore, MetricTick, RangeQuery, RangeResult } from '../../../src/contracts/metric-store.js';
import { QuantileSketch } from '../../../src/core/quantile-sketch.js';
import { seededRandom } from '../../../src/core/random.js';
import { MemoryMetricStore } from '../../../src/metrics/index.js';
import { type PostgresMetricStore, type PostgresMetricStoreOptions, postgresMetricStore } from '../../../src/stores/postgres/index.js';
import { metricStoreContract } from '../../../src/testing/contracts/metric-store-contract.js';
import { HAS_POSTGRES, PostgresServer } from '../../setup/postgres-server.js';

const T0 = 1_700_002_800_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
let server: PostgresServer;
let pool: pg.Pool;
let schemas = 0;

const nextSchema = () => `metrics_${++schemas}`;
const open = (options: PostgresMetricStoreOptions = {}) => postgresMetricStore(pool, { recentPoints: 0, schema: nextSchema(), ...options });

/** Ticks of some hours: a gauge, a counter with restarts, a histogram, and a series that comes later. */
function givenTicks(hours: number, everyMs: number): readonly MetricTick[] {
  const random = seededRandom(9);
  const ticks: MetricTick[] = [];
  const early = [
    { name: 'depth', labels: { venue: 'a' } },
    { name: 'calls_total', labels: { venue: 'a' } },
    { name: 'latency', labels: {} },
  ];
  const late = [...early, { name: 'calls_total', labels: { venue: 'b' } }];
  let [a, b] = [0, 0];
  for (let t = T0; t <= T0 + hours * HOUR; t += everyMs) {
    a = random() < 0.002 ? 0 : a + Math.floor(random() * 5);
    b += 1;
    const sketch = new QuantileSketch();
    for (let i = 0; i < 3; i++) sketch.add(0.001 + random());
    const isLate = t > T0 + 40 * MINUTE;
    ticks.push({
      t,
      series: isLate ? late : early,
      values: Float64Array.from([Math.round(random() * 100) / 4, a, sketch.sum / sketch.count, ...(isLate ? [b] : [])]),
      sketches: new Map([[2, sketch.toBytes()]]),
    });
  }
  return ticks;
}

function plain(results: readonly RangeResult[]): unknown {
  return [...results]
    .map(({ labels, t, v }) => ({ labels, t: [...t], v: [...v].map((value) => Number(value.toPrecision(9))) }))
    .sort((a, b) => JSON.stringify(a.labels).localeCompare(JSON.stringify(b.labels)));
}

describe.skipIf(!HAS_POSTGRES)('the metric store on PostgreSQL (skipped unless installed: sh scripts/install-test-services.sh)', () => {
  beforeAll(async () => {
    server = await PostgresServer.start();
    pool = server.pool({ max: 6 });
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  for (const [what, recentPoints] of [
    ['in the database', 0],
    ['in memory, too', 1_000],
  ] as const) {
    describe(`keeps the contract, with its newest ticks ${what}`, () => {
      const subject = async () => {
        const schema = nextSchema();
        const opened: MetricStore[] = [await open({ schema, recentPoints })];
        return {
          store: opened[0]!,
          reopen: async () => {
            await opened.at(-1)![Symbol.asyncDispose]();
            opened.push(await open({ schema, recentPoints }));
            return opened.at(-1)!;
          },
          [Symbol.asyncDispose]: async () => {
            for (const store of opened) await store[Symbol.asyncDispose]();
          },
        };
      };
      for (const { name, run } of metricStoreContract({ open: subject })) it(name, run);
    });
  }

  describe('with hours that were compacted and rolled up', () => {
    const ticks = givenTicks(3, 15_000);
    let store: PostgresMetricStore;
    let memory: MemoryMetricStore;
    let schema: string;
    beforeAll(async () => {
      schema = nextSchema();
      store = await open({ schema });
      memory = new MemoryMetricStore();
      for (const tick of ticks) await Promise.all([store.append(tick), memory.append(tick)]);
      await store.settled();
    });
    afterAll(() => store?.[Symbol.asyncDispose]());

    const both = async (query: RangeQuery) => [plain(await store.query(query)), plain(await memory.query(query))] as const;

    it('has what was appended, compressed', async () => {
      const { series, points, bytes } = await store.stats();
      expect([series, points]).toEqual([4, ticks.reduce((sum, { values }) => sum + values.length, 0)]);
      expect(bytes / points).toBeGreaterThan(0);
      const blobs = await pool.query(`SELECT DISTINCT tier FROM ${schema}.metric_blob ORDER BY tier`);
      expect(blobs.rows.map(({ tier }) => tier)).toEqual([0, 1, 2, 3, 4]);
      expect(Number((await pool.query(`SELECT count(*) FROM ${schema}.metric_tick`)).rows[0].count)).toBeLessThan(150);
    });

    it('answers any query as raw points in memory do', async () => {
      const metric = fc.constantFrom('depth', 'calls_total');
      const agg = fc.constantFrom('min', 'max', 'avg', 'sum', 'last', 'rate', 'increase', undefined);
      const first = fc.integer({ min: -10, max: 190 });
      const steps = fc.integer({ min: 1, max: 12 });
      await fc.assert(
        fc.asyncProperty(
          metric,
          agg,
          first,
          steps,
          fc.constantFrom(15_000, MINUTE, 7 * MINUTE, HOUR),
          fc.boolean(),
          async (name, how, x, count, stepMs, joined) => {
            const from = T0 + x * MINUTE;
            // Whole steps: what was rolled up is of whole minutes.
            const range = { metric: name, from, to: from + count * stepMs - 1 };
            const [here, there] = await both(how === undefined ? range : { ...range, agg: how, stepMs, ...(joined ? { by: [] } : {}) });
            expect(here).toEqual(there);
          },
        ),
        { numRuns: 120, seed: 4 },
      );
    });

    it('gives percentiles of the single observations of a histogram, over all that was kept of them', async () => {
      for (const stepMs of [MINUTE, HOUR]) {
        const [here, there] = await both({ metric: 'latency', from: T0, to: T0 + 3 * HOUR, stepMs, agg: 'p90' });
        expect(here).toEqual(there);
      }
    });

    it('is read by another process while it is written, under its name', async () => {
      await using reader = await open({ schema, readOnly: true });
      const query = { metric: 'depth', from: T0, to: T0 + 3 * HOUR, stepMs: MINUTE, agg: 'avg' } as const;
      expect(plain(await reader.query(query))).toEqual(plain(await memory.query(query)));
      await expect(reader.append(ticks[0]!)).rejects.toMatchObject({ failure: 'forbidden' });
      await expect(open({ schema, readOnly: true, name: 'other' })).rejects.toThrow(/holds no metrics under the name "other"/);
    });

    it('refuses a second writer of one name, naming the first, and lets others write beside it', async () => {
      await expect(open({ schema })).rejects.toMatchObject({ failure: 'busy', message: expect.stringContaining(`process ${process.pid}`) });
      await using other = await open({ schema, name: 'other' });
      await other.append(ticks[0]!);
      expect(await other.stats()).toMatchObject({ series: 3, points: 3 });
    });

    it('drops what is too old, tier by tier, and then what is too much', async () => {
      const before = await store.stats();
      await store.retain({ rawMs: HOUR, minuteMs: 2 * HOUR, hourMs: 100 * HOUR });
      const raw = await store.query({ metric: 'depth', from: T0, to: T0 + 3 * HOUR });
      expect(raw[0]!.t[0]).toBe(T0 + 2 * HOUR);
      const hourly = { metric: 'depth', from: T0, to: T0 + 3 * HOUR - 1, stepMs: HOUR, agg: 'max' } as const;
      expect(plain(await store.query(hourly))).toEqual(plain(await memory.query(hourly)));
      const left = await store.stats();
      expect(left.points).toBeLessThan(before.points / 2);
      const { freedBytes } = await store.retain({ rawMs: HOUR, minuteMs: 2 * HOUR, hourMs: 100 * HOUR, maxBytes: Math.floor(left.bytes / 2) });
      expect(freedBytes).toBeGreaterThanOrEqual(Math.floor(left.bytes / 2) - 1);
      expect((await store.stats()).bytes).toBeLessThanOrEqual(left.bytes / 2);
    });
  });

  it('goes on after a kill of the server with every tick that it had acknowledged', async () => {
    const own = await PostgresServer.start();
    const near = own.pool({ max: 3 });
    const store = await postgresMetricStore(near, { recentPoints: 0 });
    const tick = (second: number): MetricTick => ({
      t: T0 + second * 1_000,
      series: [{ name: 'depth', labels: {} }],
      values: Float64Array.of(second),
    });
    await store.append(tick(0));
    // What its write-ahead log has; a tick of the last moment may be lost with the machine.
    await near.query('SELECT pg_switch_wal()');
    await own.kill();
    await expect(store.append(tick(1))).rejects.toMatchObject({ code: 'STORAGE' });
    await own.restart();
    await expect
      .poll(
        () =>
          store.append(tick(2)).then(
            () => 'kept',
            () => 'refused',
          ),
        { timeout: 10_000 },
      )
      .toBe('kept');
    expect(plain(await store.query({ metric: 'depth', from: T0, to: T0 + 9_000 }))).toEqual([{ labels: {}, t: [T0, T0 + 2_000], v: [0, 2] }]);
    await store[Symbol.asyncDispose]();
    await own[Symbol.asyncDispose]();
  });
});
