import { describe, expect, it } from 'vitest';
import type { BrokerAdapter } from '../../../src/contracts/broker.js';
import type { VenueKitEvents } from '../../../src/contracts/events.js';
import { aMarketOrder, aRestingOrder, givenAStartedClient, settle } from './given-trading.js';

type Given = Awaited<ReturnType<typeof givenAStartedClient>>;

function breakerStates({ bus }: Given): VenueKitEvents['breaker.state'][] {
  const seen: VenueKitEvents['breaker.state'][] = [];
  bus.on('breaker.state', (state) => seen.push(state));
  return seen;
}

function limits({ bus }: Given): VenueKitEvents['concurrency.state'][] {
  const seen: VenueKitEvents['concurrency.state'][] = [];
  bus.on('concurrency.state', (state) => seen.push(state));
  return seen;
}

/** Counts how many placements are at the venue at once. */
function counting(broker: BrokerAdapter, most: { now: number; ever: number }): BrokerAdapter {
  return new Proxy(broker, {
    get(target, name) {
      const member = Reflect.get(target, name) as unknown;
      if (name !== 'place') return typeof member === 'function' ? member.bind(target) : member;
      return async (...args: Parameters<BrokerAdapter['place']>) => {
        most.ever = Math.max(most.ever, ++most.now);
        try {
          return await target.place(...args);
        } finally {
          most.now--;
        }
      };
    },
  });
}

describe('tripBreaker', () => {
  it('holds placements back, unsent, until its time is over, and then lets a probe through', async () => {
    const given = await givenAStartedClient();
    const { clock, client, venue } = given;
    const seen = breakerStates(given);
    client.tripBreaker('place', 'error rate above 20 %', { forMs: 10_000 });
    const order = await settle(clock, client.place(aMarketOrder()));
    await clock.advance(9_000);
    expect(order.view.state).toBe('prepared');
    expect(venue.orders()).toHaveLength(0);
    expect(client.guards().place).toMatchObject({ breaker: 'open', reason: 'error rate above 20 %', retryAfterMs: expect.closeTo(1_000, -2) });
    expect(await settle(clock, order.done())).toMatchObject({ state: 'filled' });
    expect(clock.monotonic()).toBeGreaterThanOrEqual(10_000);
    expect(seen.map(({ scope, state }) => `${scope} ${state}`)).toEqual(['place open', 'place half_open', 'place closed']);
    expect(seen[0]?.reason).toBe('error rate above 20 %');
  });

  it('can be taken back: what waits goes on soon, long before the time is over', async () => {
    const given = await givenAStartedClient();
    const { clock, client } = given;
    const trip = client.tripBreaker('place', 'by hand', { forMs: 3_600_000 });
    const order = await settle(clock, client.place(aMarketOrder()));
    trip[Symbol.dispose]();
    trip[Symbol.dispose]();
    const before = clock.monotonic();
    expect(await settle(clock, order.done())).toMatchObject({ state: 'filled' });
    expect(clock.monotonic() - before).toBeLessThan(1_000);
  });

  it('lasts until the last of several who tripped it is content, and is told once', async () => {
    const given = await givenAStartedClient();
    const { clock, client } = given;
    const seen = breakerStates(given);
    const first = client.tripBreaker('read', 'alert a', { forMs: 20_000 });
    client.tripBreaker('read', 'alert b', { forMs: 5_000 });
    client.tripBreaker('read', 'alert b', { forMs: 5_000 });
    expect(seen).toHaveLength(1);
    first[Symbol.dispose]();
    expect(client.guards().read.retryAfterMs).toBe(5_000);
    await expect(client.read('find', async () => 1)).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' });
    await clock.advance(5_000);
    expect(
      await settle(
        clock,
        client.read('find', async () => 1),
      ),
    ).toBe(1);
  });

  it('never holds up cancels, look-ups and reconciliation', async () => {
    const { clock, client } = await givenAStartedClient();
    const order = await settle(clock, client.place(aRestingOrder()));
    await settle(clock, order.acked());
    client.tripBreaker('place', 'alert', { forMs: 600_000 });
    client.tripBreaker('read', 'alert', { forMs: 600_000 });
    await settle(clock, client.reconcile());
    expect(await settle(clock, order.cancel(), 10_000)).toMatchObject({ state: 'canceled' });
  });

  it('gives up an order, unsent, at the moment until which it was valid', async () => {
    const { clock, client, venue } = await givenAStartedClient();
    client.tripBreaker('place', 'alert', { forMs: 600_000 });
    const order = await settle(clock, client.place(aMarketOrder({ validUntil: clock.now() + 2_000 })));
    await clock.advance(2_100);
    expect(order.view).toMatchObject({ state: 'abandoned', reason: 'its validUntil has passed' });
    expect(venue.orders()).toHaveLength(0);
  });

  it('refuses what it does not know, by name', async () => {
    const { client } = await givenAStartedClient();
    expect(() => client.tripBreaker('cancel' as 'place', 'why')).toThrow(/operations must be one of .*got "cancel"/);
    expect(() => client.tripBreaker('place', '')).toThrow(/reason/);
    expect(() => client.tripBreaker('place', 'why', { forMs: -1 })).toThrow(/forMs must be a finite number above 0, got -1/);
    expect(() => client.tripBreaker('place', 'why', { ms: 1 } as object)).toThrow(/ms/);
    await client.close();
    expect(() => client.tripBreaker('place', 'why')).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });
});

