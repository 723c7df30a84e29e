import { describe, expect, it } from 'vitest';
import { QuantileSketch } from '../../../src/core/quantile-sketch.js';

const givenASketchOf = (values: Iterable<number>, relativeError?: number) => {
  const sketch = new QuantileSketch(relativeError);
  for (const value of values) sketch.add(value);
  return sketch;
};
const oneToHundred = Array.from({ length: 100 }, (_, i) => i + 1);

describe('QuantileSketch', () => {
  it('knows count, sum and extremes exactly', () => {
    const sketch = givenASketchOf(oneToHundred);
    expect([sketch.count, sketch.sum, sketch.min, sketch.max]).toEqual([100, 5050, 1, 100]);
    expect([sketch.quantile(0), sketch.quantile(1)]).toEqual([1, 100]);
  });

  it('has no quantile while it is empty', () => {
    expect(new QuantileSketch().quantile(0.5)).toBeUndefined();
  });

  it('gives the value itself where all are the same', () => {
    const sketch = givenASketchOf([0.37, 0.37, 0.37]);
    expect([sketch.quantile(0.01), sketch.quantile(0.5), sketch.quantile(0.99)]).toEqual([0.37, 0.37, 0.37]);
  });

  it('counts negative values and zeros in their order', () => {
    const sketch = givenASketchOf([-100, -1, 0, 0, 0, 1, 100]);
    expect(sketch.quantile(0.2)).toBeCloseTo(-1, 1);
    expect(sketch.quantile(0.5)).toBe(0);
    expect(sketch.quantile(0.85)).toBeCloseTo(1, 1);
  });

  it('counts subnormals as zero', () => {
    expect(givenASketchOf([-1, 5e-324, 5e-324, 5e-324, 1]).quantile(0.5)).toBe(0);
  });

  it('reaches from the smallest to the largest float, keeping the upper quantiles exact to 1 %', () => {
    const sketch = givenASketchOf([2 ** -1022, 1e-200, 1, 1e100, 1e308, Number.MAX_VALUE]);
    expect(sketch.quantile(0.8)! / 1e308).toBeCloseTo(1, 2);
  });

  it('tells what was added since an earlier look', () => {
    const sketch = givenASketchOf([1, 2, 3]);
    const earlier = sketch.clone();
    for (const value of [10, 20, 30]) sketch.add(value);
    const part = sketch.since(earlier);
    expect([part.count, part.sum]).toEqual([3, 60]);
    expect(part.min / 10).toBeCloseTo(1, 1);
    expect(part.max).toBe(30);
    expect(part.quantile(0.5)! / 20).toBeCloseTo(1, 1);
  });

  it('does not change a clone', () => {
    const sketch = givenASketchOf([1]);
    const clone = sketch.clone();
    sketch.add(2);
    expect(clone.count).toBe(1);
  });

  it('merges a finer sketch into a coarser one, and the other way round, at the error of the coarser', () => {
    for (const [into, from] of [
      [0.05, 0.001],
      [0.001, 0.05],
    ] as const) {
      const merged = givenASketchOf(oneToHundred, into).merge(givenASketchOf(oneToHundred, from));
      expect(merged.count).toBe(200);
      expect(merged.relativeError).toBeGreaterThan(0.001);
      expect(Math.abs(merged.quantile(0.5)! - 50)).toBeLessThan(50 * 0.05 + 1);
    }
  });

  it('merges a packed sketch as it merges an unpacked one: finer, coarser, empty, of both signs, and from end to end of the floats', () => {
    const others = [
      givenASketchOf([], 0.01),
      givenASketchOf([1, 2, 3], 0.05),
      givenASketchOf([1, 2, 3], 0.001),
      givenASketchOf([-5, 0, 7], 0.01),
      givenASketchOf([5e-324, 1e-300, 1e300, 0], 0.01),
      givenASketchOf([0.5, 0.5, 90], 0.01),
    ];
    const packed = givenASketchOf([4], 0.01);
    const merged = givenASketchOf([4], 0.01);
    for (const other of others) expect(packed.mergeBytes(other.toBytes()).toBytes()).toEqual(merged.merge(other).toBytes());
  });

  it('refuses a packed sketch that is cut off or counts wrong, or names a bucket that can not be', () => {
    const bytes = givenASketchOf([1, 2, 3], 0.01).toBytes();
    const miscounted = bytes.slice();
    miscounted[26] = 9;
    for (let length = 0; length < bytes.length; length++)
      expect(() => givenASketchOf([4], 0.01).mergeBytes(bytes.subarray(0, length))).toThrow(RangeError);
    expect(() => givenASketchOf([4], 0.01).mergeBytes(miscounted)).toThrow('a sketch must hold as many values as it says, 9, got 3');
    const far = Uint8Array.of(...bytes.subarray(0, 28), 2, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 2, 0);
    expect(() => QuantileSketch.fromBytes(far)).toThrow('a sketch must span at most 64 powers of two');
  });

  it('keeps the error that was asked for, or less', () => {
    for (const asked of [0.0001, 0.001, 0.01, 0.02, 0.1, 0.5]) expect(new QuantileSketch(asked).relativeError).toBeLessThanOrEqual(asked);
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['another format', Uint8Array.of(9, 6)],
    ['one that was cut', givenASketchOf(oneToHundred).toBytes().subarray(0, 40)],
    ['an impossible precision', Uint8Array.of(1, 40)],
  ])('refuses to read %s', (_, bytes) => {
    expect(() => QuantileSketch.fromBytes(bytes)).toThrow(RangeError);
  });

  it('refuses a quantile outside of 0 to 1 and an error that can not be kept', () => {
    expect(() => new QuantileSketch().quantile(99)).toThrow(/q must be between 0 and 1, got 99/);
    expect(() => new QuantileSketch(0)).toThrow(/relativeError must be between 0.0001 and 0.5, got 0/);
  });
});
