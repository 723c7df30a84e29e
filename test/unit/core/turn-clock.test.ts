import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/core/clock.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { TurnClock } from '../../../src/core/turn-clock.js';

/** A clock that goes on by a millisecond whenever it is read. */
function givenACountedClock() {
  let reads = 0;
  const clock: Clock = Object.assign(new ManualClock(), { monotonic: () => ++reads });
  return { turns: new TurnClock(clock), reads: () => reads };
}

describe('TurnClock', () => {
  it('reads the time once for all that happens in one go, and anew in the next', async () => {
    const { turns, reads } = givenACountedClock();
    expect([turns.monotonic(), turns.monotonic(), turns.monotonic()]).toEqual([1, 1, 1]);
    expect(reads()).toBe(1);
    await Promise.resolve();
    expect(turns.monotonic()).toBe(2);
  });

  it('is never later than the exact time, and never goes back, however turns follow each other', async () => {
    const { turns, reads } = givenACountedClock();
    let last = 0;
    for (let i = 0; i < 100; i++) {
      const now = turns.monotonic();
      expect(now).toBeGreaterThanOrEqual(last);
      expect(now).toBeLessThanOrEqual(reads());
      last = now;
      if (i % 3 === 0) await Promise.resolve();
    }
    expect(reads()).toBeGreaterThan(30);
  });

  it('reads the time exactly where it is asked to, and keeps that for the rest of the turn', async () => {
    const { turns } = givenACountedClock();
    expect([turns.monotonic(), turns.exact(), turns.exact(), turns.monotonic()]).toEqual([1, 2, 3, 3]);
    await Promise.resolve();
    expect(turns.monotonic()).toBe(4);
  });
});
