import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventBus } from '../../../src/contracts/events.js';
import { systemClock } from '../../../src/core/clock.js';
import { CircuitBreaker } from '../../../src/resilience/index.js';
import { type IoRedisClient, redisBreakers, redisBusBridge } from '../../../src/stores/redis/index.js';
import { CuttableLink } from '../../setup/cuttable-link.js';
import { HAS_REDIS, RedisServer } from '../../setup/redis-server.js';
import { CLIENTS } from './given.js';

let server: RedisServer;
let prefixes = 0;
const nextPrefix = () => `test-${++prefixes}`;

/** A process with breakers of its own, as a trading client has them. */
function givenBreakers(bus: EventBus, openMs: number) {
  const breaker = (scope: string) =>
    new CircuitBreaker({
      clock: systemClock,
      minCalls: 1,
      openMs,
      onStateChange: ({ state, reason }) => bus.emit('breaker.state', { scope, state, reason }),
    });
  const breakers = { place: breaker('place'), read: breaker('read') };
  return {
    breakers,
    client: {
      tripBreaker: (scope: 'place' | 'read', reason: string, { forMs = openMs }: { readonly forMs?: number } = {}) =>
        breakers[scope].trip(reason, forMs),
      guards: () => breakers,
    },
  };
}

describe.skipIf(!HAS_REDIS)('what processes tell each other over Redis (skipped unless installed: sh scripts/install-test-services.sh)', () => {
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  for (const [name, connect] of Object.entries(CLIENTS)) {
    it(`carries halts and alerts to all other buses, once each and not back, with a client of ${name}`, async () => {
      await using host = await connect(server.port);
      const prefix = nextPrefix();
      const buses = Array.from({ length: 3 }, () => new EventBus());
      const heard: string[][] = [[], [], []];
      const remote: string[] = [];
      const bridges = buses.map((bus, i) => {
        bus.on('halt', ({ mode, reason }) => void heard[i]!.push(`${mode}: ${reason}`));
        return redisBusBridge(host.client, {
          bus,
          prefix,
          account: `account-${i}`,
          onRemote: (event, _, account) => void remote.push(`${i}: ${event} of ${account}`),
        });
      });
      for (const bridge of bridges) await bridge.ready();
      buses[0]!.emit('halt', { mode: 'halted', reason: 'first' });
      buses[1]!.emit('halt', { mode: 'halted', reason: 'second' });
      const both = ['halted: first', 'halted: second'];
      await expect.poll(() => heard.map((one) => [...one].sort())).toEqual([both, both, both]);
      expect(remote.sort()).toEqual(['0: halt of account-1', '1: halt of account-0', '2: halt of account-0', '2: halt of account-1']);
      for (const bridge of bridges) await bridge[Symbol.asyncDispose]();
    });
  }

  it('loses and doubles nothing that was said while one listener, and the speaker, were cut off', async () => {
    const link = await CuttableLink.to(server.port);
    const near = await CLIENTS.ioredis!(server.port);
    const far = await CLIENTS.ioredis!(link.port);
    const prefix = nextPrefix();
    const buses = [new EventBus(), new EventBus()] as const;
    const heard: [string[], string[]] = [[], []];
    const bridges = buses.map((bus, i) => {
      bus.on('halt', ({ reason }) => void heard[i]!.push(reason));
      return redisBusBridge((i === 0 ? near : far).client, { bus, prefix });
    });
    for (const bridge of bridges) await bridge.ready();
    link.cut();
    buses[0].emit('halt', { mode: 'halted', reason: 'to the one that is cut off' });
    buses[1].emit('halt', { mode: 'halted', reason: 'from the one that is cut off' });
    // Longer than one command may take: it is sent again.
    await systemClock.sleep(1_300);
    link.mend();
    await expect.poll(() => heard[1].length).toBe(2);
    await expect.poll(() => heard[0].length).toBe(2);
    await systemClock.sleep(300);
    expect(heard.map((one) => [...one].sort())).toEqual(Array(2).fill(['from the one that is cut off', 'to the one that is cut off']));
    for (const part of [...bridges, near, far, link]) await part[Symbol.asyncDispose]();
  });

  it('found by review: tells the others all that was said right before it was closed', async () => {
    await using host = await CLIENTS.ioredis!(server.port);
    const prefix = nextPrefix();
    const buses = [new EventBus(), new EventBus()] as const;
    const heard: string[] = [];
    buses[1].on('halt', ({ reason }) => void heard.push(reason));
    const bridges = buses.map((bus) => redisBusBridge(host.client, { bus, prefix }));
    for (const bridge of bridges) await bridge.ready();
    for (const reason of ['one', 'two', 'three']) buses[0].emit('halt', { mode: 'halted', reason });
    await bridges[0]![Symbol.asyncDispose]();
    await expect.poll(() => heard).toEqual(['one', 'two', 'three']);
    await bridges[1]![Symbol.asyncDispose]();
  });

  it('found by review: misses no breaker that opens while a process starts', async () => {
    await using host = await CLIENTS.ioredis!(server.port);
    const options = { venue: 'sim', prefix: nextPrefix() };
    const buses = [new EventBus(), new EventBus()] as const;
    const [first, second] = buses.map((bus) => givenBreakers(bus, 60_000)) as [ReturnType<typeof givenBreakers>, ReturnType<typeof givenBreakers>];
    const shared = [redisBreakers(host.client, { ...options, bus: buses[0], client: first.client })];
    await shared[0]!.ready();
    // Between the look at what is open and the moment from which changes are heard: the connection for these is late.
    let connect: () => void = () => {};
    const isConnected = new Promise<void>((resolve) => {
      connect = resolve;
    });
    const { client } = host as { client: IoRedisClient };
    const late: IoRedisClient = {
      call: (...args) => client.call(...args),
      duplicate: () => {
        const copy = client.duplicate();
        return Object.assign(Object.create(copy) as IoRedisClient, {
          call: (...args: [string, ...string[]]) => isConnected.then(() => copy.call(...args)),
          disconnect: () => copy.disconnect(),
        });
      },
      disconnect: () => {},
      on: (...args) => client.on(...args),
      removeListener: (...args) => client.removeListener(...args),
    };
    shared.push(redisBreakers(late, { ...options, bus: buses[1], client: second.client }));
    await systemClock.sleep(50);
    first.breakers.place.trip('the venue fails', 60_000);
    await expect.poll(() => client.call('GET', `${options.prefix}:breaker:sim:place`)).toBe('the venue fails');
    connect();
    await expect.poll(() => second.breakers.place.state).toBe('open');
    for (const one of shared) await one[Symbol.asyncDispose]();
  });

  it('opens the breakers of all processes, also of one that starts later, and closes them with the first probe that succeeds', async () => {
    await using host = await CLIENTS.ioredis!(server.port);
    const options = { venue: 'sim', prefix: nextPrefix() };
    const buses = Array.from({ length: 3 }, () => new EventBus());
    const given = buses.map((bus) => givenBreakers(bus, 60_000));
    const share = (i: number) => redisBreakers(host.client, { ...options, bus: buses[i]!, client: given[i]!.client });
    const shared = [share(0), share(1)];
    for (const one of shared) await one.ready();
    const state = (i: number) => given[i]!.breakers.place.state;
    // Tripped for a moment, then a probe may go.
    given[0]!.breakers.place.trip('the venue fails', 400);
    await expect.poll(() => state(1)).toBe('open');
    expect(given[1]!.breakers.place.reason).toBe('another process: the venue fails');
    expect(given[1]!.breakers.read.state).toBe('closed');
    shared.push(share(2));
    await shared[2]!.ready();
    expect(state(2)).toBe('open');
    await expect.poll(() => given[0]!.breakers.place.allow()).toBe(true);
    given[0]!.breakers.place.success();
    expect(state(0)).toBe('closed');
    // What is no longer tripped is let through at the next call: a probe of its own.
    await expect.poll(() => [1, 2].map((i) => given[i]!.breakers.place.retryAfterMs)).toEqual([0, 0]);
    for (const one of shared) await one[Symbol.asyncDispose]();
  });
});
