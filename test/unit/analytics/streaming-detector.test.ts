import { describe, expect, it } from 'vitest';
import { RecordFilter } from '../../../src/analytics/streaming/record-filter.js';
import { DEFAULT_ANOMALY_THRESHOLD, StreamingDetector } from '../../../src/analytics/streaming-detector.js';
import { givenNabSeries, givenNoise } from './given.js';

function scoresOf(values: ArrayLike<number>, options = {}): number[] {
  const detector = new StreamingDetector(options);
  return Array.from(values, (value, i) => detector.push(i * 1_000, value).score);
}

describe('StreamingDetector', () => {
  it('finds a spike, a step and a broken rhythm', () => {
    const spiky = givenNoise(1_000).map((value, i) => value + (i === 800 ? 12 : 0));
    expect(scoresOf(spiky)[800]).toBeGreaterThanOrEqual(DEFAULT_ANOMALY_THRESHOLD);
    const stepped = givenNoise(1_000).map((value, i) => value + (i >= 800 ? 15 : 0));
    expect(scoresOf(stepped)[800]).toBeGreaterThanOrEqual(DEFAULT_ANOMALY_THRESHOLD);
    const rhythm = givenNoise(1_500).map((e, i) => (i >= 1_200 && i < 1_230 ? 0 : 10 * Math.sin((2 * Math.PI * i) / 60)) + 0.2 * e);
    expect(Math.max(...scoresOf(rhythm).slice(1_200, 1_230))).toBeGreaterThanOrEqual(DEFAULT_ANOMALY_THRESHOLD);
  });

  it('calls at most one of a thousand calm points anomalous', () => {
    let alarms = 0;
    for (let seed = 1; seed <= 10; seed++) {
      for (const phi of [0, 0.8]) alarms += scoresOf(givenNoise(2_000, { phi, seed })).filter((score) => score >= DEFAULT_ANOMALY_THRESHOLD).length;
    }
    expect(alarms / (20 * 1.9)).toBeLessThanOrEqual(1);
  });

  it('never looks ahead: what comes later does not change a score', () => {
    const values = givenNoise(700, { phi: 0.5 });
    expect(scoresOf(values.subarray(0, 400))).toEqual(scoresOf(values).slice(0, 400));
  });

  it('does not depend on the unit or the zero of the values', () => {
    const values = givenNoise(600);
    const other = scoresOf(values.map((value) => 1_024 * value));
    for (const [i, score] of scoresOf(values).entries()) expect(other[i]).toBeCloseTo(score, 9);
  });

  it('keeps silent during probation', () => {
    const values = givenNoise(300).map((value, i) => value + (i === 150 ? 50 : 0));
    expect(
      scoresOf(values, { probation: 200 })
        .slice(0, 200)
        .every((score) => score === 0),
    ).toBe(true);
    expect(scoresOf(values, { probation: 100 })[150]).toBeGreaterThan(0.9);
  });

  it('notices the first change of a value that never changed', () => {
    const scores = scoresOf(Array.from({ length: 400 }, (_, i) => (i < 300 ? 5 : 6)));
    expect(scores[300]).toBeGreaterThan(0.9);
    expect(scores.slice(0, 300).every((score) => score === 0)).toBe(true);
  });

  it('says what it expected once there is a past to compare with', () => {
    const detector = new StreamingDetector();
    expect(detector.push(0, 1)).not.toHaveProperty('expected');
    for (let i = 1; i < 200; i++) detector.push(i, i % 20);
    expect(detector.push(200, 0).expected).toBeCloseTo(0, 6);
  });

  it('refuses NaN and is then as it was', () => {
    const [disturbed, calm] = [new StreamingDetector(), new StreamingDetector()];
    const values = givenNoise(300);
    values.forEach((value, i) => {
      expect(() => disturbed.push(i, Number.NaN)).toThrow(RangeError);
      expect(() => disturbed.push(i, 1e200)).toThrow(/within ±1e\+150/);
      expect(() => disturbed.push(Number.NaN, value)).toThrow(RangeError);
      expect(disturbed.push(i, value)).toEqual(calm.push(i, value));
    });
  });

  it('takes repeated and backward times in the order of arrival', () => {
    const values = givenNoise(300);
    const detector = new StreamingDetector();
    expect(Array.from(values, (value) => detector.push(0, value).score)).toEqual(scoresOf(values));
  });

  it('refuses options that can not be meant', () => {
    expect(() => new StreamingDetector({ probation: -1 })).toThrow(/probation/);
    expect(() => new StreamingDetector({ seed: Number.NaN })).toThrow(/seed/);
  });

  it('finds the system failures in the request latency of a real machine', () => {
    const { t, v, window } = givenNabSeries('realKnownCause__ec2_request_latency_system_failure');
    const detector = new StreamingDetector();
    const found = v.flatMap((value, i) => (detector.push(t[i]!, value).score >= DEFAULT_ANOMALY_THRESHOLD ? [window[i]!] : []));
    expect(new Set(found.filter((w) => w > 0)).size).toBeGreaterThanOrEqual(2);
    expect(found.filter((w) => w === 0).length).toBeLessThanOrEqual(4);
  });
});

describe('RecordFilter', () => {
  it('lets the highest score of its span through, and no other', () => {
    const filter = new RecordFilter(3);
    expect([1, 2, 2, 1, 1, 1, 1.5, 3].map((score) => filter.push(score))).toEqual([1, 2, 0, 0, 0, 0, 1.5, 3]);
  });
});
