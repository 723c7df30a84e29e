import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { systemClock } from '../src/core/clock.js';
import { SharedRateLimiter } from '../src/resilience/index.js';
import { type RedisClient, redisCacheStore, redisLimits } from '../src/stores/redis/index.js';
import { HAS_REDIS, RedisServer } from '../test/setup/redis-server.js';
import { digits, publish } from './harness.js';

/** What processes share over a Redis of this machine, on loopback: reads of the second level, and grants of a shared limit. Beside each, one GET of the bare client. */

const ROUNDS = 7;
const CALLS = 1_500;
const WARM_UP = 500;
const BANS = 40;

const quantile = (sorted: readonly number[], q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] as number;
const median = (values: readonly number[]): number =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );

async function timesOf(work: () => Promise<unknown>, calls: number): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < calls; i++) {
    const start = performance.now();
    await work();
    took.push(performance.now() - start);
  }
  return took.sort((a, b) => a - b);
}

interface Row {
  readonly name: string;
  readonly p50: number;
  readonly p99: number;
}

async function rowsOf(name: string, client: RedisClient, get: () => Promise<unknown>): Promise<readonly Row[]> {
  await using cache = redisCacheStore(client, { prefix: name });
  const now = systemClock.now();
  const value = { symbol: 'BTC/USDT', bid: 64_000.12, ask: 64_000.13, bidSize: 1.5, askSize: 0.2, eventTime: now };
  await cache.setIfNewer('quote', { value, sentAt: now, receivedAt: now, epoch: 0, source: 'rest', weight: 367 }, 600_000);
  await using shared = redisLimits(client, {
    venue: name,
    limits: [{ id: 'weight', scope: 'ip', kind: 'window', units: 10_000_000, perMs: 60_000 }],
    timeoutMs: 5_000,
  });
  await using limiter = new SharedRateLimiter({ clock: systemClock, shared });
  const cost = [{ limit: 'weight', units: 1 }];
  const ways: readonly (readonly [string, () => Promise<unknown>])[] = [
    [`${name}: bare GET`, get],
    [`**${name}: read of the second level**`, () => cache.getMany(['quote'])],
    [`**${name}: grant of a shared limit**`, () => limiter.acquire(cost, { priority: 'read' })],
  ];
  for (const [, work] of ways) await timesOf(work, WARM_UP);
  const rounds = new Map<string, number[][]>(ways.map(([way]) => [way, []]));
  for (let round = 0; round < ROUNDS; round++) for (const [way, work] of ways) rounds.get(way)?.push(await timesOf(work, CALLS));
  return [...rounds].map(([way, all]) => ({
    name: way,
    p50: median(all.map((one) => quantile(one, 0.5))),
    p99: median(all.map((one) => quantile(one, 0.99))),
  }));
}

/** From the call that tells of a block to the moment at which seven others hold back. */
async function banTimes(clients: readonly RedisClient[]): Promise<number[]> {
  const options = { venue: 'bans', limits: [{ id: 'weight', scope: 'ip', kind: 'window', units: 1_000, perMs: 1_000 }], timeoutMs: 5_000 } as const;
  const processes = clients.map((client) => {
    const shared = redisLimits(client, options);
    return { shared, limiter: new SharedRateLimiter({ clock: systemClock, shared }) };
  });
  await Promise.all(processes.map(({ shared }) => shared.ready()));
  const took: number[] = [];
  for (let i = 0; i < BANS; i++) {
    const others = processes.slice(1);
    const blocked = others.map(({ shared }) => {
      let subscription: Disposable | undefined;
      return new Promise<void>((resolve) => {
        subscription = shared.onBlocked(() => resolve());
      }).finally(() => subscription?.[Symbol.dispose]());
    });
    const start = performance.now();
    processes[0]?.limiter.observe({ limit: 'weight', blockedUntil: systemClock.now() + 5 });
    await Promise.all(blocked);
    took.push(performance.now() - start);
    await systemClock.sleep(10);
  }
  for (const { shared, limiter } of processes) {
    limiter.close();
    await shared[Symbol.asyncDispose]();
  }
  return took.sort((a, b) => a - b);
}

export default async function bench(): Promise<void> {
  if (!HAS_REDIS) throw new Error('There is no Redis; install one: sh scripts/install-test-services.sh');
  await using server = await RedisServer.start();
  const io = new Redis(server.url);
  const node = createClient({ url: server.url });
  await node.connect();
  const rows = [
    ...(await rowsOf('ioredis', io, () => io.get('nothing'))),
    ...(await rowsOf('node-redis', node as unknown as RedisClient, () => node.get('nothing'))),
  ];
  const more = Array.from({ length: 8 }, () => new Redis(server.url));
  const bans = await banTimes(more);
  for (const client of [io, ...more]) client.disconnect();
  node.destroy();
  const reads = rows.filter(({ name }) => name.includes('second level')).map(({ p50 }) => p50);
  const read = Math.max(...reads);
  const ban = bans.at(-1) as number;
  publish('redis', [
    [
      '### A call over loopback, one at a time',
      '',
      '| | p50, ms | p99, ms |',
      '|---|---:|---:|',
      ...rows.map(({ name, p50, p99 }) => `| ${name} | ${digits(p50)} | ${digits(p99)} |`),
      '',
      `### A block that one of eight was told of (${BANS} times; eight connections in one process)`,
      '',
      '| | p50, ms | most, ms |',
      '|---|---:|---:|',
      `| until the last of the seven others holds back | ${digits(quantile(bans, 0.5))} | ${digits(ban)} |`,
      '',
      '| target | reached | |',
      '|---|---|---|',
      `| read from the second level p50 ≤ 0.5 ms | ${digits(read)} | ${read <= 0.5 ? 'met' : 'MISSED'} |`,
      `| a ban obeyed by all within 50 ms | ${digits(ban)} | ${ban <= 50 ? 'met' : 'MISSED'} |`,
      '',
    ].join('\n'),
  ]);
}
