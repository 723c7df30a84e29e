import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { AlertEngine, type AlertRule } from '../src/alerts/index.js';
import { ManualClock } from '../src/core/manual-clock.js';
import { seededRandom } from '../src/core/random.js';
import { MemoryMetricStore } from '../src/stores/memory/memory-metric-store.js';
import { digits, publish } from './harness.js';

/** What a tick of the alerts costs, by rules, and whether memory grows over many. Not a comparison of contenders but of sizes. */
export default async function bench(): Promise<void> {
  publish('alerts', [await cost(), await growth()]);
}

const T0 = 1_704_067_200_000;
const SERIES = 1_000;
const WARM_UP = 330;
const TICKS = 200;
const TARGET_MS = 50;

/** A thousand series under fifty names, as a session of the full kit has them: half gauges, half counters. */
function givenSeries(count: number) {
  const random = seededRandom(7);
  const series = Array.from({ length: count }, (_, i) => ({ name: `m${i % 50}`, labels: { id: String(i) } }));
  const values = new Float64Array(count);
  return {
    series,
    next: (): Float64Array => {
      for (let i = 0; i < count; i++) values[i] = i % 2 === 0 ? random() * 10 : values[i]! + Math.floor(random() * 8);
      return values;
    },
  };
}

/** One series each, in turn: the latest value, a mean over a minute, a rate; a few fire now and then. */
function givenRules(count: number, series: number): readonly AlertRule[] {
  return Array.from({ length: count }, (_, i) => {
    const id = i % series;
    const selector = `m${id % 50}{id="${id}"}`;
    const expr = id % 2 === 1 ? `rate(${selector}[1m])` : i % 4 === 0 ? selector : `avg_over_time(${selector}[1m])`;
    return {
      id: `r${i}`,
      severity: 'warning',
      summary: 'Benchmark.',
      type: 'threshold',
      expr,
      op: '>',
      fire: id % 2 === 1 ? 4.5 : 9.9,
      clear: 1,
      forMs: 2_000,
    };
  });
}

async function cost(): Promise<string> {
  const lines = [
    '### A tick over 1,000 series, samples taken from the store',
    '',
    '| rules | p50 ms | p99 ms | µs a rule | target |',
    '|---:|---:|---:|---:|---|',
  ];
  for (const rules of [10, 100, 1_000]) {
    const { series, next } = givenSeries(SERIES);
    const store = new MemoryMetricStore({ maxPoints: 600 * SERIES });
    const engine = new AlertEngine({ store, clock: new ManualClock(T0), rules: givenRules(rules, SERIES) });
    const took: number[] = [];
    for (let k = 0; k < WARM_UP + TICKS; k++) {
      const t = T0 + k * 1_000;
      await store.append({ t, series, values: next() });
      const start = performance.now();
      await engine.tick(t);
      if (k >= WARM_UP) took.push(performance.now() - start);
    }
    await engine.close();
    took.sort((a, b) => a - b);
    const [p50 = 0, p99 = 0] = [took[TICKS >> 1], took[Math.floor(TICKS * 0.99)]];
    const target = rules === 1_000 ? `≤ ${TARGET_MS} ms: ${p99 <= TARGET_MS ? 'met' : 'MISSED'}` : '';
    lines.push(`| ${rules} | ${digits(p50)} | ${digits(p99)} | ${digits((p50 * 1_000) / rules)} | ${target} |`);
  }
  return `${lines.join('\n')}\n`;
}

async function growth(): Promise<string> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const { series, next } = givenSeries(10);
  const store = new MemoryMetricStore({ maxPoints: 400 * 10, maxAlertEvents: 100 });
  const engine = new AlertEngine({ store, clock: new ManualClock(T0), rules: givenRules(10, 10) });
  const heap: [number, number][] = [];
  for (let k = 1; k <= 100_000; k++) {
    const t = T0 + k * 1_000;
    await store.append({ t, series, values: next() });
    await engine.tick(t);
    if (k % 20_000 !== 0 && k !== 5_000) continue;
    collect();
    heap.push([k, process.memoryUsage().heapUsed / 1e6]);
  }
  await engine.close();
  const [first, last] = [heap[0]![1], heap.at(-1)![1]];
  const met = last - first < 1;
  return [
    '### Heap after so many ticks of 10 rules',
    '',
    `| ticks | ${heap.map(([k]) => k.toLocaleString('en')).join(' | ')} | target |`,
    `|---|${heap.map(() => '---:|').join('')}---|`,
    `| MB | ${heap.map(([, mb]) => mb.toFixed(1)).join(' | ')} | no growth: ${met ? 'met' : 'MISSED'} (${(last - first).toFixed(2)} MB) |`,
    '',
  ].join('\n');
}
