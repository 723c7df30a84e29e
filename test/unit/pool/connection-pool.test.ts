import { describe, expect, it } from 'vitest';
import { EventBus } from '../../../src/contracts/events.js';
import type { Clock } from '../../../src/core/clock.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { seededRandom } from '../../../src/core/random.js';
import { ConnectionPool, type PoolOptions } from '../../../src/pool/index.js';

interface Session {
  readonly id: number;
  fit: boolean;
  closed: boolean;
}

function givenAPool(options: Partial<PoolOptions<Session>> = {}) {
  const clock = new ManualClock();
  const bus = new EventBus();
  const sessions: Session[] = [];
  const pool = new ConnectionPool<Session>({
    clock,
    bus,
    random: seededRandom(1),
    create: async () => {
      const session = { id: sessions.length + 1, fit: true, closed: false };
      sessions.push(session);
      return session;
    },
    destroy: (session) => {
      session.closed = true;
    },
    ...options,
  });
  return { clock, bus, pool, sessions };
}

/** What a promise has come to once all that is ready has run. */
async function outcomeOf(promise: Promise<unknown>): Promise<string> {
  let outcome = 'pending';
  promise.then(
    () => (outcome = 'fulfilled'),
    (error: Error & { code?: string }) => (outcome = error.code ?? error.message),
  );
  await new Promise((resolve) => setImmediate(resolve));
  return outcome;
}

