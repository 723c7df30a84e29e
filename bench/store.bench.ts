import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { MetricStore, RangeQuery } from '../src/contracts/metric-store.js';
import { QuantileSketch } from '../src/core/quantile-sketch.js';
import { seededRandom } from '../src/core/random.js';
import { openSqlite } from '../src/stores/sqlite/driver.js';
import { SqliteMetricStore } from '../src/stores/sqlite/metric-store.js';
import { buildStorePrograms } from '../test/setup/store-programs.js';
import { digits, publish } from './harness.js';

/**
 * The metric store: throughput, size, ticks while slots are compacted, and queries. Not a comparison
 * of contenders but of sizes; a table of plain rows stands for what others do with SQLite.
 */
export default async function bench(): Promise<void> {
  // First, in a small heap: what collecting a large one takes is not the store's doing.
  const ticked = await ticks();
  publish('store', [await growth(), ticked, await queries(), await recent(), await rows()]);
}

const { worker: WORKER } = await buildStorePrograms();
const T0 = 1_704_067_200_000;

/** A quarter each: constants, counters, decimals, and noise that no codec makes small. */
function givenMixedSeries(count: number) {
  const random = seededRandom(42);
  const series = Array.from({ length: count }, (_, i) => ({ name: `m${i % 50}`, labels: { id: String(i) } }));
  const values = new Float64Array(count);
  return {
    series,
    next: () => {
      for (let i = 0; i < count; i++) {
        const kind = i & 3;
        if (kind === 0) values[i] = i;
        else if (kind === 1) values[i]! += Math.floor(random() * 8);
        else if (kind === 2) values[i] = Math.round(random() * 10_000) / 100;
        else values[i] = random();
      }
      return values;
    },
  };
}

