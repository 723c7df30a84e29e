import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_OBJECTIVES } from '../../../src/analytics/engine/objectives.js';
import type { MetricStore, RangeQuery } from '../../../src/contracts/metric-store.js';
import { CHART_IDS, type ChartData, type ChartId } from '../../../src/dashboard/charts/chart.js';
import { charts, wordsOf } from '../../../src/dashboard/charts/charts.js';
import { gridOf, stepFor } from '../../../src/dashboard/charts/grid.js';
import { palettes } from '../../../src/dashboard/charts/look.js';
import { DEFAULT_SERIES, selectSeries } from '../../../src/dashboard/charts/selected-series.js';
import { chartSvg } from '../../../src/dashboard/drawing/chart-svg.js';
import { explain, explainTask } from '../../../src/dashboard/view/explain.js';
import { limitedBy, objectiveStates } from '../../../src/dashboard/view/objective-states.js';
import { alertHistoryOf, readCharts } from '../../../src/dashboard/view/read-snapshot.js';
import { MemoryMetricStore } from '../../../src/metrics/index.js';
import { type Desk, givenDesk, keepAlert } from '../../workload/given-desk.js';

const SECONDS = 600;
const HOSTILE = '<img src=x onerror=alert(1)>';
let desk: Desk;

async function read(store: MetricStore, from: number, to: number, metric = DEFAULT_SERIES): Promise<Record<ChartId, ChartData>> {
  const grid = gridOf(from, to);
  const source = { store, ...alertHistoryOf(store), objectives: DEFAULT_OBJECTIVES, selected: selectSeries(metric), pictureFrom: grid.from };
  const all = await readCharts(source, grid);
  return Object.fromEntries(all.map((data) => [data.id, data])) as Record<ChartId, ChartData>;
}

const look = (width = 600) => ({ palette: palettes.light, width, height: 240, still: true, font: 'Roboto' });
const sum = (values: readonly (number | null)[]): number => values.reduce<number>((total, value) => total + (value ?? 0), 0);

beforeAll(async () => {
  desk = await givenDesk({ seconds: SECONDS, operation: HOSTILE });
  await keepAlert(desk.store, desk.from, { labels: { operation: HOSTILE } }, [
    [250, 'pending'],
    [270, 'firing'],
    [380, 'recovering'],
    [420, 'inactive'],
  ]);
});
afterAll(() => desk[Symbol.asyncDispose]());

