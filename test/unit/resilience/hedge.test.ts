import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { Hedge, RetryBudget } from '../../../src/resilience/index.js';

describe('Hedge', () => {
  it('knows no delay before it has seen enough, then that of its quantile', () => {
    const hedge = new Hedge({ quantile: 0.9, minSamples: 10 });
    for (let i = 0; i < 9; i++) hedge.observe(20);
    expect(hedge.delayMs).toBeUndefined();
    hedge.observe(20);
    expect(hedge.delayMs).toBeGreaterThan(19);
    expect(hedge.delayMs).toBeLessThan(21);
  });

  it('changes its delay only when the estimate has moved, so that calls share a timer', () => {
    const hedge = new Hedge({ minSamples: 10 });
    const delays = new Set<number>();
    for (let i = 0; i < 5_000; i++) {
      hedge.observe(20 + (i % 2));
      if (hedge.delayMs !== undefined) delays.add(hedge.delayMs);
    }
    expect(delays.size).toBeLessThanOrEqual(2);
  });

  it('spends its ratio and the shared budget together, or neither', () => {
    const budget = new RetryBudget({ clock: new ManualClock(), ratio: 0, minPerSecond: 0.1, windowMs: 1 });
    const hedge = new Hedge({ maxRatio: 0.5, budget });
    hedge.earn();
    expect(hedge.trySpend()).toBe(false);
    expect(budget.balance).toBe(1);
    for (let i = 0; i < 3; i++) hedge.earn();
    expect(hedge.trySpend()).toBe(true);
    expect(hedge.trySpend()).toBe(false);
    hedge.refund();
    expect(hedge.trySpend()).toBe(true);
  });

  it('refuses a quantile that would hedge most calls', () => {
    expect(() => new Hedge({ quantile: 0.1 })).toThrow(/quantile.*between 0.5 and 1.*0.1/);
  });
});
