import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { seededRandom } from '../../../src/core/random.js';
import {
  type AttemptOutcome,
  Bulkhead,
  CircuitBreaker,
  Hedge,
  Pipeline,
  type PipelineAttempt,
  type PipelineOptions,
  type PolicyError,
  RateLimiter,
  RetryBudget,
} from '../../../src/resilience/index.js';

const RETRY = { max: 3, baseMs: 100, capMs: 1_000 };
const classify = (error: Error) => ({ retry: error.message !== 'invalid' });

const givenAPipeline = (options: Partial<PipelineOptions> = {}) => {
  const clock = new ManualClock();
  const attempts: [AttemptOutcome, number, number, boolean][] = [];
  const pipeline = new Pipeline({
    clock,
    random: seededRandom(1),
    onAttempt: (outcome, ms, attempt, hedge) => attempts.push([outcome, ms, attempt, hedge]),
    ...options,
  });
  return { clock, pipeline, attempts };
};

/** Work that answers after `ms`, or when its signal aborts. */
const answersAfter =
  (clock: ManualClock, ...ms: number[]) =>
  async (attempt: PipelineAttempt): Promise<string> => {
    const turn = ms.shift() ?? 0;
    await clock.sleep(turn, attempt.signal);
    return `after ${turn}`;
  };

const never = (): Promise<never> => new Promise<never>(() => {});

/** How a promise ends, taken hold of before time moves on. */
const ending = <T>(promise: Promise<T>): Promise<{ value?: T; error?: PolicyError }> =>
  promise.then(
    (value) => ({ value }),
    (error: PolicyError) => ({ error }),
  );

