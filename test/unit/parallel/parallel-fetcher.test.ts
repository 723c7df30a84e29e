import { describe, expect, it } from 'vitest';
import { EventBus } from '../../../src/contracts/events.js';
import type { FetchTask } from '../../../src/contracts/fetcher.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { seededRandom } from '../../../src/core/random.js';
import { ParallelFetcher, type ParallelFetcherOptions } from '../../../src/parallel/index.js';
import { RateLimiter } from '../../../src/resilience/rate-limiter.js';

function givenAFetcher(options: ParallelFetcherOptions = {}, clock = new ManualClock()) {
  const bus = new EventBus();
  const fetcher = new ParallelFetcher({ clock, bus, random: seededRandom(1), ...options });
  const started: string[] = [];
  const startedAt: number[] = [];
  /** A task that takes `ms`, and notes when it starts. */
  const task = (name: string, ms = 10, more: Partial<FetchTask<string, string>> = {}): FetchTask<string, string> => ({
    input: name,
    run: async (input) => {
      started.push(input);
      startedAt.push(clock.monotonic());
      await clock.sleep(ms);
      return input;
    },
    ...more,
  });
  return { clock, bus, fetcher, started, startedAt, task };
}

function givenAGate() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'fulfilled',
    (error: Error & { code?: string }) => error.code ?? error.message,
  );

