import { describe, expect, it } from 'vitest';
import { isVenueKitError } from '../../../src/core/errors.js';
import type { Limit, Priority } from '../../../src/core/limits.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { type PolicyError, RateLimiter } from '../../../src/resilience/index.js';

const WEIGHT: Limit = { id: 'weight', scope: 'ip', kind: 'window', units: 10, perMs: 1_000 };
const ORDERS: Limit = { id: 'orders', scope: 'account', kind: 'window', units: 4, perMs: 500 };
const COUNTER: Limit = { id: 'counter', scope: 'account', kind: 'decay', max: 10, decayPerSecond: 2 };
const BOOK: Limit = { id: 'book', scope: 'symbol', kind: 'window', units: 1, perMs: 1_000 };
const weight = (units: number) => [{ limit: 'weight', units }];

const givenALimiter = (limits: readonly Limit[] = [WEIGHT, ORDERS], reserve = 0) => {
  const clock = new ManualClock();
  const limiter = new RateLimiter({ clock, limits, reserve });
  const served: string[] = [];
  const queue = (name: string, units: number, priority: Priority, more: object = {}) => {
    limiter.acquire(weight(units), { priority, ...more }).then(
      () => served.push(`${name} at ${clock.monotonic()}`),
      (error: PolicyError) => served.push(`${name}: ${error.code ?? error.message} at ${clock.monotonic()}`),
    );
  };
  return { clock, limiter, served, queue };
};

describe('RateLimiter, window', () => {
  it('lets through what fits and frees it exactly one window after it was sent', async () => {
    const { clock, limiter } = givenALimiter();
    expect(limiter.tryAcquire(weight(6), { priority: 'read' })).toBe(true);
    await clock.advance(400);
    expect(limiter.tryAcquire(weight(4), { priority: 'read' })).toBe(true);
    expect(limiter.tryAcquire(weight(1), { priority: 'read' })).toBe(false);
    await clock.advance(599);
    expect(limiter.headroom('weight')).toBe(0);
    await clock.advance(1);
    expect(limiter.headroom('weight')).toBe(6);
  });

  it('spends from every limit or from none', () => {
    const { limiter } = givenALimiter();
    const costs = [
      { limit: 'weight', units: 1 },
      { limit: 'orders', units: 3 },
    ];
    expect(limiter.tryAcquire(costs, { priority: 'place' })).toBe(true);
    expect(limiter.tryAcquire(costs, { priority: 'place' })).toBe(false);
    expect(limiter.headroom('weight')).toBe(9);
    expect(limiter.headroom('orders')).toBe(1);
  });

  it('adds up two costs of one limit', () => {
    const { limiter } = givenALimiter();
    expect(limiter.tryAcquire([...weight(6), ...weight(5)].slice(0, 1), { priority: 'read' })).toBe(true);
    expect(limiter.tryAcquire([...weight(3), ...weight(2)], { priority: 'read' })).toBe(false);
    expect(limiter.tryAcquire([...weight(2), ...weight(2)], { priority: 'read' })).toBe(true);
    expect(() => limiter.tryAcquire([...weight(6), ...weight(6)], { priority: 'read' })).toThrow(/at most 10, got 12/);
  });

  it('is not left with half a charge by a cost that is refused', () => {
    const { limiter } = givenALimiter();
    expect(() => limiter.tryAcquire([...weight(4), { limit: 'wieght', units: 1 }], { priority: 'read' })).toThrow(RangeError);
    expect(() => limiter.tryAcquire([...weight(4), ...weight(7)], { priority: 'read' })).toThrow(RangeError);
    expect(limiter.tryAcquire(weight(10), { priority: 'read' })).toBe(true);
  });

  it('counts limits by symbol apart, and keeps no counters of symbols that are quiet', async () => {
    const { clock, limiter } = givenALimiter([BOOK]);
    const book = [{ limit: 'book', units: 1 }];
    expect(limiter.tryAcquire(book, { priority: 'read', symbol: 'BTC/USDT' })).toBe(true);
    expect(limiter.tryAcquire(book, { priority: 'read', symbol: 'BTC/USDT' })).toBe(false);
    expect(limiter.tryAcquire(book, { priority: 'read', symbol: 'ETH/USDT' })).toBe(true);
    expect(limiter.headroom('book', { symbol: 'SOL/USDT' })).toBe(1);
    const waiting = limiter.acquire(book, { priority: 'read', symbol: 'BTC/USDT' });
    for (let i = 0; i < 1_000; i++) limiter.headroom('book', { symbol: `S${i}/USDT` });
    await clock.advance(1_000);
    await waiting;
    expect(limiter.headroom('book', { symbol: 'BTC/USDT' })).toBe(0);
  });

  it('keeps the counter of a symbol that somebody waits for, though nothing is used of it', async () => {
    const { clock, limiter } = givenALimiter([BOOK]);
    const book = [{ limit: 'book', units: 1 }];
    limiter.observe({ limit: 'book', blockedUntil: clock.now() + 500 });
    const waiting = limiter.acquire(book, { priority: 'read', symbol: 'BTC/USDT' });
    for (let i = 0; i < 1_000; i++) limiter.tryAcquire(book, { priority: 'read', symbol: `S${i}/USDT` });
    await clock.advance(500);
    await waiting;
    expect(limiter.tryAcquire(book, { priority: 'read', symbol: 'BTC/USDT' })).toBe(false);
  });

  it('holds units that are not sent yet, and counts them from the send', async () => {
    const { clock, limiter } = givenALimiter();
    await limiter.acquire(weight(10), { priority: 'place', hold: true });
    await clock.advance(5_000);
    expect(limiter.headroom('weight')).toBe(0);
    limiter.sent(weight(6));
    limiter.release(weight(4));
    expect(limiter.headroom('weight')).toBe(4);
    await clock.advance(1_000);
    expect(limiter.headroom('weight')).toBe(10);
    expect(() => limiter.release(weight(1))).toThrow(/1 units were to be given back, but 0 are held/);
  });

  it('wakes a waiter when held units are given back', async () => {
    const { clock, limiter, served, queue } = givenALimiter();
    await limiter.acquire(weight(10), { priority: 'place', hold: true });
    queue('read', 5, 'read');
    await clock.advance(5_000);
    limiter.release(weight(10));
    await clock.advance(0);
    expect(served).toEqual(['read at 5000']);
  });
});