describe('Pipeline', () => {
  it('gives what the work gives', async () => {
    const { pipeline, attempts } = givenAPipeline();
    expect(await pipeline.run(async () => 7)).toBe(7);
    expect(attempts).toEqual([['ok', 0, 1, false]]);
  });

  it('makes no controller, timer or error for a call that succeeds', async () => {
    const { clock, pipeline } = givenAPipeline({ classify, retry: RETRY });
    await pipeline.run(async () => 1);
    const timers = clock.pending;
    let controllers = 0;
    const Original = globalThis.AbortController;
    globalThis.AbortController = class extends Original {
      constructor() {
        super();
        controllers++;
      }
    };
    try {
      for (let call = 0; call < 100; call++) await pipeline.run(async () => 1);
    } finally {
      globalThis.AbortController = Original;
    }
    expect(controllers).toBe(0);
    expect(clock.pending).toBe(timers);
  });

  it('tries again after a failure that is worth it, and hears of each attempt', async () => {
    const { clock, pipeline, attempts } = givenAPipeline({ classify, retry: RETRY });
    let calls = 0;
    const result = ending(
      pipeline.run(async () => {
        if (++calls < 3) throw new Error('reset');
        return calls;
      }),
    );
    await clock.advance(1_000);
    expect((await result).value).toBe(3);
    expect(attempts.map(([outcome, , attempt]) => [outcome, attempt])).toEqual([
      ['failed', 1],
      ['failed', 2],
      ['ok', 3],
    ]);
  });

  it('does not try again what is not worth it', async () => {
    const { pipeline } = givenAPipeline({ classify, retry: RETRY });
    let calls = 0;
    const result = await ending(
      pipeline.run(async () => {
        calls++;
        throw new Error('invalid');
      }),
    );
    expect(result.error?.message).toBe('invalid');
    expect(calls).toBe(1);
  });

  it('gives up after the retries it was allowed, with the last error', async () => {
    const { clock, pipeline } = givenAPipeline({ classify, retry: RETRY });
    let calls = 0;
    const result = ending(pipeline.run(() => Promise.reject(new Error(`reset ${++calls}`))));
    await clock.advance(10_000);
    expect((await result).error?.message).toBe('reset 4');
  });

  it('treats work that throws before it returns a promise like work that rejects', async () => {
    const { pipeline } = givenAPipeline();
    const result = await ending(
      pipeline.run(() => {
        throw new Error('at once');
      }),
    );
    expect(result.error?.message).toBe('at once');
  });

  it('waits at least as long as the venue asked', async () => {
    const { clock, pipeline } = givenAPipeline({ retry: RETRY, classify: () => ({ retry: true, retryAfterMs: 5_000 }) });
    const sentAt: number[] = [];
    void ending(
      pipeline.run(async () => {
        sentAt.push(clock.monotonic());
        throw new Error('429');
      }),
    );
    await clock.advance(5_000);
    expect(sentAt).toEqual([0]);
    await clock.advance(101);
    expect(sentAt).toHaveLength(2);
  });

  it('says at once that the venue asks for more time than there is', async () => {
    const { clock, pipeline } = givenAPipeline({ deadlineMs: 1_000, retry: RETRY, classify: () => ({ retry: true, retryAfterMs: 5_000 }) });
    const { error } = await ending(pipeline.run(() => Promise.reject(new Error('429'))));
    expect(error?.code).toBe('DEADLINE');
    expect(error?.cause).toMatchObject({ message: '429' });
    expect(clock.monotonic()).toBe(0);
  });

  it('abandons an attempt that takes too long, aborts its signal, and tries again', async () => {
    const { clock, pipeline, attempts } = givenAPipeline({ timeoutMs: 200, classify, retry: RETRY });
    const signals: AbortSignal[] = [];
    const result = ending(
      pipeline.run((attempt) => {
        signals.push(attempt.signal);
        return attempt.number === 1 ? never() : Promise.resolve('second');
      }),
    );
    await clock.advance(199);
    expect(signals[0]?.aborted).toBe(false);
    await clock.advance(1);
    expect(signals[0]?.aborted).toBe(true);
    await clock.advance(100);
    expect((await result).value).toBe('second');
    expect(attempts[0]).toEqual(['timeout', 200, 1, false]);
  });

  it('makes no second attempt of a call whose timed-out attempt may have done its work', async () => {
    const { clock, pipeline } = givenAPipeline({ timeoutMs: 200, classify, retry: RETRY });
    let made = 0;
    const result = ending(
      pipeline.run(
        () => {
          made++;
          return never();
        },
        { retryTimeouts: false },
      ),
    );
    await clock.advance(60_000);
    expect([(await result).error?.code, made]).toEqual(['DEADLINE', 1]);
  });

  it('frees the place of work that takes no signal when it is given up, and once only', async () => {
    const bulkhead = new Bulkhead({ maxInFlight: 2 });
    const { clock, pipeline } = givenAPipeline({ timeoutMs: 200, bulkhead });
    let answer = (_: string): void => {};
    const result = ending(pipeline.run(() => new Promise<string>((resolve) => (answer = resolve)), { isDetached: true }));
    const kept = ending(pipeline.run(never));
    await clock.advance(200);
    expect([(await result).error?.code, (await kept).error?.code]).toEqual(['DEADLINE', 'DEADLINE']);
    expect(bulkhead.inFlight).toBe(1);
    answer('too late');
    await clock.advance(1);
    expect(bulkhead.inFlight).toBe(1);
  });

  it('gives its caller what an error is to be shown as, also one that was refused before anything was sent', async () => {
    const { pipeline } = givenAPipeline({});
    const asThrown = (error: Error): object => ({ shown: error.message });
    const failed = pipeline.run(() => Promise.reject(new Error('busy')), { asThrown });
    await expect(failed).rejects.toEqual({ shown: 'busy' });
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(pipeline.run(never, { asThrown, signal })).rejects.toEqual({ shown: 'enough' });
  });

  it('gives a signal that is aborted already to work that asks for it only after it was abandoned', async () => {
    const { clock, pipeline } = givenAPipeline({ timeoutMs: 200 });
    let kept: PipelineAttempt | undefined;
    const result = ending(
      pipeline.run((attempt) => {
        kept = attempt;
        return never();
      }),
    );
    await clock.advance(200);
    expect((await result).error?.code).toBe('DEADLINE');
    expect(kept?.signal.aborted).toBe(true);
  });

  it.each([
    [500, 10_000],
    [500, 500],
    [500, 200],
  ])('ends at its deadline of %i ms with attempts of %i ms, though the work never ends', async (deadlineMs, timeoutMs) => {
    const { clock, pipeline } = givenAPipeline({ timeoutMs, classify, retry: { max: 100, baseMs: 1, capMs: 1 } });
    const result = ending(pipeline.run(never, { deadlineMs, operation: 'book' }));
    await clock.advance(deadlineMs - 1);
    expect(await Promise.race([result, 'still waiting'])).toBe('still waiting');
    await clock.advance(1);
    const { error } = await result;
    expect(error?.code).toBe('DEADLINE');
    expect(error?.message).toContain('book had no answer within 500 ms');
  });

  it("ends with the caller's reason when the caller aborts, in flight or between attempts", async () => {
    const { clock, pipeline, attempts } = givenAPipeline({ classify, retry: RETRY });
    const reason = new Error('no longer needed');
    const inFlight = new AbortController();
    const first = ending(pipeline.run(never, { signal: inFlight.signal }));
    inFlight.abort(reason);
    expect((await first).error).toBe(reason);
    const between = new AbortController();
    const second = ending(pipeline.run(() => Promise.reject(new Error('reset')), { signal: between.signal }));
    await clock.advance(1);
    between.abort(reason);
    expect((await second).error).toBe(reason);
    await clock.advance(60_000);
    expect(attempts.map(([outcome]) => outcome)).toEqual(['aborted', 'failed']);
    expect((await ending(pipeline.run(never, { signal: between.signal }))).error).toBe(reason);
  });

  it('stops retrying when the budget is spent, and says what had failed', async () => {
    const exhausted: string[] = [];
    const clock = new ManualClock();
    const budget = new RetryBudget({ clock, ratio: 0, minPerSecond: 0.001 });
    const pipeline = new Pipeline({ clock, classify, retry: RETRY, budget, onBudgetExhausted: (operation) => exhausted.push(operation) });
    const result = ending(pipeline.run(() => Promise.reject(new Error('reset')), { operation: 'book' }));
    await clock.advance(10_000);
    const { error } = await result;
    expect(error?.code).toBe('RETRY_BUDGET');
    expect(error?.cause).toMatchObject({ message: 'reset' });
    expect(exhausted).toEqual(['book']);
  });

  it('fails fast while the breaker is open, and closes it by a probe', async () => {
    const clock = new ManualClock();
    const breaker = new CircuitBreaker({ clock, minCalls: 2, openMs: 1_000 });
    const pipeline = new Pipeline({ clock, breaker });
    for (let call = 0; call < 2; call++) await ending(pipeline.run(() => Promise.reject(new Error('reset'))));
    let sent = 0;
    const work = async (): Promise<number> => ++sent;
    expect((await ending(pipeline.run(work))).error?.code).toBe('CIRCUIT_OPEN');
    expect(sent).toBe(0);
    await clock.advance(1_000);
    expect(await pipeline.run(work)).toBe(1);
    expect(breaker.state).toBe('closed');
  });

  it('gives a probe back when its caller aborts it', async () => {
    const clock = new ManualClock();
    const breaker = new CircuitBreaker({ clock, minCalls: 1, openMs: 1_000 });
    const pipeline = new Pipeline({ clock, breaker });
    await ending(pipeline.run(() => Promise.reject(new Error('reset'))));
    await clock.advance(1_000);
    const caller = new AbortController();
    const aborted = ending(pipeline.run(never, { signal: caller.signal }));
    caller.abort(new Error('changed my mind'));
    await aborted;
    expect(await pipeline.run(async () => 'next')).toBe('next');
  });

  it('does not hold a hurried caller against the venue', async () => {
    const clock = new ManualClock();
    const breaker = new CircuitBreaker({ clock, minCalls: 1 });
    const pipeline = new Pipeline({ clock, breaker, timeoutMs: 1_000 });
    const hurried = ending(pipeline.run(never, { deadlineMs: 5 }));
    await clock.advance(5);
    expect((await hurried).error?.code).toBe('DEADLINE');
    expect(breaker.state).toBe('closed');
    const patient = ending(pipeline.run(never));
    await clock.advance(1_000);
    await patient;
    expect(breaker.state).toBe('open');
  });

  it('keeps the place of work that still runs after its caller has gone', async () => {
    const clock = new ManualClock();
    const bulkhead = new Bulkhead({ maxInFlight: 1, maxQueue: 0 });
    const pipeline = new Pipeline({ clock, bulkhead });
    let end: (value: string) => void = () => {};
    const stuck = ending(
      pipeline.run(
        () =>
          new Promise<string>((resolve) => {
            end = resolve;
          }),
        { deadlineMs: 10 },
      ),
    );
    await clock.advance(10);
    expect((await stuck).error?.code).toBe('DEADLINE');
    expect((await ending(pipeline.run(never))).error?.code).toBe('BULKHEAD_FULL');
    end('late');
    await clock.advance(0);
    expect(bulkhead.inFlight).toBe(0);
    expect(await pipeline.run(async () => 'free again')).toBe('free again');
  });

  it('lets the late answer of an abandoned call reach no other call', async () => {
    const { clock, pipeline } = givenAPipeline({ timeoutMs: 100 });
    const answers: ((value: string) => void)[] = [];
    const work = () => new Promise<string>((resolve) => answers.push(resolve));
    const abandoned = ending(pipeline.run(work));
    await clock.advance(100);
    expect((await abandoned).error?.code).toBe('DEADLINE');
    const next = ending(pipeline.run(work));
    answers[0]?.('of the first');
    await clock.advance(50);
    const third = ending(pipeline.run(work));
    await clock.advance(49);
    expect(await Promise.race([next, third, 'both still waiting'])).toBe('both still waiting');
    answers[1]?.('of the second');
    expect((await next).value).toBe('of the second');
    await clock.advance(51);
    expect((await third).error?.code).toBe('DEADLINE');
    expect(clock.monotonic()).toBe(250);
  });

  it('waits for its limits, spends them for every attempt, and refuses what can’t be sent in time', async () => {
    const clock = new ManualClock();
    const limiter = new RateLimiter({ clock, limits: [{ id: 'weight', scope: 'ip', kind: 'window', units: 2, perMs: 1_000 }] });
    const pipeline = new Pipeline({ clock, limiter, deadlineMs: 5_000 });
    const costs = [{ limit: 'weight', units: 1 }];
    const sentAt: number[] = [];
    const work = async (): Promise<number> => sentAt.push(clock.monotonic());
    const all = Promise.all([1, 2, 3].map(() => pipeline.run(work, { costs })));
    await clock.advance(1_000);
    await all;
    expect(sentAt).toEqual([0, 0, 1_000]);
    limiter.observe({ limit: 'weight', blockedUntil: clock.now() + 60_000 });
    const { error } = await ending(pipeline.run(work, { costs }));
    expect(error?.code).toBe('RATE_LIMITED');
    expect(error?.retryAfterMs).toBe(60_000);
  });

  it('sends nothing whose turn comes with the last tick of its deadline', async () => {
    const clock = new ManualClock();
    const limiter = new RateLimiter({ clock, limits: [{ id: 'weight', scope: 'ip', kind: 'window', units: 1, perMs: 1_000 }], reserve: 0 });
    const bulkhead = new Bulkhead({ maxInFlight: 5 });
    const pipeline = new Pipeline({ clock, limiter, bulkhead });
    const costs = [{ limit: 'weight', units: 1 }];
    limiter.tryAcquire(costs, { priority: 'kill' });
    let sent = 0;
    const result = ending(pipeline.run(async () => ++sent, { costs, deadlineMs: 1_000 }));
    await clock.advance(5_000);
    expect(['DEADLINE', 'RATE_LIMITED']).toContain((await result).error?.code);
    expect([sent, bulkhead.inFlight, limiter.headroom('weight')]).toEqual([0, 0, 1]);
  });

  it('refuses a cost that no window can hold, and gives back the place it had taken', async () => {
    const clock = new ManualClock();
    const limiter = new RateLimiter({ clock, limits: [{ id: 'weight', scope: 'ip', kind: 'window', units: 2, perMs: 1_000 }] });
    const bulkhead = new Bulkhead({ maxInFlight: 1 });
    const pipeline = new Pipeline({ clock, limiter, bulkhead });
    await expect(pipeline.run(async () => 1, { costs: [{ limit: 'weight', units: 3 }] })).rejects.toThrow(/at most 2, got 3/);
    expect(bulkhead.inFlight).toBe(0);
  });

  it('goes on when a hook or the classifier throws, and logs it', async () => {
    const logged: string[] = [];
    const logger = { debug() {}, info() {}, warn() {}, error: (_facts: object, message?: string) => void logged.push(message ?? '') };
    const throwing = () => {
      throw new Error('a fault of the host');
    };
    const { pipeline } = givenAPipeline({ onAttempt: throwing, classify: throwing, retry: RETRY, logger });
    expect(await pipeline.run(async () => 1)).toBe(1);
    expect((await ending(pipeline.run(() => Promise.reject(new Error('reset'))))).error?.message).toBe('reset');
    expect(logged).toEqual(['onAttempt of a pipeline threw', 'classify of a pipeline threw', 'onAttempt of a pipeline threw']);
  });

  it('reads the time to sign once', async () => {
    let time = 100;
    const { pipeline } = givenAPipeline({ venueNow: () => time++ });
    expect(await pipeline.run(async (attempt) => [attempt.venueNow, attempt.venueNow])).toEqual([100, 100]);
  });

  it('refuses options that can’t be meant, by name', () => {
    const clock = new ManualClock();
    expect(() => new Pipeline({ clock, timeoutMs: 0 })).toThrow(/timeoutMs.*above 0.*0/);
    expect(() => new Pipeline({ clock, retry: RETRY })).toThrow(/classify must be a function where retry is given/);
    expect(() => new Pipeline({ clock, timeoutMS: 5 } as never)).toThrow(/timeoutMS.*did you mean "timeoutMs"/);
  });
});

