import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QuantileSketch } from '../../../src/core/quantile-sketch.js';
import { type Random, seededRandom } from '../../../src/core/random.js';

const QUANTILES = [0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1];

function normal(random: Random): number {
  // Box and Muller 1958.
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

const DISTRIBUTIONS: Readonly<Record<string, (random: Random) => number>> = {
  lognormal: (random) => Math.exp(-4 + 1.5 * normal(random)),
  pareto: (random) => 0.001 * (1 - random()) ** (-1 / 1.1),
  bimodal: (random) => Math.abs(random() < 0.7 ? 0.01 + 0.001 * normal(random) : 5 + 0.3 * normal(random)),
  constant: () => 0.0421,
  'of both signs': (random) => normal(random) * 1000,
};

function expectWithinOnePercent(sketch: QuantileSketch, values: readonly number[]): void {
  const sorted = Float64Array.from(values).sort();
  for (const q of QUANTILES) {
    const exact = sorted[Math.floor(q * (sorted.length - 1))] as number;
    const estimate = sketch.quantile(q) as number;
    expect(Math.abs(estimate - exact), `q ${q}: ${estimate} for ${exact}`).toBeLessThanOrEqual(Math.abs(exact) * 0.01);
  }
}

describe.each(Object.entries(DISTRIBUTIONS))('quantiles of %s data', (_, draw) => {
  it('are within 1 % of the exact ones', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 3_000 }), (seed, n) => {
        const random = seededRandom(seed);
        const values = Array.from({ length: n }, () => draw(random));
        const sketch = new QuantileSketch();
        for (const value of values) sketch.add(value);
        expectWithinOnePercent(sketch, values);
      }),
      { numRuns: 60 },
    );
  });

  it('are the same when parts are written, read and merged in any cut', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 8 }), (seed, sizes) => {
        const random = seededRandom(seed);
        const all: number[] = [];
        const whole = new QuantileSketch();
        const merged = new QuantileSketch();
        const packed = new QuantileSketch();
        for (const size of sizes) {
          const part = new QuantileSketch();
          for (let i = 0; i < size; i++) {
            const value = draw(random);
            all.push(value);
            whole.add(value);
            part.add(value);
          }
          merged.merge(part);
          packed.mergeBytes(part.toBytes());
        }
        expect(merged.count).toBe(whole.count);
        for (const q of QUANTILES) expect(merged.quantile(q)).toBe(whole.quantile(q));
        expect(packed.toBytes()).toEqual(merged.toBytes());
        if (all.length > 0) expectWithinOnePercent(merged, all);
      }),
      { numRuns: 60 },
    );
  });

  it('of what came since an earlier look are within 1 % too', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 500 }), fc.integer({ min: 1, max: 500 }), (seed, before, after) => {
        const random = seededRandom(seed);
        const sketch = new QuantileSketch();
        for (let i = 0; i < before; i++) sketch.add(draw(random));
        const earlier = sketch.clone();
        const recent = Array.from({ length: after }, () => draw(random));
        for (const value of recent) sketch.add(value);
        expectWithinOnePercent(sketch.since(earlier), recent);
      }),
      { numRuns: 60 },
    );
  });
});
