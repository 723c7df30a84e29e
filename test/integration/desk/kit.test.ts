import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/core/clock.js';
import { createVenueKit, type VenueKitOptions } from '../../../src/index.js';
import { SimulatedVenue, simulatedBroker } from '../../../src/testing/index.js';
import { HAS_POSTGRES, PostgresServer } from '../../setup/postgres-server.js';
import { HAS_REDIS, RedisServer } from '../../setup/redis-server.js';
import { CLIENTS, type HostClient } from '../redis/given.js';

const loaded = vi.hoisted(() => new Set<string>());
vi.mock('../../../src/stores/redis/index.js', (original) => {
  loaded.add('redis');
  return original();
});
vi.mock('../../../src/stores/postgres/index.js', (original) => {
  loaded.add('postgres');
  return original();
});

const order = { symbol: 'BTC/USDT', side: 'buy', type: 'market', qty: '0.01' } as const;
const COST = [{ limit: 'requests', units: 1 }] as const;

const givenAVenue = () =>
  new SimulatedVenue({
    seed: 3,
    limits: [{ id: 'requests', scope: 'ip', kind: 'window', units: 10_000, perMs: 10_000 }],
    latency: { p50Ms: 1, p99Ms: 5 },
  });

describe('a kit without Redis and PostgreSQL', () => {
  it('loads nothing of them', async () => {
    const adapter = simulatedBroker(givenAVenue());
    await using kit = await createVenueKit({ broker: adapter, marketData: adapter });
    await kit.start();
    expect([...loaded]).toEqual([]);
  });

  it('takes no Redis for a journal', async () => {
    const broker = simulatedBroker(givenAVenue());
    const redis = { call: () => {}, duplicate: () => {}, on: () => {}, removeListener: () => {} } as never;
    await expect(createVenueKit({ broker, redis })).rejects.toThrow(/redis keeps no order journal: .* Give postgres, dataDir or journal/);
    await expect(createVenueKit({ broker, journal: redis })).rejects.toThrow(/journal must be an order journal, got a Redis client/);
    expect([...loaded]).toEqual([]);
  });
});

describe.skipIf(!HAS_POSTGRES || !HAS_REDIS)(
  'kits on one Redis and PostgreSQL (skipped unless installed: sh scripts/install-test-services.sh)',
  () => {
    let postgres: PostgresServer;
    let redis: RedisServer;
    let hosts: HostClient[];
    beforeAll(async () => {
      [postgres, redis] = await Promise.all([PostgresServer.start(), RedisServer.start()]);
      hosts = [await CLIENTS.ioredis!(redis.port), await CLIENTS['node-redis']!(redis.port)];
    });
    afterAll(async () => {
      for (const host of hosts ?? []) await host[Symbol.asyncDispose]();
      await redis?.[Symbol.asyncDispose]();
      await postgres?.[Symbol.asyncDispose]();
    });

    const kitOf = (venue: SimulatedVenue, i: number, options: VenueKitOptions = {}) => {
      const adapter = simulatedBroker(venue);
      return createVenueKit({ broker: adapter, marketData: adapter, postgres: postgres.pool({ max: 4 }), redis: hosts[i % 2]!.client, ...options });
    };

    it('let one trade an account, and the standby go on with what the first has left', async () => {
      const venue = givenAVenue();
      await using first = await kitOf(venue, 0);
      await using second = await kitOf(venue, 1, { standby: true });
      await using third = await kitOf(venue, 1);
      await first.start();
      await expect(third.start()).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });
      const states: string[] = [];
      second.bus.on('leader.state', ({ state }) => void states.push(state));
      const taking = second.start();
      await expect.poll(() => states).toEqual(['standby']);
      // Market data and reads need no lease.
      expect((await second.marketData!.get('quote', { symbol: 'BTC/USDT' })).value.symbol).toBe('BTC/USDT');
      const placed = await first.trading!.submit({ intentId: 'one', ...order });
      await first.close();
      await taking;
      expect(states).toEqual(['standby', 'leader']);
      const again = await second.trading!.submit({ intentId: 'one', ...order });
      expect(again.venueOrderIds).toEqual(placed.venueOrderIds);
      expect(venue.orders()).toHaveLength(1);
    });

    it('keep the metrics of each under its own name, and refuse a second kit with a name that is in use', async () => {
      const venue = givenAVenue();
      await using first = await kitOf(venue, 0, { account: 'named', owner: 'bot-1' });
      await expect(kitOf(venue, 1, { account: 'named', owner: 'bot-1' })).rejects.toMatchObject({
        failure: 'busy',
        message: expect.stringMatching(/under the name "bot-1" are being written by process \d+ .*Give each process a name of its own/),
      });
      await using second = await kitOf(venue, 1, { account: 'named', owner: 'bot-2' });
      await first.start();
      await expect.poll(async () => (await first.store.stats()).points).toBeGreaterThan(100);
      expect((await second.store.stats()).points).toBe(0);
    });

    it('ends a standby that is no longer wanted', async () => {
      const venue = givenAVenue();
      await using first = await kitOf(venue, 0, { account: 'waited for' });
      await using second = await kitOf(venue, 1, { account: 'waited for', standby: true });
      await first.start();
      const taking = second.start();
      taking.catch(() => {});
      await systemClock.sleep(50);
      await second.close();
      await expect(taking).rejects.toMatchObject({ code: 'CLOSED' });
    });

    it('obey a ban that one was told of, open their breakers together, and halt with each other, by account', async () => {
      const venue = givenAVenue();
      await using leader = await kitOf(venue, 0, { account: 'shared' });
      await using reader = await kitOf(venue, 1, { account: 'shared' });
      await using other = await kitOf(venue, 1, { account: 'apart' });
      await leader.start();
      await other.start();
      // Both directions are heard once a first word has come through.
      const heard = new Set<string>();
      for (const [name, kit] of Object.entries({ leader, reader, other })) kit.bus.on('alert', () => void heard.add(name));
      const alert = {
        alert: { fingerprint: 'f', rule: 'hello', severity: 'info', labels: {}, state: 'firing', value: 1, suppressedBy: [] },
        from: 'inactive',
      } as const;
      await expect
        .poll(() => {
          reader.bus.emit('alert', alert);
          leader.bus.emit('alert', alert);
          return heard.size;
        })
        .toBe(3);

      reader.trading!.tripBreaker('place', 'the venue fails', { forMs: 60_000 });
      await expect.poll(() => leader.trading!.guards().place).toMatchObject({ breaker: 'open', reason: 'another process: the venue fails' });

      reader.bus.emit('halt', { mode: 'halted', reason: 'by hand, at the reader' });
      await expect.poll(() => leader.trading!.mode()).toBe('halted');
      expect(other.trading!.mode()).toBe('active');
      // Nobody but a person lets it go on.
      reader.bus.emit('halt', { mode: 'active', reason: 'over' });

      const limiterOf = (kit: typeof leader) =>
        kit.trading!.limiter as unknown as { ban(until: number): void; blockedUntil(costs: typeof COST): number | undefined };
      limiterOf(reader).ban(systemClock.now() + 60_000);
      await expect.poll(() => [leader, other].map((kit) => limiterOf(kit).blockedUntil(COST) !== undefined)).toEqual([true, true]);
      expect(leader.trading!.mode()).toBe('halted');
    });
  },
);
