import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecentWaits } from '../../../src/pool/recent-waits.js';

describe('RecentWaits', () => {
  it('knows of no wait before the first', () => {
    expect(new RecentWaits().p99(0)).toBe(0);
    expect(new RecentWaits().p99(500)).toBe(0);
  });

  it('forgets waits that lie more than 1,024 acquires back', () => {
    const waits = new RecentWaits();
    waits.record(1, 50);
    expect(waits.p99(1)).toBe(50);
    expect(waits.p99(1_025)).toBe(0);
  });

  it('gives what sorting the last 1,024 waits gives', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0.001, max: 1e6, noNaN: true })), { minLength: 1, maxLength: 3_000, size: 'max' }),
        (all) => {
          const waits = new RecentWaits();
          all.forEach((waited, index) => {
            if (waited > 0) waits.record(index + 1, waited);
          });
          const last = all.slice(-1_024).sort((a, b) => a - b);
          expect(waits.p99(all.length)).toBe(last[Math.ceil(last.length * 0.99) - 1]);
        },
      ),
    );
  });
});
