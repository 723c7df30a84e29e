import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Priority } from '../../../src/contracts/calls.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { seededRandom } from '../../../src/core/random.js';
import { ConnectionPool, type Lease } from '../../../src/pool/index.js';

interface Session {
  readonly id: number;
  isOpen: boolean;
  isFit: boolean;
}

const priority = fc.constantFrom<Priority>('kill', 'cancel', 'reconcile', 'place', 'read', 'prefetch');
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('acquire' as const), priority, deadlineMs: fc.option(fc.integer({ min: 1, max: 200 })) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('tryAcquire' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('release' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('releaseAgain' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('destroy' as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('abort' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('use' as const), fails: fc.boolean(), ms: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('break' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('venue' as const), isDown: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(300) }) },
);
const options = fc.record({
  max: fc.integer({ min: 1, max: 4 }),
  min: fc.nat(1),
  idleTimeoutMs: fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined }),
  maxLifetimeMs: fc.option(fc.integer({ min: 10, max: 600 }), { nil: undefined }),
  healthCheckIntervalMs: fc.option(fc.integer({ min: 20, max: 200 }), { nil: undefined }),
  validateAfterIdleMs: fc.constantFrom(0, 50),
  validatesLater: fc.boolean(),
  createMs: fc.nat(30),
  destroyMs: fc.nat(30),
});

