import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { ConnectionPool, type PoolOptions } from '../../../src/pool/index.js';

interface Session {
  readonly id: number;
}

function givenPool(options: Partial<PoolOptions<Session>> = {}) {
  const clock = new ManualClock();
  const warnings: string[] = [];
  const logger = { debug: () => {}, info: () => {}, error: () => {}, warn: (_: object, message?: string) => void warnings.push(message ?? '') };
  let created = 0;
  const pool = new ConnectionPool<Session>({ clock, logger, max: 2, create: () => Promise.resolve({ id: ++created }), ...options });
  const acquired = async (signal?: AbortSignal) => {
    const lease = pool.acquire(signal === undefined ? undefined : { signal });
    await clock.advance(0);
    return lease;
  };
  return { clock, pool, warnings, acquired, created: () => created };
}

describe('ConnectionPool with connections that misbehave', () => {
  it.each<[string, () => Promise<void>]>([
    [
      'throws',
      () => {
        throw new Error('already gone');
      },
    ],
    ['rejects', () => Promise.reject(new Error('already gone'))],
  ])('frees the place of one whose destroy %s, and says so', async (_, destroy) => {
    const { pool, acquired, warnings, clock, created } = givenPool({ max: 1, destroy });
    const lease = await acquired();
    const next = pool.acquire();
    await lease.destroy();
    await clock.advance(0);
    expect((await next).resource.id).toBe(2);
    expect(created()).toBe(2);
    expect(warnings).toEqual(['closing a connection failed']);
    (await next).release();
    await pool.close();
    expect(warnings).toHaveLength(2);
    expect(pool.stats()).toMatchObject({ size: 0, inUse: 0, idle: 0, created: 2, destroyed: 2 });
  });

  it('closes in time though a destroy never ends', async () => {
    const { pool, acquired, clock } = givenPool({ destroy: () => new Promise(() => {}) });
    (await acquired()).release();
    let closed = false;
    void pool.close().then(() => {
      closed = true;
    });
    await clock.advance(60_000);
    expect(closed).toBe(true);
  });

  it('is not held up by a validation that never answers: the caller gets another connection, the hung one is closed', async () => {
    const destroyed: number[] = [];
    let hangs = false;
    const { pool, acquired, clock } = givenPool({
      max: 1,
      validateAfterIdleMs: 0,
      validate: () => (hangs ? new Promise<boolean>(() => {}) : true),
      destroy: ({ id }) => void destroyed.push(id),
    });
    (await acquired()).release();
    hangs = true;
    const waiting = pool.acquire();
    await clock.advance(60_000);
    expect((await waiting).resource.id).toBe(2);
    expect(destroyed).toEqual([1]);
    (await waiting).release();
    await pool.close();
    expect(clock.pending).toBe(0);
  });

  it('takes no answer of a validation that comes after its time', async () => {
    const answers: ((fit: boolean) => void)[] = [];
    const { pool, acquired, clock, created } = givenPool({
      max: 1,
      validateAfterIdleMs: 0,
      validate: () => new Promise((resolve) => answers.push(resolve)),
    });
    (await acquired()).release();
    const waiting = pool.acquire();
    await clock.advance(60_000);
    const lease = await waiting;
    answers[0]?.(true);
    await clock.advance(0);
    expect(pool.stats()).toMatchObject({ size: 1, inUse: 1, idle: 0 });
    expect([lease.resource.id, created()]).toEqual([2, 2]);
    lease.release();
    await pool.close();
  });

  it('keeps its count through a queue that overflows while waiters abort', async () => {
    const { pool, acquired, clock } = givenPool({ max: 1, maxWaiting: 3 });
    const held = await acquired();
    const controllers = Array.from({ length: 3 }, () => new AbortController());
    const waits = controllers.map(({ signal }) =>
      pool.acquire({ signal }).then(
        (lease) => lease.resource.id,
        (error: Error) => error.message,
      ),
    );
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'POOL_QUEUE_FULL' });
    controllers[1]?.abort(new Error('left'));
    // The place of who left is free at once, in the same turn; one more finds the queue full again.
    const late = pool.acquire();
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'POOL_QUEUE_FULL' });
    expect(pool.stats().waiting).toBe(3);
    controllers[0]?.abort(new Error('left too'));
    controllers[0]?.abort(new Error('twice'));
    held.release();
    await clock.advance(0);
    expect(await waits[1]).toBe('left');
    expect(await waits[0]).toBe('left too');
    expect(await waits[2]).toBe(1);
    expect(pool.stats()).toMatchObject({ size: 1, inUse: 1, waiting: 1, timeouts: 0 });
    const closing = pool.close({ drainMs: 0 });
    await expect(late).rejects.toMatchObject({ code: 'CLOSED' });
    await closing;
  });

  it('leaves waiters their time when the wall clock steps by an hour, either way', async () => {
    const { pool, acquired, clock } = givenPool({ max: 1, acquireTimeoutMs: 1_000, idleTimeoutMs: 10_000, maxLifetimeMs: 3_600_000 });
    const held = await acquired();
    let outcome = 'waiting';
    pool.acquire().catch((error: { code?: string }) => {
      outcome = String(error.code);
    });
    clock.stepWall(3_600_000);
    await clock.advance(999);
    expect(outcome).toBe('waiting');
    clock.stepWall(-7_200_000);
    await clock.advance(1);
    expect(outcome).toBe('POOL_TIMEOUT');
    held.release();
    await clock.advance(9_999);
    expect(pool.stats().size).toBe(1);
    await clock.advance(1);
    expect(pool.stats().size).toBe(0);
    await pool.close();
  });
});
