import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventBus } from '../../../src/contracts/events.js';
import { systemClock } from '../../../src/core/clock.js';
import type { Cost, Limit } from '../../../src/core/limits.js';
import { SharedRateLimiter } from '../../../src/resilience/index.js';
import { type IoRedisClient, type RedisLimitsOptions, redisLimits } from '../../../src/stores/redis/index.js';
import { HAS_REDIS, RedisServer } from '../../setup/redis-server.js';
import { CLIENTS, type HostClient } from './given.js';

let server: RedisServer;
let hosts: HostClient[];
let venues = 0;

/** How long Redis may take to answer: a process that gets no turn for a second or two is not one that is away. */
const PATIENCE_MS = 10_000;

const window = (units: number, perMs: number): Limit => ({ id: 'weight', scope: 'ip', kind: 'window', units, perMs });
const cost = (units: number): readonly Cost[] => [{ limit: 'weight', units }];

/** Processes that share the limits of one venue. */
function givenProcesses(count: number, limits: readonly Limit[], options: Partial<RedisLimitsOptions> = {}) {
  const venue = `venue-${++venues}`;
  const processes = Array.from({ length: count }, (_, i) => {
    const shared = redisLimits(hosts[i % hosts.length]!.client, { venue, limits, spreadMs: 0, aloneShare: 0, timeoutMs: PATIENCE_MS, ...options });
    return { shared, limiter: new SharedRateLimiter({ clock: systemClock, shared, reserve: 0 }) };
  });
  return {
    venue,
    processes,
    limiters: processes.map(({ limiter }) => limiter),
    [Symbol.asyncDispose]: async () => {
      for (const { shared, limiter } of processes) {
        limiter.close();
        await shared[Symbol.asyncDispose]();
      }
    },
  };
}

/** The most units that were sent in any window. */
function mostInAnyWindow(sent: readonly { readonly at: number; readonly units: number }[], perMs: number): number {
  const sorted = [...sent].sort((a, b) => a.at - b.at);
  let most = 0;
  for (const [i, first] of sorted.entries()) {
    let units = 0;
    for (let j = i; j < sorted.length && sorted[j]!.at < first.at + perMs; j++) units += sorted[j]!.units;
    most = Math.max(most, units);
  }
  return most;
}

