import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { VenueClock } from '../../../src/trading/venue-clock.js';

describe('VenueClock', () => {
  it('follows the fastest exchange and knows how far off it may be', async () => {
    const clock = new ManualClock(1_000_000);
    const venue = new VenueClock(clock);
    expect(venue.isSynchronized).toBe(false);
    venue.measured(5_000_000, 0, 100);
    expect(venue.uncertaintyMs).toBeCloseTo(51, 0);
    venue.measured(5_000_010, 0, 20);
    expect(venue.uncertaintyMs).toBeCloseTo(11, 0);
    venue.measured(5_000_050, 0, 100); // slower, and no contradiction
    expect(venue.now()).toBe(5_000_000);
  });

  it('is not moved by a step of the wall clock', async () => {
    const clock = new ManualClock(1_000_000);
    const venue = new VenueClock(clock);
    venue.measured(5_000_000, 0, 0);
    clock.stepWall(3_600_000);
    await clock.advance(500);
    expect(venue.now()).toBe(5_000_500);
  });

  it('gives a lower bound that only the venue raises', async () => {
    const clock = new ManualClock();
    const venue = new VenueClock(clock);
    venue.measured(5_000_000, 0, 0);
    await clock.advance(60_000);
    expect(venue.lowerBound).toBe(5_000_000);
    venue.measured(4_000_000, 0, 0);
    expect(venue.lowerBound).toBe(5_000_000);
  });

  it('believes a new measurement after the venue has refused a timestamp', async () => {
    const venue = new VenueClock(new ManualClock());
    venue.measured(5_000_000, 0, 2);
    venue.distrust();
    venue.measured(5_030_000, 0, 400);
    expect(venue.now()).toBe(5_029_800);
  });
});
