import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AnalyticsEngine, type AnalyticsReport, reportToJson, reportToText } from '../../../src/analytics/index.js';
import type { MetricStore, RangeQuery } from '../../../src/contracts/metric-store.js';
import { MemoryMetricStore } from '../../../src/metrics/index.js';
import { FAULT_KINDS, INJECTED_FAULTS } from '../../workload/injected-faults.js';
import { runSession } from '../../workload/simulated-session.js';
import { givenNoise, givenSeries } from './given.js';

const engine = new AnalyticsEngine();
const MINUTE = 60_000;

describe('AnalyticsEngine on one series', () => {
  it('gives the slope per hour and the times of changes of level', () => {
    const v = givenNoise(300).map((value, i) => value + (i >= 180 ? 8 : 0));
    const series = givenSeries(v);
    expect(engine.trend(series).changePoints).toEqual([series.t[180]]);
    const line = engine.trend(givenSeries(Array.from({ length: 100 }, (_, i) => 2 * i)));
    expect(line.direction).toBe('rising');
    expect(line.slopePerHour).toBeCloseTo(120, 9);
    expect(line.slopeInterval[0]).toBeCloseTo(120, 9);
  });

  it('measures the slope against real time where the spacing is uneven', () => {
    const t = Array.from({ length: 60 }, (_, i) => i * i * 1_000);
    expect(engine.trend({ t, v: t.map((time) => time / 3_600_000) }).slopePerHour).toBeCloseTo(1, 9);
  });

  it('finds a spike, with what was expected instead', () => {
    const series = givenSeries(givenNoise(600).map((value, i) => 10 + value + (i === 500 ? 20 : 0)));
    const [spike, ...others] = engine.anomalies(series);
    expect(spike).toMatchObject({ t: series.t[500], value: series.v[500] });
    expect(spike!.expected).toBeGreaterThan(5);
    expect(spike!.expected).toBeLessThan(15);
    expect(others).toEqual([]);
  });

  it('forecasts from one step after the last point, over the horizon', () => {
    const series = givenSeries(givenNoise(200));
    const { t, mean, intervals } = engine.forecast(series, { horizonMs: 10 * MINUTE });
    expect(Array.from(t)).toEqual(Array.from({ length: 10 }, (_, h) => series.t[199]! + (h + 1) * MINUTE));
    expect(mean).toHaveLength(10);
    expect(intervals.map(({ level }) => level)).toEqual([0.8, 0.95]);
  });

  it('aggregates a series finer than 30 s, and bridges its gaps', () => {
    const t = Array.from({ length: 900 }, (_, i) => i * 1_000).filter((time) => time < 200_000 || time > 400_000);
    const made = engine.forecast({ t, v: t.map(() => 5).map((value, i) => value + (i % 2)) });
    expect(made.t[1]! - made.t[0]!).toBe(30_000);
    expect(made.t).toHaveLength(60);
    expect(made.mean.every((value) => Math.abs(value - 5.5) < 0.6)).toBe(true);
  });

  it.each([[0], [1], [2], [5]])('says with %i points what it could not do, and never NaN', (n) => {
    const series = givenSeries(givenNoise(n));
    const summary = engine.summarize(series);
    expect(summary.n).toBe(n);
    const trend = engine.trend(series);
    expect(trend.direction).toBe('none');
    const made = engine.forecast(series);
    expect(made.method).toMatch(/none|naive/);
    expect(engine.anomalies(series)).toEqual([]);
    const numbers = [
      ...Object.values(summary),
      ...Object.values(trend),
      ...made.mean,
      ...made.intervals.flatMap(({ low, high }) => [...low, ...high]),
    ].flat();
    expect(numbers.some((value) => Number.isNaN(value))).toBe(false);
  });

  it.each([
    ['NaN', { t: [1, 2], v: [1, Number.NaN] }, /v\[1\]/],
    ['Infinity', { t: [1, Infinity], v: [1, 2] }, /t\[1\]/],
    ['unsorted times', { t: [1, 3, 2], v: [1, 2, 3] }, /t\[2\] = 2 lies before/],
    ['a value whose square is no number', { t: [1, 2], v: [1, -1e200] }, /v\[1\] must lie within ±1e\+150, got -1e\+200/],
    ['repeated times', { t: [1, 1], v: [1, 2] }, /t\[1\] = 1 repeats/],
    ['different lengths', { t: [1], v: [1, 2] }, /of one length, got 1 and 2/],
  ])('refuses %s, naming the index, in every method', (_, series, message) => {
    for (const method of ['summarize', 'trend', 'anomalies', 'forecast'] as const) {
      expect(() => engine[method](series)).toThrow(RangeError);
      expect(() => engine[method](series)).toThrow(message);
    }
  });

  it('refuses options that can not be meant', () => {
    const series = givenSeries(givenNoise(20));
    expect(() => engine.anomalies(series, { threshold: 2 })).toThrow(/threshold/);
    expect(() => engine.forecast(series, { horizonMs: 0 })).toThrow(/horizonMs/);
    expect(() => engine.forecast(series, { level: [0.5] } as object)).toThrow(/did you mean "levels"/);
    expect(() => new AnalyticsEngine({ stores: {} } as object)).toThrow(/did you mean "store"/);
  });
});

