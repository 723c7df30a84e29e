import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Limit, Priority } from '../../../src/core/limits.js';
import { PRIORITIES } from '../../../src/core/limits.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { RateLimiter } from '../../../src/resilience/index.js';
import { WindowCounter } from '../../../src/resilience/unit-counter.js';

interface Sent {
  readonly at: number;
  readonly units: number;
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('acquire' as const),
      units: fc.integer({ min: 0, max: 9 }),
      priority: fc.constantFrom(...PRIORITIES),
      patienceMs: fc.constantFrom(Infinity, 50, 2_000),
      hold: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('try' as const), units: fc.integer({ min: 0, max: 9 }), priority: fc.constantFrom(...PRIORITIES) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 700 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('observe' as const),
      used: fc.option(fc.integer({ min: 0, max: 15 }), { nil: undefined }),
      resetMs: fc.option(fc.integer({ min: -100, max: 2_000 }), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('block' as const), ms: fc.integer({ min: 0, max: 1_500 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('step' as const), ms: fc.integer({ min: -5_000, max: 5_000 }) }) },
);

const limit: fc.Arbitrary<Limit> = fc.oneof(
  fc.record({
    id: fc.constant('l'),
    scope: fc.constant('ip' as const),
    kind: fc.constant('window' as const),
    units: fc.integer({ min: 9, max: 30 }),
    perMs: fc.integer({ min: 1, max: 1_500 }),
  }),
  fc.record({
    id: fc.constant('l'),
    scope: fc.constant('ip' as const),
    kind: fc.constant('decay' as const),
    max: fc.integer({ min: 9, max: 30 }),
    decayPerSecond: fc.constantFrom(0.33, 1, 7.5, 100),
  }),
);

/** I4 for one limit: units sent in any window, or the level of the draining counter, never exceed it. */
function checkNeverExceeded(limit: Limit, sent: readonly Sent[]): void {
  if (limit.kind === 'window') {
    for (const { at } of sent) {
      const inWindow = sent.filter((other) => other.at > at - limit.perMs && other.at <= at);
      expect(inWindow.reduce((sum, { units }) => sum + units, 0)).toBeLessThanOrEqual(limit.units);
    }
    return;
  }
  let level = 0;
  let last = 0;
  for (const { at, units } of sent) {
    level = Math.max(0, level - ((at - last) * limit.decayPerSecond) / 1_000) + units;
    last = at;
    expect(level).toBeLessThanOrEqual(limit.max + 1e-9);
  }
}

describe('RateLimiter', () => {
  it('I4: never sends more than the limit in any window, nothing while blocked, and serves everyone in the end', async () => {
    await fc.assert(
      fc.asyncProperty(limit, fc.array(step, { maxLength: 60, size: 'max' }), fc.constantFrom(0, 0.2, 0.5), async (limit, steps, reserve) => {
        const clock = new ManualClock();
        const limiter = new RateLimiter({ clock, limits: [limit], reserve });
        const sent: Sent[] = [];
        let blockedUntil = -Infinity;
        let open = 0;
        const faults: string[] = [];
        const send = (units: number): void => {
          if (units > 0 && clock.monotonic() < blockedUntil) faults.push(`sent at ${clock.monotonic()}, blocked until ${blockedUntil}`);
          sent.push({ at: clock.monotonic(), units });
        };
        for (const step of steps) {
          if (step.do === 'try') {
            if (limiter.tryAcquire([{ limit: 'l', units: step.units }], { priority: step.priority })) send(step.units);
          } else if (step.do === 'acquire') {
            const costs = [{ limit: 'l', units: step.units }];
            open++;
            limiter
              .acquire(costs, { priority: step.priority, deadlineAt: clock.monotonic() + step.patienceMs, hold: step.hold })
              .then(
                async () => {
                  if (!step.hold) return send(step.units);
                  await clock.sleep(37);
                  // A block may have come in between; whoever holds units checks before it sends.
                  if (limiter.blockedUntil(costs) !== undefined) return limiter.release(costs);
                  limiter.sent(costs);
                  send(step.units);
                },
                (error: { code: string }) => {
                  if (error.code !== 'RATE_LIMITED') faults.push(`rejected with ${String(error)}`);
                },
              )
              .finally(() => open--);
            // Whoever is granted sends at once; only a later answer can block it.
            await clock.advance(0);
          } else if (step.do === 'wait') {
            await clock.advance(step.ms);
          } else if (step.do === 'observe') {
            limiter.observe({
              limit: 'l',
              ...(step.used !== undefined && { used: step.used }),
              ...(step.resetMs !== undefined && { resetAt: clock.now() + step.resetMs }),
            });
          } else if (step.do === 'block') {
            limiter.observe({ limit: 'l', blockedUntil: clock.now() + step.ms });
            blockedUntil = Math.max(blockedUntil, clock.monotonic() + step.ms);
          } else {
            clock.stepWall(step.ms);
          }
        }
        await clock.advance(3_000_000);
        expect(faults).toEqual([]);
        expect(open).toBe(0);
        expect(limiter.waiting).toBe(0);
        expect(clock.pending).toBe(0);
        checkNeverExceeded(limit, sent);
      }),
      { numRuns: 300 },
    );
  });

  it('serves waiters by priority and then by arrival, and nobody overtakes at the same limit', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ units: fc.integer({ min: 1, max: 10 }), rank: fc.nat(PRIORITIES.length - 1) }), {
          minLength: 1,
          maxLength: 40,
          size: 'max',
        }),
        async (callers) => {
          const clock = new ManualClock();
          const limiter = new RateLimiter({ clock, limits: [{ id: 'l', scope: 'ip', kind: 'window', units: 10, perMs: 100 }], reserve: 0 });
          limiter.tryAcquire([{ limit: 'l', units: 10 }], { priority: 'kill' });
          const served: number[] = [];
          callers.forEach(({ units, rank }, index) => {
            void limiter.acquire([{ limit: 'l', units }], { priority: PRIORITIES[rank] as Priority }).then(() => served.push(index));
          });
          await clock.advance(100 * (callers.length + 1));
          const expected = callers.map((_, index) => index).sort((a, b) => callers[a]!.rank - callers[b]!.rank || a - b);
          expect(served).toEqual(expected);
        },
      ),
    );
  });
});

describe('WindowCounter', () => {
  it('is exact up to 1,024 sends, and beyond never frees early nor more than 1/1,024 of a window late', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(100, 1_024, 5_000, 100_000),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 30 })), { minLength: 1, maxLength: 400, size: 'max' }),
        async (units, steps) => {
          const perMs = 2_048;
          const counter = new WindowCounter(perMs, units);
          const lateMs = units <= 1_024 ? 0 : perMs / 1_024;
          const log: { at: number; units: number }[] = [];
          let now = 0;
          const inWindow = (from: number): number => log.reduce((sum, entry) => (entry.at > from ? sum + entry.units : sum), 0);
          for (const [wait, spent] of steps) {
            now += wait;
            counter.add(spent, now);
            log.push({ at: now, units: spent });
            const used = counter.used(now);
            expect(used).toBeGreaterThanOrEqual(inWindow(now - perMs));
            expect(used).toBeLessThanOrEqual(inWindow(now - perMs - lateMs - 1e-9));
            const fitsAt = counter.fitsAt(spent, used, now);
            expect(fitsAt).toBeGreaterThan(now);
          }
          expect(counter.used(now + perMs)).toBe(0);
        },
      ),
    );
  });
});