describe('RateLimiter, decay', () => {
  it('drains at its rate', async () => {
    const { clock, limiter } = givenALimiter([COUNTER]);
    const costs = [{ limit: 'counter', units: 10 }];
    expect(limiter.tryAcquire(costs, { priority: 'place' })).toBe(true);
    let done = false;
    void limiter.acquire([{ limit: 'counter', units: 4 }], { priority: 'place' }).then(() => {
      done = true;
    });
    await clock.advance(1_999);
    expect(done).toBe(false);
    await clock.advance(1);
    expect(done).toBe(true);
  });
});

describe('RateLimiter, order of service', () => {
  it('serves the most urgent first, then in order', async () => {
    const { clock, limiter, served, queue } = givenALimiter();
    limiter.tryAcquire(weight(10), { priority: 'read' });
    queue('read 1', 5, 'read');
    queue('read 2', 5, 'read');
    queue('kill', 5, 'kill');
    queue('cancel', 5, 'cancel');
    await clock.advance(1_000);
    expect(served).toEqual(['kill at 1000', 'cancel at 1000']);
    await clock.advance(1_000);
    expect(served.slice(2)).toEqual(['read 1 at 2000', 'read 2 at 2000']);
  });

  it('lets nobody slip past an urgent waiter that needs more than is free', async () => {
    const { clock, limiter, served, queue } = givenALimiter();
    limiter.tryAcquire(weight(5), { priority: 'read' });
    queue('cancel', 8, 'cancel');
    expect(limiter.tryAcquire(weight(1), { priority: 'read' })).toBe(false);
    expect(limiter.tryAcquire(weight(1), { priority: 'cancel' })).toBe(false);
    expect(limiter.tryAcquire(weight(1), { priority: 'kill' })).toBe(true);
    queue('read', 1, 'read');
    await clock.advance(1_000);
    expect(served).toEqual(['cancel at 1000', 'read at 1000']);
  });

  it('lets those pass who cost other limits', () => {
    const { limiter, queue } = givenALimiter();
    limiter.tryAcquire(weight(10), { priority: 'read' });
    queue('cancel', 8, 'cancel');
    expect(limiter.tryAcquire([{ limit: 'orders', units: 1 }], { priority: 'prefetch' })).toBe(true);
  });

  it('lets a blocked waiter keep nobody from limits that are not blocked', async () => {
    const { clock, limiter } = givenALimiter();
    limiter.observe({ limit: 'orders', blockedUntil: clock.now() + 60_000 });
    const blocked = limiter.acquire(
      [
        { limit: 'orders', units: 1 },
        { limit: 'weight', units: 5 },
      ],
      { priority: 'kill' },
    );
    expect(limiter.tryAcquire(weight(10), { priority: 'read' })).toBe(true);
    await clock.advance(60_000);
    await blocked;
  });

  it('keeps a reserve for kill, cancel and reconcile', () => {
    const { limiter } = givenALimiter([WEIGHT], 0.2);
    expect(limiter.tryAcquire(weight(8), { priority: 'place' })).toBe(true);
    for (const priority of ['place', 'read', 'prefetch'] as const) expect(limiter.tryAcquire(weight(1), { priority })).toBe(false);
    expect(limiter.tryAcquire(weight(1), { priority: 'reconcile' })).toBe(true);
    expect(limiter.tryAcquire(weight(1), { priority: 'cancel' })).toBe(true);
  });

  it('serves a call that is larger than the unreserved share once nothing else is in use', async () => {
    const { clock, limiter, served, queue } = givenALimiter([WEIGHT], 0.2);
    limiter.tryAcquire(weight(1), { priority: 'read' });
    queue('large', 9, 'read');
    await clock.advance(999);
    expect(served).toEqual([]);
    await clock.advance(1);
    expect(served).toEqual(['large at 1000']);
  });

  it('takes a waiter that aborts out, and serves who stood behind it', async () => {
    const { clock, limiter, served, queue } = givenALimiter();
    limiter.tryAcquire(weight(5), { priority: 'read' });
    const caller = new AbortController();
    queue('large', 8, 'read', { signal: caller.signal });
    queue('small', 2, 'read');
    caller.abort(new Error('changed my mind'));
    await clock.advance(0);
    expect(served).toEqual(['large: changed my mind at 0', 'small at 0']);
  });

  it('refuses at the deadline, or at once where asked to and certain', async () => {
    const { clock, limiter, served, queue } = givenALimiter();
    limiter.tryAcquire(weight(10), { priority: 'read' });
    queue('patient', 5, 'read', { deadlineAt: 300 });
    queue('fast', 5, 'read', { deadlineAt: 300, failFast: true });
    queue('in time', 5, 'read', { deadlineAt: 1_000, failFast: true });
    await clock.advance(1_000);
    expect(served).toEqual(['fast: RATE_LIMITED at 0', 'patient: RATE_LIMITED at 300', 'in time at 1000']);
  });

  it('uses one timer however many wait, and none when nobody does', async () => {
    const { clock, limiter, queue } = givenALimiter();
    limiter.tryAcquire(weight(10), { priority: 'read' });
    for (let i = 0; i < 500; i++) queue(`read ${i}`, 1, 'read', { deadlineAt: 2_000 + i });
    expect(clock.pending).toBe(1);
    await clock.advance(2_500);
    expect(limiter.waiting).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('refuses those who wait and those who come when it is closed, twice without harm', async () => {
    const { clock, limiter, served, queue } = givenALimiter();
    limiter.tryAcquire(weight(10), { priority: 'read' });
    queue('waiting', 1, 'read');
    await limiter[Symbol.asyncDispose]();
    limiter.close();
    queue('late', 1, 'read');
    await clock.advance(0);
    expect(served).toEqual(['waiting: CLOSED at 0', 'late: CLOSED at 0']);
    expect(clock.pending).toBe(0);
  });
});

describe('RateLimiter, what the venue says', () => {
  it('raises our count to the venue’s, and never lowers it', () => {
    const { limiter } = givenALimiter();
    limiter.tryAcquire(weight(3), { priority: 'read' });
    limiter.observe({ limit: 'weight', used: 7 });
    expect(limiter.headroom('weight')).toBe(3);
    limiter.observe({ limit: 'weight', used: 1 });
    expect(limiter.headroom('weight')).toBe(3);
    limiter.observe({ limit: 'weight', remaining: 1 });
    expect(limiter.headroom('weight')).toBe(1);
  });

  it('forgets what others used when the venue resets, but not what we sent', async () => {
    const { clock, limiter } = givenALimiter();
    limiter.tryAcquire(weight(3), { priority: 'read' });
    limiter.observe({ limit: 'weight', used: 10, resetAt: clock.now() + 200 });
    await clock.advance(199);
    expect(limiter.headroom('weight')).toBe(0);
    await clock.advance(1);
    expect(limiter.headroom('weight')).toBe(7);
  });

  it('does not wait longer than a window for a reset that lies in a far future', async () => {
    const { clock, limiter } = givenALimiter();
    limiter.observe({ limit: 'weight', used: 10, resetAt: clock.now() * 1_000 });
    await clock.advance(1_000);
    expect(limiter.headroom('weight')).toBe(10);
  });

  it('sends nothing that costs a blocked limit, whoever asks, until the block ends', async () => {
    const { clock, limiter, served, queue } = givenALimiter();
    const until = clock.now() + 2_000;
    limiter.observe({ limit: 'weight', blockedUntil: until });
    limiter.observe({ limit: 'weight', blockedUntil: until - 1_000 });
    expect(limiter.blockedUntil(weight(1))).toBe(until);
    expect(limiter.blockedUntil([{ limit: 'orders', units: 1 }])).toBeUndefined();
    expect(limiter.headroom('weight')).toBe(0);
    queue('kill', 1, 'kill');
    await clock.advance(1_999);
    expect(served).toEqual([]);
    await clock.advance(1);
    expect(served).toEqual(['kill at 2000']);
  });

  it('waits a block out by monotonic time, whatever the wall clock does', async () => {
    const { clock, limiter, served, queue } = givenALimiter();
    limiter.observe({ limit: 'weight', blockedUntil: clock.now() + 2_000 });
    clock.stepWall(3_600_000);
    queue('kill', 1, 'kill');
    await clock.advance(1_999);
    expect(served).toEqual([]);
    await clock.advance(1);
    expect(served).toEqual(['kill at 2000']);
  });

  it('stops everything when banned, and when a limit it does not know is blocked', async () => {
    const { clock, limiter, served, queue } = givenALimiter();
    limiter.ban(clock.now() + 1_000);
    expect(limiter.tryAcquire([], { priority: 'kill' })).toBe(false);
    queue('read', 1, 'read', { deadlineAt: 500, failFast: true });
    await clock.advance(1_000);
    expect(served).toEqual(['read: BANNED at 0']);
    limiter.observe({ limit: 'undeclared', blockedUntil: clock.now() + 1_000 });
    expect(limiter.tryAcquire(weight(1), { priority: 'kill' })).toBe(false);
  });

  it('passes over numbers that are not finite', () => {
    const { limiter } = givenALimiter();
    limiter.observe({ limit: 'weight', used: Number.NaN, remaining: Number.NaN, resetAt: Number.NaN, blockedUntil: Number.NaN });
    expect(limiter.headroom('weight')).toBe(10);
    expect(limiter.tryAcquire(weight(10), { priority: 'read' })).toBe(true);
  });

  it('follows a limit that shrinks, and refuses who can never be served any more', async () => {
    const { clock, limiter, served, queue } = givenALimiter();
    limiter.tryAcquire(weight(10), { priority: 'read' });
    queue('large', 8, 'read');
    queue('small', 4, 'read');
    limiter.resize('weight', 5);
    await clock.advance(1_000);
    expect(served[0]).toMatch(/^large: units of "weight".*at most 5, got 8/);
    expect(served[1]).toBe('small at 1000');
    expect(limiter.headroom('weight')).toBe(1);
  });
});

describe('RateLimiter, bad input', () => {
  it('names what is wrong', async () => {
    const { limiter } = givenALimiter();
    await expect(limiter.acquire(weight(11), { priority: 'read' })).rejects.toThrow(
      /units of "weight" \(10 units per 1000 ms, by ip\) must be at most 10, got 11/,
    );
    expect(() => limiter.tryAcquire(weight(-1), { priority: 'read' })).toThrow(/units of "weight" must be 0 or more, got -1/);
    expect(() => limiter.tryAcquire(weight(Number.NaN), { priority: 'read' })).toThrow(RangeError);
    expect(() => limiter.tryAcquire([{ limit: 'x', units: 1 }], { priority: 'read' })).toThrow(/limit must be one of weight, orders, got "x"/);
    expect(() => limiter.tryAcquire(weight(1), { priority: 'urgent' as Priority })).toThrow(/priority must be one of kill/);
    const clock = new ManualClock();
    expect(() => new RateLimiter({ clock, limits: [WEIGHT, WEIGHT] })).toThrow(/"weight" twice/);
    expect(() => new RateLimiter({ clock, limits: [{ ...WEIGHT, units: 0 } as Limit] })).toThrow(
      /limits\["weight"\]\.units must be a finite number above 0, got 0/,
    );
    expect(() => new RateLimiter({ clock, limits: [], reserve: 2 })).toThrow(/reserve must be between 0 and 1, got 2/);
  });

  it('rejects with an error that tells what was in the way and for how long', async () => {
    const { limiter } = givenALimiter();
    limiter.tryAcquire(weight(10), { priority: 'read' });
    const error = await limiter.acquire(weight(1), { priority: 'read', deadlineAt: 0 }).catch((caught: unknown) => caught);
    expect(isVenueKitError(error, 'RATE_LIMITED')).toBe(true);
    expect(error).toMatchObject({ limit: 'weight', retryAfterMs: 1_000 });
  });
});
