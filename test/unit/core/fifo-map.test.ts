import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FifoMap } from '../../../src/core/fifo-map.js';

describe('FifoMap', () => {
  it('behaves as a Map whose re-set keys go to the end, whatever is done with it', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('set' as const), key: fc.nat(20) }),
      fc.record({ do: fc.constant('delete' as const), key: fc.nat(20) }),
      fc.record({ do: fc.constant('shift' as const), key: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const map = new FifoMap<number, number>();
        const model = new Map<number, number>();
        steps.forEach(({ do: what, key }, i) => {
          if (what === 'set') {
            map.set(key, i);
            model.delete(key);
            model.set(key, i);
          } else if (what === 'delete') {
            expect(map.delete(key)).toBe(model.delete(key));
          } else {
            const [oldest] = model;
            if (oldest !== undefined) model.delete(oldest[0]);
            expect(map.shift()).toEqual(oldest);
          }
          expect(map.size).toBe(model.size);
          expect(map.get(key)).toBe(model.get(key));
          expect(map.has(key)).toBe(model.has(key));
        });
      }),
    );
  });

  it('keeps its order through many deletions and re-settings', () => {
    const map = new FifoMap<string, number>();
    for (let i = 0; i < 20_000; i++) map.set(`k${i % 7}`, i);
    expect(map.size).toBe(7);
    const order: number[] = [];
    for (let entry = map.shift(); entry !== undefined; entry = map.shift()) order.push(entry[1]);
    expect(order).toEqual([19_993, 19_994, 19_995, 19_996, 19_997, 19_998, 19_999]);
  });

  it('lets go of what was shifted out, in a line that never ends', () => {
    const map = new FifoMap<number, number>();
    for (let i = 0; i < 100_000; i++) {
      map.set(i, i);
      if (map.size > 10) expect(map.shift()?.[0]).toBe(i - 10);
    }
    expect(map.size).toBe(10);
  });
});
