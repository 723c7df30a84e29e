import { describe, expect, it } from 'vitest';
import { AdaptiveConcurrency } from '../../../src/resilience/index.js';

/** So many calls of this latency, with the limit in full use. */
const load = (adaptive: AdaptiveConcurrency, calls: number, ms: number, sign: 'ok' | 'lost' = 'ok') => {
  for (let i = 0; i < calls; i++) adaptive.observe(sign, ms, adaptive.limit);
};

describe('AdaptiveConcurrency', () => {
  it('grows by one a round while all is well', () => {
    const adaptive = new AdaptiveConcurrency({ initial: 20 });
    load(adaptive, 20, 10);
    expect(adaptive.limit).toBe(21);
    load(adaptive, 21, 10);
    expect(adaptive.limit).toBe(22);
  });

  it('does not grow while it is not in use', () => {
    const adaptive = new AdaptiveConcurrency({ initial: 20 });
    for (let i = 0; i < 200; i++) adaptive.observe('ok', 10, 3);
    expect(adaptive.limit).toBe(20);
  });

  it('shrinks by a tenth in a round with losses, however many', () => {
    const adaptive = new AdaptiveConcurrency({ initial: 20 });
    load(adaptive, 19, 10);
    load(adaptive, 1, 0, 'lost');
    expect(adaptive.limit).toBe(18);
  });

  it('shrinks when latency grows beyond what is usual, at most by half a round', () => {
    const adaptive = new AdaptiveConcurrency({ initial: 20 });
    load(adaptive, 20, 10);
    load(adaptive, 21, 30);
    expect(adaptive.limit).toBe(10);
  });

  it('takes a latency that stays for the usual one', () => {
    const adaptive = new AdaptiveConcurrency({ initial: 20 });
    load(adaptive, 20, 10);
    load(adaptive, 20_000, 30);
    expect(adaptive.usualMs).toBe(30);
    expect(adaptive.limit).toBeGreaterThan(20);
  });

  it('stays within its bounds', () => {
    const adaptive = new AdaptiveConcurrency({ min: 5, max: 30, initial: 20 });
    load(adaptive, 5_000, 10);
    expect(adaptive.limit).toBe(30);
    load(adaptive, 5_000, 10, 'lost');
    expect(adaptive.limit).toBe(5);
  });

  it('finds what a venue bears and does not creep beyond it, however long it runs', () => {
    // A venue that serves 40 calls at once in 20 ms, and queues the rest.
    const adaptive = new AdaptiveConcurrency({ initial: 5 });
    const limits: number[] = [];
    for (let round = 0; round < 2_000; round++) {
      const { limit } = adaptive;
      load(adaptive, Math.max(10, limit), 20 * Math.max(1, limit / 40));
      if (round > 500) limits.push(adaptive.limit);
    }
    const mean = limits.reduce((sum, limit) => sum + limit, 0) / limits.length;
    // Up to half more than its capacity is tolerated: latency half above the usual.
    expect(mean).toBeGreaterThan(40);
    expect(mean).toBeLessThan(62);
    expect(Math.max(...limits)).toBeLessThanOrEqual(62);
  });

  it('refuses bounds that exclude each other', () => {
    expect(() => new AdaptiveConcurrency({ min: 10, max: 5 })).toThrow(/max.*10 or more.*5/);
    expect(() => new AdaptiveConcurrency({ initial: 500 })).toThrow(/initial.*between 1 and 200.*500/);
  });
});
