import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { RetryBudget } from '../../../src/resilience/index.js';

const givenAnEmptyBudget = (options: { ratio?: number; minPerSecond?: number } = {}) => {
  const clock = new ManualClock();
  const budget = new RetryBudget({ clock, ...options });
  while (budget.trySpend());
  return { clock, budget };
};

describe('RetryBudget', () => {
  it('allows one retry for every five requests', () => {
    const { budget } = givenAnEmptyBudget();
    for (let request = 0; request < 4; request++) budget.earn();
    expect(budget.trySpend()).toBe(false);
    budget.earn();
    expect(budget.trySpend()).toBe(true);
    expect(budget.trySpend()).toBe(false);
  });

  it('lets a client that hardly sends anything retry once a second', async () => {
    const { clock, budget } = givenAnEmptyBudget();
    await clock.advance(999);
    expect(budget.trySpend()).toBe(false);
    await clock.advance(1);
    expect(budget.trySpend()).toBe(true);
  });

  it('saves up no more than its window', async () => {
    const { clock, budget } = givenAnEmptyBudget();
    await clock.advance(3_600_000);
    expect(budget.balance).toBe(10);
  });

  it('takes back what was spent and not sent', () => {
    const { budget } = givenAnEmptyBudget();
    budget.refund();
    expect(budget.trySpend()).toBe(true);
    expect(budget.trySpend()).toBe(false);
  });

  it('refuses a ratio above 1 and options that it does not have, naming option, expectation and value', () => {
    const clock = new ManualClock();
    expect(() => new RetryBudget({ clock, ratio: 1.5 })).toThrow(/ratio.*between 0 and 1.*1\.5/);
    expect(() => new RetryBudget({ clock, ration: 0.1 } as never)).toThrow(/"ration"; did you mean "ratio"/);
  });
});