describe('ConnectionPool', () => {
  it('opens a connection for the first caller and reuses it for the next', async () => {
    const { pool, sessions } = givenAPool();
    const first = await pool.acquire();
    first.release();
    const second = await pool.acquire();
    expect(second.resource).toBe(first.resource);
    expect(sessions).toHaveLength(1);
    expect(pool.stats()).toMatchObject({ size: 1, inUse: 1, idle: 0, acquired: 2, reused: 1, reuseRatio: 0.5, created: 1 });
  });

  it('never opens more than max, and serves waiters in order as connections come back', async () => {
    const { pool } = givenAPool({ max: 2 });
    const [a, b] = await Promise.all([pool.acquire(), pool.acquire()]);
    const third = pool.acquire();
    const fourth = pool.acquire();
    expect(await outcomeOf(third)).toBe('pending');
    b.release();
    expect((await third).resource).toBe(b.resource);
    expect(await outcomeOf(fourth)).toBe('pending');
    a.release();
    expect((await fourth).resource).toBe(a.resource);
    expect(pool.stats()).toMatchObject({ size: 2, created: 2, waiting: 0 });
  });

  it('serves an urgent waiter before one that came earlier', async () => {
    const { pool } = givenAPool({ max: 1 });
    const held = await pool.acquire();
    const order: string[] = [];
    const patient = pool.acquire({ priority: 'prefetch' }).then((lease) => {
      order.push('prefetch');
      return lease;
    });
    const urgent = pool.acquire({ priority: 'kill' }).then((lease) => {
      order.push('kill');
      return lease;
    });
    held.release();
    (await urgent).release();
    (await patient).release();
    expect(order).toEqual(['kill', 'prefetch']);
  });

  it('hands out the connection that was used last', async () => {
    const { pool } = givenAPool();
    const [a, b] = await Promise.all([pool.acquire(), pool.acquire()]);
    a.release();
    b.release();
    expect(pool.tryAcquire()?.resource).toBe(b.resource);
  });

  it('gives tryAcquire an idle connection at once, and never opens one for it', async () => {
    const { pool, sessions } = givenAPool();
    expect(pool.tryAcquire()).toBeUndefined();
    (await pool.acquire()).release();
    expect(pool.tryAcquire()?.resource).toBe(sessions[0]);
    expect(pool.tryAcquire()).toBeUndefined();
    expect(sessions).toHaveLength(1);
  });

  it('takes a second release of a lease for nothing, even when another holds the connection by then', async () => {
    const { pool } = givenAPool({ max: 1 });
    const first = await pool.acquire();
    first.release();
    const second = await pool.acquire();
    first.release();
    await first.destroy();
    expect(pool.stats()).toMatchObject({ inUse: 1, idle: 0 });
    expect(pool.tryAcquire()).toBeUndefined();
    second.release();
    expect(pool.stats().idle).toBe(1);
  });

  it('closes a connection that is given up and opens another for who waits', async () => {
    const { pool, sessions } = givenAPool({ max: 1 });
    const lease = await pool.acquire();
    const next = pool.acquire();
    await lease.destroy();
    expect(sessions[0]?.closed).toBe(true);
    expect((await next).resource.id).toBe(2);
    expect(pool.stats()).toMatchObject({ size: 1, created: 2, destroyed: 1 });
  });

  it('keeps the place of a connection taken until it has been closed', async () => {
    let open = 0;
    let mostOpen = 0;
    const { pool, clock } = givenAPool({
      max: 1,
      create: async () => {
        mostOpen = Math.max(mostOpen, ++open);
        return { id: 0, fit: true, closed: false };
      },
      destroy: async () => {
        await clock.sleep(50);
        open--;
      },
    });
    const lease = await pool.acquire();
    void lease.destroy();
    const next = pool.acquire();
    expect(await outcomeOf(next)).toBe('pending');
    await clock.advance(50);
    await next;
    expect(mostOpen).toBe(1);
  });

  it('tells what it holds after every change', async () => {
    const { pool, bus } = givenAPool({ name: 'orders', max: 1 });
    const states: string[] = [];
    bus.on('pool.state', ({ pool: name, max, size, inUse, waiting }) => states.push(`${name}: ${inUse}/${size} of ${max}, ${waiting} waiting`));
    const first = await pool.acquire();
    expect(states.at(-1)).toBe('orders: 1/1 of 1, 0 waiting');
    const second = pool.acquire();
    expect(states.at(-1)).toBe('orders: 1/1 of 1, 1 waiting');
    first.release();
    (await second).release();
    expect(states.at(-1)).toBe('orders: 0/1 of 1, 0 waiting');
    await pool.close();
    expect(states.at(-1)).toBe('orders: 0/0 of 1, 0 waiting');
  });

  describe('waiting', () => {
    it('rejects with the reason of the signal and leaves the queue', async () => {
      const { pool } = givenAPool({ max: 1 });
      const held = await pool.acquire();
      const controller = new AbortController();
      const aborted = pool.acquire({ signal: controller.signal });
      const next = pool.acquire();
      controller.abort(new Error('changed my mind'));
      await expect(aborted).rejects.toThrow('changed my mind');
      expect(pool.stats().waiting).toBe(1);
      held.release();
      expect((await next).resource).toBe(held.resource);
    });

    it('rejects at once when the signal has aborted before', async () => {
      const { pool, sessions } = givenAPool();
      await expect(pool.acquire({ signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow('too late');
      expect(sessions).toHaveLength(0);
    });

    it('gives up after acquireTimeoutMs, or at the shorter deadline of the caller', async () => {
      const { pool, clock } = givenAPool({ max: 1, acquireTimeoutMs: 1_000 });
      await pool.acquire();
      const patient = outcomeOf(pool.acquire());
      const hasty = pool.acquire({ deadlineMs: 100 });
      const refused = expect(hasty).rejects.toMatchObject({ code: 'DEADLINE' });
      const late = pool.acquire();
      const timedOut = expect(late).rejects.toMatchObject({ code: 'POOL_TIMEOUT', message: expect.stringContaining('1 of at most 1 in use') });
      await clock.advance(100);
      await refused;
      expect(await patient).toBe('pending');
      await clock.advance(900);
      await timedOut;
      expect(pool.stats()).toMatchObject({ waiting: 0, timeouts: 3 });
    });

    it('counts acquireTimeoutMs and waits from when a caller came, however long the turn of the event loop had been running', async () => {
      // A host that computes for 400 ms between a release and an acquire of one turn.
      const clock = new ManualClock();
      let blockedMs = 0;
      const blocking: Clock = {
        now: () => clock.now() + blockedMs,
        monotonic: () => clock.monotonic() + blockedMs,
        sleep: (ms, signal) => clock.sleep(ms, signal),
        schedule: (ms, task) => clock.schedule(ms, task),
      };
      const { pool, bus } = givenAPool({ clock: blocking, max: 1, acquireTimeoutMs: 1_000 });
      const waits: number[] = [];
      bus.on('pool.acquired', ({ waitedMs }) => waits.push(waitedMs));
      const held = await pool.acquire();
      const first = pool.acquire();
      await clock.advance(500);
      held.release();
      blockedMs = 400;
      const second = pool.acquire();
      const refused = expect(second).rejects.toMatchObject({ code: 'POOL_TIMEOUT', message: expect.stringContaining('within 1000 ms') });
      await first;
      await clock.advance(999);
      expect(await outcomeOf(second)).toBe('pending');
      await clock.advance(1);
      await refused;
      expect(waits).toEqual([0, 500]);
    });

    it('refuses one caller more than maxWaiting', async () => {
      const { pool } = givenAPool({ max: 1, maxWaiting: 1 });
      await pool.acquire();
      const waiting = pool.acquire();
      await expect(pool.acquire()).rejects.toMatchObject({ code: 'POOL_QUEUE_FULL' });
      expect(await outcomeOf(waiting)).toBe('pending');
    });

    it('reports how long acquires waited', async () => {
      const { pool, clock, bus } = givenAPool({ max: 1 });
      const acquired: unknown[] = [];
      bus.on('pool.acquired', (event) => acquired.push(event));
      const lease = await pool.acquire();
      const next = pool.acquire();
      await clock.advance(40);
      lease.release();
      await next;
      expect(acquired).toEqual([
        { pool: 'pool', waitedMs: 0, reused: false },
        { pool: 'pool', waitedMs: 40, reused: true },
      ]);
      expect(pool.stats().waitP99Ms).toBe(40);
    });

    it('holds no timer for callers that were served', async () => {
      const { pool, clock } = givenAPool({ max: 1 });
      for (let i = 0; i < 100; i++) {
        const held = await pool.acquire();
        const next = pool.acquire();
        held.release();
        (await next).release();
      }
      expect(clock.pending).toBeLessThanOrEqual(1);
    });
  });

  describe('a create that fails', () => {
    function givenAFailingVenue(options: Partial<PoolOptions<Session>> = {}) {
      let attempts = 0;
      let isDown = true;
      const given = givenAPool({
        create: async () => {
          attempts++;
          if (isDown) throw new Error(`refused ${attempts}`);
          return { id: attempts, fit: true, closed: false };
        },
        ...options,
      });
      return { ...given, attempts: () => attempts, recover: () => (isDown = false), fail: () => (isDown = true) };
    }

    it('rejects the caller with its error', async () => {
      const { pool } = givenAFailingVenue();
      await expect(pool.acquire()).rejects.toThrow('refused 1');
      expect(pool.stats()).toMatchObject({ createFailures: 1, size: 0, waiting: 0 });
    });

    it('rejects one waiter and no other while live connections exist', async () => {
      const { pool, fail, recover } = givenAFailingVenue({ max: 2 });
      recover();
      const held = await pool.acquire();
      fail();
      const first = pool.acquire();
      const second = pool.acquire();
      await expect(first).rejects.toThrow('refused 2');
      expect(await outcomeOf(second)).toBe('pending');
      held.release();
      expect((await second).resource).toBe(held.resource);
    });

    it('is not repeated in a storm (generic-pool: 44,295 calls in 300 ms)', async () => {
      const { pool, clock, attempts } = givenAFailingVenue({ max: 1, acquireTimeoutMs: 300, createBackoff: { baseMs: 50, capMs: 1_000 } });
      const settled = Promise.allSettled(Array.from({ length: 20 }, () => pool.acquire()));
      await clock.advance(300);
      const results = await settled;
      // Pauses of at least 25, 50, 100 and 200 ms fit into 300 ms at most four times.
      expect(attempts()).toBeLessThanOrEqual(4);
      const codes = results.map((result) => (result as PromiseRejectedResult).reason as Error & { code?: string });
      expect(codes.filter((error) => error.message.startsWith('refused'))).toHaveLength(attempts());
      const timeouts = codes.filter((error) => error.code === 'POOL_TIMEOUT');
      expect(timeouts).toHaveLength(20 - attempts());
      expect(timeouts[0]?.cause).toMatchObject({ message: expect.stringContaining('refused') });
    });

    it('is tried again for those who wait, once the pause is over', async () => {
      const { pool, clock, recover } = givenAFailingVenue({ max: 1, createBackoff: { baseMs: 100, capMs: 1_000 } });
      const first = pool.acquire();
      const second = pool.acquire();
      await expect(first).rejects.toThrow('refused 1');
      recover();
      await clock.advance(100);
      expect((await second).resource.id).toBe(2);
    });

    it('is announced', async () => {
      const { pool, bus } = givenAFailingVenue({ name: 'orders' });
      const failures: unknown[] = [];
      bus.on('pool.create_failed', (event) => failures.push(event));
      await pool.acquire().catch(() => {});
      expect(failures).toEqual([{ pool: 'orders', error: new Error('refused 1') }]);
    });

    it('counts as failed when it takes too long, and what it gives later is closed', async () => {
      const closed: number[] = [];
      let arrive: (session: Session) => void = () => {};
      const { pool, clock } = givenAPool({
        createTimeoutMs: 1_000,
        create: () => new Promise((resolve) => (arrive = resolve)),
        destroy: (session) => void closed.push(session.id),
      });
      const rejected = expect(pool.acquire()).rejects.toMatchObject({ code: 'POOL_CREATE_TIMEOUT' });
      await clock.advance(1_000);
      await rejected;
      arrive({ id: 7, fit: true, closed: false });
      await clock.advance(0);
      expect(closed).toEqual([7]);
    });
  });

  describe('validation', () => {
    it('replaces a connection that is not fit any more', async () => {
      const { pool, sessions, bus } = givenAPool({ validate: (session) => session.fit });
      const destroyed: unknown[] = [];
      bus.on('pool.destroyed', (event) => destroyed.push(event));
      (await pool.acquire()).release();
      (sessions[0] as Session).fit = false;
      expect((await pool.acquire()).resource.id).toBe(2);
      expect(sessions[0]?.closed).toBe(true);
      expect(destroyed).toEqual([{ pool: 'pool', why: 'invalid' }]);
    });

    it('waits for an asynchronous answer, and takes a throw for no', async () => {
      const { pool } = givenAPool({
        validate: async (session) => {
          if (session.id === 1) throw new Error('socket hang up');
          return true;
        },
      });
      (await pool.acquire()).release();
      expect(pool.tryAcquire()).toBeUndefined();
      const lease = await pool.acquire();
      expect(lease.resource.id).toBe(2);
      lease.release();
      expect((await pool.acquire()).resource.id).toBe(2);
    });

    it('is left out for a connection that was used a moment ago', async () => {
      let checks = 0;
      const { pool, clock } = givenAPool({
        validateAfterIdleMs: 1_000,
        validate: () => {
          checks++;
          return true;
        },
      });
      (await pool.acquire()).release();
      await clock.advance(999);
      pool.tryAcquire()?.release();
      expect(checks).toBe(0);
      await clock.advance(1_000);
      pool.tryAcquire()?.release();
      expect(checks).toBe(1);
    });

    it('says no for one that does not answer in time', async () => {
      const { pool, clock } = givenAPool({ validateTimeoutMs: 200, validate: (session) => (session.id === 1 ? new Promise(() => {}) : true) });
      (await pool.acquire()).release();
      const next = pool.acquire();
      await clock.advance(200);
      expect((await next).resource.id).toBe(2);
    });

    it('checks idle connections in the background and keeps min of them ready', async () => {
      const { pool, clock, sessions } = givenAPool({ min: 2, healthCheckIntervalMs: 1_000, validate: (session) => session.fit });
      await clock.advance(0);
      expect(pool.stats()).toMatchObject({ size: 2, idle: 2 });
      (sessions[0] as Session).fit = false;
      await clock.advance(1_000);
      expect(sessions.map((session) => session.closed)).toEqual([true, false, false]);
      expect(pool.stats()).toMatchObject({ size: 2, idle: 2, created: 3 });
    });
  });

  describe('ages', () => {
    it('closes what was idle for long, but keeps min', async () => {
      const { pool, clock } = givenAPool({ min: 1, idleTimeoutMs: 1_000 });
      const leases = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
      for (const lease of leases) lease.release();
      await clock.advance(999);
      expect(pool.stats().size).toBe(3);
      await clock.advance(1);
      expect(pool.stats().size).toBe(1);
    });

    it('replaces connections at the end of their life, not all at once, and those in use only when they come back', async () => {
      const { pool, clock, bus } = givenAPool({ min: 3, maxLifetimeMs: 10_000 });
      const ends: number[] = [];
      bus.on('pool.destroyed', () => ends.push(clock.monotonic()));
      await clock.advance(0);
      const held = await pool.acquire();
      await clock.advance(10_000);
      expect(ends).toHaveLength(2);
      for (const at of ends) expect(at).toBeGreaterThanOrEqual(9_000);
      expect(new Set(ends).size).toBe(2);
      held.release();
      await clock.advance(0);
      expect(ends).toHaveLength(3);
      expect(pool.stats().size).toBe(3);
    });

    it('closes what became too old while its health was checked', async () => {
      let answer: (fit: boolean) => void = () => {};
      const validate = (): Promise<boolean> => new Promise((resolve) => (answer = resolve));
      const { pool, clock } = givenAPool({ idleTimeoutMs: 1_000, validateAfterIdleMs: 10_000, healthCheckIntervalMs: 900, validate });
      (await pool.acquire()).release();
      await clock.advance(1_500);
      expect(pool.stats()).toMatchObject({ size: 1, idle: 1 });
      answer(true);
      await clock.advance(0);
      expect(pool.stats().size).toBe(0);
    });

    it('warns of a lease that is held for long, naming where it was taken', async () => {
      const { pool, clock, bus } = givenAPool({ leakWarningMs: 500, captureLeaseStacks: true });
      const leaks: { heldMs: number; takenAt?: string }[] = [];
      bus.on('pool.leak', (event) => leaks.push(event));
      const returned = await pool.acquire();
      returned.release();
      await pool.acquire();
      await clock.advance(500);
      await clock.advance(5_000);
      expect(leaks).toHaveLength(1);
      expect(leaks[0]?.heldMs).toBe(500);
      expect(leaks[0]?.takenAt).toContain('connection-pool.test.ts');
    });
  });

  describe('use', () => {
    it('gives the connection back whether the work succeeds or fails', async () => {
      const { pool } = givenAPool({ max: 1 });
      expect(await pool.use(async (session) => session.id)).toBe(1);
      await expect(pool.use(async () => Promise.reject(new Error('venue said no')))).rejects.toThrow('venue said no');
      expect(pool.stats()).toMatchObject({ size: 1, inUse: 0 });
    });

    it('has a connection validated after work that failed on it', async () => {
      const { pool } = givenAPool({ validateAfterIdleMs: 60_000, validate: () => false });
      await pool.use(async () => {});
      await pool.use(async () => {});
      expect(pool.stats().created).toBe(1);
      await pool.use(async () => Promise.reject(new Error('reset'))).catch(() => {});
      await pool.use(async () => {});
      expect(pool.stats().created).toBe(2);
    });

    it('answers the caller at the deadline and holds the connection until the work has settled', async () => {
      const { pool, clock } = givenAPool({ max: 1 });
      let finish: () => void = () => {};
      let told: unknown;
      const late = pool.use(
        (_session, signal) => {
          signal.addEventListener('abort', () => (told = (signal.reason as { code: string }).code));
          return new Promise<void>((resolve) => (finish = resolve));
        },
        { deadlineMs: 100 },
      );
      const rejected = expect(late).rejects.toMatchObject({ code: 'DEADLINE' });
      await clock.advance(100);
      await rejected;
      expect(told).toBe('DEADLINE');
      expect(pool.stats().inUse).toBe(1);
      finish();
      await clock.advance(0);
      expect(pool.stats().inUse).toBe(0);
    });
  });

  describe('close', () => {
    it('refuses new and waiting callers, waits for leases and closes everything', async () => {
      const { pool, sessions } = givenAPool({ max: 2 });
      const [a, b] = await Promise.all([pool.acquire(), pool.acquire()]);
      const waiting = expect(pool.acquire()).rejects.toMatchObject({ code: 'CLOSED' });
      const closing = pool.close();
      await waiting;
      b.release();
      await expect(pool.acquire()).rejects.toMatchObject({ code: 'CLOSED' });
      expect(pool.tryAcquire()).toBeUndefined();
      expect(await outcomeOf(closing)).toBe('pending');
      a.release();
      await closing;
      expect(sessions.every((session) => session.closed)).toBe(true);
      expect(pool.stats()).toMatchObject({ size: 0, inUse: 0, idle: 0 });
      await pool.close();
    });

    it('closes the connections of leases that are not back within drainMs', async () => {
      const { pool, sessions, clock } = givenAPool();
      const lease = await pool.acquire();
      const closing = pool.close({ drainMs: 1_000 });
      await clock.advance(999);
      expect(sessions[0]?.closed).toBe(false);
      await clock.advance(1);
      await closing;
      expect(sessions[0]?.closed).toBe(true);
      lease.release();
      await lease.destroy();
      expect(pool.stats()).toMatchObject({ size: 0, inUse: 0, destroyed: 1 });
    });

    it('ends an opening that is under way', async () => {
      let ended = false;
      const { pool } = givenAPool({
        create: (signal) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              ended = true;
              reject(signal.reason);
            });
          }),
      });
      const waiting = expect(pool.acquire()).rejects.toMatchObject({ code: 'CLOSED' });
      await pool.close();
      await waiting;
      expect(ended).toBe(true);
    });

    it('leaves no timer behind', async () => {
      const { pool, clock } = givenAPool({
        min: 1,
        idleTimeoutMs: 10,
        maxLifetimeMs: 10_000,
        leakWarningMs: 10,
        healthCheckIntervalMs: 10,
        validate: () => true,
      });
      (await pool.acquire()).release();
      await pool.acquire();
      await pool.close({ drainMs: 0 });
      expect(clock.pending).toBe(0);
    });
  });

  describe('options', () => {
    const create = async () => 1;
    it.each([
      [{ create, max: 0 }, /max must be a whole number of 1 or more, got 0/],
      [{ create, max: 2, min: 3 }, /min must be at most max, got min 3 with max 2/],
      [{ create, acquireTimeoutMs: Number.NaN }, /acquireTimeoutMs .*NaN/],
      [{ create, createBackoff: { baseMs: 100, capMs: 10 } }, /capMs must be at least baseMs/],
      [{ create, maxx: 3 }, /no option "maxx"; did you mean "max"/],
      [{}, /create must be a function, got undefined/],
      [{ create, healthCheckIntervalMs: 5 }, /healthCheckIntervalMs needs the option validate/],
    ])('refuses %o', (options, message) => {
      expect(() => new ConnectionPool(options as PoolOptions<number>)).toThrow(message);
    });

    it('refuses a deadline or priority that can not be meant', async () => {
      const { pool } = givenAPool();
      await expect(pool.acquire({ deadlineMs: -1 })).rejects.toThrow(RangeError);
      await expect(pool.acquire({ priority: 'urgent' as 'kill' })).rejects.toThrow(/priority must be one of/);
    });
  });
});
