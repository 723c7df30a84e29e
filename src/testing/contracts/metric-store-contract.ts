import assert from 'node:assert/strict';
import type { MetricStore, MetricTick, RangeResult } from '../../contracts/metric-store.js';
import { type ContractCase, casesOf } from './contract-case.js';

/** A metric store on storage of its own, empty at first. */
export interface MetricStoreUnderTest extends AsyncDisposable {
  readonly store: MetricStore;
  /** Closes the store and opens the same storage again. Absent: nothing survives, and that is not asked for. */
  reopen?(): Promise<MetricStore>;
}

// On a whole hour, so that steps and roll-ups begin with it.
const T0 = 1_700_002_800_000;
const SECOND = 1_000;

/** What every metric store must keep to; run it on your own. */
export function metricStoreContract(options: { readonly open: () => MetricStoreUnderTest | Promise<MetricStoreUnderTest> }): readonly ContractCase[] {
  return casesOf(options.open, rules);
}

function tick(second: number, values: Readonly<Record<string, number>>): MetricTick {
  const names = Object.keys(values);
  return {
    t: T0 + second * SECOND,
    // `name{venue}` in short: "calls a".
    series: names.map((name) => {
      const [metric = '', venue] = name.split(' ');
      return { name: metric, labels: venue === undefined ? {} : { venue } };
    }),
    values: Float64Array.from(names, (name) => values[name] ?? Number.NaN),
  };
}

async function fill(store: MetricStore, seconds: number, values: (second: number) => Readonly<Record<string, number>>): Promise<void> {
  for (let second = 0; second < seconds; second++) await store.append(tick(second, values(second)));
}

const range = (from: number, to: number): { readonly from: number; readonly to: number } => ({ from: T0 + from * SECOND, to: T0 + to * SECOND });

function only(results: readonly RangeResult[]): { readonly t: number[]; readonly v: number[] } {
  assert.equal(results.length, 1, `one series was expected, got ${results.length}`);
  const [{ t, v }] = results as [RangeResult];
  return { t: Array.from(t, (at) => (at - T0) / SECOND), v: [...v] };
}

function byVenue(results: readonly RangeResult[]): Record<string, number[]> {
  const sorted = [...results].sort((a, b) => ((a.labels.venue ?? '') < (b.labels.venue ?? '') ? -1 : 1));
  return Object.fromEntries(sorted.map(({ labels, v }) => [labels.venue ?? '', [...v]]));
}

