import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isVenueKitError } from '../../../src/core/errors.js';
import type { Limit } from '../../../src/core/limits.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { seededRandom } from '../../../src/core/random.js';
import { Bulkhead, CircuitBreaker, Hedge, Pipeline, RateLimiter, RetryBudget } from '../../../src/resilience/index.js';

const LIMIT: Limit = { id: 'weight', scope: 'ip', kind: 'window', units: 12, perMs: 1_000 };
const POLICY_CODES = ['RATE_LIMITED', 'CIRCUIT_OPEN', 'BULKHEAD_FULL', 'DEADLINE', 'RETRY_BUDGET'];

/** How the venue treats one request. */
const fate = fc.record({
  ms: fc.constantFrom(0, 1, 10, 90, 400, 3_000, Infinity),
  fails: fc.boolean(),
  heedsAbort: fc.boolean(),
});
const call = fc.record({
  afterMs: fc.constantFrom(0, 0, 5, 60, 400),
  deadlineMs: fc.constantFrom(20, 300, 2_000, 8_000),
  units: fc.integer({ min: 0, max: 4 }),
  abortAfterMs: fc.option(fc.constantFrom(0, 7, 150), { nil: undefined }),
});

describe('Pipeline', () => {
  it('settles every call by its deadline, keeps limits, budget, places and hedges, and leaves nothing behind', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.array(fate, { minLength: 1, maxLength: 20, size: 'max' }),
        fc.array(call, { maxLength: 40, size: 'max' }),
        async (seed, fates, calls) => {
          const clock = new ManualClock();
          const budget = new RetryBudget({ clock, ratio: 0.2, minPerSecond: 0.5, windowMs: 4_000 });
          const bulkhead = new Bulkhead({ maxInFlight: 5, maxQueue: 6 });
          const limiter = new RateLimiter({ clock, limits: [LIMIT] });
          const attempts: { outcome: string; number: number; hedge: boolean }[] = [];
          const pipeline = new Pipeline({
            clock,
            random: seededRandom(seed),
            timeoutMs: 500,
            retry: { max: 3, baseMs: 50, capMs: 400 },
            classify: () => ({ retry: true }),
            budget,
            bulkhead,
            limiter,
            breaker: new CircuitBreaker({ clock, minCalls: 5, openMs: 700 }),
            hedge: new Hedge({ maxRatio: 0.5, minSamples: 1, budget }),
            onAttempt: (outcome, _ms, number, hedge) => attempts.push({ outcome, number, hedge }),
          });
          const faults: string[] = [];
          const sent: { at: number; units: number }[] = [];
          let [inFlight, open, started] = [0, 0, 0];
          const endless: (() => void)[] = [];
          for (const { afterMs, deadlineMs, units, abortAfterMs } of calls) {
            await clock.advance(afterMs);
            const caller = new AbortController();
            if (abortAfterMs !== undefined) clock.schedule(abortAfterMs, () => caller.abort(new Error('aborted')));
            const startedAt = clock.monotonic();
            open++;
            pipeline
              .run(
                async (attempt) => {
                  const { ms, fails, heedsAbort } = fates[started++ % fates.length]!;
                  sent.push({ at: clock.monotonic(), units });
                  if (++inFlight > 5) faults.push(`${inFlight} in flight`);
                  try {
                    if (ms === Infinity) await new Promise<void>((resolve) => endless.push(resolve));
                    else await (heedsAbort ? clock.sleep(ms, attempt.signal) : clock.sleep(ms));
                  } finally {
                    inFlight--;
                  }
                  if (fails) throw new Error('venue');
                },
                { deadlineMs, costs: [{ limit: 'weight', units }], signal: caller.signal },
              )
              .catch((error: Error) => {
                const isKnown = ['venue', 'aborted'].includes(error.message) || POLICY_CODES.some((code) => isVenueKitError(error, code));
                if (!isKnown) faults.push(String(error));
              })
              .finally(() => {
                open--;
                if (clock.monotonic() > startedAt + deadlineMs)
                  faults.push(`settled ${clock.monotonic() - startedAt} ms after its start, deadline ${deadlineMs}`);
              });
          }
          const lastedMs = clock.monotonic() + 20_000;
          await clock.advance(20_000);
          expect(faults).toEqual([]);
          expect(open).toBe(0);
          for (const end of endless) end();
          await clock.advance(20_000);
          expect(inFlight).toBe(0);
          expect(bulkhead.inFlight).toBe(0);
          expect(bulkhead.queued).toBe(0);
          expect(limiter.waiting).toBe(0);
          expect(clock.pending).toBe(0);
          for (const { at } of sent) {
            // Added and not taken away, as the limiter does: the one may be rounded where the other is exact.
            const used = sent.filter((other) => other.at + LIMIT_MS > at && other.at <= at).reduce((sum, { units }) => sum + units, 0);
            expect(used).toBeLessThanOrEqual(12);
          }
          // I12, with what was saved up at the start: retries and hedges together.
          const extra = attempts.filter(({ number, hedge }) => number > 1 || hedge).length;
          expect(extra).toBeLessThanOrEqual(2 + 0.2 * calls.length + (0.5 * lastedMs) / 1_000 + 1e-9);
          // I15: a hedge only beside a first attempt, and at most one answer of the two.
          expect(attempts.filter(({ hedge }) => hedge).every(({ number }) => number === 1)).toBe(true);
          expect(attempts.length).toBe(sent.length);
          expect(attempts.filter(({ outcome }) => outcome === 'ok').length).toBeLessThanOrEqual(calls.length);
        },
      ),
      { numRuns: 200 },
    );
  });
});

const LIMIT_MS = 1_000;
