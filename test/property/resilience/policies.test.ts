import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PRIORITIES } from '../../../src/core/limits.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { seededRandom } from '../../../src/core/random.js';
import {
  AdaptiveConcurrency,
  Bulkhead,
  CircuitBreaker,
  Deadlines,
  fullJitter,
  LatencyQuantile,
  RetryBudget,
  Timed,
} from '../../../src/resilience/index.js';

describe('RetryBudget', () => {
  it('never lets more retries through than were earned', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.constant('earn'), fc.constant('spend'), fc.nat(2_000)), { maxLength: 100, size: 'max' }),
        async (steps) => {
          const clock = new ManualClock();
          const budget = new RetryBudget({ clock });
          while (budget.trySpend());
          let earned = 0;
          let spent = 0;
          for (const step of steps) {
            if (step === 'earn') {
              budget.earn();
              earned += 0.2;
            } else if (step === 'spend') {
              spent += Number(budget.trySpend());
            } else {
              await clock.advance(Number(step));
              earned += Number(step) / 1000;
            }
            expect(spent).toBeLessThanOrEqual(earned + 1e-9);
          }
        },
      ),
    );
  });
});

describe('fullJitter', () => {
  it('stays within its bounds and never comes before Retry-After', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.integer({ min: 1, max: 2_000 }),
        fc.option(fc.nat(100_000), { nil: undefined }),
        async (seed, failures, retryAfterMs) => {
          const backoff = fullJitter({ baseMs: 100, capMs: 5_000, random: seededRandom(seed) });
          const delay = backoff(failures, retryAfterMs);
          expect(delay).toBeGreaterThanOrEqual(retryAfterMs ?? 0);
          expect(delay).toBeLessThanOrEqual(Math.max(5_000, (retryAfterMs ?? 0) + 100));
        },
      ),
    );
  });
});

