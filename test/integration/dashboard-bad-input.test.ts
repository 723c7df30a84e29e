import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { MetricStore } from '../../src/contracts/metric-store.js';
import { ManualClock } from '../../src/core/manual-clock.js';
import { MemoryMetricStore } from '../../src/metrics/index.js';
import { SqliteMetricStore } from '../../src/stores/sqlite/metric-store.js';
import { eventsOf, givenDashboard, type StreamEvent } from '../unit/dashboard/given-dashboard.js';
import { givenDesk } from '../workload/given-desk.js';

const FROM = Date.UTC(2026, 10, 27, 12);
const MINUTE = 60_000;
const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

interface Told {
  readonly grade: { readonly letter: string };
  readonly health: string;
  readonly objectives: readonly unknown[];
  readonly charts: readonly {
    readonly id: string;
    readonly words: string;
    readonly missing: readonly string[];
    readonly series: readonly { readonly name: string; readonly v: readonly (number | null)[] }[];
  }[];
}

/** What the page gets first of a range, and what the report says of it as JSON and as HTML. */
async function pageAndReport(store: MetricStore, { from, to, metric }: { readonly from: number; readonly to: number; readonly metric?: string }) {
  const { dashboard, ask } = givenDashboard({ store, clock: new ManualClock(Math.max(to, FROM)) });
  open.push(dashboard);
  const stream = eventsOf(await ask(`events?from=${from}&to=${to}${metric === undefined ? '' : `&metric=${encodeURIComponent(metric)}`}`));
  const { snapshot } = (await stream.next()).data;
  await stream.close();
  const text = Buffer.from(await dashboard.render({ format: 'json', from, to })).toString();
  return { page: snapshot.charts, report: JSON.parse(text) as Told, text };
}

