import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Heap } from '../../../src/core/heap.js';

describe('Heap', () => {
  it('gives elements back in order, whatever was pushed and popped in between', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(fc.integer())), async (steps) => {
        const heap = new Heap<number>((a, b) => a < b);
        const model: number[] = [];
        for (const step of steps) {
          if (step === null) {
            expect(heap.pop()).toBe(model.sort((a, b) => a - b).shift());
          } else {
            heap.push(step);
            model.push(step);
          }
          expect(heap.size).toBe(model.length);
          expect(heap.peek()).toBe(model.length === 0 ? undefined : Math.min(...model));
        }
      }),
    );
  });
});