describe('Pipeline with a hedge', () => {
  const givenAHedgedPipeline = async (options: { maxRatio?: number; budget?: (clock: ManualClock) => RetryBudget } = {}) => {
    const clock = new ManualClock();
    const attempts: [AttemptOutcome, boolean][] = [];
    const budget = options.budget?.(clock);
    const hedge = new Hedge({ maxRatio: options.maxRatio ?? 1, minSamples: 20, ...(budget !== undefined && { budget }) });
    const pipeline = new Pipeline({ clock, hedge, onAttempt: (outcome, _ms, _attempt, isHedge) => attempts.push([outcome, isHedge]) });
    for (let call = 0; call < 20; call++) {
      const run = pipeline.run(answersAfter(clock, 10));
      await clock.advance(10);
      await run;
    }
    attempts.length = 0;
    return { clock, pipeline, attempts, hedge };
  };

  it('sends a second copy of a slow read, takes the first answer and aborts the loser', async () => {
    const { clock, pipeline, attempts } = await givenAHedgedPipeline();
    const signals: AbortSignal[] = [];
    const slowFirst = answersAfter(clock, 5_000, 3);
    const result = ending(
      pipeline.run((attempt) => {
        signals.push(attempt.signal);
        return slowFirst(attempt);
      }),
    );
    await clock.advance(20);
    expect((await result).value).toBe('after 3');
    expect(signals.map((signal) => signal.aborted)).toEqual([true, false]);
    expect(attempts).toEqual([
      ['ok', true],
      ['aborted', false],
    ]);
  });

  it('lets the first answer win where it comes first', async () => {
    const { clock, pipeline, attempts } = await givenAHedgedPipeline();
    const result = ending(pipeline.run(answersAfter(clock, 15, 500)));
    await clock.advance(20);
    expect((await result).value).toBe('after 15');
    expect(attempts).toEqual([
      ['ok', false],
      ['aborted', true],
    ]);
  });

  it('fails only when both copies have failed', async () => {
    const { clock, pipeline } = await givenAHedgedPipeline();
    let sent = 0;
    const result = ending(
      pipeline.run(async (attempt) => {
        const turn = ++sent;
        await clock.sleep(turn === 1 ? 30 : 1, attempt.signal);
        throw new Error(`copy ${turn}`);
      }),
    );
    await clock.advance(29);
    expect(sent).toBe(2);
    expect(await Promise.race([result, 'still waiting'])).toBe('still waiting');
    await clock.advance(1);
    expect((await result).error?.message).toBe('copy 1');
  });

  it('keeps the deadline of a hedged read', async () => {
    const { clock, pipeline } = await givenAHedgedPipeline();
    const result = ending(pipeline.run(never, { deadlineMs: 500 }));
    await clock.advance(499);
    expect(await Promise.race([result, 'still waiting'])).toBe('still waiting');
    await clock.advance(1);
    expect((await result).error?.code).toBe('DEADLINE');
  });

  it('hedges no more than its share of the calls, nor beyond the budget, nor a call that forbids it', async () => {
    const few = await givenAHedgedPipeline({ maxRatio: 0.05 });
    let sent = 0;
    const slow = async (attempt: PipelineAttempt): Promise<void> => {
      sent++;
      await few.clock.sleep(1_000, attempt.signal);
    };
    const runs = Array.from({ length: 40 }, () => ending(few.pipeline.run(slow)));
    await few.clock.advance(1_000);
    await Promise.all(runs);
    // 60 calls at 5 %.
    expect(sent - 40).toBe(3);

    const poor = await givenAHedgedPipeline({ budget: (clock) => new RetryBudget({ clock, ratio: 0, minPerSecond: 0.0001 }) });
    for (let call = 0; call < 3; call++) {
      const run = ending(poor.pipeline.run(answersAfter(poor.clock, 50, 50)));
      await poor.clock.advance(100);
      await run;
    }
    expect(poor.attempts.filter(([, hedge]) => hedge)).toHaveLength(1);

    const forbidden = await givenAHedgedPipeline();
    const run = ending(forbidden.pipeline.run(answersAfter(forbidden.clock, 50), { hedge: false }));
    await forbidden.clock.advance(50);
    await run;
    expect(forbidden.attempts).toEqual([['ok', false]]);
  });

  it('takes a hedge back that found no place', async () => {
    const clock = new ManualClock();
    const hedge = new Hedge({ maxRatio: 0.5, minSamples: 1 });
    const bulkhead = new Bulkhead({ maxInFlight: 1 });
    const pipeline = new Pipeline({ clock, hedge, bulkhead });
    for (let call = 0; call < 2; call++) {
      const run = pipeline.run(answersAfter(clock, 10));
      await clock.advance(10);
      await run;
    }
    const slow = ending(pipeline.run(answersAfter(clock, 100)));
    await clock.advance(100);
    expect((await slow).value).toBe('after 100');
    expect(hedge.trySpend()).toBe(true);
  });
});
