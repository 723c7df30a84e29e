import { describe, expect, it } from 'vitest';
import type { MetricStore, MetricTick } from '../../../src/contracts/metric-store.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { MetricsRegistry } from '../../../src/metrics/registry.js';
import { MemoryMetricStore } from '../../../src/stores/memory/memory-metric-store.js';

const START = 1_704_067_200_250; // a quarter of a second past a whole one
const givenARegistry = (startMs = START) => {
  const clock = new ManualClock(startMs);
  return { clock, registry: new MetricsRegistry({ clock }), store: new MemoryMetricStore() };
};
/** A store that answers when it is told to, and can refuse. */
const givenASlowStore = () => {
  const ticks: MetricTick[] = [];
  const pending: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const store = {
    append: (tick: MetricTick) => {
      ticks.push({ ...tick, values: tick.values.slice() });
      return new Promise<void>((resolve, reject) => pending.push({ resolve, reject }));
    },
  } as unknown as MetricStore;
  return { store, ticks, pending };
};

describe('collect', () => {
  it('samples at whole seconds of the clock', async () => {
    const { clock, registry, store } = givenARegistry();
    const counter = registry.counter({ name: 'calls_total', help: 'Calls.' });
    registry.collect(store);
    counter.inc(3);
    await clock.advance(750);
    counter.inc(4);
    await clock.advance(1000);
    const [result] = await store.query({ metric: 'calls_total', from: 0, to: Infinity });
    expect([...result!.t]).toEqual([1_704_067_201_000, 1_704_067_202_000]);
    expect([...result!.v]).toEqual([3, 7]);
  });

  it('adds default labels, and takes up metrics that come later', async () => {
    const clock = new ManualClock(START);
    const registry = new MetricsRegistry({ clock, defaultLabels: { bot: 'x' } });
    const store = new MemoryMetricStore();
    registry.collect(store, { intervalMs: 10_000 });
    await clock.advance(10_000);
    registry.gauge({ name: 'late', help: 'Late.' }).set(1);
    await clock.advance(10_000);
    expect((await store.query({ metric: 'late', from: 0, to: Infinity }))[0]).toMatchObject({ labels: { bot: 'x' }, v: Float64Array.of(1) });
  });

  it('gives the store the observations of each interval, so that percentiles are those of that time', async () => {
    const { clock, registry, store } = givenARegistry();
    const seconds = registry.histogram({ name: 'wait_seconds', help: 'Waits.' });
    registry.collect(store);
    for (let i = 1; i <= 100; i++) seconds.observe(i);
    await clock.advance(750);
    for (let i = 1; i <= 100; i++) seconds.observe(i * 1000);
    await clock.advance(1000);
    await clock.advance(1000);
    const p50 = (await store.query({ metric: 'wait_seconds', from: 0, to: Infinity, agg: 'p50' }))[0]!;
    expect([...p50.t]).toEqual([1_704_067_201_000, 1_704_067_202_000]);
    expect(p50.v[0]! / 50).toBeCloseTo(1, 1);
    expect(p50.v[1]! / 50_000).toBeCloseTo(1, 1);
    const sum = (await store.query({ metric: 'wait_seconds', from: 1_704_067_200_000, to: 1_704_067_260_000, stepMs: 60_000, agg: 'sum' }))[0]!;
    expect(sum.v[0]).toBeCloseTo(5050 * 1001, 3);
    const raw = (await store.query({ metric: 'wait_seconds', from: 0, to: Infinity }))[0]!;
    expect([...raw.v]).toEqual([50.5, 50_500, Number.NaN]);
  });

  it('counts the ticks that a busy store could not take, and has one append under way at most', async () => {
    const { clock, registry } = givenARegistry();
    const { store, ticks, pending } = givenASlowStore();
    registry.collect(store);
    await clock.advance(3750);
    expect(ticks).toHaveLength(1);
    pending[0]!.resolve();
    await clock.advance(1000);
    expect(ticks).toHaveLength(2);
    expect(registry.exposition()).toContain('venuekit_store_ticks_skipped_total{reason="busy"} 3');
  });

  it('shows refused ticks as a metric, and brings their observations with the next tick', async () => {
    const { clock, registry } = givenARegistry();
    const { store, ticks, pending } = givenASlowStore();
    const seconds = registry.histogram({ name: 'wait_seconds', help: 'Waits.' });
    registry.collect(store);
    seconds.observe(1);
    await clock.advance(750);
    pending[0]!.reject(new Error('disk full'));
    seconds.observe(2);
    await clock.advance(1000);
    pending[1]!.resolve();
    await clock.advance(1000);
    const column = ticks[1]!.series.findIndex(({ name }) => name === 'wait_seconds');
    expect(ticks[1]!.values[column]).toBe(1.5);
    expect(registry.exposition()).toContain('venuekit_store_append_failures_total 1');
  });

  it('keeps several stores complete, each by itself', async () => {
    const { clock, registry, store } = givenARegistry();
    const other = new MemoryMetricStore();
    const seconds = registry.histogram({ name: 'wait_seconds', help: 'Waits.' });
    registry.collect(store);
    registry.collect(other, { intervalMs: 2000 });
    for (let i = 0; i < 4; i++) {
      seconds.observe(i + 1);
      await clock.advance(1000);
    }
    const all = { metric: 'wait_seconds', from: 1_704_067_200_000, to: 1_704_067_260_000, stepMs: 120_000, agg: 'sum' } as const;
    expect((await store.query(all))[0]!.v[0]).toBe(10);
    expect((await other.query(all))[0]!.v[0]).toBe(10);
  });

  it('waits out a clock that goes back, and counts it', async () => {
    const { clock, registry, store } = givenARegistry();
    registry.gauge({ name: 'level', help: 'Level.' }).set(1);
    registry.collect(store);
    await clock.advance(2750);
    clock.stepWall(-2000);
    await clock.advance(4000);
    const [result] = await store.query({ metric: 'level', from: 0, to: Infinity });
    expect([...result!.t]).toEqual([1, 2, 3, 4, 5].map((s) => 1_704_067_200_000 + s * 1000).slice(0, result!.t.length));
    expect(registry.exposition()).toMatch(/ticks_skipped_total\{reason="clock"\} [1-9]/);
  });

  it('ends when it is disposed, and with the registry', async () => {
    const { clock, registry, store } = givenARegistry();
    registry.gauge({ name: 'level', help: 'Level.' }).set(1);
    const collecting = registry.collect(store);
    await clock.advance(1000);
    collecting[Symbol.dispose]();
    collecting[Symbol.dispose]();
    await clock.advance(5000);
    expect((await store.query({ metric: 'level', from: 0, to: Infinity }))[0]!.t).toHaveLength(1);
    await registry[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
    expect(() => registry.collect(store)).toThrow(/MetricsRegistry is closed/);
  });

  it('refuses what is no store, and an interval that is none', () => {
    const { registry, store } = givenARegistry();
    expect(() => registry.collect({} as never)).toThrow(/store must be an object with a method append/);
    expect(() => registry.collect(store, { intervalMs: 0 })).toThrow(/intervalMs must be a finite number above 0, got 0/);
  });
});
