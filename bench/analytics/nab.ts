import { readFileSync } from 'node:fs';
import { DEFAULT_ANOMALY_THRESHOLD, StreamingDetector } from '../../src/analytics/index.js';
import { seededRandom } from '../../src/core/random.js';
import { readLines, sharedPath, table, targets } from './shared-data.js';

/** A series of the Numenta Anomaly Benchmark: what a detection at each row is worth. */
interface LabelledSeries {
  readonly t: Float64Array;
  readonly v: Float64Array;
  readonly probation: number;
  readonly worth: Float64Array;
  /** Number of the window that a row lies in, −1 outside. */
  readonly window: Int32Array;
  readonly scores: Float64Array;
}

interface ManifestEntry {
  readonly probation: number;
  readonly windows: readonly (readonly [number, number])[];
}

const FALSE_POSITIVE = 0.11;
const sigmoid = (r: number): number => (r > 3 ? -1 : 2 / (1 + Math.exp(5 * r)) - 1);

// Lavin and Ahmad, "Evaluating Real-Time Anomaly Detection Algorithms", 2015: early in a window counts most.
function worthOf(n: number, windows: ManifestEntry['windows']): { readonly worth: Float64Array; readonly window: Int32Array } {
  const worth = new Float64Array(n).fill(-1);
  const window = new Int32Array(n).fill(-1);
  windows.forEach(([left, right], k) => {
    const width = right - left + 1;
    for (let i = left; i <= right; i++) {
      worth[i] = sigmoid(-(right - i + 1) / width) / sigmoid(-1);
      window[i] = k;
    }
    const next = windows[k + 1]?.[0] ?? n;
    for (let i = right + 1; i < next; i++) worth[i] = sigmoid((i - right) / (width - 1));
  });
  return { worth, window };
}

/** Standard score of the detections at `threshold`, 100 for perfect ones, 0 for none. */
function scoreAt(series: readonly LabelledSeries[], threshold: number): number {
  let total = 0;
  let windows = 0;
  for (const { probation, worth, window, scores } of series) {
    const best = new Map<number, number>();
    for (let i = probation; i < scores.length; i++) {
      const w = window[i]!;
      if (w >= 0 && !best.has(w)) best.set(w, -1);
      if (scores[i]! < threshold) continue;
      if (w < 0) total += FALSE_POSITIVE * worth[i]!;
      else best.set(w, Math.max(best.get(w)!, worth[i]!));
    }
    windows += best.size;
    for (const value of best.values()) total += value;
  }
  return (100 * (total + windows)) / (2 * windows);
}

/** The threshold that suits `series` best, of all that make a difference. */
function bestThreshold(series: readonly LabelledSeries[]): { readonly threshold: number; readonly score: number } {
  const candidates = new Set(series.flatMap(({ scores, probation }) => Array.from(scores.subarray(probation)).filter((score) => score > 0.2)));
  let best = { threshold: Infinity, score: 0 };
  for (const threshold of candidates) {
    const score = scoreAt(series, threshold);
    if (score > best.score) best = { threshold, score };
  }
  return best;
}

/** The Numenta Anomaly Benchmark, standard profile, on the 29 series beside the project. */
export function nab(): string {
  const manifest = sharedPath('nab/manifest.json');
  if (manifest === undefined) return '### Streaming anomalies on NAB\n\nLeft out: its data is not beside the project.\n';
  const entries = Object.entries(JSON.parse(readFileSync(manifest, 'utf8')) as Record<string, ManifestEntry>).sort(([a], [b]) => (a < b ? -1 : 1));
  let points = 0;
  let nanoseconds = 0;
  const series = entries.map(([file, { probation, windows }]): LabelledSeries => {
    const rows = readLines(sharedPath(`nab/${file}`)!)
      .slice(1)
      .map((line) => line.split(',').map(Number));
    const t = Float64Array.from(rows, (row) => row[0]! * 1_000);
    const v = Float64Array.from(rows, (row) => row[1]!);
    const detector = new StreamingDetector();
    const start = process.hrtime.bigint();
    const scores = v.map((value, i) => detector.push(t[i]!, value).score);
    nanoseconds += Number(process.hrtime.bigint() - start);
    points += v.length;
    return { t, v, probation, ...worthOf(v.length, windows), scores };
  });
  const best = bestThreshold(series);
  const fixed = scoreAt(series, DEFAULT_ANOMALY_THRESHOLD);
  const crossed = crossValidate(series);
  const microseconds = nanoseconds / points / 1_000;
  return [
    '### Streaming anomalies on NAB (29 series, standard profile)',
    '',
    'One point at a time, default options for every series. The protocol takes the one threshold that suits all series best; beside it what the same scores give with a threshold from other data: the default (calibrated on synthetic calm noise), and the best one of the other half of the series (mean of 20 random halvings, both ways). The few constants of the detector were chosen on these halvings too, so that its own choice is not free of these files; the default threshold is.',
    '',
    table(
      ['threshold', 'score'],
      [
        ['best on these series', best.score.toFixed(1)],
        [`default (${DEFAULT_ANOMALY_THRESHOLD})`, fixed.toFixed(1)],
        ['from the other half', crossed.toFixed(1)],
        ['reference: conformal kNN, best', '58.3'],
        ['reference: windowed Gaussian, best', '47.4'],
      ],
    ),
    '',
    targets([
      { target: 'NAB standard ≥ 56', reached: best.score.toFixed(1), met: best.score >= 56 },
      {
        target: '≥ 62 with a threshold not chosen on the same files',
        reached: `${crossed.toFixed(1)} (halves), ${fixed.toFixed(1)} (default)`,
        met: Math.min(crossed, fixed) >= 62,
      },
      { target: '≤ 50 µs a point', reached: `${microseconds.toFixed(1)} µs`, met: microseconds <= 50 },
    ]),
    '',
  ].join('\n');
}

function crossValidate(series: readonly LabelledSeries[]): number {
  const random = seededRandom(1);
  const halvings = 20;
  let sum = 0;
  for (let k = 0; k < halvings; k++) {
    const shuffled = series
      .map((one) => ({ one, key: random() }))
      .sort((a, b) => a.key - b.key)
      .map(({ one }) => one);
    const halves = [shuffled.slice(0, series.length >> 1), shuffled.slice(series.length >> 1)] as const;
    sum += scoreAt(halves[1], bestThreshold(halves[0]).threshold) + scoreAt(halves[0], bestThreshold(halves[1]).threshold);
  }
  return sum / (2 * halvings);
}
