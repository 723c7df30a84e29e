import { readdirSync, readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import type pg from 'pg';
import { EventBus } from '../../src/contracts/events.js';
import { systemClock } from '../../src/core/clock.js';
import { createVenueKit } from '../../src/index.js';
import { CachedMarketDataClient } from '../../src/market-data/index.js';
import { SharedRateLimiter } from '../../src/resilience/index.js';
import { postgresMetricStore, postgresOrderJournal } from '../../src/stores/postgres/index.js';
import { redisBreakers, redisBusBridge, redisCacheStore, redisLimits } from '../../src/stores/redis/index.js';
import { SimulatedVenue, simulatedBroker } from '../../src/testing/index.js';
import { PostgresServer } from '../../test/setup/postgres-server.js';
import { RedisServer } from '../../test/setup/redis-server.js';

/** What a desk costs where: microseconds of a processor, unless a name says otherwise. */
export interface DeskCosts {
  /** Of the Redis server, which has one thread for commands. */
  readonly redis: {
    /** Each second, for each process that is there and does nothing: signs of life, and waiting for what others say. */
    readonly idleSecond: number;
    readonly grant: number;
    /** For each key, of twenty that are asked for together. */
    readonly readKey: number;
    readonly writeKey: number;
    readonly lease: number;
    /** For each process that hears a word. */
    readonly wordHeard: number;
  };
  /** Of the PostgreSQL server, all its processes together. */
  readonly postgres: { readonly placement: number; readonly renewal: number; readonly point: number };
  /** Of a bot. */
  readonly bot: {
    readonly idleSecond: number;
    readonly cachedRead: number;
    readonly sharedRead: number;
    /** From the venue, lease and write for the others included. */
    readonly load: number;
    readonly order: number;
    readonly bytesPerProcess: number;
    readonly bytesPerSymbol: number;
    readonly bytesPerOrder: number;
  };
}

/** A Linux kernel counts in hundredths of a second for whoever asks. */
const TICK_US = 10_000;
const PROCESSES = 20;
const now = (): number => systemClock.now();

const redisCpu = async (client: Redis): Promise<number> => {
  const info = await client.info('cpu');
  return ['used_cpu_sys', 'used_cpu_user'].reduce((sum, name) => sum + Number(new RegExp(`${name}:([\\d.]+)`).exec(info)?.[1]) * 1e6, 0);
};

const statOf = (pid: number): readonly string[] => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
};

/** Of a PostgreSQL and all its children. */
async function postgresCpu(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const parent = Number(statOf(rows[0]!.pid)[1]);
  let ticks = 0;
  for (const name of readdirSync('/proc').filter((one) => /^\d+$/.test(one))) {
    try {
      const fields = statOf(Number(name));
      if (Number(name) === parent || Number(fields[1]) === parent) ticks += Number(fields[11]) + Number(fields[12]);
    } catch {
      // Ended meanwhile.
    }
  }
  return ticks * TICK_US;
}

const ownCpu = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

const heap = (): number => {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};

/** What one of `count` calls costs, by a meter read before and after. */
async function costOf(meter: () => Promise<number> | number, count: number, work: () => Promise<unknown>): Promise<number> {
  const before = await meter();
  await work();
  return ((await meter()) - before) / count;
}

async function times(count: number, work: (i: number) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < count; i++) await work(i);
}

/** Measures everything on servers of its own. Needs `--expose-gc`, for bytes. */
export async function measureCosts(): Promise<DeskCosts> {
  await using redis = await RedisServer.start();
  // As it ships: a commit waits for the disk.
  await using postgres = await PostgresServer.start({ fsync: 'on' });
  const client = new Redis({ port: redis.port, host: '127.0.0.1' });
  try {
    return { redis: await redisCosts(client), postgres: await postgresCosts(postgres), bot: await botCosts(client) };
  } finally {
    client.disconnect();
  }
}

