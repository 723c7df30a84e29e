import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CacheEntry } from '../../../src/contracts/cache-store.js';
import { EventBus } from '../../../src/contracts/events.js';
import { type Clock, systemClock } from '../../../src/core/clock.js';
import { CachedMarketDataClient } from '../../../src/market-data/index.js';
import { type RedisCacheStore, redisCacheStore } from '../../../src/stores/redis/index.js';
import { type SharedCacheUnderTest, sharedCacheStoreContract } from '../../../src/testing/index.js';
import { HAS_REDIS, RedisServer } from '../../setup/redis-server.js';
import { CLIENTS, type HostClient } from './given.js';

let server: RedisServer;
let prefixes = 0;
const nextPrefix = () => `test-${++prefixes}`;

const entry = (value: unknown, over: Partial<CacheEntry> = {}): CacheEntry => {
  const now = systemClock.now();
  return { value, sentAt: now, receivedAt: now, epoch: 0, source: 'rest', weight: 100, ...over };
};

/** The clock of a host that is ahead. */
const ahead = (ms: number): Clock => ({
  now: () => systemClock.now() + ms,
  monotonic: () => systemClock.monotonic(),
  sleep: (...args) => systemClock.sleep(...args),
  schedule: (...args) => systemClock.schedule(...args),
});

describe.skipIf(!HAS_REDIS)('the shared cache on Redis (skipped unless installed: sh scripts/install-test-services.sh)', () => {
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  for (const [name, connect] of Object.entries(CLIENTS)) {
    describe(`with a client of ${name}`, () => {
      let host: HostClient;
      beforeAll(async () => {
        host = await connect(server.port);
      });
      afterAll(() => host?.[Symbol.asyncDispose]());

      describe('keeps the contract', () => {
        const open = (): SharedCacheUnderTest => {
          const prefix = nextPrefix();
          const opened: RedisCacheStore[] = [];
          return {
            open: () => {
              const store = redisCacheStore(host.client, { prefix });
              opened.push(store);
              return store;
            },
            invalidate: (store, keys) => (store as RedisCacheStore).invalidate(keys),
            [Symbol.asyncDispose]: async () => {
              await Promise.all(opened.map((store) => store[Symbol.asyncDispose]()));
            },
          };
        };
        for (const { name: rule, run } of sharedCacheStoreContract({ open })) it(rule, run);
      });

      it('takes entries of a host whose clock is further off than declared for misses, with an event', async () => {
        const prefix = nextPrefix();
        const bus = new EventBus();
        const told: { readonly apartMs: number }[] = [];
        bus.on('cache.skew', (skew) => void told.push(skew));
        await using writer = redisCacheStore(host.client, { prefix, clock: ahead(600) });
        await using reader = redisCacheStore(host.client, { prefix, bus, skewMs: 200 });
        await writer.setIfNewer('k', entry('x', { sentAt: systemClock.now() + 600 }), 5_000);
        expect(await reader.getMany(['k'])).toEqual([undefined]);
        expect(told).toHaveLength(1);
        expect(told[0]!.apartMs).toBeGreaterThan(400);
        await using close = redisCacheStore(host.client, { prefix, bus, clock: ahead(500), skewMs: 200 });
        expect((await close.getMany(['k']))[0]?.value).toBe('x');
      });
    });
  }

  it('gives whatever JSON can hold back as it was', async () => {
    await using host = await CLIENTS.ioredis!(server.port);
    await using store = redisCacheStore(host.client, { prefix: nextPrefix() });
    let key = 0;
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const id = `k${key++}`;
        await store.setIfNewer(id, entry(value), 5_000);
        expect((await store.getMany([id]))[0]?.value).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 50 },
    );
  });

  it('has eight clients that ask at once load a key once', async () => {
    const hosts = await Promise.all(Array.from({ length: 8 }, () => CLIENTS.ioredis!(server.port)));
    const prefix = nextPrefix();
    let loads = 0;
    const adapter = {
      venue: 'sim',
      batchLimit: () => 1,
      fetch: async (_: unknown, requests: readonly { readonly symbol: string }[]) => {
        loads++;
        await systemClock.sleep(60);
        return requests.map(({ symbol }) => ({ status: 'fulfilled', value: { symbol, bid: 1, ask: 2 } }) as const);
      },
    };
    const stores = hosts.map(({ client }) => redisCacheStore(client, { prefix }));
    // All connections are there: a level that is slow to answer counts as down.
    await Promise.all(stores.map((store) => store.getMany(['nothing'])));
    const clients = stores.map(
      (shared) => new CachedMarketDataClient({ adapter: adapter as never, shared, sharedTimeoutMs: 5_000, kinds: { quote: { ttlMs: 5_000 } } }),
    );
    const reads = await Promise.all(clients.map((client) => client.get('quote', { symbol: 'X' }, { maxAgeMs: 5_000 })));
    expect(reads.map(({ value }) => value.bid)).toEqual(Array(8).fill(1));
    expect(loads).toBe(1);
    for (const part of [...clients, ...stores, ...hosts]) await part[Symbol.asyncDispose]();
  });

  it('refuses what is no client', () => {
    expect(() => redisCacheStore({} as never)).toThrow(/client must be a connected client of ioredis or node-redis/);
  });
});
