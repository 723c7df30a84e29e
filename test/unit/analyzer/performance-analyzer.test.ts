import { describe, expect, it } from 'vitest';
import { DETECTORS } from '../../../src/analyzer/detectors/detectors.js';
import { applyPlan, DEFAULT_OBJECTIVES, type Opportunity, PerformanceAnalyzer, performanceToText } from '../../../src/analyzer/index.js';
import { targetsOf } from '../../../src/analyzer/plan/plan.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { MemoryMetricStore, MetricsRegistry } from '../../../src/metrics/index.js';
import type { PlantedRun } from '../../workload/planted/desk.js';
import { PLANTED } from '../../workload/planted/planted.js';

const RANGE = { from: 1_704_067_200_000, to: 1_704_067_200_000 + 3_600_000 };
let slowPool: Promise<PlantedRun> | undefined;

function givenSlowPool(): Promise<PlantedRun> {
  const { run, flawed } = PLANTED.find(({ id }) => id === 'pool-too-small')!;
  return (slowPool ??= run({ seed: 1, tuning: flawed, isFlawed: true }));
}

async function givenStore(name: string, seconds: number): Promise<MemoryMetricStore> {
  const clock = new ManualClock();
  const store = new MemoryMetricStore();
  const registry = new MetricsRegistry({ clock });
  registry.counter({ name, help: 'events' }).inc();
  using _ = registry.collect(store);
  await clock.advance(seconds * 1_000);
  await registry[Symbol.asyncDispose]();
  return store;
}

describe('PerformanceAnalyzer', () => {
  it('gives measures and a verdict for all six components, and says what was not measured', async () => {
    const { store, trace, from, to } = await givenSlowPool();
    const { components } = await new PerformanceAnalyzer({ store, trace }).analyze({ from, to });
    expect(components.map(({ name }) => name)).toEqual([
      'venue calls',
      'order path',
      'connection pool',
      'market-data cache',
      'parallel fetch',
      'event loop and memory',
    ]);
    const pool = components.find(({ name }) => name === 'connection pool')!;
    expect(pool.verdict).toMatch(/^missed: waitP95Ms \d+, objective 20/);
    expect(pool.measures.acquired).toBeGreaterThan(5_000);
    expect(components.find(({ name }) => name === 'market-data cache')).toEqual({ name: 'market-data cache', measures: {}, verdict: 'not measured' });
  });

  it('estimates nothing without a trace, and says why', async () => {
    const { store, from, to } = await givenSlowPool();
    const { opportunities, undecided } = await new PerformanceAnalyzer({ store }).analyze({ from, to });
    const found = opportunities.find(({ id }) => id === 'pool-too-small')!;
    expect(found.estimate).toBeUndefined();
    expect(found.noEstimate).toContain('no trace was given');
    expect(undecided.find(({ id }) => id === 'cache-too-small')?.why).toContain('no trace was given');
  });

  it('gives the same report for the same run', async () => {
    const { store, trace, from, to } = await givenSlowPool();
    const analyze = (): Promise<unknown> => new PerformanceAnalyzer({ store, trace }).analyze({ from, to });
    expect(await analyze()).toEqual(await analyze());
  });

  it('tells how far it is, and gives what it has when it is interrupted, marked as a part', async () => {
    const { store, trace, from, to } = await givenSlowPool();
    const interruption = new AbortController();
    const steps: number[] = [];
    const report = await new PerformanceAnalyzer({ store, trace }).analyze(
      { from, to },
      {
        signal: interruption.signal,
        onProgress: (done, total) => {
          expect(total).toBe(DETECTORS.length);
          steps.push(done);
          if (done === 8) interruption.abort();
        },
      },
    );
    expect(steps).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(report.partial).toBe(true);
    expect(report.opportunities.map(({ id }) => id)).toEqual(['pool-too-small']);
    expect(performanceToText(report)).toContain('interrupted: this is a part');
    const before = await new PerformanceAnalyzer({ store }).analyze({ from, to }, { signal: AbortSignal.abort() });
    expect(before).toMatchObject({ partial: true, components: [], opportunities: [] });
  });

  it('says how much is needed of a store with too little', async () => {
    await expect(new PerformanceAnalyzer({ store: new MemoryMetricStore() }).analyze(RANGE)).rejects.toMatchObject({
      code: 'TOO_LITTLE_DATA',
      message: expect.stringContaining("has 0 s of venuekit's metrics in this range, and 30 s are needed"),
    });
    const short = await givenStore('venuekit_venue_calls_total', 20);
    await expect(new PerformanceAnalyzer({ store: short }).analyze(RANGE)).rejects.toThrow(/has 19|has 20/);
  });

  it('refuses metrics of a foreign origin by name', async () => {
    const foreign = await givenStore('http_requests_total', 120);
    await expect(new PerformanceAnalyzer({ store: foreign }).analyze(RANGE)).rejects.toMatchObject({
      code: 'FOREIGN_METRICS',
      message: expect.stringContaining('http_requests_total'),
    });
  });

  describe('of a store that is not as one would wish', () => {
    type Row = Readonly<Record<string, number>>;
    const callsOf = async (rows: readonly (readonly [second: number, row: Row])[], labels = { outcome: 'ok', limit: 'weight' }) => {
      const store = new MemoryMetricStore();
      for (const [second, row] of rows) {
        const series = Object.keys(row).map((name) => ({ name, labels }));
        await store.append({ t: RANGE.from + second * 1_000, series, values: Float64Array.from(Object.values(row)) });
      }
      const { components } = await new PerformanceAnalyzer({ store }).analyze(RANGE);
      return components.find(({ name }) => name === 'venue calls')!.measures;
    };
    const seconds = (from: number, to: number, row: (second: number) => Row) =>
      Array.from({ length: to - from + 1 }, (_, i) => [from + i, row(i)] as const);
    const tenASecond = (second: number): Row => ({ venuekit_venue_calls_total: 10 * second, venuekit_process_uptime_seconds: second });

    it('counts a counter on that began anew, and no time in which nothing ran', async () => {
      const measures = await callsOf([...seconds(0, 600, tenASecond), ...seconds(2_400, 3_000, (second) => tenASecond(second - 2_400))]);
      expect(measures.calls).toBeCloseTo(12_000, -2);
      expect(measures.callsPerSecond).toBeGreaterThan(9);
      expect(measures.callsPerSecond).toBeLessThan(12);
    });

    it('leaves out what is no number', async () => {
      const holes = seconds(0, 180, (second) =>
        second % 7 === 3 ? { ...tenASecond(second), venuekit_venue_calls_total: Number.NaN } : tenASecond(second),
      );
      expect((await callsOf(holes)).calls).toBeCloseTo(1_800, -2);
      const nothing = seconds(0, 180, (second) => ({ ...tenASecond(second), venuekit_venue_calls_total: Number.NaN }));
      expect(await callsOf(nothing)).toEqual({});
    });

    it('holds what was used of a limit against what was left at the same time, whichever of them is missing', async () => {
      const rows = seconds(0, 180, (second) => ({
        ...tenASecond(second),
        venuekit_limit_observations_total: second,
        venuekit_limit_used_units: second % 2 === 0 ? 90 : 10,
        // Told only where much was used.
        venuekit_limit_remaining_units: second % 2 === 0 ? 10 : Number.NaN,
      }));
      expect((await callsOf(rows)).limitUsedP95).toBeCloseTo(0.9, 6);
    });
  });

  it('promises nothing of one area for a change that is for another', () => {
    const components = [{ name: 'market-data cache' as const, measures: { hitShare: 0.7 }, verdict: '' }];
    const shorter = { component: 'market-data cache', area: 'freshness', phase: 1 } as unknown as Opportunity;
    const larger = { component: 'market-data cache', area: 'efficiency', phase: 2 } as unknown as Opportunity;
    const phaseOf = (...found: Opportunity[]) => targetsOf(components, found, DEFAULT_OBJECTIVES)[0]?.deadlinePhase;
    expect(phaseOf(shorter)).toBe(3);
    expect(phaseOf(shorter, larger)).toBe(2);
  });

  it('refuses ranges and options that can not be meant', async () => {
    const store = new MemoryMetricStore();
    const analyzer = new PerformanceAnalyzer({ store });
    await expect(analyzer.analyze({ from: 5, to: 5 })).rejects.toThrow('range.to must be epoch milliseconds after range.from, got 5');
    await expect(analyzer.analyze({ from: Number.NaN, to: 5 })).rejects.toThrow('range.from must be epoch milliseconds, got NaN');
    expect(() => new PerformanceAnalyzer({ store, objectives: { hitShare: -1 } })).toThrow(
      'objectives.hitShare must be a finite number above 0, got -1',
    );
    expect(() => new PerformanceAnalyzer({ store, objectives: { hitShares: 1 } as never })).toThrow('did you mean "hitShare"?');
    expect(() => new PerformanceAnalyzer({} as never)).toThrow('store must be an object');
  });
});

