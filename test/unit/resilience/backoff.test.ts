import { describe, expect, it } from 'vitest';
import { fullJitter } from '../../../src/resilience/index.js';

const always = (share: number) => () => share;

describe('fullJitter', () => {
  it('doubles its bound with each failure, up to the cap', () => {
    const backoff = fullJitter({ baseMs: 100, capMs: 1_000, random: always(0.5) });
    expect([1, 2, 3, 4, 5, 50, 5_000].map((failures) => backoff(failures))).toEqual([50, 100, 200, 400, 500, 500, 500]);
  });

  it('may retry at once', () => {
    expect(fullJitter({ random: always(0) })(3)).toBe(0);
  });

  it('waits Retry-After out whole, and a little more, lest all come at the same moment', () => {
    const backoff = (share: number) => fullJitter({ baseMs: 100, capMs: 1_000, random: always(share) });
    expect(backoff(0)(1, 3_000)).toBe(3_000);
    expect(backoff(0.5)(1, 3_000)).toBe(3_050);
    expect(backoff(0.9)(5, 10)).toBe(900);
  });

  it('refuses a cap below its base', () => {
    expect(() => fullJitter({ baseMs: 100, capMs: 50 })).toThrow(/capMs must be at least baseMs \(100\), got 50/);
    expect(() => fullJitter({ baseMs: 0 })).toThrow(/baseMs.*above 0/);
  });
});
