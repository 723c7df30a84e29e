import type { ComponentName, Measurements } from './measurements.js';
import { COMPONENTS } from './measurements.js';
import { digits, mean, quantile } from './numbers.js';

/** What is held to be good enough. Times are milliseconds. */
export interface Objectives {
  /** p99 of an attempt at the venue. @defaultValue 1_000 */
  readonly callP99Ms: number;
  /** Share of calls that fail. @defaultValue 0.01 */
  readonly failureShare: number;
  /** p99 from an order's first state to the venue's answer. @defaultValue 2_000 */
  readonly ackP99Ms: number;
  /** p95 of the wait for a connection. @defaultValue 20 */
  readonly poolWaitP95Ms: number;
  /** Share of loans that reuse a connection. @defaultValue 0.9 */
  readonly reuseShare: number;
  /** Share of reads that are answered from the cache. @defaultValue 0.8 */
  readonly hitShare: number;
  /** p95 of the age of what readers are given. @defaultValue 1_000 */
  readonly readAgeP95Ms: number;
  /** Share of reads of a cached value that the venue has replaced since. @defaultValue 0.2 */
  readonly outdatedShare: number;
  /** Mean wait of a task, as a share of its run. @defaultValue 0.25 */
  readonly queueShare: number;
  /** p99 over seconds of the event loop's longest delay. @defaultValue 100 */
  readonly loopDelayMs: number;
}

export const DEFAULT_OBJECTIVES: Objectives = {
  callP99Ms: 1_000,
  failureShare: 0.01,
  ackP99Ms: 2_000,
  poolWaitP95Ms: 20,
  reuseShare: 0.9,
  hitShare: 0.8,
  readAgeP95Ms: 1_000,
  outdatedShare: 0.2,
  queueShare: 0.25,
  loopDelayMs: 100,
};

export interface ComponentReport {
  readonly name: ComponentName;
  /** What was measured, with the unit in the name; nothing that was not. */
  readonly measures: Readonly<Record<string, number>>;
  /** `met: …`, `missed: …` with each objective that was, or `not measured`. */
  readonly verdict: string;
}

interface Check {
  readonly name: string;
  readonly value: number;
  readonly bound: number;
  readonly isMet: boolean;
}

/** The six components, each against its objectives. */
export function componentReports(measured: Measurements, objectives: Objectives): readonly ComponentReport[] {
  return COMPONENTS.map((name) => {
    const measures = clean(MEASURES[name](measured));
    const checks = CHECKS[name].flatMap(([measure, objective, direction]): readonly Check[] => {
      const value = measures[measure];
      const bound = objectives[objective];
      return value === undefined ? [] : [{ name: measure, value, bound, isMet: direction === 'most' ? value <= bound : value >= bound }];
    });
    return { name, measures, verdict: verdictOf(checks) };
  });
}

function verdictOf(checks: readonly Check[]): string {
  if (checks.length === 0) return 'not measured';
  const missed = checks.filter(({ isMet }) => !isMet);
  const told = (missed.length === 0 ? checks : missed).map(({ name, value, bound }) => `${name} ${digits(value)}, objective ${digits(bound)}`);
  return `${missed.length === 0 ? 'met' : 'missed'}: ${told.join('; ')}`;
}

/** Measure, objective, and on which side of it is good. */
const CHECKS: Readonly<Record<ComponentName, readonly (readonly [string, keyof Objectives, 'most' | 'least'])[]>> = {
  'venue calls': [
    ['latencyP99Ms', 'callP99Ms', 'most'],
    ['failureShare', 'failureShare', 'most'],
  ],
  'order path': [['ackP99Ms', 'ackP99Ms', 'most']],
  'connection pool': [
    ['waitP95Ms', 'poolWaitP95Ms', 'most'],
    ['reuseShare', 'reuseShare', 'least'],
  ],
  'market-data cache': [
    ['hitShare', 'hitShare', 'least'],
    ['ageP95Ms', 'readAgeP95Ms', 'most'],
  ],
  'parallel fetch': [['queueShare', 'queueShare', 'most']],
  'event loop and memory': [['loopDelayP99Ms', 'loopDelayMs', 'most']],
};

type Rough = Readonly<Record<string, number | undefined>>;