describe('applyPlan', () => {
  const opportunity = (option: string, to: unknown, id = 'x'): Opportunity => ({
    ...{ id, component: 'connection pool', area: 'latency', finding: '', evidence: {}, effort: 'low', phase: 1 },
    change: { option, from: null, to, why: '' },
  });

  it('puts each option into its place, on top of what a file holds', () => {
    const { file } = applyPlan(
      [opportunity('marketData.kinds.quote.ttlMs', 2_000), opportunity('pools.my.pool.max', 9), opportunity('policy.hedge', false)],
      { policy: { timeoutMs: 500 }, marketData: { kinds: { quote: { prefetch: 'off' } } } },
    );
    expect(file).toEqual({
      schema: 'venuekit.tuning/1',
      policy: { timeoutMs: 500, hedge: false },
      marketData: { kinds: { quote: { prefetch: 'off', ttlMs: 2_000 } } },
      pools: { 'my.pool': { max: 9 } },
    });
  });

  it('leaves alone what is no option of a kit, asks for a person, or was set by what goes before it', () => {
    const first = opportunity('fetcher.concurrency', 24, 'a');
    const { file, applied, left } = applyPlan([
      first,
      opportunity('fetcher.concurrency', 6, 'b'),
      opportunity('journal.synchronous', 'normal'),
      opportunity('node --cpu-prof', true),
    ]);
    expect(file.fetcher).toEqual({ concurrency: 24 });
    expect(applied).toEqual([first]);
    expect(left).toHaveLength(3);
  });

  it('lowers min along with max, which a pool would refuse otherwise', () => {
    expect(applyPlan([opportunity('pools.sessions.max', 5)], { pools: { sessions: { min: 10 } } }).file.pools).toEqual({
      sessions: { max: 5, min: 5 },
    });
  });
});