const rules: Readonly<Record<string, (subject: MetricStoreUnderTest) => Promise<void>>> = {
  'gives back raw points in order, both ends included': async ({ store }) => {
    await fill(store, 10, (second) => ({ calls: second * 1.5 }));
    assert.deepEqual(only(await store.query({ metric: 'calls', ...range(3, 6) })), { t: [3, 4, 5, 6], v: [4.5, 6, 7.5, 9] });
  },
  'gives nothing for a metric or a time that it does not have': async ({ store }) => {
    await fill(store, 3, () => ({ calls: 1 }));
    assert.deepEqual(await store.query({ metric: 'other', ...range(0, 10) }), []);
    const later = await store.query({ metric: 'calls', ...range(100, 200) });
    assert.equal(
      later.reduce((points, { t }) => points + t.length, 0),
      0,
    );
  },
  'keeps series of one metric apart by their labels, and finds them by those': async ({ store }) => {
    await fill(store, 3, (second) => ({ 'calls a': second, 'calls b': 10 * second }));
    assert.deepEqual(byVenue(await store.query({ metric: 'calls', ...range(0, 2) })), { a: [0, 1, 2], b: [0, 10, 20] });
    assert.deepEqual(byVenue(await store.query({ metric: 'calls', match: { venue: 'b' }, ...range(0, 2) })), { b: [0, 10, 20] });
    assert.deepEqual(await store.query({ metric: 'calls', match: { venue: 'c' }, ...range(0, 2) }), []);
  },
  'lets series come and go between ticks': async ({ store }) => {
    await store.append(tick(0, { 'calls a': 1 }));
    await store.append(tick(1, { 'calls b': 2, 'calls a': 3 }));
    await store.append(tick(2, { 'calls b': 4 }));
    assert.deepEqual(byVenue(await store.query({ metric: 'calls', ...range(0, 2) })), { a: [1, 3], b: [2, 4] });
  },
  'summarises steps, each stamped at its start': async ({ store }) => {
    await fill(store, 6, (second) => ({ depth: [4, 1, 7, 2, 2, 5][second] ?? 0 }));
    const steps = { metric: 'depth', ...range(0, 5), stepMs: 3 * SECOND } as const;
    const expected = { min: [1, 2], max: [7, 5], sum: [12, 9], avg: [4, 3], last: [7, 5] } as const;
    for (const [agg, v] of Object.entries(expected))
      assert.deepEqual(only(await store.query({ ...steps, agg: agg as keyof typeof expected })), { t: [0, 3], v }, agg);
  },
  'takes the fall of a counter for a restart': async ({ store }) => {
    const counts = [10, 14, 20, 3, 5, 5];
    await fill(store, 6, (second) => ({ calls: counts[second] ?? 0 }));
    const { v } = only(await store.query({ metric: 'calls', ...range(1, 5), stepMs: 5 * SECOND, agg: 'increase' }));
    assert.equal(
      v.reduce((sum, one) => sum + one, 0),
      4 + 6 + 3 + 2,
    );
  },
  'joins series by the labels asked for': async ({ store }) => {
    await fill(store, 4, () => ({ 'depth a': 1, 'depth b': 5 }));
    const [joined] = await store.query({ metric: 'depth', ...range(0, 3), stepMs: 4 * SECOND, agg: 'sum', by: [] });
    assert.deepEqual([joined?.labels, [...(joined?.v ?? [])]], [{}, [24]]);
    assert.deepEqual(byVenue(await store.query({ metric: 'depth', ...range(0, 3), stepMs: 4 * SECOND, agg: 'sum', by: ['venue'] })), {
      a: [4],
      b: [20],
    });
  },
  'counts a point without a value in no summary': async ({ store }) => {
    await fill(store, 3, (second) => ({ depth: second === 1 ? Number.NaN : 4 }));
    assert.deepEqual(only(await store.query({ metric: 'depth', ...range(0, 2), stepMs: 3 * SECOND, agg: 'avg' })).v, [4]);
  },
  'keeps every bit of a number': async ({ store }) => {
    const odd = [0.1 + 0.2, -0, 5e-324, Number.MAX_VALUE, Number.POSITIVE_INFINITY, -1 / 3];
    await fill(store, odd.length, (second) => ({ calls: odd[second] ?? 0 }));
    const { v } = only(await store.query({ metric: 'calls', ...range(0, odd.length) }));
    assert.ok(
      v.every((value, i) => Object.is(value, odd[i])),
      `got ${v.join(', ')}`,
    );
  },
  'refuses a tick that is not after the last one, and keeps what it has': async ({ store }) => {
    await store.append(tick(5, { calls: 1 }));
    await assert.rejects(async () => store.append(tick(5, { calls: 2 })));
    await assert.rejects(async () => store.append(tick(4, { calls: 3 })));
    assert.deepEqual(only(await store.query({ metric: 'calls', ...range(0, 10) })), { t: [5], v: [1] });
  },
  'does not keep the caller’s own array': async ({ store }) => {
    const values = Float64Array.of(1);
    await store.append({ t: T0, series: [{ name: 'calls', labels: {} }], values });
    values[0] = 99;
    assert.deepEqual(only(await store.query({ metric: 'calls', ...range(0, 1) })).v, [1]);
  },
  'counts series and points': async ({ store }) => {
    await fill(store, 4, () => ({ 'calls a': 1, 'calls b': 2 }));
    const { series, points, bytes } = await store.stats();
    assert.deepEqual([series, points], [2, 8]);
    assert.ok(bytes > 0);
  },
  'rejects a query whose signal has aborted, with its reason': async ({ store }) => {
    const reason = new Error('no longer wanted');
    await assert.rejects(async () => store.query({ metric: 'calls', ...range(0, 1) }, AbortSignal.abort(reason)), reason);
  },
  'closes twice, and refuses everything after': async ({ store }) => {
    await store[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    await assert.rejects(async () => store.append(tick(0, { calls: 1 })));
    await assert.rejects(async () => store.query({ metric: 'calls', ...range(0, 1) }));
  },
  'forgets nothing over a restart': async (subject) => {
    if (subject.reopen === undefined) return;
    await fill(subject.store, 5, (second) => ({ 'calls a': second, 'calls b': -second }));
    const store = await subject.reopen();
    assert.deepEqual(byVenue(await store.query({ metric: 'calls', ...range(0, 4) })), { a: [0, 1, 2, 3, 4], b: [-0, -1, -2, -3, -4] });
    await assert.rejects(async () => store.append(tick(4, { 'calls a': 1 })), 'time goes on from where it was');
    await store.append(tick(5, { 'calls a': 5 }));
  },
};