describe('what charts read', () => {
  /** The same, asked of the store in one step over the whole range. */
  const whole = async (query: Omit<RangeQuery, 'from' | 'to' | 'stepMs'>): Promise<number> => {
    const { from, to } = gridOf(desk.from, desk.now());
    const results = await desk.store.query({ ...query, from, to, stepMs: 10 * SECONDS * 1_000 });
    return sum(results.flatMap(({ v }) => [...v]));
  };

  it('is what the store holds: every call, read and failure once', async () => {
    const { throughput, errors, cache, latency } = await read(desk.store, desk.from, desk.now());
    const calls = await whole({ metric: 'venuekit_venue_calls_total', agg: 'increase', by: [] });
    const failures = await whole({ metric: 'venuekit_venue_call_failures_total', agg: 'increase', by: [] });
    const weights = errors.series.find(({ isWeight }) => isWeight)!;
    expect(sum(weights.v)).toBeCloseTo(calls, 6);
    const perSecond = throughput.series.map(({ v }) => sum(v) * (throughput.grid.stepMs / 1_000));
    expect(sum(perSecond)).toBeGreaterThan(0.97 * calls);
    expect(sum(perSecond)).toBeLessThan(1.03 * calls);
    const ratio = errors.series.find(({ name }) => name === 'error ratio')!;
    expect(sum(ratio.v.map((share, i) => (share ?? 0) * (weights.v[i] ?? 0)))).toBeCloseTo(failures, 6);
    const hits = await whole({ metric: 'venuekit_cache_reads_total', match: { outcome: 'hit' }, agg: 'increase', by: [] });
    const reads = cache.series.find(({ isWeight }) => isWeight)!;
    expect(
      sum(cache.series.filter(({ isWeight }) => !isWeight).flatMap(({ v }) => v.map((share, i) => (share ?? 0) * (reads.v[i] ?? 0)))),
    ).toBeCloseTo(hits, 6);
    expect(cache.series.map(({ name }) => name)).toEqual(['memory', 'shared', 'reads']);
    expect(latency.series.map(({ name }) => name)).toEqual(['p50', 'p95', 'p99']);
    for (let i = 0; i < latency.grid.columns; i++) {
      const [p50, p95, p99] = latency.series.map(({ v }) => v[i]!);
      expect(p50! <= p95! && p95! <= p99!).toBe(true);
    }
  });

  it('holds burn rates that are the error ratio over their windows, in multiples of the objective', async () => {
    const { errors } = await read(desk.store, desk.from, desk.now());
    const { stepMs, columns } = errors.grid;
    const calls = errors.series.find(({ isWeight }) => isWeight)!.v;
    const ratio = errors.series.find(({ name }) => name === 'error ratio')!.v;
    const short = errors.series.find(({ name }) => name === 'burn rate, 5 min')!.v;
    const over = Math.ceil(300_000 / stepMs);
    for (const i of [over, columns >> 1, columns - 1]) {
      const window = Array.from({ length: Math.min(over, i + 1) }, (_, k) => i - k);
      const failed = sum(window.map((k) => (ratio[k] ?? 0) * (calls[k] ?? 0)));
      expect(short[i]).toBeCloseTo(failed / sum(window.map((k) => calls[k]!)) / DEFAULT_OBJECTIVES.errorRatio, 6);
    }
  });

  it('holds the pool and the queue as shares of what they have room for', async () => {
    const { utilisation } = await read(desk.store, desk.from, desk.now());
    expect(utilisation.series.map(({ name }) => name)).toEqual(['rest: in use', 'rest: waiting', 'fetcher: running', 'fetcher: queued']);
    expect(Math.max(...utilisation.series[0]!.v.map((value) => value ?? 0))).toBe(1);
    expect(Math.max(...utilisation.series[1]!.v.map((value) => value ?? 0))).toBeCloseTo(4 / 15, 9);
  });

  it('holds the life of an alert in stretches, whose labels are words', async () => {
    const { alerts } = await read(desk.store, desk.from, desk.now());
    expect(alerts.spans!.map(({ state, from, to }) => [state, (from - desk.from) / 1_000, (to! - desk.from) / 1_000])).toEqual([
      ['pending', 250, 270],
      ['firing', 270, 380],
      ['recovering', 380, 420],
    ]);
    expect(alerts.spans![0]!.labels).toBe(`operation=${HOSTILE}`);
  });

  it('ends with the last column that is over', async () => {
    const { latency } = await read(desk.store, desk.from, desk.from + 301_500);
    expect(latency.grid.stepMs).toBe(2_000);
    expect(latency.grid).toMatchObject({ from: desk.from, to: desk.from + 299_999, columns: 150 });
  });

  it('is any series of the store by name, as counter or gauge, with labels', async () => {
    const id = `venuekit_venue_calls_total{operation=${JSON.stringify(HOSTILE)}}`;
    const { metric } = await read(desk.store, desk.from, desk.now(), id);
    expect(metric.series[0]).toMatchObject({ name: id, unit: 'per second' });
    const { throughput } = await read(desk.store, desk.from, desk.now());
    expect(metric.series[0]!.v).toEqual(throughput.series.find(({ name }) => name === HOSTILE)!.v);
    expect(() => selectSeries('a b')).toThrow(/metric must be the name of a metric/);
    expect(() => selectSeries('a{b=c}')).toThrow(/labels written as/);
  });
});