describe('ParallelFetcher', () => {
  it('gives what the task gives, and its error', async () => {
    const { fetcher } = givenAFetcher();
    expect(await fetcher.run({ input: 20, run: async (n) => n + 1 })).toBe(21);
    await expect(fetcher.run({ input: 0, run: async () => Promise.reject(new Error('503')) })).rejects.toThrow('503');
    expect(fetcher.stats()).toMatchObject({ completed: 1, failed: 1, running: 0, queued: 0 });
  });

  it('takes a function that throws at once for one that failed', async () => {
    const { fetcher } = givenAFetcher();
    const throwing = {
      input: 1,
      run: (): Promise<number> => {
        throw new Error('no such symbol');
      },
    };
    await expect(fetcher.run(throwing)).rejects.toThrow('no such symbol');
    expect(fetcher.stats().running).toBe(0);
  });

  it('runs no more than concurrency at a time', async () => {
    const { fetcher, clock, task } = givenAFetcher({ concurrency: 3 });
    const all = fetcher.all(Array.from({ length: 10 }, (_, i) => task(`${i}`)));
    expect(fetcher.stats()).toMatchObject({ running: 3, queued: 7 });
    await clock.advance(100);
    expect(await all).toHaveLength(10);
    expect(fetcher.stats()).toMatchObject({ maxRunning: 3, completed: 10 });
  });

  it('counts how well the slots were used', async () => {
    const { fetcher, clock, task } = givenAFetcher({ concurrency: 2 });
    const all = fetcher.all([task('a', 100), task('b', 50), task('c', 50)]);
    await clock.advance(100);
    await all;
    expect(fetcher.stats().efficiency).toBeCloseTo(1);
    await clock.advance(1_000);
    const alone = fetcher.run(task('d', 100));
    await clock.advance(100);
    await alone;
    expect(fetcher.stats().efficiency).toBeCloseTo(0.75);
  });

  describe('order', () => {
    async function orderOf(
      tasks: (make: ReturnType<typeof givenAFetcher>['task']) => FetchTask<string, string>[],
      options: ParallelFetcherOptions = {},
    ) {
      const { fetcher, clock, started, task } = givenAFetcher({ concurrency: 1, ...options });
      const all = fetcher.all([task('first'), ...tasks(task)]);
      await clock.advance(1_000);
      await all;
      return started.slice(1);
    }

    it('is by priority, then by arrival', async () => {
      expect(
        await orderOf((task) => [task('a'), task('b', 10, { priority: 5 }), task('c', 10, { priority: 5 }), task('d', 10, { priority: -1 })]),
      ).toEqual(['b', 'c', 'a', 'd']);
    });

    it('is by deadline within a priority', async () => {
      const soon = new ManualClock().now() + 5_000;
      expect(await orderOf((task) => [task('a'), task('b', 10, { deadlineAt: soon + 1_000 }), task('c', 10, { deadlineAt: soon })])).toEqual([
        'c',
        'b',
        'a',
      ]);
    });

    it('is longest first by cost hint, so that no long one is left to run alone', async () => {
      expect(
        await orderOf((task) => [
          task('short', 10, { costHintMs: 10 }),
          task('long', 10, { costHintMs: 90 }),
          task('middle', 10, { costHintMs: 50 }),
        ]),
      ).toEqual(['long', 'middle', 'short']);
    });

    it('lets what has waited for long go before what is a little more urgent', async () => {
      const { fetcher, clock, started, task } = givenAFetcher({ concurrency: 1, agingMs: 1_000 });
      void fetcher.run(task('running', 3_500));
      void fetcher.run(task('old'));
      await clock.advance(3_000);
      void fetcher.run(task('new', 10, { priority: 2 }));
      void fetcher.run(task('urgent', 10, { priority: 4 }));
      void fetcher.run(task('kill'), { priority: 'kill' });
      void fetcher.run(task('prefetch'), { priority: 'prefetch' });
      await clock.advance(1_000);
      expect(started).toEqual(['running', 'kill', 'urgent', 'old', 'new', 'prefetch']);
    });
  });

  describe('deadlines and aborts', () => {
    it('answers a queued task at its deadline without running it', async () => {
      const { fetcher, clock, started, task } = givenAFetcher({ concurrency: 1 });
      void fetcher.run(task('slow', 500));
      const late = codeOf(fetcher.run(task('late'), { deadlineMs: 100 }));
      await clock.advance(100);
      expect(await late).toBe('DEADLINE');
      expect(fetcher.stats()).toMatchObject({ running: 1, queued: 0, failed: 1 });
      await clock.advance(1_000);
      expect(started).toEqual(['slow']);
    });

    it('holds the slot of a task that is past its deadline until its function has settled', async () => {
      const { fetcher, clock, started, task } = givenAFetcher({ concurrency: 1 });
      const gate = givenAGate();
      let told: unknown;
      const stuck = codeOf(
        fetcher.run(
          {
            input: 0,
            run: async (_input, { signal }) => {
              signal.addEventListener('abort', () => (told = signal.reason));
              await gate.opened;
            },
          },
          { deadlineMs: 50 },
        ),
      );
      const next = fetcher.run(task('next'));
      await clock.advance(50);
      expect(await stuck).toBe('DEADLINE');
      expect(told).toMatchObject({ code: 'DEADLINE' });
      await clock.advance(500);
      expect(started).toEqual([]);
      expect(fetcher.stats()).toMatchObject({ running: 1, queued: 1, overdue: 1, maxRunning: 1 });
      gate.open();
      await clock.advance(10);
      expect(await next).toBe('next');
      expect(fetcher.stats()).toMatchObject({ running: 0, overdue: 0, failed: 1, completed: 1 });
    });

    it('reports a function that never settles, once', async () => {
      const { fetcher, clock, bus } = givenAFetcher({ stuckAfterMs: 1_000 });
      const reports: unknown[] = [];
      bus.on('fetch.stuck', (report) => reports.push(report));
      const never = codeOf(fetcher.run({ input: 0, group: 'bars', run: () => new Promise(() => {}) }, { deadlineMs: 100 }));
      await clock.advance(100);
      expect(await never).toBe('DEADLINE');
      await clock.advance(10_000);
      expect(reports).toEqual([{ group: 'bars', heldMs: 1_100 }]);
    });

    it('rejects with the reason of the signal, queued or running', async () => {
      const { fetcher, task, clock, started } = givenAFetcher({ concurrency: 1 });
      const controller = new AbortController();
      const running = codeOf(fetcher.run(task('running'), { signal: controller.signal }));
      const queued = codeOf(fetcher.run(task('queued'), { signal: controller.signal }));
      controller.abort(new Error('strategy stopped'));
      expect(await running).toBe('strategy stopped');
      expect(await queued).toBe('strategy stopped');
      await clock.advance(100);
      expect(started).toEqual(['running']);
      expect(await codeOf(fetcher.run(task('late'), { signal: controller.signal }))).toBe('strategy stopped');
      expect(started).toEqual(['running']);
    });

    it('shows a function that looks at its signal late that it was aborted before', async () => {
      const { fetcher, clock } = givenAFetcher();
      let wasAborted: boolean | undefined;
      const call = codeOf(
        fetcher.run(
          {
            input: 0,
            run: async (_input, context) => {
              await clock.sleep(100);
              wasAborted = context.signal.aborted;
            },
          },
          { deadlineMs: 50 },
        ),
      );
      await clock.advance(100);
      expect(await call).toBe('DEADLINE');
      expect(wasAborted).toBe(true);
    });

    it('refuses a task whose deadline has passed', async () => {
      const { fetcher, task, clock, started } = givenAFetcher();
      expect(await codeOf(fetcher.run(task('late', 10, { deadlineAt: clock.now() - 1 })))).toBe('DEADLINE');
      expect(started).toEqual([]);
    });
  });

  describe('retries', () => {
    function givenAFlakyTask(failures: number, facts: object = {}) {
      const attempts: number[] = [];
      return {
        attempts,
        flaky: {
          input: 'x',
          run: async (_input: string, { attempt }: { attempt: number }) => {
            attempts.push(attempt);
            if (attempt <= failures) throw Object.assign(new Error(`failure ${attempt}`), facts);
            return attempt;
          },
        },
      };
    }

    it('are made up to max, and free the slot in between', async () => {
      const { fetcher, clock, task } = givenAFetcher({ concurrency: 1, retry: { max: 2, baseMs: 100, capMs: 1_000 } });
      const { flaky, attempts } = givenAFlakyTask(2);
      const result = fetcher.run(flaky);
      const other = fetcher.run(task('other', 1));
      await clock.advance(1);
      expect(await other).toBe('other');
      expect(fetcher.stats()).toMatchObject({ running: 0, queued: 1 });
      await clock.advance(10_000);
      expect(await result).toBe(3);
      expect(attempts).toEqual([1, 2, 3]);
      expect(fetcher.stats()).toMatchObject({ completed: 1 + 1, failed: 0, retries: 2 });
    });

    it('end with the last error', async () => {
      const { fetcher, clock } = givenAFetcher({ retry: { max: 1, baseMs: 10, capMs: 10 } });
      const result = codeOf(fetcher.run(givenAFlakyTask(5).flaky));
      await clock.advance(100);
      expect(await result).toBe('failure 2');
    });

    it('never come before the Retry-After of the error', async () => {
      const { fetcher, clock } = givenAFetcher({ retry: { max: 1, baseMs: 1, capMs: 1 } });
      const { flaky, attempts } = givenAFlakyTask(1, { retryAfterMs: 2_000 });
      const result = fetcher.run(flaky);
      await clock.advance(1_999);
      expect(attempts).toEqual([1]);
      await clock.advance(2);
      expect(await result).toBe(2);
    });

    it('are not made for an error that says so, nor when the deadline would pass first', async () => {
      const { fetcher, clock } = givenAFetcher({ retry: { max: 3, baseMs: 1, capMs: 1 } });
      const hopeless = givenAFlakyTask(9, { retryable: false });
      expect(await codeOf(fetcher.run(hopeless.flaky))).toBe('failure 1');
      const late = givenAFlakyTask(9, { retryAfterMs: 5_000 });
      const answer = codeOf(fetcher.run(late.flaky, { deadlineMs: 1_000 }));
      await clock.advance(0);
      expect(await answer).toBe('failure 1');
    });

    it('can be aborted while they wait', async () => {
      const { fetcher } = givenAFetcher({ retry: { max: 1, baseMs: 1, capMs: 1 } });
      const controller = new AbortController();
      const answer = codeOf(fetcher.run(givenAFlakyTask(1, { retryAfterMs: 60_000 }).flaky, { signal: controller.signal }));
      await new Promise((resolve) => setImmediate(resolve));
      controller.abort(new Error('enough'));
      expect(await answer).toBe('enough');
      await fetcher.drain();
      expect(fetcher.stats()).toMatchObject({ queued: 0, running: 0 });
    });
  });

  describe('groups', () => {
    it('run no more of their tasks than allowed, and do not hold up others', async () => {
      const { fetcher, clock, started, task } = givenAFetcher({ concurrency: 4, groups: { bars: { concurrency: 1 } } });
      const all = fetcher.all([
        task('bar 1', 10, { group: 'bars', priority: 9 }),
        task('bar 2', 10, { group: 'bars', priority: 9 }),
        task('quote', 10, { group: 'quotes' }),
      ]);
      expect(started).toEqual(['bar 1', 'quote']);
      await clock.advance(10);
      expect(started).toEqual(['bar 1', 'quote', 'bar 2']);
      await clock.advance(10);
      await all;
    });

    it('keep their rate in any window of one second', async () => {
      const { fetcher, clock, startedAt, task } = givenAFetcher({ groups: { bars: { ratePerSecond: 5 } } });
      const all = fetcher.all(Array.from({ length: 17 }, (_, i) => task(`${i}`, 1, { group: 'bars' })));
      await clock.advance(10_000);
      await all;
      expect(startedAt).toEqual([...Array(5).fill(0), ...Array(5).fill(1_000), ...Array(5).fill(2_000), ...Array(2).fill(3_000)]);
    });

    it('may burst, yet keep their rate in the long run', async () => {
      const { fetcher, clock, startedAt, task } = givenAFetcher({ concurrency: 50, groups: { bars: { ratePerSecond: 10, burst: 5 } } });
      const all = fetcher.all(Array.from({ length: 65 }, (_, i) => task(`${i}`, 1, { group: 'bars' })));
      await clock.advance(10_000);
      await all;
      expect(startedAt.filter((at) => at === 0)).toHaveLength(15);
      // 50 more at 10 a second.
      expect(Math.max(...startedAt)).toBeGreaterThanOrEqual(5_000);
      for (const at of startedAt) expect(startedAt.filter((other) => other > at - 1_000 && other <= at).length).toBeLessThanOrEqual(15);
    });

    it('weigh their tasks, and refuse one that is heavier than the rate', async () => {
      const { fetcher, clock, startedAt, task } = givenAFetcher({ groups: { klines: { ratePerSecond: 10 } } });
      const heavy = (name: string, weight: number) => task(name, 1, { group: 'klines', weight });
      const all = fetcher.all([heavy('a', 6), heavy('b', 4), heavy('c', 6)]);
      await clock.advance(2_000);
      await all;
      expect(startedAt).toEqual([0, 0, 1_000]);
      await expect(fetcher.run(heavy('d', 11))).rejects.toThrow(/task.weight must be at most 10.*"klines".*got 11/);
    });

    it.each([1, 2, 3])('starts a task however shortly after the last one it comes, with %i slots', async (concurrency) => {
      const { clock, fetcher, started, task } = givenAFetcher({ concurrency, groups: { slow: { ratePerSecond: 10 } } });
      for (let turns = 0; turns < 16; turns++) {
        for (const group of ['', 'slow']) {
          const first = fetcher.run({ input: 'first', run: (input: string) => Promise.resolve(input) });
          await first;
          for (let turn = 0; turn < turns; turn++) await Promise.resolve();
          const second = fetcher.run(task(`${turns} ${group}`, 0, group === '' ? {} : { group }));
          await clock.advance(200);
          await second;
        }
      }
      expect(started).toHaveLength(32);
      expect(fetcher.stats()).toMatchObject({ running: 0, queued: 0, completed: 64 });
    });

    it('can spend from a limiter that others use too', async () => {
      const clock = new ManualClock();
      const limiter = new RateLimiter({ clock, limits: [{ id: 'weight', scope: 'ip', kind: 'window', units: 10, perMs: 60_000 }], reserve: 0 });
      const { fetcher, startedAt, task } = givenAFetcher({ groups: { binance: { shared: { limiter, limits: ['weight'] } } } }, clock);
      expect(limiter.tryAcquire([{ limit: 'weight', units: 4 }], { priority: 'place' })).toBe(true);
      const all = fetcher.all(['a', 'b', 'c', 'd'].map((name) => task(name, 1, { group: 'binance', weight: 2 })));
      await clock.advance(59_999);
      expect(startedAt).toEqual([0, 0, 0]);
      expect(limiter.headroom('weight')).toBe(0);
      await clock.advance(2);
      await all;
      expect(startedAt).toEqual([0, 0, 0, 60_000]);
    });

    it('give back to a shared limiter what was granted for a task that is gone', async () => {
      const clock = new ManualClock();
      const limiter = new RateLimiter({ clock, limits: [{ id: 'weight', scope: 'ip', kind: 'window', units: 10, perMs: 60_000 }], reserve: 0 });
      const { fetcher, started, task } = givenAFetcher({ groups: { binance: { shared: { limiter, limits: ['weight'] } } } }, clock);
      const controller = new AbortController();
      const gone = codeOf(fetcher.run(task('gone', 1, { group: 'binance', weight: 6 }), { signal: controller.signal }));
      controller.abort(new Error('not needed'));
      expect(await gone).toBe('not needed');
      await clock.advance(1);
      expect(started).toEqual([]);
      expect(limiter.headroom('weight')).toBe(10);
      expect(await codeOf(fetcher.run(task('too heavy', 1, { group: 'binance', weight: 11 })))).toMatch(/weight/);
      void fetcher.run(task('next', 1, { group: 'binance', weight: 10 }));
      await clock.advance(1);
      expect(started).toEqual(['next']);
    });

    it('ask a shared limiter at the priority of who is first now, though a less urgent one asked before', async () => {
      const clock = new ManualClock();
      const limiter = new RateLimiter({ clock, limits: [{ id: 'weight', scope: 'ip', kind: 'window', units: 10, perMs: 60_000 }], reserve: 0 });
      const { fetcher, started, task } = givenAFetcher({ groups: { binance: { shared: { limiter, limits: ['weight'] } } } }, clock);
      expect(limiter.tryAcquire([{ limit: 'weight', units: 10 }], { priority: 'read' })).toBe(true);
      void fetcher.run(task('prefetch', 1, { group: 'binance', weight: 4 }), { priority: 'prefetch' });
      await clock.advance(1);
      void fetcher.run(task('read', 1, { group: 'binance', weight: 4 }), { priority: 'read' });
      await clock.advance(1);
      // Another client's read comes after ours: it may pass the prefetch, and nobody else.
      let others = 0;
      void limiter.acquire([{ limit: 'weight', units: 10 }], { priority: 'read' }).then(() => others++);
      await clock.advance(60_000);
      expect({ others, started }).toEqual({ others: 0, started: ['read'] });
      await clock.advance(60_000);
      expect({ others, started }).toEqual({ others: 1, started: ['read'] });
      await clock.advance(60_000);
      expect(started).toEqual(['read', 'prefetch']);
      await clock.advance(60_000);
      // Nothing that was asked for twice stays set aside.
      expect(limiter.headroom('weight')).toBe(10);
      expect(limiter.waiting).toBe(0);
    });

    it('can cost of several shared limits, each its own', async () => {
      const clock = new ManualClock();
      const limits = ['weight', 'calls'].map((id) => ({ id, scope: 'ip', kind: 'window', units: 10, perMs: 60_000 }) as const);
      const limiter = new RateLimiter({ clock, limits, reserve: 0 });
      const { fetcher, startedAt, task } = givenAFetcher({ groups: { binance: { shared: { limiter, limits: ['weight'] } } } }, clock);
      const costs = [
        { limit: 'weight', units: 4 },
        { limit: 'calls', units: 1 },
      ];
      // In front of one that weighs less, whose grant must not be lost when it goes first after all.
      const all = [
        fetcher.run(task('light', 1, { group: 'binance', weight: 1 })),
        ...['a', 'b', 'c'].map((name) => fetcher.run(task(name, 1, { group: 'binance', costs, priority: 1 }))),
      ];
      await clock.advance(59_999);
      expect(startedAt).toEqual([0, 0]);
      expect(limiter.headroom('weight')).toBe(2);
      expect(limiter.headroom('calls')).toBe(8);
      await clock.advance(2);
      await Promise.all(all);
      expect(startedAt).toEqual([0, 0, 60_000, 60_000]);
      await clock.advance(60_000);
      expect(limiter.headroom('weight')).toBe(10);
    });

    it('pause and resume, for a time or until told', async () => {
      const { fetcher, clock, started, task } = givenAFetcher();
      fetcher.pause('bars', 1_000);
      void fetcher.run(task('bar', 1, { group: 'bars' }));
      void fetcher.run(task('quote', 1));
      await clock.advance(999);
      expect(started).toEqual(['quote']);
      await clock.advance(1);
      expect(started).toEqual(['quote', 'bar']);
      fetcher.pause();
      void fetcher.run(task('later', 1));
      await clock.advance(5_000);
      expect(started).toHaveLength(2);
      fetcher.resume();
      await clock.advance(1);
      expect(started).toEqual(['quote', 'bar', 'later']);
    });

    it('are not resumed by a timed pause that another pause has replaced', async () => {
      const { fetcher, clock, started, task } = givenAFetcher();
      fetcher.pause('bars', 100);
      fetcher.pause('bars');
      void fetcher.run(task('bar', 1, { group: 'bars' }));
      await clock.advance(1_000);
      expect(started).toEqual([]);
    });
  });

  describe('a full queue', () => {
    it('refuses one task more', async () => {
      const { fetcher, task } = givenAFetcher({ concurrency: 1, maxQueue: 1 });
      void fetcher.run(task('running'));
      void fetcher.run(task('queued'));
      expect(await codeOf(fetcher.run(task('refused')))).toBe('FETCH_QUEUE_FULL');
    });

    it('drops the least urgent, be it the newcomer', async () => {
      const { fetcher, clock, started, task } = givenAFetcher({ concurrency: 1, maxQueue: 2, overflow: 'drop_lowest' });
      void fetcher.run(task('running'));
      const low = codeOf(fetcher.run(task('low', 1, { priority: 1 })));
      void fetcher.run(task('high', 1, { priority: 3 }));
      void fetcher.run(task('higher', 1, { priority: 4 }));
      expect(await low).toBe('FETCH_DROPPED');
      expect(await codeOf(fetcher.run(task('lowest', 1, { priority: 0 })))).toBe('FETCH_DROPPED');
      await clock.advance(100);
      expect(started).toEqual(['running', 'higher', 'high']);
    });

    it('keeps tasks waiting outside, in order of urgency', async () => {
      const { fetcher, clock, started, task } = givenAFetcher({ concurrency: 1, maxQueue: 1, overflow: 'wait' });
      const all = Promise.all([
        fetcher.run(task('running')),
        fetcher.run(task('queued')),
        fetcher.run(task('patient')),
        fetcher.run(task('urgent', 10, { priority: 1 })),
      ]);
      expect(fetcher.stats()).toMatchObject({ running: 1, queued: 3 });
      await clock.advance(40);
      await all;
      expect(started).toEqual(['running', 'queued', 'urgent', 'patient']);
    });

    it('makes a batch wait rather than lose its tasks', async () => {
      const { fetcher, clock, task } = givenAFetcher({ concurrency: 2, maxQueue: 3 });
      const all = fetcher.all(Array.from({ length: 50 }, (_, i) => task(`${i}`, 1)));
      await clock.advance(50);
      expect((await all).every((result) => result.status === 'fulfilled')).toBe(true);
    });

    it('of length 0 runs what finds a slot', async () => {
      const { fetcher, clock, task } = givenAFetcher({ concurrency: 1, maxQueue: 0 });
      const first = fetcher.run(task('first'));
      expect(await codeOf(fetcher.run(task('second')))).toBe('FETCH_QUEUE_FULL');
      await clock.advance(10);
      expect(await first).toBe('first');
    });
  });

  describe('all', () => {
    it('gives what became of each, in their order', async () => {
      const { fetcher, clock, task } = givenAFetcher();
      const all = fetcher.all([task('slow', 50), { input: 'bad', run: async () => Promise.reject(new Error('unknown symbol')) }, task('fast', 1)]);
      await clock.advance(50);
      expect(await all).toEqual([
        { status: 'fulfilled', value: 'slow' },
        { status: 'rejected', reason: new Error('unknown symbol') },
        { status: 'fulfilled', value: 'fast' },
      ]);
      expect(await fetcher.all([])).toEqual([]);
    });

    it('gives the results that are there at the deadline', async () => {
      const { fetcher, clock, task } = givenAFetcher();
      const all = fetcher.all([task('fast', 10), task('slow', 1_000)], { deadlineMs: 100 });
      await clock.advance(100);
      expect((await all).map((result) => (result.status === 'fulfilled' ? result.value : (result.reason as { code?: string }).code))).toEqual([
        'fast',
        'DEADLINE',
      ]);
    });

    it('stops at the first error with failFast, and aborts the rest', async () => {
      const { fetcher, clock, started, task } = givenAFetcher({ concurrency: 2 });
      let told = false;
      const listening: FetchTask<string, string> = {
        input: 'listening',
        run: async (_input, { signal }) => {
          signal.addEventListener('abort', () => (told = true));
          await clock.sleep(1_000);
          return '';
        },
      };
      const bad: FetchTask<string, string> = { input: '', run: async () => Promise.reject(new Error('first')) };
      const all = codeOf(fetcher.all([listening, bad, task('never')], { failFast: true }));
      expect(await all).toBe('first');
      expect(told).toBe(true);
      await clock.advance(2_000);
      expect(started.length).toBeLessThanOrEqual(1);
    });

    it('rejects with the reason of the signal', async () => {
      const { fetcher, clock, started, task } = givenAFetcher({ concurrency: 1 });
      const controller = new AbortController();
      const all = codeOf(fetcher.all([task('a'), task('b')], { signal: controller.signal }));
      controller.abort(new Error('shut down'));
      expect(await all).toBe('shut down');
      await clock.advance(100);
      expect(started).toEqual(['a']);
    });

    it('tells how far it is, and when it will be done', async () => {
      const { fetcher, clock, task } = givenAFetcher({ concurrency: 1 });
      const seen: unknown[] = [];
      const all = fetcher.all([task('a', 100), task('b', 100), task('c', 100), task('d', 100)], { onProgress: (progress) => seen.push(progress) });
      await clock.advance(400);
      await all;
      expect(seen).toHaveLength(4);
      expect(seen[0]).toEqual({ done: 1, failed: 0, total: 4, ratePerSecond: 10, etaMs: 300 });
      expect(seen[3]).toEqual({ done: 4, failed: 0, total: 4, ratePerSecond: 10, etaMs: 0 });
    });

    it('runs nothing more when the list of tasks throws', async () => {
      const { fetcher, clock, started, task } = givenAFetcher({ concurrency: 1 });
      function* broken() {
        yield task('a');
        yield task('b');
        throw new Error('no more symbols');
      }
      expect(await codeOf(fetcher.all(broken()))).toBe('no more symbols');
      await clock.advance(100);
      expect(started).toEqual(['a']);
    });
  });

  describe('drain and close', () => {
    it('drains when nothing waits or runs, retries included', async () => {
      const { fetcher, clock } = givenAFetcher({ retry: { max: 1, baseMs: 100, capMs: 100 } });
      let attempts = 0;
      void fetcher.run({
        input: 0,
        run: async () => {
          if (++attempts === 1) throw Object.assign(new Error('busy'), { retryAfterMs: 100 });
        },
      });
      let isDrained = false;
      void fetcher.drain().then(() => (isDrained = true));
      await clock.advance(99);
      expect(isDrained).toBe(false);
      await clock.advance(500);
      expect(isDrained).toBe(true);
      expect(attempts).toBe(2);
      await fetcher.drain();
    });

    it('closes by answering all who wait, twice without harm', async () => {
      const { fetcher, clock, task } = givenAFetcher({ concurrency: 1, groups: { slow: { ratePerSecond: 1 } } });
      const running = codeOf(fetcher.run(task('running')));
      const queued = codeOf(fetcher.run(task('queued', 1, { group: 'slow' })));
      fetcher.pause('slow', 60_000);
      await fetcher.close();
      await fetcher[Symbol.asyncDispose]();
      expect(await running).toBe('CLOSED');
      expect(await queued).toBe('CLOSED');
      expect(await codeOf(fetcher.run(task('late')))).toBe('CLOSED');
      await clock.advance(10);
      expect(clock.pending).toBe(0);
    });
  });

  it('reports its state and every task once', async () => {
    const { fetcher, clock, bus, task } = givenAFetcher({ concurrency: 1 });
    const states: unknown[] = [];
    const tasks: unknown[] = [];
    bus.on('fetch.state', (state) => states.push(state));
    bus.on('fetch.task', (done) => tasks.push(done));
    const all = fetcher.all([task('a', 10, { group: 'bars' }), task('b', 20)]);
    await clock.advance(30);
    await all;
    expect(tasks).toEqual([
      { group: 'bars', waitMs: 0, runMs: 10, ok: true },
      { group: '', waitMs: 10, runMs: 20, ok: true },
    ]);
    expect(states[0]).toEqual({ running: 1, queued: 0, concurrency: 1 });
    expect(states.at(-1)).toEqual({ running: 0, queued: 0, concurrency: 1 });
  });

  it.each([
    [{ concurrency: 0 }, /concurrency must be a whole number of 1 or more, got 0/],
    [{ concurency: 3 }, /no option "concurency"; did you mean "concurrency"/],
    [{ groups: { bars: { ratePerSecond: -1 } } }, /groups.bars.ratePerSecond .*-1/],
    [{ groups: { bars: { burst: 1 } } }, /groups.bars.burst adds to groups.bars.ratePerSecond/],
    [{ groups: { bars: { rate: 1 } } }, /groups.bars has no option "rate"/],
    [{ retry: { max: 1, baseMs: 10, capMs: 1 } }, /retry.capMs must be at least retry.baseMs/],
    [{ overflow: 'drop' }, /overflow must be one of "reject", "drop_lowest", "wait", got "drop"/],
    [{ maxQueue: 1.5 }, /maxQueue .*1.5/],
  ])('refuses %o', (options, message) => {
    expect(() => new ParallelFetcher(options as ParallelFetcherOptions)).toThrow(message);
  });

  it.each([
    [{ priority: Number.NaN }, /task.priority/],
    [{ weight: 0 }, /task.weight/],
    [{ costHintMs: -1 }, /task.costHintMs/],
    [{ deadlineAt: Number.POSITIVE_INFINITY }, /task.deadlineAt/],
    [{ run: undefined }, /task.run must be a function/],
  ])('refuses a task with %o', async (more, message) => {
    const { fetcher, task } = givenAFetcher();
    await expect(fetcher.run(task('x', 1, more as object))).rejects.toThrow(message);
  });
});
