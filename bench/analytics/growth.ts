import { AnalyticsEngine, changePoints, forecast, IsolationForest, mannKendall, StreamingDetector, summarize } from '../../src/analytics/index.js';
import { seededRandom } from '../../src/core/random.js';
import { table, targets } from './shared-data.js';
import { ar1 } from './trends.js';

const SIZES = [100, 1_000, 10_000, 100_000];

/** How time and memory grow with the number of points. */
export function growth(): string {
  const engine = new AnalyticsEngine();
  const methods: Readonly<Record<string, (v: Float64Array) => unknown>> = {
    summarize: (v) => summarize(v),
    'mannKendall (ar1)': (v) => mannKendall(v),
    'mannKendall (hamed_rao)': (v) => mannKendall(v, { method: 'hamed_rao' }),
    changePoints: (v) => changePoints(v),
    'engine.trend': (v) => engine.trend({ t: v.map((_, i) => i * 1_000), v }),
    'forecast, 60 ahead': (v) => forecast(v, { horizon: 60 }),
    StreamingDetector: (v) => {
      const detector = new StreamingDetector();
      let sum = 0;
      for (let i = 0; i < v.length; i++) sum += detector.push(i, v[i]!).score;
      return sum;
    },
    'IsolationForest, 1 column': (v) => new IsolationForest().fit({ data: v, columns: 1 }).score({ data: v, columns: 1 }),
  };
  const series = SIZES.map((n) => ar1(seededRandom(n), n, 0.5));
  let trendMs = Infinity;
  const rows = Object.entries(methods).map(([name, run]) => [
    name,
    ...series.map((v) => {
      run(v.subarray(0, 100).slice());
      const before = process.memoryUsage();
      const start = process.hrtime.bigint();
      run(v);
      const ms = Number(process.hrtime.bigint() - start) / 1e6;
      const after = process.memoryUsage();
      const megabytes = Math.max(0, after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers) / 1e6;
      if (name === 'engine.trend' && v.length === 100_000) trendMs = ms;
      return `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms, ${megabytes.toFixed(0)} MB`;
    }),
  ]);
  return [
    '### Time and memory',
    '',
    'One run after a warm-up; memory is what the heap and array buffers grew by, garbage included.',
    '',
    table(['', ...SIZES.map((n) => `n = ${n.toLocaleString('en')}`)], rows),
    '',
    targets([{ target: 'trend of 100,000 points ≤ 1 s', reached: `${trendMs.toFixed(0)} ms`, met: trendMs <= 1_000 }]),
    '',
  ].join('\n');
}