describe.skipIf(!HAS_REDIS)('limits that processes share on Redis (skipped unless installed: sh scripts/install-test-services.sh)', () => {
  beforeAll(async () => {
    server = await RedisServer.start();
    hosts = [await CLIENTS.ioredis!(server.port), await CLIENTS['node-redis']!(server.port)];
  });
  afterAll(async () => {
    for (const host of hosts ?? []) await host[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  it('never lets more through in any window than the limit, whoever sends', async () => {
    await using given = givenProcesses(6, [window(40, 400)]);
    const sent: { at: number; units: number }[] = [];
    await Promise.all(
      given.limiters.flatMap((limiter, i) =>
        Array.from({ length: 20 }, async () => {
          const units = 1 + (i % 3);
          await limiter.acquire(cost(units), { priority: 'read' });
          sent.push({ at: systemClock.monotonic(), units });
        }),
      ),
    );
    expect(sent).toHaveLength(120);
    expect(mostInAnyWindow(sent, 400)).toBeLessThanOrEqual(40);
  });

  it('drains a decaying counter for all together', async () => {
    await using given = givenProcesses(3, [{ id: 'weight', scope: 'account', kind: 'decay', max: 10, decayPerSecond: 50 }]);
    const began = systemClock.monotonic();
    await Promise.all(given.limiters.flatMap((limiter) => Array.from({ length: 10 }, () => limiter.acquire(cost(1), { priority: 'read' }))));
    // 30 units through a bucket of 10 that drains 50 a second.
    expect(systemClock.monotonic() - began).toBeGreaterThanOrEqual(390);
  });

  it('counts symbols apart, and accounts of other names', async () => {
    const limits: readonly Limit[] = [{ id: 'weight', scope: 'symbol', kind: 'window', units: 1, perMs: 60_000 }];
    await using given = givenProcesses(2, limits);
    const [a, b] = given.limiters as [SharedRateLimiter, SharedRateLimiter];
    await a.acquire(cost(1), { priority: 'read', symbol: 'X' });
    await b.acquire(cost(1), { priority: 'read', symbol: 'Y' });
    const late = { priority: 'read', symbol: 'X', deadlineAt: systemClock.monotonic() + 50 } as const;
    await expect(b.acquire(cost(1), late)).rejects.toMatchObject({ code: 'RATE_LIMITED', limit: 'weight' });
    await using other = redisLimits(hosts[0]!.client, { venue: given.venue, limits, account: 'other', aloneShare: 0, timeoutMs: PATIENCE_MS });
    using apart = Object.assign(new SharedRateLimiter({ clock: systemClock, shared: other, reserve: 0 }), { [Symbol.dispose]: () => {} });
    await apart.acquire(cost(1), { priority: 'read', symbol: 'X' });
    apart.close();
  });

  it('keeps the reserve for what gets out of trouble', async () => {
    const venue = `venue-${++venues}`;
    await using shared = redisLimits(hosts[0]!.client, { venue, limits: [window(10, 60_000)], aloneShare: 0, timeoutMs: PATIENCE_MS });
    await using limiter = new SharedRateLimiter({ clock: systemClock, shared, reserve: 0.2 });
    for (let i = 0; i < 8; i++) await limiter.acquire(cost(1), { priority: 'place' });
    await expect(limiter.acquire(cost(1), { priority: 'place', deadlineAt: systemClock.monotonic() + 30 })).rejects.toMatchObject({
      code: 'RATE_LIMITED',
    });
    await limiter.acquire(cost(2), { priority: 'cancel' });
  });

  it('does not age what is set aside, and gives back what was not used', async () => {
    await using given = givenProcesses(2, [window(2, 300)]);
    const [a, b] = given.limiters as [SharedRateLimiter, SharedRateLimiter];
    await a.acquire(cost(2), { priority: 'place', hold: true });
    await systemClock.sleep(350);
    const soon = () => ({ priority: 'place', deadlineAt: systemClock.monotonic() + 60 }) as const;
    await expect(b.acquire(cost(1), soon())).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    a.release(cost(2));
    await b.acquire(cost(2), { priority: 'place' });
  });

  it('counts what was set aside from when it was sent', async () => {
    await using given = givenProcesses(2, [window(1, 60_000)]);
    const [a, b] = given.limiters as [SharedRateLimiter, SharedRateLimiter];
    await a.acquire(cost(1), { priority: 'place', hold: true });
    a.sent(cost(1));
    const soon = { priority: 'place', deadlineAt: systemClock.monotonic() + 60 } as const;
    await expect(b.acquire(cost(1), soon)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  });

  it('takes back a part of what was granted, and ages the rest', async () => {
    await using given = givenProcesses(2, [window(4, 60_000)]);
    const [a, b] = given.limiters as [SharedRateLimiter, SharedRateLimiter];
    await a.acquire(cost(3), { priority: 'read', hold: true });
    a.release(cost(1));
    a.sent(cost(2));
    await b.acquire(cost(2), { priority: 'read' });
    const soon = { priority: 'read', deadlineAt: systemClock.monotonic() + 60 } as const;
    await expect(b.acquire(cost(1), soon)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    // What costs nothing needs no grant.
    await a.acquire([{ limit: 'weight', units: 0 }], { priority: 'read' });
  });

  it('has every process obey a ban, and a block, that one was told of', async () => {
    await using given = givenProcesses(4, [window(1_000, 1_000), { ...window(1_000, 1_000), id: 'other' }]);
    for (const { shared } of given.processes) await shared.ready();
    const [first, ...others] = given.limiters as [SharedRateLimiter, ...SharedRateLimiter[]];
    first.observe({ limit: 'weight', blockedUntil: systemClock.now() + 60_000 });
    await expect.poll(() => others.every((limiter) => limiter.blockedUntil(cost(1)) !== undefined)).toBe(true);
    expect(others.every((limiter) => limiter.blockedUntil([{ limit: 'other', units: 1 }]) === undefined)).toBe(true);
    first.ban(systemClock.now() + 60_000);
    await expect.poll(() => others.every((limiter) => limiter.blockedUntil([{ limit: 'other', units: 1 }]) !== undefined)).toBe(true);
    // One that comes later, and was not told, is refused by the count.
    const other = { ...window(1_000, 1_000), id: 'other' };
    await using late = redisLimits(hosts[0]!.client, { venue: given.venue, limits: [other], aloneShare: 0, timeoutMs: PATIENCE_MS });
    await using limiter = new SharedRateLimiter({ clock: systemClock, shared: late });
    const soon = { priority: 'read', deadlineAt: systemClock.monotonic() + 60 } as const;
    await expect(limiter.acquire([{ limit: 'other', units: 1 }], soon)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  });

  it('takes what the venue counts beyond our own for sent by others', async () => {
    await using given = givenProcesses(2, [window(10, 60_000)]);
    const [a, b] = given.limiters as [SharedRateLimiter, SharedRateLimiter];
    await a.acquire(cost(1), { priority: 'read' });
    a.observe({ limit: 'weight', used: 10 });
    await expect
      .poll(() =>
        b.acquire(cost(1), { priority: 'read', deadlineAt: systemClock.monotonic() + 20 }).then(
          () => 'sent',
          () => 'refused',
        ),
      )
      .toBe('refused');
  });

  it('gives units of a caller that has gone back', async () => {
    await using given = givenProcesses(2, [window(1, 60_000)]);
    const [a, b] = given.limiters as [SharedRateLimiter, SharedRateLimiter];
    await a.acquire(cost(1), { priority: 'read', hold: true });
    const gone = new AbortController();
    const waiting = b.acquire(cost(1), { priority: 'read', signal: gone.signal });
    gone.abort(new Error('no longer wanted'));
    await expect(waiting).rejects.toThrow('no longer wanted');
    a.release(cost(1));
    await b.acquire(cost(1), { priority: 'read' });
  });

  it('found by review: warns of a Redis that may forget what was sent', async () => {
    await using own = await RedisServer.start();
    await using host = await CLIENTS.ioredis!(own.port);
    const told: string[] = [];
    const logger = { debug() {}, info() {}, error() {}, warn: (_: object, message: string) => void told.push(message) };
    const client = host.client as IoRedisClient;
    const asked = async (venue: string) => {
      await using shared = redisLimits(host.client, { venue, limits: [window(10, 1_000)], timeoutMs: PATIENCE_MS, logger });
      await shared.reserve({ costs: [{ limit: 'weight', units: 1, ceiling: 9 }], rank: 0 });
      // On the same connection: what was asked before is answered before.
      await client.call('PING');
      await systemClock.sleep(5);
    };
    await client.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    await asked('unbounded');
    await client.call('CONFIG', 'SET', 'maxmemory', '100mb');
    await asked('evicting');
    await client.call('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    await asked('refusing');
    expect(told).toEqual([expect.stringMatching(/may forget keys when its memory is full.* Set maxmemory-policy to noeviction/)]);
  });

  it('lives on the share that was set aside while Redis is away, and takes windows for full until what was forgotten is over', async () => {
    await using own = await RedisServer.start();
    await using host = await CLIENTS.ioredis!(own.port);
    const bus = new EventBus();
    const told: string[] = [];
    bus.on('breaker.state', ({ scope, state }) => void told.push(`${scope} ${state}`));
    const options = { venue: 'v', limits: [window(80, 1_500)], processes: 2, aloneShare: 0.1, spreadMs: 0, timeoutMs: 2_000, bus };
    await using shared = redisLimits(host.client, options);
    await using limiter = new SharedRateLimiter({ clock: systemClock, shared, reserve: 0 });
    expect([shared.limits[0], shared.alone[0]]).toMatchObject([{ units: 72 }, { units: 4 }]);
    const sent: { at: number; units: number }[] = [];
    const send = async (): Promise<void> => {
      await limiter.acquire(cost(1), { priority: 'read' });
      sent.push({ at: systemClock.monotonic(), units: 1 });
    };
    await Promise.all(Array.from({ length: 72 }, send));
    await own.kill();
    await expect.poll(() => shared.isUp).toBe(false);
    const before = sent.length;
    await Promise.all(Array.from({ length: 5 }, send));
    // The fifth has to wait until the first is outside of the window.
    expect(mostInAnyWindow(sent.slice(before), 1_500)).toBeLessThanOrEqual(4);
    await own.restart();
    await expect.poll(() => shared.isUp).toBe(true);
    await Promise.all(Array.from({ length: 72 }, send));
    expect(sent.length - before).toBe(77);
    // Within the limit over the loss of all that Redis knew.
    expect(mostInAnyWindow(sent, 1_500)).toBeLessThanOrEqual(80);
    expect(told).toEqual(['shared-limits v open', 'shared-limits v closed']);
  });
});