describe('AnalyticsEngine over a store', () => {
  // The whole of it, 50 hours: npm run bench -- insights.
  it.each(FAULT_KINDS)(
    'names component and time of an injected %s, and nothing else',
    async (kind) => {
      const atS = 300;
      const { store, from, to } = await runSession({ seed: 11, seconds: 600, faults: [{ kind, atS }] });
      const { insights } = await new AnalyticsEngine({ store }).analyze({ from, to });
      expect(insights.map(({ component }) => component)).toEqual([INJECTED_FAULTS[kind].component]);
      const [insight] = insights;
      expect(Math.abs(insight!.since - from - atS * 1_000)).toBeLessThanOrEqual(15_000);
      for (const text of [insight!.change, insight!.cause, insight!.action]) expect(text.length).toBeGreaterThan(10);
    },
    60_000,
  );

  describe('of a calm time', () => {
    let report: AnalyticsReport;
    let store: MetricStore;
    let given: { readonly from: number; readonly to: number };
    beforeAll(async () => {
      const { from, to, ...recorded } = await runSession({ seed: 5, seconds: 600, mishaps: 0 });
      given = { from, to };
      store = recorded.store;
      report = await new AnalyticsEngine({ store }).analyze(given);
    });

    it('grades what was measured, with its reason, and finds nothing wrong', () => {
      expect(report.insights).toEqual([]);
      expect(report.grade.letter).toMatch(/^A/);
      expect(report.grade.parts.map(({ name }) => name)).toContain('cache hit rate');
      expect(report.grade.parts.every(({ score, why }) => score >= 0 && score <= 100 && why !== '')).toBe(true);
      expect(report.health).toMatch(/excellent|good/);
    });

    it('has summary, trend and a forecast of 30 minutes for every metric', () => {
      const metrics = Object.keys(report.summaries);
      expect(metrics).toContain('venuekit_venue_call_seconds p95{venue="simulated",operation="place"}');
      expect(report.trends.map(({ metric }) => metric)).toEqual(metrics);
      for (const { metric, t, intervals } of report.forecasts) {
        expect(metrics).toContain(metric);
        expect(t.at(-1)! - t[0]!).toBe(30 * MINUTE - 30_000);
        expect(intervals.every(({ low }) => low.every((value) => value >= 0))).toBe(true);
      }
    });

    it('is the same again', async () => {
      expect(await new AnalyticsEngine({ store }).analyze(given)).toEqual(report);
    });

    it('reads as JSON of a versioned schema, and as text', () => {
      const json = JSON.parse(reportToJson(report));
      expect(json.schema).toBe('venuekit.analytics-report/1');
      expect(json.forecasts[0].mean).toHaveLength(60);
      expect(reportToText(report)).toMatch(/Grade: A.*\n[\s\S]*Nothing changed for the worse/);
    });

    it('tells its progress, to the end', async () => {
      const steps: [number, number][] = [];
      await new AnalyticsEngine({ store }).analyze(given, { onProgress: (done, total) => steps.push([done, total]) });
      expect(steps.at(-1)![0]).toBe(steps.at(-1)![1]);
      expect(steps.map(([done]) => done)).toEqual(steps.map((_, i) => i + 1));
    });

    it('gives way to the event loop many times where it has no worker', async () => {
      let turns = 0;
      let running = true;
      const count = (): void => {
        turns++;
        if (running) setImmediate(count);
      };
      setImmediate(count);
      await new AnalyticsEngine({ store }).analyze(given);
      running = false;
      expect(turns).toBeGreaterThan(20 * report.trends.length);
    });

    it('stops with the reason of its signal', async () => {
      const controller = new AbortController();
      const reason = new Error('enough');
      const run = new AnalyticsEngine({ store }).analyze(given, {
        signal: controller.signal,
        onProgress: () => controller.abort(reason),
      });
      await expect(run).rejects.toBe(reason);
    });

    describe('on a worker', () => {
      let folder: string;
      beforeAll(async () => {
        folder = await mkdtemp(join(tmpdir(), 'analytics-worker-'));
        await build({
          entryPoints: [fileURLToPath(new URL('../../../src/analytics/worker.ts', import.meta.url))],
          outfile: join(folder, 'worker.mjs'),
          bundle: true,
          platform: 'node',
          format: 'esm',
          logLevel: 'silent',
        });
      });
      afterAll(() => rm(folder, { recursive: true }));

      it('says the same as here', async () => {
        const engine = new AnalyticsEngine({ store, workerEntry: join(folder, 'worker.mjs') });
        expect(await engine.analyze(given)).toEqual(report);
      });

      it('stops with the reason of its signal', async () => {
        const engine = new AnalyticsEngine({ store, workerEntry: join(folder, 'worker.mjs') });
        const controller = new AbortController();
        const run = engine.analyze(given, { signal: controller.signal, onProgress: () => controller.abort(new Error('enough')) });
        await expect(run).rejects.toThrow('enough');
      });

      it('is refused when its file does not exist', async () => {
        const engine = new AnalyticsEngine({ store, workerEntry: join(folder, 'other.mjs') });
        await expect(engine.analyze(given)).rejects.toMatchObject({ code: 'WORKER_NOT_FOUND' });
      });
    });
  });

  it('grades nothing that was not measured, and names it', async () => {
    const report = await new AnalyticsEngine({ store: new MemoryMetricStore() }).analyze({ from: 0, to: MINUTE });
    expect(report.grade).toMatchObject({ letter: 'none', score: 0, parts: [] });
    expect(report.grade.missing).toContain('latency');
    expect(reportToText(report)).toMatch(/nothing was measured/);
  });

  it('marks no range with an A while a budget is overspent, and takes the objectives that it is given', async () => {
    const store = new MemoryMetricStore();
    const series = ['venuekit_venue_calls_total', 'venuekit_venue_call_failures_total'].map((name) => ({ name, labels: {} }));
    // 0.2 % of the calls fail, and nothing else is wrong.
    for (let i = 0; i <= 120; i++) await store.append({ t: i * 1_000, series, values: Float64Array.of(1_000 * i, 2 * i) });
    const range = { from: 0, to: 120_000 };
    const report = await new AnalyticsEngine({ store }).analyze(range);
    expect(report.grade.parts[0]).toMatchObject({ name: 'error rate', why: '0.2 % of venue calls failed; the objective is 0.1 %' });
    expect(report.grade.parts.every(({ score }) => score > 97)).toBe(true);
    expect(report.grade).toMatchObject({ letter: 'B+', score: 89, overspent: ['error rate'] });
    expect(report.health).toBe('good');
    expect(reportToText(report)).toContain('budget overspent, so B+ at best: error rate');

    const lenient = await new AnalyticsEngine({ store, objectives: { errorRatio: 0.01 } }).analyze(range);
    expect(lenient.grade).toMatchObject({ letter: 'A+', score: 100, overspent: [] });
    expect(lenient.grade.parts[0]!.why).toContain('the objective is 1 %');
    expect(() => new AnalyticsEngine({ store, objectives: { errorRatio: 0 } })).toThrow(/objectives\.errorRatio must be above 0 and below 1, got 0/);
  });

  it('says once that a store failed in the midst of grading, and leaves no rejection unhandled', async () => {
    const store = new MemoryMetricStore();
    await store.append({ t: 0, series: [{ name: 'venuekit_venue_calls_total', labels: {} }], values: Float64Array.of(1) });
    const failing = {
      query: async (query: RangeQuery) => {
        await new Promise((resolve) => setImmediate(resolve));
        if (query.by?.length === 0) throw new Error('disk gone');
        return store.query(query);
      },
    };
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    try {
      await expect(new AnalyticsEngine({ store: failing as unknown as MetricStore }).analyze({ from: 0, to: MINUTE })).rejects.toThrow('disk gone');
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.off('unhandledRejection', note);
    }
    expect(unhandled).toEqual([]);
  });

  it('refuses to analyze without a store, or an empty range', async () => {
    await expect(new AnalyticsEngine().analyze({ from: 0, to: 1 })).rejects.toMatchObject({ code: 'NO_STORE' });
    await expect(new AnalyticsEngine({ store: new MemoryMetricStore() }).analyze({ from: 5, to: 5 })).rejects.toThrow(/range\.to/);
  });
});
