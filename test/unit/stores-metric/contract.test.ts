import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import type { AlertActionRecord, AlertEvent, AlertStateStore, Silence } from '../../../src/contracts/alerts.js';
import type { MetricStore, RangeQuery, SeriesKey } from '../../../src/contracts/metric-store.js';
import { QuantileSketch } from '../../../src/core/quantile-sketch.js';
import { MemoryMetricStore } from '../../../src/stores/memory/memory-metric-store.js';
import { SqliteMetricStore } from '../../../src/stores/sqlite/metric-store.js';

const WORKER = inject('storePrograms').worker;
const T0 = 1_704_067_200_000;

const STORES: Readonly<Record<string, (path: string) => Promise<MetricStore & AlertStateStore>>> = {
  MemoryMetricStore: async () => new MemoryMetricStore(),
  'SqliteMetricStore on the calling thread': (path) => SqliteMetricStore.open({ path, worker: false, recentPoints: 0 }),
  'SqliteMetricStore on a thread of its own': (path) => SqliteMetricStore.open({ path, worker: WORKER, recentPoints: 0 }),
  'SqliteMetricStore with its newest ticks in memory': (path) => SqliteMetricStore.open({ path, worker: false }),
};

describe.each(Object.entries(STORES))('%s', (_, open) => {
  let directory: string;
  let store: MetricStore & AlertStateStore;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'venuekit-metrics-'));
    store = await open(join(directory, 'metrics.db'));
  });
  afterEach(async () => {
    await store[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  const append = (seconds: number, points: Readonly<Record<string, number>>, sketches?: ReadonlyMap<number, Uint8Array>) =>
    store.append({
      t: T0 + seconds * 1000,
      series: Object.keys(points).map(keyOf),
      values: Float64Array.from(Object.values(points)),
      ...(sketches === undefined ? {} : { sketches }),
    });
  const query = async (query: Omit<RangeQuery, 'from' | 'to'> & { fromS?: number; toS?: number }) => {
    const { fromS = 0, toS = 3600, ...rest } = query;
    const results = await store.query({ from: T0 + fromS * 1000, to: T0 + toS * 1000, ...rest });
    return results.map(({ labels, t, v }) => ({ labels, points: Array.from(t, (at, i) => [(at - T0) / 1000, v[i]]) }));
  };
  /** `name{a=1,b=2}`. */
  const keyOf = (text: string): SeriesKey => {
    const [name = '', labels = ''] = text.replace('}', '').split('{');
    return {
      name,
      labels: Object.fromEntries(
        labels
          .split(',')
          .filter(Boolean)
          .map((pair) => pair.split('=')),
      ),
    };
  };
  const sketchOf = (values: readonly number[]) => {
    const sketch = new QuantileSketch();
    for (const value of values) sketch.add(value);
    return sketch.toBytes();
  };

  it('gives raw points back, from and to included, and one result a series', async () => {
    for (let s = 0; s < 5; s++) await append(s, { 'm{a=1}': s, 'm{a=2}': -s, other: 7 });
    expect(await query({ metric: 'm', fromS: 1, toS: 3 })).toEqual([
      {
        labels: { a: '1' },
        points: [
          [1, 1],
          [2, 2],
          [3, 3],
        ],
      },
      {
        labels: { a: '2' },
        points: [
          [1, -1],
          [2, -2],
          [3, -3],
        ],
      },
    ]);
  });

  it('gives every float back as it was', async () => {
    const values = [Number.NaN, -0, Infinity, -Infinity, 5e-324, Number.MAX_VALUE, 0.1];
    for (const [s, value] of values.entries()) await append(s, { m: value });
    const [result] = await store.query({ metric: 'm', from: T0, to: T0 + 60_000 });
    expect(values.every((value, i) => Object.is(result!.v[i], value))).toBe(true);
  });

  it('finds series by labels; a label that a series has not is the same as an empty one', async () => {
    await append(0, { 'm{a=1,b=x}': 1, 'm{a=2,b=x}': 2, 'm{a=1}': 3 });
    const values = async (match: Record<string, string>) => (await query({ metric: 'm', match })).map(({ points }) => points[0]![1]);
    expect(await values({ a: '1' })).toEqual([1, 3]);
    expect(await values({ a: '1', b: '' })).toEqual([3]);
    expect(await values({ a: '1', b: 'x' })).toEqual([1]);
    expect(await values({ a: '9' })).toEqual([]);
    expect(await query({ metric: 'absent' })).toEqual([]);
  });

  it('keeps series apart whose labels look alike, whatever the order of the labels', async () => {
    const series: SeriesKey[] = [
      { name: 'm', labels: { a: '1","b":"2' } },
      { name: 'm', labels: { a: '1', b: '2' } },
      { name: 'm', labels: { __proto__x: '1', constructor: '2' } },
    ];
    await store.append({ t: T0, series, values: Float64Array.of(1, 2, 3) });
    await store.append({ t: T0 + 1, series: [{ name: 'm', labels: { b: '2', a: '1' } }], values: Float64Array.of(4) });
    expect((await query({ metric: 'm' })).map(({ points }) => points.map(([, v]) => v))).toEqual([[1], [2, 4], [3]]);
  });

  it.each([
    [
      'min',
      [
        [0, 0],
        [10, 10],
      ],
    ],
    [
      'max',
      [
        [0, 9],
        [10, 19],
      ],
    ],
    [
      'avg',
      [
        [0, 4.5],
        [10, 14.5],
      ],
    ],
    [
      'sum',
      [
        [0, 45],
        [10, 145],
      ],
    ],
    [
      'last',
      [
        [0, 9],
        [10, 19],
      ],
    ],
    [
      'increase',
      [
        [0, 9],
        [10, 10],
      ],
    ],
    [
      'rate',
      [
        [0, 1],
        [10, 1],
      ],
    ],
  ] as const)('aggregates steps by %s, stamped at their start', async (agg, points) => {
    for (let s = 0; s < 20; s++) await append(s, { m: s });
    expect(await query({ metric: 'm', stepMs: 10_000, agg, toS: 19 })).toEqual([{ labels: {}, points }]);
  });

  it('leaves out steps without points, and counts no NaN', async () => {
    await append(0, { m: 4 });
    await append(1, { m: Number.NaN });
    await append(25, { m: 6 });
    await append(35, { m: Number.NaN });
    expect(await query({ metric: 'm', stepMs: 10_000, agg: 'avg' })).toEqual([
      {
        labels: {},
        points: [
          [0, 4],
          [20, 6],
        ],
      },
    ]);
  });

  it('finds the latest value of each series, in whatever tick it lies, and none that is outside the range or no number', async () => {
    for (let s = 0; s < 1_300; s++) {
      const points: Record<string, number> = { 'm{a=steady}': s, 'm{a=odd}': s < 1_100 ? s : s % 2 === 0 ? Number.NaN : Infinity };
      // One that went while its ticks were still in the log, one in a slot that is over by now.
      if (s < 1_250) points['m{a=gone}'] = s * 2;
      if (s < 400) points['m{a=long}'] = s * 3;
      await append(s, points);
    }
    const latest = async (fromS: number, toS: number) =>
      Object.fromEntries(
        (await query({ metric: 'm', fromS, toS, stepMs: 10_000_000, agg: 'last' })).map(({ labels, points }) => [labels.a, points[0]![1]]),
      );
    expect(await latest(0, 5_000)).toEqual({ steady: 1_299, odd: 1_099, gone: 2_498, long: 1_197 });
    expect(await latest(1_000, 1_298)).toEqual({ steady: 1_298, odd: 1_099, gone: 2_498 });
    expect(await latest(1_150, 1_240)).toEqual({ steady: 1_240, gone: 2_480 });
    expect(await latest(1_260, 1_260)).toEqual({ steady: 1_260 });
  });

  it('gives all observations of the range beside the latest value of a histogram', async () => {
    for (const [s, value] of [1, 2, 4].entries()) await append(s, { h: value }, new Map([[0, sketchOf([value, value])]]));
    await append(3, { h: Number.NaN });
    const asked = { metric: 'h', from: T0, to: T0 + 9_999, stepMs: 10_000, agg: 'last' } as const;
    expect([...(await store.query(asked))[0]!.v]).toEqual([4]);
    const [whole] = await store.query({ ...asked, sketches: true });
    expect([...whole!.v]).toEqual([4]);
    expect(QuantileSketch.fromBytes(whole!.sketches![0]!).count).toBe(6);
  });

  it('merges series by label: values over all points, last, rates and increases added', async () => {
    for (let s = 0; s <= 10; s++) await append(s, { 'm{a=1,b=x}': s, 'm{a=1,b=y}': s * 10, 'm{a=2,b=x}': 100 });
    const by = async (agg: RangeQuery['agg'] & string, names: string[] = ['a']) =>
      (await query({ metric: 'm', stepMs: 11_000, toS: 10, agg, by: names })).map(({ labels, points }) => [labels, points[0]![1]]);
    expect(await by('max')).toEqual([
      [{ a: '1' }, 100],
      [{ a: '2' }, 100],
    ]);
    expect(await by('avg')).toEqual([
      [{ a: '1' }, 27.5],
      [{ a: '2' }, 100],
    ]);
    expect(await by('last')).toEqual([
      [{ a: '1' }, 110],
      [{ a: '2' }, 100],
    ]);
    expect(await by('increase')).toEqual([
      [{ a: '1' }, 110],
      [{ a: '2' }, 0],
    ]);
    expect(await by('rate', [])).toEqual([[{}, 11]]);
  });

  it('sees a counter that restarts as a rise from zero', async () => {
    for (const [s, value] of [10, 20, 5, 6].entries()) await append(s, { m: value });
    expect(await query({ metric: 'm', stepMs: 60_000, agg: 'increase' })).toEqual([{ labels: {}, points: [[0, 16]] }]);
  });

  it('counts the first value of a counter that appears beside others as a rise: the first error is seen', async () => {
    await append(0, { calls: 1 });
    await append(1, { calls: 2, 'errors{op=place}': 1 });
    await append(2, { calls: 3, 'errors{op=place}': 1 });
    expect(await query({ metric: 'errors', stepMs: 60_000, agg: 'increase' })).toEqual([{ labels: { op: 'place' }, points: [[0, 1]] }]);
    // What was there from the beginning may have risen long before.
    expect(await query({ metric: 'calls', stepMs: 60_000, agg: 'increase' })).toEqual([{ labels: {}, points: [[0, 2]] }]);
  });

  it('takes the point before the range as the start of the first rise', async () => {
    for (let s = 0; s < 20; s++) await append(s, { m: s });
    expect(await query({ metric: 'm', fromS: 10, toS: 19, stepMs: 10_000, agg: 'increase' })).toEqual([{ labels: {}, points: [[10, 10]] }]);
  });

  it('computes percentiles over observations by merging sketches, never by averaging', async () => {
    const fast = Array.from({ length: 990 }, () => 0.01);
    await append(
      0,
      { 'h{op=a}': 0.01, 'h{op=b}': 5 },
      new Map([
        [0, sketchOf(fast)],
        [1, sketchOf([5, 5])],
      ]),
    );
    await append(
      1,
      { 'h{op=a}': 1, 'h{op=b}': 5 },
      new Map([
        [0, sketchOf([1])],
        [1, sketchOf([5])],
      ]),
    );
    const all = { metric: 'h', stepMs: 60_000, by: [] };
    expect((await query({ ...all, agg: 'p50' }))[0]!.points[0]![1]! / 0.01).toBeCloseTo(1, 1);
    expect((await query({ ...all, agg: 'p99.9' }))[0]!.points[0]![1]! / 5).toBeCloseTo(1, 1);
    expect((await query({ ...all, agg: 'max' }))[0]!.points[0]![1]).toBe(5);
    expect((await query({ ...all, agg: 'avg' }))[0]!.points[0]![1]).toBeCloseTo((9.9 + 1 + 15) / 994, 12);
  });

  it('computes percentiles of plain values too', async () => {
    for (let s = 1; s <= 100; s++) await append(s, { m: s });
    expect((await query({ metric: 'm', stepMs: 3_600_000, agg: 'p90' }))[0]!.points[0]![1]! / 90).toBeCloseTo(1, 1);
  });

  it('refuses a tick that is not after the last one, and stays as it was', async () => {
    await append(5, { m: 1 });
    await expect(append(5, { m: 2 })).rejects.toMatchObject({ code: 'TIME_BACKWARDS' });
    await expect(append(4, { m: 2 })).rejects.toMatchObject({ code: 'TIME_BACKWARDS' });
    await append(6, { m: 3 });
    expect(await query({ metric: 'm' })).toEqual([
      {
        labels: {},
        points: [
          [5, 1],
          [6, 3],
        ],
      },
    ]);
  });

  it.each([
    ['values of another length', { series: [{ name: 'm', labels: {} }], values: new Float64Array(2) }],
    ['values that are no Float64Array', { series: [{ name: 'm', labels: {} }], values: [1] }],
    [
      'a series given twice',
      {
        series: [
          { name: 'm', labels: {} },
          { name: 'm', labels: {} },
        ],
        values: new Float64Array(2),
      },
    ],
    ['a sketch of no series', { series: [{ name: 'm', labels: {} }], values: new Float64Array(1), sketches: new Map([[1, new Uint8Array(1)]]) }],
    ['a time that is none', { t: Number.NaN, series: [], values: new Float64Array(0) }],
  ])('refuses %s', async (_name, tick) => {
    await expect(store.append({ t: T0, ...tick } as never)).rejects.toThrow(/must/);
    await append(1, { m: 1 });
  });

  it.each([
    [{ from: 2, to: 1 }, /from must not be after to/],
    [{ stepMs: 0 }, /stepMs must be a finite number above 0/],
    [{ stepMs: 1, to: 1e13 }, /at most 1000000 steps/],
    [{ agg: 'median' }, /agg must be one of min, max.*got "median"/],
    [{ agg: 'p101' }, /agg must be one of/],
    [{ metric: '' }, /metric must be a non-empty string/],
    [{ stepMS: 5 }, /query has no option "stepMS"; did you mean "stepMs"/],
  ])('refuses the query %j', async (part, message) => {
    await expect(store.query({ metric: 'm', from: 0, to: 10, ...part } as never)).rejects.toThrow(message);
  });

  it('does not start a query whose signal has aborted', async () => {
    const reason = new Error('not needed any more');
    await expect(store.query({ metric: 'm', from: 0, to: 1 }, AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it('drops what is older than the policy allows', async () => {
    for (let minute = 0; minute < 60; minute++) await append(minute * 60, { m: minute });
    await store.retain({ rawMs: 30 * 60_000, minuteMs: 1e12, hourMs: 1e12 });
    const [raw] = await query({ metric: 'm' });
    expect(raw!.points[0]![0]).toBeGreaterThanOrEqual(20 * 60);
    expect(raw!.points.at(-1)).toEqual([59 * 60, 59]);
    await expect(store.retain({ rawMs: -1, minuteMs: 0, hourMs: 0 })).rejects.toThrow(/rawMs must be a finite number of 0 or more, got -1/);
  });

  it('says how much it holds', async () => {
    for (let s = 0; s < 10; s++) await append(s, { 'm{a=1}': 1, 'm{a=2}': 2 });
    expect(await store.stats()).toMatchObject({ series: 2, points: 20 });
    expect((await store.stats()).bytes).toBeGreaterThan(0);
  });

  it('keeps changes of alerts as they were, in order of time', async () => {
    const event = (at: number, state: 'firing' | 'inactive', value: number): AlertEvent => ({
      at,
      from: 'pending',
      alert: { fingerprint: 'f', rule: 'r', severity: 'critical', labels: { op: '<place>' }, state, value, firedAt: 5, suppressedBy: ['x'] },
    });
    await store.saveAlert(event(20, 'firing', Number.NaN));
    await store.saveAlert(event(10, 'inactive', Infinity));
    expect(await store.alerts({ from: 10, to: 20 })).toEqual([event(10, 'inactive', Infinity), event(20, 'firing', Number.NaN)]);
    expect(await store.alerts({ from: 11, to: 19 })).toEqual([]);
  });

  it('knows which alerts are not over, by the latest change of each', async () => {
    const event = (at: number, fingerprint: string, state: AlertEvent['alert']['state']): AlertEvent => ({
      at,
      from: 'inactive',
      alert: { fingerprint, rule: 'r', severity: 'info', labels: {}, state, value: at, suppressedBy: [] },
    });
    await store.saveAlert(event(10, 'a', 'pending'));
    await store.saveAlert(event(10, 'b', 'pending'));
    await store.saveAlert(event(20, 'a', 'firing'));
    await store.saveAlert(event(30, 'b', 'inactive'));
    expect(await store.openAlerts!()).toEqual([event(20, 'a', 'firing')]);
  });

  it('keeps silences until they end, the latest of each', async () => {
    const silence = (id: string, until: number): Silence => ({ id, match: { rule: 'r' }, until, by: 'anna', comment: '"maintenance"', createdAt: 1 });
    await store.saveSilence!(silence('one', 50));
    await store.saveSilence!(silence('two', 100));
    expect(await store.silences!(49)).toEqual([silence('one', 50), silence('two', 100)]);
    expect(await store.silences!(50)).toEqual([silence('two', 100)]);
    await store.saveSilence!(silence('two', 60));
    expect(await store.silences!(60)).toEqual([]);
  });

  it('keeps what was done about alerts, in order of time, and when they were evaluated last', async () => {
    const record = (at: number): AlertActionRecord => ({
      at,
      fingerprint: 'f',
      rule: 'r',
      labels: { symbol: 'BTC/USD' },
      firedAt: 5,
      action: 'block_symbol',
      with: { mode: 'halted' },
      on: 'firing',
      mode: 'auto',
      outcome: 'failed',
      detail: 'closed',
    });
    await store.saveAction!(record(20));
    await store.saveAction!(record(10));
    expect(await store.actions!({ from: 10, to: 20 })).toEqual([record(10), record(20)]);
    expect(await store.actions!({ from: 11, to: 19 })).toEqual([]);
    expect(await store.alertTick!()).toBeUndefined();
    await store.saveAlertTick!({ at: T0, stepMs: 1_000 });
    await store.saveAlertTick!({ at: T0 + 1_000, stepMs: 1_000 });
    expect(await store.alertTick!()).toEqual({ at: T0 + 1_000, stepMs: 1_000 });
  });

  it('refuses everything once it is closed, which may be done twice', async () => {
    await store[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    for (const call of [append(1, { m: 1 }), query({ metric: 'm' }), store.stats(), store.retain({ rawMs: 1, minuteMs: 1, hourMs: 1 })])
      await expect(call).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('MemoryMetricStore', () => {
  it('holds no more points than it may, dropping the oldest', async () => {
    const store = new MemoryMetricStore({ maxPoints: 1000 });
    for (let s = 0; s < 5000; s++) await store.append({ t: T0 + s, series: [{ name: 'm', labels: {} }], values: Float64Array.of(s) });
    expect((await store.stats()).points).toBe(1000);
    const [result] = await store.query({ metric: 'm', from: 0, to: Infinity });
    expect([result!.v[0], result!.v.at(-1)]).toEqual([4000, 4999]);
  });

  it('keeps what it was given when the caller uses its array again', async () => {
    const store = new MemoryMetricStore();
    const values = Float64Array.of(1);
    const series = [{ name: 'm', labels: {} }];
    await store.append({ t: T0, series, values });
    values[0] = 2;
    await store.append({ t: T0 + 1, series, values });
    expect([...(await store.query({ metric: 'm', from: 0, to: Infinity }))[0]!.v]).toEqual([1, 2]);
  });
});
