import { describe, expect, it } from 'vitest';
import { mannKendall } from '../../../src/analytics/mann-kendall.js';
import { givenNoise } from './given.js';

describe('mannKendall', () => {
  it('does not take autocorrelation for a trend, as the plain test does', () => {
    const rejections = (method: 'ar1' | 'original'): number => {
      let count = 0;
      for (let seed = 1; seed <= 200; seed++) if (mannKendall(givenNoise(300, { phi: 0.8, seed }), { method }).direction !== 'none') count++;
      return count / 200;
    };
    expect(rejections('ar1')).toBeLessThanOrEqual(0.08);
    expect(rejections('original')).toBeGreaterThan(0.3);
  });

  it('sees a trend of three standard deviations through autocorrelated noise', () => {
    let seen = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const values = givenNoise(300, { phi: 0.8, seed }).map((value, i) => value + (5 * i) / 300);
      if (mannKendall(values).direction === 'rising') seen++;
    }
    expect(seen).toBeGreaterThanOrEqual(95);
  });

  it('gives the slope and its interval in units of x', () => {
    const x = [0, 2, 4, 6, 8, 10];
    const { slope, slopeInterval } = mannKendall(
      x.map((at) => 3 * at + 1),
      { x },
    );
    expect(slope).toBeCloseTo(3, 12);
    expect(slopeInterval.map((bound) => Math.round(bound * 1e9) / 1e9)).toEqual([3, 3]);
  });

  it('stays close to the exact slope when it samples pairs', () => {
    const { slope, slopeInterval } = mannKendall(givenNoise(5_000).map((value, i) => value + 0.01 * i));
    expect(slope).toBeCloseTo(0.01, 4);
    expect(slopeInterval[0]).toBeLessThan(slope);
    expect(slopeInterval[1]).toBeGreaterThan(slope);
  });

  it.each([[0], [1], [2], [5]])('says with %i points that nothing can be told, and never NaN', (n) => {
    const found = mannKendall(Array.from({ length: n }, (_, i) => i % 2));
    expect(found.direction).toBe('none');
    expect(Object.values(found).flat().some(Number.isNaN)).toBe(false);
  });

  it('sees no trend in a constant', () => {
    expect(mannKendall(new Float64Array(50).fill(3))).toMatchObject({ direction: 'none', pValue: 1, z: 0, s: 0, slope: 0, slopeInterval: [0, 0] });
  });

  it('refuses NaN and Infinity, naming the index, and options that can not be meant', () => {
    expect(() => mannKendall([1, Number.NaN])).toThrow(/values\[1\]/);
    expect(() => mannKendall([1, 2, Infinity])).toThrow(RangeError);
    expect(() => mannKendall([1, 2], { alpha: 0 })).toThrow(/alpha/);
    expect(() => mannKendall([1, 2], { method: 'yue_wang' as 'ar1' })).toThrow(/method/);
  });
});