describe('CircuitBreaker', () => {
  it('agrees with a model that remembers every call', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('success', 'failure', 'ignore') },
      { weight: 1, arbitrary: fc.constantFrom('trip', 'reset') },
      { weight: 2, arbitrary: fc.nat(700) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), fc.integer({ min: 1, max: 3 }), async (steps, probes) => {
        const [openMs, windowMs, minCalls] = [500, 1_000, 3];
        const clock = new ManualClock();
        const breaker = new CircuitBreaker({ clock, minCalls, openMs, windowMs, probes });
        let state = 'closed';
        let openedAt = 0;
        let succeeded = 0;
        let calls: { slice: number; ok: boolean }[] = [];
        const move = (to: string): void => {
          state = to;
          openedAt = clock.monotonic();
          succeeded = 0;
          if (to === 'closed') calls = [];
        };
        for (const step of steps) {
          const now = clock.monotonic();
          if (typeof step === 'number') {
            await clock.advance(step);
          } else if (step === 'trip') {
            breaker.trip('by hand');
            move('open');
          } else if (step === 'reset') {
            breaker.reset();
            move('closed');
          } else {
            // A call that is over before the next begins.
            if (state === 'open' && now - openedAt >= openMs) move('half_open');
            const allowed = breaker.allow();
            expect(allowed).toBe(state !== 'open');
            if (!allowed) continue;
            breaker[step as 'success' | 'failure' | 'ignore']();
            if (step === 'ignore') continue;
            if (state === 'half_open') {
              if (step === 'failure') move('open');
              else if (++succeeded === probes) move('closed');
              continue;
            }
            const slice = Math.floor(now / (windowMs / 10));
            calls = [...calls.filter((call) => call.slice > slice - 10), { slice, ok: step === 'success' }];
            const failed = calls.filter((call) => !call.ok).length;
            if (step === 'failure' && calls.length >= minCalls && failed / calls.length >= 0.5) move('open');
          }
          expect(breaker.state).toBe(state);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('Bulkhead', () => {
  it('is never over its limit, loses nobody, and serves by priority and arrival', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('enter' as const), rank: fc.nat(5) }),
      fc.record({ do: fc.constant('leave' as const) }),
      fc.record({ do: fc.constant('abort' as const), which: fc.nat(50) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.nat(5),
        fc.array(step, { maxLength: 80, size: 'max' }),
        async (maxInFlight, maxQueue, steps) => {
          const bulkhead = new Bulkhead({ maxInFlight, maxQueue });
          const waiting: { rank: number; id: number; caller: AbortController }[] = [];
          let [inside, ended, entered] = [0, 0, 0];
          for (const step of steps) {
            if (step.do === 'enter') {
              const me = { rank: step.rank, id: entered++, caller: new AbortController() };
              waiting.push(me);
              void bulkhead.enter({ priority: PRIORITIES[step.rank]!, signal: me.caller.signal }).then(
                () => {
                  waiting.splice(waiting.indexOf(me), 1);
                  // Nobody who goes first still waits.
                  expect(waiting.filter((other) => other.rank < me.rank || (other.rank === me.rank && other.id < me.id))).toEqual([]);
                  inside++;
                },
                () => {
                  waiting.splice(waiting.indexOf(me), 1);
                  ended++;
                },
              );
            } else if (step.do === 'leave') {
              if (inside === 0) continue;
              inside--;
              bulkhead.leave();
            } else {
              waiting[step.which % Math.max(1, waiting.length)]?.caller.abort(new Error('aborted'));
            }
            await new Promise<void>((resolve) => void setImmediate(resolve));
            expect(bulkhead.inFlight).toBe(inside);
            expect(bulkhead.queued).toBe(waiting.length);
            expect(inside).toBeLessThanOrEqual(maxInFlight);
            expect(waiting.length).toBeLessThanOrEqual(maxQueue);
            if (waiting.length > 0) expect(inside).toBe(maxInFlight);
          }
          expect(ended + waiting.length).toBeLessThanOrEqual(entered);
        },
      ),
    );
  });
});

describe('Deadlines', () => {
  it('ends exactly what is due, exactly then, and nothing that was removed', async () => {
    class Entry extends Timed {
      dueAt = 0;
      expiredAt: number | undefined;
      removed = false;
      expire(now: number): void {
        this.expiredAt = now;
      }
    }
    const step = fc.oneof(
      fc.record({ do: fc.constant('add' as const), ms: fc.constantFrom(10, 25, 40, 100.5) }),
      fc.record({ do: fc.constant('remove' as const), which: fc.nat(100) }),
      fc.record({ do: fc.constant('wait' as const), ms: fc.nat(60) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
        const clock = new ManualClock();
        const deadlines = new Deadlines({ clock });
        const entries: Entry[] = [];
        for (const step of steps) {
          if (step.do === 'add') {
            const entry = new Entry();
            entry.dueAt = clock.monotonic() + step.ms;
            deadlines.add(entry, step.ms, clock.monotonic());
            entries.push(entry);
          } else if (step.do === 'remove') {
            const entry = entries[step.which % Math.max(1, entries.length)];
            if (entry === undefined) continue;
            entry.removed ||= entry.expiredAt === undefined;
            deadlines.remove(entry);
          } else {
            await clock.advance(step.ms);
          }
          for (const entry of entries) {
            const isDue = !entry.removed && entry.dueAt <= clock.monotonic();
            expect(entry.expiredAt).toBe(isDue ? entry.dueAt : undefined);
          }
        }
        await clock.advance(1_000);
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});

describe('LatencyQuantile', () => {
  it('is within 5 % of the true quantile of what it has seen', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(0.5, 0.9, 0.95, 0.99),
        fc.array(fc.double({ min: 0.05, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 400, size: 'max' }),
        async (quantile, latencies) => {
          const estimate = new LatencyQuantile(quantile, 1_000_000);
          const seen: number[] = [];
          for (const ms of latencies) {
            estimate.observe(ms);
            seen.push(ms);
            // It computes anew every 32 observations.
            if (seen.length > 32 && seen.length % 32 !== 0) continue;
            const sorted = [...seen].sort((a, b) => a - b);
            const exact = sorted[Math.max(0, Math.ceil(quantile * sorted.length - 1e-9) - 1)] as number;
            expect(Math.abs(estimate.valueMs - exact) / exact).toBeLessThan(0.05);
          }
        },
      ),
    );
  });

  it('follows a venue that becomes faster or slower', () => {
    const estimate = new LatencyQuantile(0.95);
    for (let i = 0; i < 10_000; i++) estimate.observe(200);
    for (let i = 0; i < 6_000; i++) estimate.observe(20);
    expect(estimate.valueMs).toBeLessThan(21);
  });

  it('takes zero, NaN and absurd latencies without harm', () => {
    const estimate = new LatencyQuantile(0.95);
    for (const ms of [0, Number.NaN, -5, Infinity]) estimate.observe(ms);
    expect(Number.isFinite(estimate.valueMs)).toBe(true);
  });
});

describe('AdaptiveConcurrency', () => {
  it('stays a whole number within its bounds, whatever it sees', async () => {
    const call = fc.record({ lost: fc.boolean(), ms: fc.double({ min: 0, max: 1e6, noNaN: true }), inFlight: fc.nat(300) });
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 500, size: 'max' }), async (calls) => {
        const adaptive = new AdaptiveConcurrency({ min: 3, max: 90 });
        for (const { lost, ms, inFlight } of calls) {
          adaptive.observe(lost ? 'lost' : 'ok', ms, inFlight);
          expect(Number.isInteger(adaptive.limit)).toBe(true);
          expect(adaptive.limit).toBeGreaterThanOrEqual(3);
          expect(adaptive.limit).toBeLessThanOrEqual(90);
        }
      }),
    );
  });
});
