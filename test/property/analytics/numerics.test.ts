import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { autocorrelation } from '../../../src/analytics/fft.js';
import { forecast } from '../../../src/analytics/forecasting/forecast.js';
import { IsolationForest } from '../../../src/analytics/isolation-forest.js';
import { mannKendall } from '../../../src/analytics/mann-kendall.js';
import { normalCdf, normalQuantile } from '../../../src/analytics/normal.js';
import { rank } from '../../../src/analytics/ranks.js';
import { resample } from '../../../src/analytics/resample.js';
import { select, selectMedian } from '../../../src/analytics/select.js';
import { RecordFilter } from '../../../src/analytics/streaming/record-filter.js';
import { StreamingDetector } from '../../../src/analytics/streaming-detector.js';
import { summarize } from '../../../src/analytics/summary.js';

const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
// Small whole numbers, so that ties are common.
const tied = fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 80 });
const values = fc.array(value, { minLength: 1, maxLength: 80 });

describe('numerics of analytics', () => {
  it('select finds what sorting finds', () => {
    fc.assert(
      fc.property(fc.oneof(values, tied), fc.nat(), (list, seed) => {
        const sorted = Float64Array.from(list).sort();
        const k = seed % list.length;
        expect(select(Float64Array.from(list), k)).toBe(sorted[k]);
        const half = list.length >> 1;
        expect(selectMedian(Float64Array.from(list))).toBe(list.length % 2 === 1 ? sorted[half] : (sorted[half - 1]! + sorted[half]!) / 2);
      }),
    );
  });

  it('S counts the pairs that rise less those that fall', () => {
    fc.assert(
      fc.property(fc.oneof(values, tied), (list) => {
        let s = 0;
        for (let i = 0; i < list.length; i++) for (let j = i + 1; j < list.length; j++) s += Math.sign(list[j]! - list[i]!);
        expect(mannKendall(list).s).toBe(s + 0);
      }),
    );
  });

  it('a mirrored series has the mirrored trend', () => {
    fc.assert(
      fc.property(tied, (list) => {
        const [trend, mirrored] = [mannKendall(list), mannKendall(list.map((x) => -x))];
        expect(mirrored.s + trend.s).toBe(0);
        expect(mirrored.pValue).toBeCloseTo(trend.pValue, 12);
        expect(mirrored.slope + trend.slope).toBeCloseTo(0, 12);
      }),
    );
  });

  it('ranks sum up to n (n + 1) / 2, ties or not', () => {
    fc.assert(
      fc.property(fc.oneof(values, tied), (list) => {
        expect(rank(list).ranks.reduce((sum, r) => sum + r, 0)).toBe((list.length * (list.length + 1)) / 2);
      }),
    );
  });

  it('the transform gives the correlations that sums give', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 2, maxLength: 60 }), (list) => {
        const mean = list.reduce((sum, x) => sum + x, 0) / list.length;
        const centred = list.map((x) => x - mean);
        const variance = centred.reduce((sum, x) => sum + x * x, 0);
        const found = autocorrelation(list);
        for (let lag = 1; lag < list.length; lag++) {
          let sum = 0;
          for (let i = lag; i < list.length; i++) sum += centred[i]! * centred[i - lag]!;
          expect(found[lag]).toBeCloseTo(variance < 1e-9 ? 0 : sum / variance, 6);
        }
      }),
    );
  });

  it('the normal quantile undoes the normal distribution', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-10, max: 1 - 1e-10, noNaN: true }), (p) => {
        const back = normalCdf(normalQuantile(p));
        expect(Math.abs(back - p)).toBeLessThanOrEqual(1e-12 + 1e-10 * Math.min(p, 1 - p));
      }),
    );
  });

  it('a summary lies within its range', () => {
    fc.assert(
      fc.property(values, (list) => {
        const { min, p5, median, mean, p95, p99, max, sd } = summarize(list);
        for (const [a, b] of [
          [min, p5],
          [p5, median],
          [median, p95],
          [p95, p99],
          [p99, max],
        ] as const)
          expect(a).toBeLessThanOrEqual(b);
        expect(mean).toBeGreaterThanOrEqual(min - 1e-6);
        expect(mean).toBeLessThanOrEqual(max + 1e-6);
        expect(sd).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('the record filter lets exactly the records of its span through', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(6), { maxLength: 60 }), fc.integer({ min: 1, max: 8 }), (scores, span) => {
        const filter = new RecordFilter(span);
        scores.forEach((score, i) => {
          const isRecord = scores.slice(Math.max(0, i - span), i).every((earlier) => earlier < score);
          expect(filter.push(score)).toBe(isRecord ? score : 0);
        });
      }),
    );
  });

  it('a resampled series ends at its last point, and stays within its range', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), value), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 60 }),
        (steps, stepMs) => {
          let now = 0;
          const t = Float64Array.from(steps, ([step]) => (now += step));
          const v = Float64Array.from(steps, ([, x]) => x);
          const { start, v: even } = resample(t, v, stepMs);
          expect(start + (even.length - 1) * stepMs).toBe(now);
          for (const x of even) {
            expect(x).toBeGreaterThanOrEqual(Math.min(...v) - 1e-6);
            expect(x).toBeLessThanOrEqual(Math.max(...v) + 1e-6);
          }
        },
      ),
    );
  });

  it('a forecast is finite, with bands around it, whatever the history', () => {
    fc.assert(
      fc.property(fc.oneof(values, tied), fc.integer({ min: 1, max: 30 }), (list, horizon) => {
        const { mean, intervals } = forecast(list, { horizon });
        expect(mean).toHaveLength(horizon);
        for (const { low, high } of intervals) {
          for (let h = 0; h < horizon; h++) {
            expect(Number.isFinite(mean[h])).toBe(true);
            expect(low[h]).toBeLessThanOrEqual(mean[h]!);
            expect(high[h]).toBeGreaterThanOrEqual(mean[h]!);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('scores of a forest lie in (0, 1), and survive JSON', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 40 }), (rows) => {
        const forest = new IsolationForest({ trees: 10 }).fit(rows);
        const scores = forest.score(rows);
        expect(scores.every((score) => score > 0 && score < 1)).toBe(true);
        expect(IsolationForest.fromJSON(JSON.parse(JSON.stringify(forest))).score(rows)).toEqual(scores);
      }),
    );
  });

  it('a streaming score lies in [0, 1], whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(value, fc.constant(0), fc.constant(1e9)), { maxLength: 300 }), (stream) => {
        const detector = new StreamingDetector({ probation: 0 });
        for (const x of stream) {
          const { score } = detector.push(0, x);
          expect(score >= 0 && score <= 1).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });
});
