import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QuantileSketch } from '../../../src/core/quantile-sketch.js';
import { SketchSeries } from '../../../src/query/evaluation/sketch-series.js';

function sketchOf(values: readonly number[]): QuantileSketch {
  const sketch = new QuantileSketch();
  for (const value of values) sketch.add(value);
  return sketch;
}

describe('the sketches of a series', () => {
  it('merged over any time are the sketch of all that was observed in it, whatever was dropped and put before', async () => {
    const step = fc.record({ gap: fc.integer({ min: 1, max: 3 }), value: fc.integer({ min: 1, max: 1_000 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 400 }),
        fc.nat({ max: 100 }),
        fc.array(fc.tuple(fc.nat({ max: 1_200 }), fc.nat({ max: 400 })), { minLength: 1, maxLength: 10 }),
        async (steps, before, asked) => {
          let t = 0;
          const all = steps.map(({ gap, value }) => ({ t: (t += gap), value }));
          const series = new SketchSeries();
          const [early, late] = [all.slice(0, before), all.slice(before)];
          for (const one of late.slice(0, 100)) series.push(one.t, sketchOf([one.value]));
          series.prepend(
            early.map((one) => one.t),
            early.map(({ value }) => sketchOf([value])),
          );
          for (const one of late.slice(100)) series.push(one.t, sketchOf([one.value]));
          let dropped = 0;
          for (const [from, length] of [...asked].sort(([a], [b]) => a - b)) {
            dropped = Math.max(dropped, from - 5);
            series.dropBefore(dropped);
            const expected = all.filter((one) => one.t > from && one.t <= from + length).map(({ value }) => value);
            const found = series.between(from, from + length);
            expect(found?.count ?? 0).toBe(expected.length);
            for (const q of [0, 0.5, 0.99, 1]) expect(found?.quantile(q)).toBe(sketchOf(expected).quantile(q));
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