async function redisCosts(client: Redis): Promise<DeskCosts['redis']> {
  const cpu = (): Promise<number> => redisCpu(client);
  const limits = [{ id: 'weight', scope: 'ip', kind: 'window', units: 1_000_000, perMs: 10_000 }] as const;
  const processes = Array.from({ length: PROCESSES }, () => {
    const bus = new EventBus();
    const cache = redisCacheStore(client, {});
    cache.onInvalidate(() => {});
    const shared = redisLimits(client, { venue: 'v', limits, processes: PROCESSES, timeoutMs: 5_000 });
    const breakers = redisBreakers(client, {
      venue: 'v',
      bus,
      client: { tripBreaker: () => ({ [Symbol.dispose]: () => {} }), guards: () => ({ place: { retryAfterMs: 0 }, read: { retryAfterMs: 0 } }) },
    });
    return {
      bus,
      cache,
      shared,
      breakers,
      bridge: redisBusBridge(client, { bus }),
      limiter: new SharedRateLimiter({ clock: systemClock, shared, reserve: 0 }),
    };
  });
  for (const { cache, shared, breakers, bridge } of processes) await Promise.all([cache.ready(), shared.ready(), breakers.ready(), bridge.ready()]);
  const [one] = processes as [(typeof processes)[number], ...typeof processes];
  const idle = await costOf(cpu, 4 * PROCESSES, () => systemClock.sleep(4_000));
  // One after the other, as they come from many processes: what comes together from one shares a call.
  const net = async (count: number, work: (i: number) => Promise<unknown>): Promise<number> => {
    await times(200, work);
    const began = now();
    const all = await costOf(cpu, count, () => times(count, work));
    return Math.max(0, all - (idle * PROCESSES * (now() - began)) / 1_000 / count);
  };
  const quote = { symbol: 'BTC/USDT', bid: 64_000.12, ask: 64_000.13, bidSize: 1.5, askSize: 0.2, eventTime: now() };
  const keys = Array.from({ length: 20 }, (_, i) => `quote:${i}`);
  const entry = () => ({ value: quote, sentAt: now(), receivedAt: now(), epoch: 0, source: 'rest', weight: 367 }) as const;
  for (const key of keys) await one.cache.setIfNewer(key, entry(), 600_000);
  const costs = {
    idleSecond: idle,
    grant: await net(3_000, () => one.limiter.acquire([{ limit: 'weight', units: 1 }], { priority: 'read' })),
    readKey: (await net(2_000, () => one.cache.getMany(keys))) / keys.length,
    writeKey: await net(2_000, (i) => one.cache.setIfNewer(keys[i % 20] as string, entry(), 600_000)),
    lease: await net(2_000, (i) => one.cache.lease(`key-${i}`, 1_000)),
    wordHeard: (await net(300, (i) => one.cache.invalidate([`none-${i}`]))) / (PROCESSES - 1),
  };
  for (const { cache, shared, breakers, bridge, limiter } of processes) {
    limiter.close();
    await Promise.all([cache, shared, breakers, bridge].map((part) => part[Symbol.asyncDispose]()));
  }
  return costs;
}

async function postgresCosts(server: PostgresServer): Promise<DeskCosts['postgres']> {
  const pool = server.pool({ max: 8 });
  const cpu = (): Promise<number> => postgresCpu(pool);
  const journal = await postgresOrderJournal(pool);
  const lease = await journal.acquire('main', 'scaling', 600_000);
  const { epoch } = lease;
  const body = { attempt: 1, venueNow: now(), intent: { symbol: 'BTC/USDT', side: 'buy', type: 'limit', qty: '0.01000000', price: '60000.00' } };
  let next = 0;
  const place = (): Promise<void> => {
    const common = { account: 'main', intentId: `i${next++}`, at: now(), epoch, body };
    return journal.append([
      { ...common, type: 'prepared' },
      { ...common, type: 'sending' },
    ]);
  };
  // A few at once, as a bot has them; a hundred would share commits that no bot shares.
  const few = (count: number) => Promise.all(Array.from({ length: 4 }, () => times(count / 4, place)));
  await few(400);
  const placement = await costOf(cpu, 4_000, () => few(4_000));
  const renewal = await costOf(cpu, 1_500, () => times(1_500, () => lease.renew()));
  await journal.close();
  const store = await postgresMetricStore(pool, { recentPoints: 0 });
  const series = Array.from({ length: 300 }, (_, i) => ({ name: `metric_${i}`, labels: {} }));
  const t0 = 1_700_002_800_000;
  const point = await costOf(cpu, 700 * series.length, async () => {
    await times(700, (t) =>
      store.append({
        t: t0 + t * 1_000,
        series,
        values: Float64Array.from(series, (_, i) => (i % 3 === 0 ? Math.round(Math.sin(t * i) * 1_000) / 10 : t * i)),
      }),
    );
    await store.settled();
  });
  await store[Symbol.asyncDispose]();
  return { placement, renewal, point };
}