describe('what charts say', () => {
  it('holds the figures that they draw', async () => {
    const data = await read(desk.store, desk.from, desk.now());
    expect(wordsOf(data.latency)).toMatch(
      /^Last: p50 [\d.]+ ms, p95 [\d.]+ ms, p99 [\d.]+ m?s\. The objective for p99 is 500 ms: kept for [\d.]+ % of the time\.$/,
    );
    expect(wordsOf(data.errors)).toMatch(/^[\d.]+ % of calls failed in this range; the objective is 0.1 %\. Last burn rate, 5 min/);
    expect(wordsOf(data.cache)).toMatch(/^9[\d.]+ % of reads were answered from the cache/);
    expect(wordsOf(data.utilisation)).toBe('rest: in use was the fullest: 100 % at its most, 100 % at the last.');
    expect(wordsOf(data.alerts)).toBe('1 time an alert fired (error-rate), 0 of them still; no action was taken.');
  });

  it('holds budgets: what failed of what may fail', async () => {
    const all = Object.values(await read(desk.store, desk.from, desk.now()));
    const [failed, slow, cache] = objectiveStates(all);
    expect(failed).toMatchObject({ name: 'failed calls', objective: 'at most 0.1 %', isMet: false });
    expect(failed!.budget).toMatch(/^budget spent [\d.]+ times over$/);
    expect(slow).toMatchObject({ name: 'p99 within 500 ms' });
    expect(cache).toMatchObject({ name: 'cache hits', isMet: true });
  });
});

describe('a mark beside budgets', () => {
  it('is no A while one of them is overspent, also one that the analysis did not find', async () => {
    const states = objectiveStates(Object.values(await read(desk.store, desk.from, desk.now())));
    const found = {
      grade: { letter: 'A+', score: 99, parts: [{ name: 'throughput', score: 99, why: '' }], missing: [], overspent: [] },
      health: 'excellent',
    };
    expect(limitedBy(found as never, states)).toMatchObject({ grade: { letter: 'B+', score: 89, overspent: ['error rate'] }, health: 'good' });
    expect(
      limitedBy(
        found as never,
        states.filter(({ isMet }) => isMet),
      ),
    ).toEqual(found);
    const worse = { ...found, grade: { ...found.grade, letter: 'D', score: 65 } };
    expect(limitedBy(worse as never, states)).toMatchObject({ grade: { letter: 'D', score: 65 }, health: 'degraded' });
  });
});