async function inDirectory<T>(work: (path: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'venuekit-bench-'));
  try {
    return await work(join(directory, 'metrics.db'));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

// Ticks that a writer in a hurry has under way: the store's thread works while the next are made.
const UNDER_WAY = 16;

async function append(store: MetricStore, count: number, ticks: number): Promise<void> {
  const { series, next } = givenMixedSeries(count);
  const underWay: Promise<void>[] = [];
  for (let k = 0; k < ticks; k++) {
    if (underWay.length === UNDER_WAY) await underWay.shift();
    underWay.push(store.append({ t: T0 + k * 1000, series, values: next() }));
  }
  await Promise.all(underWay);
}

const percentile = (sorted: readonly number[], q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
const verdict = (met: boolean): string => (met ? 'met' : 'MISSED');

async function growth(): Promise<string> {
  const lines = [
    '### Writing as fast as it goes, compaction and roll-ups included',
    '',
    '| series | points | points/s | bytes/point on disk | target |',
    '|---:|---:|---:|---:|---|',
  ];
  for (const [count, ticks] of [
    [100, 21_600],
    [1_000, 10_800],
    [10_000, 1_900],
  ] as const) {
    lines.push(
      await inDirectory(async (path) => {
        const store = await SqliteMetricStore.open({ path, worker: WORKER });
        const start = performance.now();
        await append(store, count, ticks);
        await store.settled();
        const seconds = (performance.now() - start) / 1000;
        // What is free in the file is used for the coming ticks; without it, as retention leaves it:
        await store.retain({ rawMs: 1e12, minuteMs: 1e12, hourMs: 1e12 });
        const { points, bytes } = await store.stats();
        await store[Symbol.asyncDispose]();
        const rate = points / seconds;
        const perPoint = bytes / points;
        return `| ${count} | ${points} | ${Math.round(rate)} | ${digits(perPoint)} | ≥ 500,000/s ${verdict(rate >= 500_000)}, ≤ 7 B ${verdict(perPoint <= 7)} |`;
      }),
    );
  }
  return `${lines.join('\n')}\n\nThe newest ten to twenty minutes lie in the log at 8 bytes a point; the longer the history, the less they weigh. The writer, as a backfill or a replay does, has up to ${UNDER_WAY} ticks under way, which share commits; each is still in the file before it is acknowledged. A bot appends one tick a second and waits for nothing: what one such tick costs is in the next table.\n`;
}

async function ticks(): Promise<string> {
  const lines = [
    '### One tick every 20 ms while slots are compacted',
    '',
    '| series | where | p50 ms | p99 ms | longest ms | event loop held up, longest ms | target |',
    '|---:|---|---:|---:|---:|---:|---|',
  ];
  for (const count of [100, 1_000, 10_000]) {
    for (const [where, worker] of [
      ['worker', WORKER],
      ['calling thread', false],
    ] as const) {
      lines.push(
        await inDirectory(async (path) => {
          await using store = await SqliteMetricStore.open({ path, worker });
          const { series, next } = givenMixedSeries(count);
          let t = T0;
          const tick = (): Promise<void> => {
            t += 1000;
            return store.append({ t, series, values: next() });
          };
          // Three slots lie in the file, and the fourth ends while we look.
          for (let k = 0; k < 2 * 600 - 20; k++) await tick();
          await store.settled();
          const delay = monitorEventLoopDelay({ resolution: 1 });
          const took: number[] = [];
          delay.enable();
          for (let k = 0; k < 150; k++) {
            await new Promise((resolve) => setTimeout(resolve, 20));
            const start = performance.now();
            await tick();
            took.push(performance.now() - start);
          }
          delay.disable();
          await store.settled();
          took.sort((a, b) => a - b);
          const [p99, held] = [percentile(took, 0.99), delay.max / 1e6 - 1];
          const target = count === 1_000 ? `p99 ≤ 10 ms ${verdict(p99 <= 10)}, loop ≤ 20 ms ${verdict(held <= 20)}` : '';
          return `| ${count} | ${where} | ${digits(percentile(took, 0.5))} | ${digits(p99)} | ${digits(took.at(-1) ?? 0)} | ${digits(held)} | ${target} |`;
        }),
      );
    }
  }
  return `${lines.join('\n')}\n`;
}

async function queries(): Promise<string> {
  return inDirectory(async (path) => {
    await using store = await SqliteMetricStore.open({ path, worker: WORKER });
    const hours = 24;
    const random = seededRandom(1);
    const series = [...Array.from({ length: 19 }, (_, i) => ({ name: 'm', labels: { id: String(i) } })), { name: 'wait_seconds', labels: {} }];
    const values = new Float64Array(series.length);
    for (let s = 0; s < hours * 3600; s++) {
      const sketch = new QuantileSketch();
      for (let i = 0; i < 5; i++) sketch.add(Math.exp(random() * 3 - 5));
      for (let i = 0; i < 19; i++) values[i] = s * i + random();
      values[19] = sketch.sum / sketch.count;
      await store.append({ t: T0 + s * 1000, series, values, sketches: new Map([[19, sketch.toBytes()]]) });
    }
    await store.settled();
    const [from, to] = [T0, T0 + hours * 3_600_000];
    const asked: readonly (readonly [string, RangeQuery])[] = [
      ['24 h of one series at one-minute steps, avg', { metric: 'm', match: { id: '3' }, from, to, stepMs: 60_000, agg: 'avg' }],
      ['24 h of one series at one-minute steps, rate', { metric: 'm', match: { id: '3' }, from, to, stepMs: 60_000, agg: 'rate' }],
      ['24 h of a histogram at one-minute steps, p99', { metric: 'wait_seconds', from, to, stepMs: 60_000, agg: 'p99' }],
      ['24 h of a histogram at one-hour steps, p99', { metric: 'wait_seconds', from, to, stepMs: 3_600_000, agg: 'p99' }],
      ['the last 5 minutes of one series, raw', { metric: 'm', match: { id: '3' }, from: to - 300_000, to }],
      ['6 h of one series, raw', { metric: 'm', match: { id: '3' }, from: to - 6 * 3_600_000, to }],
      ['24 h of 19 series at one-minute steps, rate, added', { metric: 'm', from, to, stepMs: 60_000, agg: 'rate', by: [] }],
    ];
    const lines = [
      '### Queries (24 h of 20 series, a tick a second, one with sketches)',
      '',
      '| query | points | median ms | longest ms | target |',
      '|---|---:|---:|---:|---|',
    ];
    for (const [index, [name, query]] of asked.entries()) {
      const took: number[] = [];
      let points = 0;
      for (let i = 0; i < 15; i++) {
        const start = performance.now();
        const results = await store.query(query);
        took.push(performance.now() - start);
        points = results.reduce((sum, { t }) => sum + t.length, 0);
      }
      took.sort((a, b) => a - b);
      const median = percentile(took, 0.5);
      lines.push(
        `| ${name} | ${points} | ${digits(median)} | ${digits(took.at(-1) ?? 0)} | ${index < 2 ? `≤ 10 ms ${verdict(median <= 10)}` : ''} |`,
      );
    }
    return `${lines.join('\n')}\n`;
  });
}

/** What alarms ask each second: of the newest ticks in memory, and of the file through the store's thread. */
async function recent(): Promise<string> {
  return inDirectory(async (path) => {
    const metrics = 20;
    const { next } = givenMixedSeries(1_000);
    const series = Array.from({ length: 1_000 }, (_, i) => ({ name: `m${i % metrics}`, labels: { id: String(i) } }));
    const ticks = 1_300;
    const to = T0 + (ticks - 1) * 1000;
    const one = { match: { id: '40' }, metric: 'm0' };
    const newest = { from: to - 299_999, to, stepMs: 300_000, agg: 'last' } as const;
    const asked: readonly (readonly [string, readonly RangeQuery[]])[] = [
      ['latest value per series of 1,000 series, as 20 metrics', Array.from({ length: metrics }, (_, i) => ({ metric: `m${i}`, ...newest }))],
      ['last 60 s raw of one selector', [{ ...one, from: to - 59_999, to }]],
      ['rate over the last 60 s of one selector', [{ ...one, from: to - 59_999, to, stepMs: 60_000, agg: 'rate' }]],
      ['rate over the last 60 s of 50 series, added', [{ metric: 'm1', from: to - 59_999, to, stepMs: 60_000, agg: 'rate', by: [] }]],
      ['1,000 times the last 60 s raw of one selector', series.map(({ name, labels }) => ({ metric: name, match: labels, from: to - 59_999, to }))],
    ];
    const lines = [
      '### Small, recent questions, as alarms ask them each second (1,000 series of 20 metrics)',
      '',
      '| question | answered from | queries | points | median ms | longest ms |',
      '|---|---|---:|---:|---:|---:|',
    ];
    await using store = await SqliteMetricStore.open({ path, worker: WORKER });
    for (let k = 0; k < ticks; k++) await store.append({ t: T0 + k * 1000, series, values: next() });
    await store.settled();
    await using file = await SqliteMetricStore.open({ path, worker: WORKER, readOnly: true });
    for (const [name, queries] of asked) {
      for (const [where, from, rounds] of [
        ['the newest ticks in memory', store, 30],
        ['the file, by another process', file, 7],
      ] as const) {
        const took: number[] = [];
        let points = 0;
        for (let round = 0; round < rounds; round++) {
          const start = performance.now();
          const answers = await Promise.all(queries.map((query) => from.query(query)));
          took.push(performance.now() - start);
          points = answers.flat().reduce((sum, { t }) => sum + t.length, 0);
        }
        took.sort((a, b) => a - b);
        lines.push(`| ${name} | ${where} | ${queries.length} | ${points} | ${digits(percentile(took, 0.5))} | ${digits(took.at(-1) ?? 0)} |`);
      }
    }
    return `${lines.join('\n')}\n`;
  });
}

/** The same points as rows with a primary key, in transactions of one tick: what most do. */
async function rows(): Promise<string> {
  return inDirectory(async (path) => {
    const schema = {
      name: 'plain rows',
      applicationId: 'rows',
      migrations: [
        'CREATE TABLE point (series INTEGER NOT NULL, t INTEGER NOT NULL, v REAL NOT NULL, PRIMARY KEY (series, t)) STRICT, WITHOUT ROWID',
      ],
    };
    using database = await openSqlite({ path, schema, synchronous: 'normal' });
    const insert = database.prepare('INSERT INTO point VALUES (?, ?, ?)');
    const { series, next } = givenMixedSeries(1_000);
    const count = 600;
    const start = performance.now();
    for (let k = 0; k < count; k++) {
      const values = next();
      database.write(() => {
        for (let i = 0; i < series.length; i++) insert.run(i, T0 + k * 1000, values[i]!);
      });
    }
    const points = count * series.length;
    const rate = points / ((performance.now() - start) / 1000);
    const bytes = Number(database.pragma('page_count')) * Number(database.pragma('page_size'));
    return `### For comparison: one row a point\n\n| series | points | points/s | bytes/point |\n|---:|---:|---:|---:|\n| 1000 | ${points} | ${Math.round(rate)} | ${digits(bytes / points)} |\n`;
  });
}