const MEASURES: Readonly<Record<ComponentName, (measured: Measurements) => Rough>> = {
  'venue calls': ({ calls, seconds, limits }) =>
    calls === undefined || calls.calls === 0
      ? {}
      : {
          calls: calls.calls,
          callsPerSecond: calls.calls / seconds,
          latencyP50Ms: ms(calls.seconds?.quantile(0.5)),
          latencyP95Ms: ms(calls.seconds?.quantile(0.95)),
          latencyP99Ms: ms(calls.seconds?.quantile(0.99)),
          failureShare: calls.failures / calls.calls,
          refusedShare: calls.refused / calls.calls,
          retryShare: calls.retries / calls.calls,
          hedgeShare: calls.hedges / calls.calls,
          limitUsedP95: limits.reduce<number | undefined>(
            (most, { usedP95 }) => (usedP95 === undefined ? most : Math.max(most ?? 0, usedP95)),
            undefined,
          ),
          limitBlocks: limits.length === 0 ? undefined : limits.reduce((sum, { blocks }) => sum + blocks, 0),
        },
  'order path': ({ orders }) =>
    orders === undefined
      ? {}
      : {
          finished: orders.finished,
          unknown: orders.unknown,
          ackP50Ms: ms(orders.ackSeconds?.quantile(0.5)),
          ackP99Ms: ms(orders.ackSeconds?.quantile(0.99)),
          appends: orders.appends,
          recordsPerAppend: orders.appends === 0 ? undefined : orders.records / orders.appends,
          appendP50Ms: ms(orders.appendSeconds?.quantile(0.5)),
          appendP99Ms: ms(orders.appendSeconds?.quantile(0.99)),
        },
  'connection pool': ({ pools }) => {
    const acquired = pools.reduce((sum, pool) => sum + pool.acquired, 0);
    if (pools.length === 0 || acquired === 0) return {};
    return {
      pools: pools.length,
      acquired,
      reuseShare: pools.reduce((sum, pool) => sum + pool.reused, 0) / acquired,
      // Of the pool whose callers wait the longest.
      waitP95Ms: ms(Math.max(...pools.map(({ waitSeconds }) => waitSeconds?.quantile(0.95) ?? 0))),
      waitP99Ms: ms(Math.max(...pools.map(({ waitSeconds }) => waitSeconds?.quantile(0.99) ?? 0))),
      inUseMean: pools.reduce((sum, { inUse }) => sum + (inUse.length === 0 ? 0 : mean(inUse)), 0),
      openMean: pools.reduce((sum, { size }) => sum + (size.length === 0 ? 0 : mean(size)), 0),
      opened: pools.reduce((sum, { opened }) => sum + opened, 0),
    };
  },
  'market-data cache': ({ caches, seconds }) => {
    const reads = caches.reduce((sum, cache) => sum + cache.reads, 0);
    if (reads === 0) return {};
    const ages = caches.flatMap(({ ageSeconds }) => (ageSeconds === undefined ? [] : [ageSeconds]));
    const loads = caches.reduce((sum, cache) => sum + cache.loads, 0);
    return {
      reads,
      readsPerSecond: reads / seconds,
      hitShare: caches.reduce((sum, cache) => sum + cache.hits, 0) / reads,
      waitedShare: caches.reduce((sum, cache) => sum + cache.waited, 0) / reads,
      callsPerSecond: loads / seconds,
      keysPerCall: loads === 0 ? undefined : caches.reduce((sum, cache) => sum + cache.loadedKeys, 0) / loads,
      ageP95Ms: ages.length === 0 ? undefined : ms(ages.reduce((whole, age) => whole.merge(age), ages[0]!.clone()).quantile(0.95)),
    };
  },
  'parallel fetch': ({ fetch, seconds }) => {
    if (fetch === undefined) return {};
    const [wait, run] = [fetch.waitSeconds, fetch.runSeconds];
    return {
      concurrency: fetch.concurrency,
      tasks: fetch.tasks,
      tasksPerSecond: fetch.tasks / seconds,
      failureShare: fetch.failed / fetch.tasks,
      waitMeanMs: wait === undefined ? undefined : ms(wait.sum / wait.count),
      runMeanMs: run === undefined ? undefined : ms(run.sum / run.count),
      runP99Ms: ms(run?.quantile(0.99)),
      queueShare: wait === undefined || run === undefined || run.sum === 0 ? undefined : wait.sum / run.sum,
      utilisation: fetch.running.length === 0 || fetch.concurrency === 0 ? undefined : mean(fetch.running) / fetch.concurrency,
    };
  },
  'event loop and memory': ({ process, seconds }) =>
    process === undefined
      ? {}
      : {
          loopDelayP99Ms: process.loopDelayMax.length === 0 ? undefined : ms(quantile(process.loopDelayMax, 0.99)),
          loopDelayMedianMs: process.loopDelayMax.length === 0 ? undefined : ms(quantile(process.loopDelayMax, 0.5)),
          gcShare: ((process.minorGc?.sum ?? 0) + (process.majorGc?.sum ?? 0)) / seconds,
          gcLongestMs: ms(Math.max(process.minorGc?.max ?? 0, process.majorGc?.max ?? 0)),
          cpuShare: process.cpuSeconds === undefined ? undefined : process.cpuSeconds / seconds,
          heapUsedMaxBytes: process.heapUsed.length === 0 ? undefined : Math.max(...process.heapUsed),
          residentMaxBytes: process.resident.length === 0 ? undefined : Math.max(...process.resident),
        },
};

function ms(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1_000;
}

function clean(rough: Rough): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(rough).filter((entry): entry is [string, number] => Number.isFinite(entry[1])));
}
