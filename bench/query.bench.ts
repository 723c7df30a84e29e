import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { MetricTick } from '../src/contracts/metric-store.js';
import { QuantileSketch } from '../src/core/quantile-sketch.js';
import { seededRandom } from '../src/core/random.js';
import { queryInstant, queryRange, SampleWindows } from '../src/query/index.js';
import { SqliteMetricStore } from '../src/stores/sqlite/metric-store.js';
import { digits, publish } from './harness.js';

/**
 * The query language: what one tick costs with many expressions over many series, whether that grows,
 * and what a question to a file costs. Sizes rather than contenders: no peer evaluates PromQL in Node.
 */
export default async function bench(): Promise<void> {
  publish('query', [ticks(), growth(), await questions()]);
}

const T0 = 1_704_067_200_000;
const WARM_UP = 120;
const percentile = (sorted: readonly number[], q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;

/** Counters of ten metrics that rise by some, a second a tick. */
function givenCounters(count: number): () => MetricTick {
  const random = seededRandom(7);
  const series = Array.from({ length: count }, (_, i) => ({ name: `m${i % 10}_total`, labels: { id: String(i), operation: `op${i % 20}` } }));
  const values = new Float64Array(count);
  let t = T0;
  return () => {
    for (let i = 0; i < count; i++) values[i]! += Math.floor(random() * 8);
    t += 1_000;
    return { t, series, values };
  };
}

const SHAPES: Readonly<Record<string, (i: number, series: number) => string>> = {
  'one series each: `rate(m{id="…"}[1m]) > …`': (i, series) => `rate(m${i % 10}_total{id="${i % series}"}[1m]) > ${3 + (i % 7) / 10}`,
  'a tenth of the series each, by operation: `sum by (operation) (rate(m[…])) > …`': (i) =>
    `sum by (operation) (rate(m${i % 10}_total[${60 + Math.floor(i / 100)}s])) > ${i}`,
  'an operation against its last hour: `sum(rate(…[1m])) / median_over_time(…[1h:1m]) < …`': (i) => {
    const rate = `sum(rate(m${i % 10}_total{operation="op${i % 20}"}[1m]))`;
    return `${rate} / median_over_time(${rate}[1h:1m]) < ${i}`;
  },
};

function ticks(): string {
  const lines = [
    '### A tick with expressions over 1,000 series (a minute to an hour looked back)',
    '',
    '| expressions | how many | p50 ms | p99 ms | p99 ms of processor time | target |',
    '|---|---:|---:|---:|---:|---|',
  ];
  for (const [shape, write] of Object.entries(SHAPES)) {
    for (const count of [10, 100, 1_000]) {
      const next = givenCounters(1_000);
      const windows = new SampleWindows();
      const prepared = Array.from({ length: count }, (_, i) => windows.prepare(write(i, 1_000)));
      const times: number[] = [];
      // What the process itself used: on a busy machine the wall clock tells of others too.
      const used: number[] = [];
      for (let k = 0; k < WARM_UP + 300; k++) {
        const tick = next();
        const before = process.cpuUsage();
        const start = performance.now();
        windows.append(tick);
        for (const one of prepared) one.evaluate(tick.t);
        if (k < WARM_UP) continue;
        times.push(performance.now() - start);
        const { user, system } = process.cpuUsage(before);
        used.push((user + system) / 1_000);
      }
      for (const list of [times, used]) list.sort((a, b) => a - b);
      const p99 = percentile(used, 0.99);
      const target = count === 1_000 ? (p99 <= 50 ? '≤ 50 ms: met' : '≤ 50 ms: MISSED') : '';
      lines.push(`| ${shape} | ${count} | ${digits(percentile(times, 0.5))} | ${digits(percentile(times, 0.99))} | ${digits(p99)} | ${target} |`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** The heap after each stretch of ticks, collected: what stays must not grow. */
function growth(): string {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = (): number => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return (heapUsed + arrayBuffers) / 2 ** 20;
  };
  const next = givenCounters(100);
  const windows = new SampleWindows();
  const shapes = Object.values(SHAPES);
  const prepared = Array.from({ length: 90 }, (_, i) => windows.prepare(shapes[i % shapes.length]?.(i, 100) ?? 'time()'));
  const lines = ['### 90 expressions over 100 series, heap and arrays after collection', '', '| ticks | MB |', '|---:|---:|'];
  for (let k = 0; k <= 100_000; k++) {
    if (k === 10_000 || k === 50_000 || k === 100_000) lines.push(`| ${k.toLocaleString('en')} | ${used().toFixed(2)} |`);
    const tick = next();
    windows.append(tick);
    for (const one of prepared) one.evaluate(tick.t);
  }
  return `${lines.join('\n')}\n`;
}

/** Questions to a file of an hour of 1,000 series, of which a hundred belong to one metric. */
async function questions(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'venuekit-bench-'));
  try {
    const path = join(directory, 'metrics.db');
    await using writer = await SqliteMetricStore.open({ path, worker: false });
    const next = givenCounters(1_000);
    const random = seededRandom(3);
    let at = 0;
    for (let k = 0; k < 3_600; k++) {
      const tick = next();
      const sketch = new QuantileSketch();
      for (let i = 0; i < 20; i++) sketch.add(random());
      const series = [...tick.series, { name: 'h_seconds', labels: {} }];
      await writer.append({
        t: tick.t,
        series,
        values: Float64Array.of(...tick.values, sketch.sum / 20),
        sketches: new Map([[1_000, sketch.toBytes()]]),
      });
      at = tick.t;
    }
    await writer.settled();
    // As another process reads: what the writer still has in memory is not asked.
    await using store = await SqliteMetricStore.open({ path, readOnly: true, worker: false });
    const lines = ['### One question to an SQLite file with an hour of 1,000 series', '', '| question | p50 ms |', '|---|---:|'];
    const instants = [
      'm1_total{id="11"}',
      'rate(m1_total{id="11"}[1m])',
      'sum by (operation) (rate(m1_total[5m]))',
      'histogram_quantile(0.99, rate(h_seconds[5m]))',
    ];
    for (const query of instants) lines.push(`| \`${query}\`, now | ${digits(await medianOf(() => queryInstant(store, query, { at })))} |`);
    const range = { from: at - 3_000_000, to: at, stepMs: 60_000 };
    lines.push(
      `| \`${instants[1]}\`, 50 minutes in steps of one | ${digits(await medianOf(() => queryRange(store, instants[1] as string, range)))} |`,
    );
    return `${lines.join('\n')}\n`;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function medianOf(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 15; i++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return percentile(
    times.sort((a, b) => a - b),
    0.5,
  );
}
