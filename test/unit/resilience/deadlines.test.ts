import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { Deadlines, Timed } from '../../../src/resilience/index.js';

class Entry extends Timed {
  expiredAt: number | undefined;
  expire(now: number): void {
    this.expiredAt = now;
  }
}

const givenDeadlines = () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines({ clock });
  const add = (ms: number): Entry => {
    const entry = new Entry();
    deadlines.add(entry, ms, clock.monotonic());
    return entry;
  };
  return { clock, deadlines, add };
};

describe('Deadlines', () => {
  it('ends each entry at its time, with one timer for all of a duration', async () => {
    const { clock, add } = givenDeadlines();
    const first = add(100);
    await clock.advance(30);
    const second = add(100);
    const other = add(50);
    expect(clock.pending).toBe(2);
    await clock.advance(200);
    expect([first.expiredAt, second.expiredAt, other.expiredAt]).toEqual([100, 130, 80]);
    expect(clock.pending).toBe(0);
  });

  it('leaves alone what was removed, wherever it stood, and removes twice without harm', async () => {
    const { clock, deadlines, add } = givenDeadlines();
    const entries = [add(100), add(100), add(100), add(100)];
    for (const index of [1, 0, 3, 3]) deadlines.remove(entries[index] as Entry);
    await clock.advance(100);
    expect(entries.map((entry) => entry.expiredAt)).toEqual([undefined, undefined, 100, undefined]);
  });

  it('makes no timer per call', async () => {
    const { clock, deadlines, add } = givenDeadlines();
    let made = 0;
    const schedule = clock.schedule.bind(clock);
    clock.schedule = (ms, task) => {
      made++;
      return schedule(ms, task);
    };
    for (let call = 0; call < 1_000; call++) deadlines.remove(add(100));
    expect(made).toBe(1);
  });

  it('keeps no timers for durations that are used once', async () => {
    const { clock, deadlines, add } = givenDeadlines();
    for (let ms = 1_000; ms < 6_000; ms++) deadlines.remove(add(ms));
    expect(clock.pending).toBeLessThan(100);
  });

  it('runs work to its end, and makes a signal only when asked for one', async () => {
    const { deadlines, clock } = givenDeadlines();
    expect(await deadlines.run(100, async () => 7)).toBe(7);
    await expect(deadlines.run(100, () => Promise.reject(new Error('reset')))).rejects.toThrow('reset');
    await clock.advance(100);
    expect(clock.pending).toBe(0);
  });

  it('rejects at the deadline and aborts the work’s signal', async () => {
    const { clock, deadlines } = givenDeadlines();
    let signal: AbortSignal | undefined;
    const late = deadlines
      .run(100, (call) => {
        signal = call.signal;
        return new Promise<never>(() => {});
      })
      .catch((error: unknown) => error);
    await clock.advance(100);
    expect(await late).toMatchObject({ code: 'DEADLINE', message: 'Given up: no answer within 100 ms' });
    expect(signal?.aborted).toBe(true);
  });

  it('rejects with the caller’s reason', async () => {
    const { deadlines } = givenDeadlines();
    const caller = new AbortController();
    const run = deadlines.run(100, () => new Promise<never>(() => {}), { signal: caller.signal });
    caller.abort(new Error('changed my mind'));
    await expect(run).rejects.toThrow('changed my mind');
    await expect(deadlines.run(100, async () => 1, { signal: caller.signal })).rejects.toThrow('changed my mind');
    expect(() => deadlines.run(0, async () => 1)).toThrow(/durationMs.*above 0/);
  });
});
