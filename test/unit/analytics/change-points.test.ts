import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changePoints } from '../../../src/analytics/change-points.js';
import { seededRandom } from '../../../src/core/random.js';
import { givenNoise } from './given.js';

function givenSteps(n: number, at: readonly number[], size: number, options: { phi?: number; seed?: number }): Float64Array {
  return givenNoise(n, options).map((value, i) => value + size * (at.filter((index) => i >= index).length % 2));
}

describe('changePoints', () => {
  it('finds steps of three standard deviations within three points', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const found = changePoints(givenSteps(400, [100, 250], 3, { seed }));
      expect(found).toHaveLength(2);
      expect(Math.abs(found[0]! - 100)).toBeLessThanOrEqual(3);
      expect(Math.abs(found[1]! - 250)).toBeLessThanOrEqual(3);
    }
  });

  it('finds hardly any in noise that wanders', () => {
    let wrong = 0;
    for (let seed = 1; seed <= 200; seed++) if (changePoints(givenNoise(300, { phi: 0.8, seed })).length > 0) wrong++;
    expect(wrong / 200).toBeLessThanOrEqual(0.05);
  });

  it('finds a step of three standard deviations in noise that wanders', () => {
    let hits = 0;
    for (let seed = 1; seed <= 50; seed++)
      if (changePoints(givenSteps(400, [200], 5, { phi: 0.8, seed })).some((at) => Math.abs(at - 200) <= 3)) hits++;
    expect(hits).toBeGreaterThanOrEqual(45);
  });

  it('places a change to the point in a series that is too long to search point by point', () => {
    const found = changePoints(givenSteps(30_000, [12_345], 4, { seed: 3 }));
    expect(found).toHaveLength(1);
    expect(Math.abs(found[0]! - 12_345)).toBeLessThanOrEqual(3);
  });

  it.each([[0], [1], [2], [5]])('finds nothing in %i points', (n) => {
    expect(changePoints(givenNoise(n))).toEqual([]);
  });

  it('finds nothing in a constant', () => {
    expect(changePoints(new Float64Array(100).fill(7))).toEqual([]);
  });

  it('refuses NaN, naming the index, and options that can not be meant', () => {
    expect(() => changePoints([1, 2, Number.NaN])).toThrow(/values\[2\]/);
    expect(() => changePoints([1], { penalty: 0 })).toThrow(/penalty/);
    expect(() => changePoints([1], { minSize: 0 })).toThrow(/minSize/);
  });
});

describe('found by black-box review: change points', () => {
  const steps = (n: number, ...levels: number[]) => Array.from({ length: n }, (_, i) => levels[Math.floor((i * levels.length) / n)] as number);

  it('of levels without any noise are the steps between them, and no rounding error', () => {
    expect(changePoints(steps(400, 0, 1))).toEqual([200]);
    expect(changePoints(steps(400, 7, 9))).toEqual([200]);
    expect(changePoints(steps(400, 0.1, 0.3))).toEqual([200]);
    expect(changePoints(steps(300, 0, 5, 2))).toEqual([100, 200]);
    expect(changePoints(steps(4_500, 0.1, 0.3, 0.2))).toEqual([1_500, 3_000]);
  });

  it('ascend, minSize apart or more, however long the noise remembers', () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: 0, max: 0.97, noNaN: true }), fc.integer({ min: 1, max: 6 }), (seed, phi, minSize) => {
        const random = seededRandom(seed);
        let noise = 0;
        const values = Array.from({ length: 240 }, (_, i) => {
          noise = phi * noise + random() - 0.5;
          return noise + (Math.floor(i / 12) % 2) * 4;
        });
        const found = [0, ...changePoints(values, { minSize }), values.length];
        for (let i = 1; i < found.length; i++) expect((found[i] as number) - (found[i - 1] as number)).toBeGreaterThanOrEqual(minSize);
      }),
      { numRuns: 200 },
    );
  });
});