async function botCosts(client: Redis): Promise<DeskCosts['bot']> {
  const venue = new SimulatedVenue({ seed: 1, latency: { p50Ms: 1, p99Ms: 2 }, log: 'hash', balances: { USDT: '1000000000' } });
  const adapter = simulatedBroker(venue);
  const feed = {
    venue: 'feed',
    batchLimit: () => 100,
    fetch: async (_: unknown, requests: readonly { readonly symbol: string }[]) =>
      requests.map(({ symbol }) => ({ status: 'fulfilled', value: { symbol, bid: 1, ask: 2 } }) as const),
  };
  const emptyHeap = heap();
  const kit = await createVenueKit({ broker: adapter, marketData: feed as never });
  await kit.start();
  const bytesPerProcess = heap() - emptyHeap;
  const idleSecond = await costOf(ownCpu, 4, () => systemClock.sleep(4_000));
  const withKit = heap();
  const symbols = 20_000;
  const readAll = (): Promise<unknown> =>
    Promise.all(Array.from({ length: symbols }, (_, i) => kit.marketData!.get('quote', { symbol: `S${i}` }, { maxAgeMs: 600_000 })));
  await readAll();
  const bytesPerSymbol = (heap() - withKit) / Math.min(symbols, 15_000);
  const hot = (i: number) => kit.marketData!.get('quote', { symbol: `S${symbols - 1 - (i % 200)}` }, { maxAgeMs: 600_000 });
  await times(2_000, hot);
  const cachedRead = await costOf(ownCpu, 50_000, () => times(50_000, hot));
  const withSymbols = heap();
  const orders = 2_000;
  // They rest far from the market, so that they stay open.
  const place = (i: number) => kit.trading!.submit({ intentId: `o${i}`, symbol: 'BTC/USDT', side: 'buy', type: 'limit', qty: '0.001', price: '100' });
  await Promise.all(Array.from({ length: 10 }, (_, w) => times(orders / 20, (i) => place(w * 10_000 + i))));
  const order = await costOf(ownCpu, orders / 2, () =>
    Promise.all(Array.from({ length: 10 }, (_, w) => times(orders / 20, (i) => place(w * 10_000 + 5_000 + i)))),
  );
  const bytesPerOrder = (heap() - withSymbols) / orders;
  await kit.close();
  // One loads what the other then finds in the second level.
  const stores = [redisCacheStore(client, { prefix: 'bot' }), redisCacheStore(client, { prefix: 'bot' })] as const;
  const clientOf = (shared: (typeof stores)[number]) =>
    new CachedMarketDataClient({ adapter: feed as never, shared, sharedTimeoutMs: 5_000, kinds: { quote: { ttlMs: 60_000 } } });
  await using first = clientOf(stores[0]);
  await using second = clientOf(stores[1]);
  for (const store of stores) await store.getMany(['none']);
  const readBy = (reader: CachedMarketDataClient, most: number) => (i: number) =>
    reader.get('quote', { symbol: `N${i % most}` }, { maxAgeMs: 60_000 });
  await times(200, readBy(first, 200));
  const load = await costOf(ownCpu, 2_000, () => times(2_000, (i) => readBy(first, 3_000)(i + 200)));
  await times(200, readBy(second, 200));
  const sharedRead = await costOf(ownCpu, 2_000, () => times(2_000, (i) => readBy(second, 3_000)(i + 200)));
  for (const store of stores) await store[Symbol.asyncDispose]();
  return { idleSecond, cachedRead, sharedRead, load, order, bytesPerProcess, bytesPerSymbol, bytesPerOrder };
}