describe('page and report', () => {
  it.each([
    ['an empty store', async () => new MemoryMetricStore(), FROM],
    ['a range in the future', async () => recorded(), FROM + 48 * 60 * MINUTE],
  ])('say of %s what is missing, chart by chart', async (_, given, from) => {
    const { page, report } = await pageAndReport(await given(), { from, to: from + 10 * MINUTE });
    for (const charts of [page, report.charts]) {
      expect(charts).toHaveLength(7);
      for (const { id, missing } of charts) expect(missing, id).toEqual([expect.stringMatching(/^(No |Nothing )/)]);
    }
    expect(report.grade.letter).toBe('none');
    expect(report.objectives).toEqual([]);
  });

  it('draw series of one point', async () => {
    const store = new MemoryMetricStore();
    const names = ['venuekit_pool_utilisation_ratio', 'venuekit_fetch_utilisation_ratio', 'queue_depth'];
    await store.append({ t: FROM, series: names.map((name) => ({ name, labels: {} })), values: Float64Array.of(0.5, 0.25, 7) });
    const { page, report } = await pageAndReport(store, { from: FROM, to: FROM + MINUTE - 1, metric: 'queue_depth' });
    const valuesOf = (charts: Told['charts'], id: string) =>
      charts.find((chart) => chart.id === id)!.series.map(({ v }) => v.filter((value) => value !== null));
    expect(valuesOf(page as never, 'metric')).toEqual([[7]]);
    for (const charts of [page as never, report.charts]) expect(valuesOf(charts, 'utilisation')).toEqual([[0.5], [0.25]]);
    expect(report.charts.find(({ id }) => id === 'latency')!.missing).toHaveLength(1);
  });

  it('leave NaN and the infinities out, and say what is measured of the rest', async () => {
    const store = new MemoryMetricStore();
    const series = ['venuekit_pool_utilisation_ratio', 'venuekit_fetch_utilisation_ratio', 'odd'].map((name) => ({ name, labels: {} }));
    for (let i = 0; i < 60; i++) {
      const odd = i % 3 === 0 ? Number.NaN : i % 3 === 1 ? Infinity : i;
      await store.append({ t: FROM + i * 1_000, series, values: Float64Array.of(odd === i ? 0.5 : Number.NaN, Number.NaN, odd) });
    }
    const { page, report, text } = await pageAndReport(store, { from: FROM, to: FROM + MINUTE - 1, metric: 'odd' });
    const values = page.find(({ id }) => id === 'metric')!.series[0]!.v;
    expect(values.filter((value) => value !== null)).toEqual(Array.from({ length: 20 }, (_, i) => 3 * i + 2));
    expect(report.charts.find(({ id }) => id === 'utilisation')!.series).toHaveLength(1);
    expect(text).not.toMatch(/NaN|Infinity/);
  });

  it('gather 10,000 series into what can be told apart, and stay small', async () => {
    const store = new MemoryMetricStore();
    const series = Array.from({ length: 10_000 }, (_, i) => ({
      name: 'venuekit_venue_calls_total',
      labels: { venue: `v${i % 7}`, operation: `op-${i}` },
    }));
    for (let second = 0; second < 4; second++)
      await store.append({ t: FROM + second * 5_000, series, values: Float64Array.from(series, (_, i) => second * (1 + (i % 50))) });
    const { page, report, text } = await pageAndReport(store, { from: FROM, to: FROM + MINUTE - 1 });
    for (const charts of [page, report.charts]) {
      const throughput = charts.find(({ id }) => id === 'throughput')!;
      expect(throughput.series).toHaveLength(64);
      expect(throughput.series.at(-1)!.name).toBe('others');
    }
    // All of them counted, none twice.
    const calls = report.charts.find(({ id }) => id === 'errors')!.series.find(({ name }) => name === 'calls')!;
    expect(calls.v.reduce<number>((sum, value) => sum + (value ?? 0), 0)).toBeCloseTo(3 * 200 * ((50 * 51) / 2), 3);
    expect(text.length).toBeLessThan(2_000_000);
  });

  it('read a database that is being written, from another connection, and go on with it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'venuekit-dashboard-'));
    open.push({ [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }) });
    const path = join(folder, 'metrics.db');
    const written = await SqliteMetricStore.open({ path });
    open.push(written);
    const start = FROM + 8 * MINUTE;
    const desk = await givenDesk({ store: written, seconds: 90, from: start });
    open.push(desk);
    const read = await SqliteMetricStore.open({ path, readOnly: true });
    open.push(read);
    const clock = new ManualClock(desk.now());
    const { dashboard, ask } = givenDashboard({ store: read, clock });
    open.push(dashboard);
    const stream = eventsOf(await ask('events?range=60000'));
    const callsOf = (charts: Told['charts']): number | undefined =>
      charts
        .find(({ id }) => id === 'errors')
        ?.series.find(({ name }) => name === 'calls')
        ?.v.filter((value) => value !== null).length;
    expect(callsOf((await stream.next()).data.snapshot.charts as never)).toBeGreaterThan(55);
    let last: StreamEvent | undefined;
    const reading = (async () => {
      for (;;) last = await stream.next();
    })().catch(() => {});
    // The writer goes on, through the end of a slot too, while reports are made and ticks sent.
    const writing = desk.live(90);
    const reports = Promise.all([1, 2].map(() => dashboard.render({ format: 'json', from: start, to: start + MINUTE - 1 })));
    for (const bytes of await reports)
      expect(
        (JSON.parse(Buffer.from(bytes).toString()) as Told).charts
          .flatMap(({ missing }) => missing)
          .filter((text) => text.includes('could not be read')),
      ).toEqual([]);
    await writing;
    while ((last?.data.snapshot.at ?? 0) < desk.now() - 2_000) await clock.advance(1_000);
    expect(last!.type).toBe('tick');
    expect(callsOf(last!.data.snapshot.charts as never)).toBeGreaterThan(0);
    await stream.close();
    await reading;
  });
});

async function recorded(): Promise<MetricStore> {
  const store = new MemoryMetricStore();
  const desk = await givenDesk({ store, seconds: 60, from: FROM });
  await desk[Symbol.asyncDispose]();
  return store;
}