describe('charts of little', () => {
  it('say what is missing where a store is empty, and where a range lies in the future', async () => {
    for (const [store, from] of [
      [new MemoryMetricStore(), 0],
      [desk.store, desk.now() + 3_600_000],
    ] as const) {
      const data = await read(store, from, from + 900_000);
      for (const id of CHART_IDS) {
        expect(data[id].missing, id).toHaveLength(1);
        expect(wordsOf(data[id])).toMatch(/^(No |Nothing )/);
        expect(chartSvg(data[id], look())).toContain('<svg');
      }
      expect(objectiveStates(Object.values(data))).toEqual([]);
    }
  });

  it('draw a series of one point as a dot', async () => {
    const store = new MemoryMetricStore();
    await store.append({ t: 1_000, series: [{ name: 'depth', labels: {} }], values: Float64Array.of(7) });
    const { metric } = await read(store, 0, 59_999, 'depth');
    expect(wordsOf(metric)).toBe('depth: 7 at the last.');
    const option = charts.metric.option(metric, look()) as { series: { data: { symbol?: string }[] }[] };
    expect(option.series[0]!.data).toEqual([expect.objectContaining({ value: [1_000, 7], symbol: 'circle' })]);
    const steps = explain(explainTask(metric)!);
    let result = steps.next();
    while (!result.done) result = steps.next();
    expect(result.value.forecast).toMatchObject({ mean: [], method: 'none: 1 points are too few' });
  });

  it('leave NaN and the infinities out', async () => {
    const store = new MemoryMetricStore();
    for (const [i, value] of [1, Number.NaN, Infinity, 4].entries())
      await store.append({ t: i * 1_000, series: [{ name: 'x', labels: {} }], values: Float64Array.of(value) });
    const { metric } = await read(store, 0, 3_999, 'x last');
    expect(metric.series[0]!.v).toEqual([1, null, null, 4]);
    expect(chartSvg(metric, look())).not.toContain('NaN');
  });

  it('are drawn where one of them can not be read', async () => {
    const broken = {
      query: (query: RangeQuery) => (query.metric.includes('cache') ? Promise.reject(new Error('disk gone')) : desk.store.query(query)),
    };
    const data = await read(broken as never, desk.from, desk.now());
    expect(data.cache.missing).toEqual(['It could not be read: disk gone']);
    expect(data.latency.missing).toEqual([]);
  });

  it('gather what is too much to be told apart', async () => {
    const store = new MemoryMetricStore();
    const series = Array.from({ length: 10_000 }, (_, i) => ({ name: 'venuekit_venue_calls_total', labels: { operation: `op-${i}` } }));
    for (let second = 0; second < 3; second++)
      await store.append({ t: second * 1_000, series, values: Float64Array.from(series, (_, i) => second * (i + 1)) });
    const { throughput } = await read(store, 0, 2_999);
    const { series: drawn } = charts.throughput.option(throughput, look()) as { series: { name: string }[] };
    expect(drawn).toHaveLength(8);
    expect(drawn.map(({ name }) => name)).toContain('others');
    expect(throughput.series.length).toBeLessThanOrEqual(64);
  });
});

describe('pictures of charts', () => {
  it('show what a label holds as text', async () => {
    const data = await read(desk.store, desk.from, desk.now());
    for (const id of ['throughput', 'alerts'] as const) {
      const svg = chartSvg(data[id], look(900));
      expect(svg).not.toContain('<img');
      expect(svg).toContain('&lt;img src=x onerror=alert(1)&gt;');
    }
  });

  // Seen in a still: "14.4×" of the legend over the axis.
  it('make room for a legend of more rows than one, and put no name over data', async () => {
    const { errors, cache, latency } = await read(desk.store, desk.from, desk.now());
    const topOf = (data: ChartData, width: number): number => (charts[data.id].option(data, look(width)) as { grid: { top: number } }).grid.top;
    expect(topOf(errors, 1_200)).toBe(34);
    expect(topOf(errors, 500)).toBe(34 + 18);
    for (const data of [errors, cache, latency]) {
      const { series } = charts[data.id].option(data, look()) as { series: { markLine?: { label: { show: boolean } } }[] };
      const marked = series.filter(({ markLine }) => markLine !== undefined);
      expect(marked.length, data.id).toBeGreaterThan(0);
      for (const { markLine } of marked) expect(markLine!.label.show).toBe(false);
    }
  });

  it('colour the two bands of a forecast apart, and differently from the line', async () => {
    const { metric } = await read(desk.store, desk.from, desk.now());
    const steps = explain(explainTask(metric)!);
    let result = steps.next();
    while (!result.done) result = steps.next();
    const svg = chartSvg({ ...metric, explanation: result.value }, look());
    for (const scheme of ['light', 'dark'] as const) expect(new Set([...palettes[scheme].bands, palettes[scheme].series[0]]).size).toBe(3);
    for (const colour of palettes.light.bands) expect(svg).toContain(colour);
    expect(result.value.forecast.bands.map(({ level }) => level)).toEqual([0.8, 0.95]);
  });
});

describe('columns', () => {
  it.each([
    [60_000, 1_000],
    [900_000, 5_000],
    [3_600_000, 15_000],
    [86_400_000, 300_000],
    [7 * 86_400_000, 3_600_000],
    [400 * 86_400_000, 2 * 86_400_000],
  ])('of a range of %d ms last %d ms', (range, step) => {
    expect(stepFor(range)).toBe(step);
  });
});