describe('lowerConcurrency', () => {
  it('lets so many placements be at the venue, and the rest wait their turn', async () => {
    const most = { now: 0, ever: 0 };
    const given = await givenAStartedClient({ adapter: (broker) => counting(broker, most) });
    const { clock, client } = given;
    const told = limits(given);
    client.lowerConcurrency('place', 'p99 above the objective', { maxInFlight: 2 });
    const orders = await settle(clock, Promise.all(Array.from({ length: 10 }, () => client.submit(aMarketOrder()))));
    expect(orders.every(({ state }) => state === 'filled')).toBe(true);
    expect(most.ever).toBe(2);
    expect(told).toEqual([{ scope: 'place', limit: 2, isLowered: true, reason: 'p99 above the objective' }]);
  });

  it('ends after its time, and says so', async () => {
    const given = await givenAStartedClient();
    const { clock, client } = given;
    const told = limits(given);
    client.lowerConcurrency('place', 'slow');
    expect(client.guards().place).toMatchObject({ limit: 25, isLowered: true });
    await clock.advance(60_000);
    expect(client.guards().place).toMatchObject({ limit: 50, isLowered: false });
    expect(told.map(({ limit, isLowered }) => [limit, isLowered])).toEqual([
      [25, true],
      [50, false],
    ]);
  });

  it('asked for twice is the same limit, and of several the least counts', async () => {
    const given = await givenAStartedClient();
    const { client } = given;
    const told = limits(given);
    client.lowerConcurrency('read', 'slow', { share: 0.5 });
    const again = client.lowerConcurrency('read', 'slow', { share: 0.5 });
    expect(client.guards().read.limit).toBe(25);
    const least = client.lowerConcurrency('read', 'slower', { maxInFlight: 3 });
    client.lowerConcurrency('read', 'a limit that is higher', { maxInFlight: 500 });
    expect(client.guards().read.limit).toBe(3);
    least[Symbol.dispose]();
    least[Symbol.dispose]();
    again[Symbol.dispose]();
    expect(client.guards().read.limit).toBe(25);
    expect(told.map(({ limit }) => limit)).toEqual([25, 3, 25]);
  });

  it('lets those who waited go on when it is taken back', async () => {
    const most = { now: 0, ever: 0 };
    const { clock, client } = await givenAStartedClient({ adapter: (broker) => counting(broker, most) });
    await settle(clock, client.submit(aMarketOrder()));
    const lowered = client.lowerConcurrency('place', 'slow', { maxInFlight: 1 });
    const orders = Array.from({ length: 10 }, () => client.submit(aMarketOrder()));
    await clock.advance(1);
    expect(most.now).toBe(1);
    lowered[Symbol.dispose]();
    await clock.advance(0);
    expect(most.now).toBe(10);
    await settle(clock, Promise.all(orders));
  });

  it('gives up an order that waits for a place at the moment until which it was valid', async () => {
    const { clock, client, venue } = await givenAStartedClient();
    venue.fault({ operation: 'place', when: 'after', kind: 'delay', ms: 1_500, times: 1 });
    client.lowerConcurrency('place', 'slow', { maxInFlight: 1 });
    const first = client.submit(aMarketOrder());
    const second = await settle(clock, client.place(aMarketOrder({ validUntil: clock.now() + 500 })));
    await clock.advance(600);
    expect(second.view).toMatchObject({ state: 'abandoned', reason: 'its validUntil has passed' });
    await settle(clock, first);
    expect(venue.orders()).toHaveLength(1);
  });

  it('refuses what can not be meant, by name', async () => {
    const { client } = await givenAStartedClient();
    expect(() => client.lowerConcurrency('place', 'why', { maxInFlight: 0 })).toThrow(/maxInFlight must be a whole number of 1 or more, got 0/);
    expect(() => client.lowerConcurrency('place', 'why', { share: 0 })).toThrow(/share must be a finite number above 0, got 0/);
    expect(() => client.lowerConcurrency('place', 'why', { share: 0.5, maxInFlight: 2 })).toThrow(/share must be absent where maxInFlight is given/);
    expect(() => client.lowerConcurrency('find' as 'place', 'why')).toThrow(/operations/);
  });

  it('found by review: adaptive concurrency of placements follows what the venue bears', async () => {
    const given = await givenAStartedClient({ policy: { bulkhead: 'adaptive' }, venue: { latency: { p50Ms: 20, p99Ms: 22 } } });
    const { clock, client, venue } = given;
    expect(client.guards().place.limit).toBe(20);
    for (let wave = 0; wave < 10; wave++) await settle(clock, Promise.all(Array.from({ length: 60 }, () => client.submit(aMarketOrder()))));
    const calm = client.guards().place.limit;
    expect(calm).toBeGreaterThan(20);
    venue.fault({ operation: 'place', when: 'before', kind: 'status', status: 503, times: 12 });
    await settle(clock, Promise.all(Array.from({ length: 40 }, () => client.submit(aMarketOrder()))));
    expect(client.guards().place.limit).toBeLessThan(calm);
  });
});