describe('ConnectionPool, whatever happens', () => {
  it('keeps to max, never lends a connection twice, and settles every waiter once', async () => {
    await fc.assert(
      fc.asyncProperty(options, fc.array(step, { minLength: 1, maxLength: 60 }), fc.integer(), async (given, steps, seed) => {
        const { validatesLater, createMs, destroyMs, idleTimeoutMs, maxLifetimeMs, healthCheckIntervalMs, ...sizes } = given;
        const clock = new ManualClock();
        // Not thrown: inside a callback of the module that would be one more failure for it to deal with.
        const violations: string[] = [];
        const must = (holds: boolean, violation: string): void => {
          if (!holds) violations.push(violation);
        };
        const open = new Set<Session>();
        const lent = new Set<Session>();
        const held: Lease<Session>[] = [];
        const givenBack: Lease<Session>[] = [];
        const aborts: AbortController[] = [];
        const settled: number[] = [];
        let isDown = false;
        let opening = 0;
        let next = 0;
        const pool = new ConnectionPool<Session>({
          ...sizes,
          ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMs }),
          ...(maxLifetimeMs === undefined ? {} : { maxLifetimeMs }),
          ...(healthCheckIntervalMs === undefined ? {} : { healthCheckIntervalMs }),
          clock,
          random: seededRandom(seed),
          acquireTimeoutMs: 1_000,
          createBackoff: { baseMs: 20, capMs: 200 },
          create: async (signal) => {
            // What the venue sees: those being opened and being closed are there too.
            opening++;
            must(open.size + opening <= sizes.max, `${open.size} open and ${opening} being opened, of at most ${sizes.max}`);
            try {
              await clock.sleep(createMs, signal);
              if (isDown) throw new Error('venue down');
              const session = { id: next++, isOpen: true, isFit: true };
              open.add(session);
              return session;
            } finally {
              opening--;
            }
          },
          destroy: async (session) => {
            await clock.sleep(destroyMs);
            must(session.isOpen, 'a connection was closed twice');
            session.isOpen = false;
            open.delete(session);
          },
          validate: (session) => {
            must(!lent.has(session), 'a connection was validated while it was lent');
            return validatesLater ? clock.sleep(5).then(() => session.isFit) : session.isFit;
          },
        });
        const took = (lease: Lease<Session>): void => {
          must(!lent.has(lease.resource), 'a connection was lent twice');
          must(lease.resource.isOpen, 'a closed connection was lent');
          lent.add(lease.resource);
        };
        const takeFrom = (which: number): Lease<Session> | undefined => held.splice(which % Math.max(1, held.length), 1)[0];
        const waits: Promise<void>[] = [];
        const note = (index: number): void => {
          settled[index] = (settled[index] ?? 0) + 1;
        };
        for (const each of steps) {
          if (each.do === 'acquire') {
            const controller = new AbortController();
            const index = waits.length;
            aborts.push(controller);
            const { priority, deadlineMs } = each;
            waits.push(
              pool.acquire({ priority, signal: controller.signal, ...(deadlineMs === null ? {} : { deadlineMs }) }).then(
                (lease) => {
                  note(index);
                  took(lease);
                  held.push(lease);
                },
                () => note(index),
              ),
            );
          } else if (each.do === 'tryAcquire') {
            const lease = pool.tryAcquire();
            if (lease !== undefined) {
              took(lease);
              held.push(lease);
            }
          } else if (each.do === 'release' || each.do === 'destroy') {
            const lease = takeFrom(each.which);
            if (lease !== undefined) {
              lent.delete(lease.resource);
              givenBack.push(lease);
              if (each.do === 'release') lease.release();
              else void lease.destroy();
            }
          } else if (each.do === 'releaseAgain') givenBack[each.which % Math.max(1, givenBack.length)]?.release();
          else if (each.do === 'abort') aborts[each.which % Math.max(1, aborts.length)]?.abort(new Error('changed my mind'));
          else if (each.do === 'use') {
            const index = waits.length;
            waits.push(
              pool
                .use(async (session) => {
                  must(!lent.has(session), 'a connection was lent twice');
                  lent.add(session);
                  await clock.sleep(each.ms);
                  lent.delete(session);
                  if (each.fails) throw new Error('work failed');
                })
                .then(
                  () => note(index),
                  () => note(index),
                ),
            );
          } else if (each.do === 'break') {
            const session = [...open][each.which % Math.max(1, open.size)];
            if (session !== undefined) session.isFit = false;
          } else if (each.do === 'venue') isDown = each.isDown;
          else await clock.advance(each.ms);
          const { size, inUse, idle, waiting } = pool.stats();
          expect(size).toBe(inUse + idle);
          expect(size).toBeLessThanOrEqual(sizes.max);
          expect(Math.min(inUse, idle, waiting)).toBeGreaterThanOrEqual(0);
        }
        for (const lease of held.splice(0)) {
          lent.delete(lease.resource);
          lease.release();
        }
        const closing = pool.close({ drainMs: 100 });
        await clock.advance(60_000);
        await closing;
        await Promise.all(waits);
        expect(violations).toEqual([]);
        expect(settled).toEqual(waits.map(() => 1));
        expect(open.size).toBe(0);
        expect(pool.stats()).toMatchObject({ size: 0, inUse: 0, waiting: 0 });
        expect(pool.stats().created).toBe(pool.stats().destroyed);
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('calls a failing factory no more often than its backoff allows', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 15 }),
        fc.integer({ min: 1, max: 100 }),
        fc.integer(),
        async (baseMs, max, callers, seed) => {
          const clock = new ManualClock();
          let calls = 0;
          const pool = new ConnectionPool({
            clock,
            random: seededRandom(seed),
            max,
            acquireTimeoutMs: 5_000,
            createBackoff: { baseMs, capMs: 10 * baseMs },
            create: async () => {
              calls++;
              throw new Error('venue down');
            },
          });
          const waits = Array.from({ length: callers }, () => pool.acquire().catch(() => {}));
          await clock.advance(5_000);
          await Promise.all(waits);
          // The first ones together, then one at a time with pauses of at least half of base, 2 base, 4 base, … 10 base.
          let pauses = 0;
          for (let at = 0, pause = baseMs; at <= 5_000; pause = Math.min(10 * baseMs, 2 * pause)) {
            at += pause / 2;
            pauses++;
          }
          expect(calls).toBeLessThanOrEqual(Math.min(max, callers) + pauses);
          await pool.close();
        },
      ),
      { numRuns: 60 },
    );
  });
});
