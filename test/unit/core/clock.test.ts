import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.js';
import { ManualClock } from '../../../src/core/manual-clock.js';

describe('ManualClock', () => {
  it('runs nothing until it is advanced, then every due task in order of its time', async () => {
    const clock = new ManualClock(0);
    const seen: string[] = [];
    clock.schedule(20, () => seen.push(`b@${clock.monotonic()}`));
    clock.schedule(10, () => seen.push(`a@${clock.monotonic()}`));
    clock.schedule(10, () => seen.push(`a2@${clock.monotonic()}`));
    clock.schedule(31, () => seen.push('late'));
    expect(seen).toEqual([]);
    await clock.advance(30);
    expect(seen).toEqual(['a@10', 'a2@10', 'b@20']);
    expect(clock.now()).toBe(30);
  });

  it('lets the promises that a task settles run before the next task, however long their chain is', async () => {
    const clock = new ManualClock(0);
    const seen: string[] = [];
    void (async () => {
      await clock.sleep(10);
      for (let i = 0; i < 200; i++) await Promise.resolve();
      seen.push('chain');
      await clock.sleep(5);
      seen.push(`nested@${clock.monotonic()}`);
    })();
    clock.schedule(12, () => seen.push('task'));
    await clock.advance(20);
    expect(seen).toEqual(['chain', 'task', 'nested@15']);
  });

  it('runs a task that is scheduled for now while advancing', async () => {
    const clock = new ManualClock();
    const seen: number[] = [];
    clock.schedule(5, () => clock.schedule(0, () => seen.push(clock.monotonic())));
    await clock.advance(5);
    expect(seen).toEqual([5]);
  });

  it('forgets a disposed task, and names what is pending and when it is next', async () => {
    const clock = new ManualClock();
    let ran = false;
    const task = clock.schedule(5, () => {
      ran = true;
    });
    clock.schedule(9, () => {});
    expect([clock.pending, clock.nextInMs]).toEqual([2, 5]);
    task[Symbol.dispose]();
    expect([clock.pending, clock.nextInMs]).toEqual([1, 9]);
    await clock.advance(10);
    expect(ran).toBe(false);
    expect(clock.nextInMs).toBeUndefined();
  });

  it('rejects a sleep with the reason of its signal, before and while it sleeps', async () => {
    const clock = new ManualClock();
    await expect(clock.sleep(5, AbortSignal.abort(new Error('early')))).rejects.toThrow('early');
    const controller = new AbortController();
    const sleeping = clock.sleep(5, controller.signal);
    controller.abort(new Error('meanwhile'));
    await expect(sleeping).rejects.toThrow('meanwhile');
    expect(clock.pending).toBe(0);
  });

  it('steps the wall clock without letting time pass', () => {
    const clock = new ManualClock(1_000);
    clock.stepWall(-400);
    expect([clock.now(), clock.monotonic()]).toEqual([600, 0]);
  });

  it('queues calls of advance behind each other', async () => {
    const clock = new ManualClock(0);
    await Promise.all([clock.advance(10), clock.advance(5)]);
    expect(clock.now()).toBe(15);
  });

  it('passes on what a task throws, and goes on afterwards', async () => {
    const clock = new ManualClock(0);
    clock.schedule(1, () => {
      throw new Error('task failed');
    });
    await expect(clock.advance(5)).rejects.toThrow('task failed');
    await clock.advance(5);
    expect(clock.monotonic()).toBeGreaterThanOrEqual(5);
  });

  it('refuses to run backwards', () => {
    expect(() => new ManualClock().advance(-1)).toThrow(/ms must be a finite number of 0 or more, got -1/);
  });
});

describe('systemClock', () => {
  it('tells epoch time, and a monotonic time that never decreases', () => {
    const [before, now, after] = [Date.now(), systemClock.now(), Date.now()];
    expect(now).toBeGreaterThanOrEqual(before - 1);
    expect(now).toBeLessThanOrEqual(after + 1);
    const first = systemClock.monotonic();
    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(first);
  });

  it('sleeps, and wakes early with the reason of its signal', async () => {
    await systemClock.sleep(1);
    const controller = new AbortController();
    const sleeping = systemClock.sleep(60_000, controller.signal);
    controller.abort('plain text');
    await expect(sleeping).rejects.toMatchObject({ code: 'ABORTED', message: 'Aborted: plain text' });
  });

  it('does not run a task before its time when that is further away than the longest timer', async () => {
    let ran = false;
    const task = systemClock.schedule(2 ** 40, () => {
      ran = true;
    });
    await systemClock.sleep(5);
    expect(ran).toBe(false);
    task[Symbol.dispose]();
  });
});
