import { describe, expect, it } from 'vitest';
import { DeadlineSet } from '../../../src/core/deadline-set.js';
import { ManualClock } from '../../../src/core/manual-clock.js';

function givenDeadlines() {
  const clock = new ManualClock();
  const due: string[] = [];
  const deadlines = new DeadlineSet<string>(clock, (item, now) => due.push(`${item}@${now}`));
  return { clock, due, deadlines };
}

describe('DeadlineSet', () => {
  it('reports deadlines in the order of their time, each at its time', async () => {
    const { clock, due, deadlines } = givenDeadlines();
    deadlines.add('late', 300);
    deadlines.add('early', 100);
    deadlines.add('middle', 200);
    await clock.advance(250);
    expect(due).toEqual(['early@100', 'middle@200']);
    await clock.advance(50);
    expect(due).toEqual(['early@100', 'middle@200', 'late@300']);
  });

  it('says nothing of a deadline that was cancelled', async () => {
    const { clock, due, deadlines } = givenDeadlines();
    const cancelled = deadlines.add('cancelled', 100);
    deadlines.add('kept', 100);
    deadlines.cancel(cancelled);
    deadlines.cancel(cancelled);
    expect(deadlines.size).toBe(1);
    await clock.advance(100);
    expect(due).toEqual(['kept@100']);
  });

  it('holds one timer however many deadlines there are', () => {
    const { clock, deadlines } = givenDeadlines();
    for (let at = 1_000; at < 2_000; at++) deadlines.add('waiting', at);
    expect(clock.pending).toBe(1);
  });

  it('takes a deadline that is added while others are being reported', async () => {
    const clock = new ManualClock();
    const due: number[] = [];
    const deadlines = new DeadlineSet<number>(clock, (item) => {
      due.push(item);
      if (item < 3) deadlines.add(item + 1, (item + 1) * 10);
    });
    deadlines.add(1, 10);
    await clock.advance(30);
    expect(due).toEqual([1, 2, 3]);
  });

  it('is silent once disposed', async () => {
    const { clock, due, deadlines } = givenDeadlines();
    deadlines.add('never', 10);
    deadlines[Symbol.dispose]();
    await clock.advance(20);
    expect(due).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});
