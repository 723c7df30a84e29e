import { describe, expect, it } from 'vitest';
import { aMarketOrder, aRestingOrder, givenAStartedClient, settle } from './given-trading.js';

describe('read', () => {
  it('hides failures that pass', async () => {
    const { clock, client } = await givenAStartedClient();
    let calls = 0;
    const value = await settle(
      clock,
      client.read('find', async () => {
        if (++calls < 3) throw new Error('ECONNRESET');
        return calls;
      }),
    );
    expect(value).toBe(3);
  });

  it('shares one request among concurrent reads of one key', async () => {
    const { clock, client } = await givenAStartedClient();
    let calls = 0;
    const work = async (): Promise<number> => {
      calls++;
      await clock.sleep(100);
      return 7;
    };
    expect(await settle(clock, Promise.all([1, 2, 3].map(() => client.read('find', work, { key: 'k' }))))).toEqual([7, 7, 7]);
    expect(calls).toBe(1);
    await settle(clock, client.read('find', work, { key: 'k' }));
    expect(calls).toBe(2);
  });

  it('hands over an attempt that may be spread, with its time and fence', async () => {
    const { clock, client } = await givenAStartedClient();
    const attempt = await settle(
      clock,
      client.read('find', async (given) => ({ ...given })),
    );
    expect(attempt).toMatchObject({ number: 1, fenceMs: 2_000, venueNow: expect.any(Number), signal: expect.any(AbortSignal) });
  });

  it('rejects with the reason of the caller', async () => {
    const { clock, client } = await givenAStartedClient();
    const over = new AbortController();
    const reading = client.read('find', () => clock.sleep(10_000), { signal: over.signal });
    over.abort(new Error('not needed any more'));
    await expect(settle(clock, reading)).rejects.toThrow('not needed any more');
  });

  it('hedges a read that takes long, and aborts the loser (I15)', async () => {
    const { clock, client } = await givenAStartedClient();
    for (let i = 0; i < 40; i++) {
      const slow = client.read('find', () => clock.sleep(10));
      await settle(clock, slow);
    }
    // Each call earns a twentieth of a hedge.
    for (let i = 0; i < 60; i++) {
      const quick = client.read('find', async () => {});
      await settle(clock, quick);
    }
    const aborted: boolean[] = [];
    let calls = 0;
    const began = clock.monotonic();
    await settle(
      clock,
      client.read('find', async ({ signal }) => {
        const isFirst = ++calls === 1;
        try {
          await clock.sleep(isFirst ? 5_000 : 10, signal);
        } finally {
          aborted.push(isFirst && signal.aborted);
        }
      }),
    );
    expect(clock.monotonic() - began).toBeLessThan(1_000);
    expect(calls).toBe(2);
    await clock.advance(0);
    expect(aborted).toContain(true);
  });
});

describe('limits', () => {
  it('keeps a share for cancels: they pass while placements wait', async () => {
    const { clock, client, venue } = await givenAStartedClient({
      venue: { limits: [{ id: 'orders', scope: 'account', kind: 'window', units: 10, perMs: 60_000 }] },
      policy: { reserve: 0.2 },
    });
    const placed = await Promise.all(Array.from({ length: 8 }, (_, i) => settle(clock, client.place(aRestingOrder({ intentId: `o${i}` })))));
    await Promise.all(placed.map((handle) => settle(clock, handle.acked())));
    const waiting = await settle(clock, client.place(aRestingOrder({ intentId: 'waits' })));
    await clock.advance(1_000);
    expect(waiting.view.state).toBe('prepared');
    expect((await settle(clock, placed[0]!.cancel(), 2_000)).state).toBe('canceled');
    expect(venue.stats().refused).toBe(0);
    await clock.advance(60_000);
    expect(waiting.view.state).not.toBe('working'); // its deadline of 30 s had passed: the price is stale
    expect(waiting.view).toMatchObject({ state: 'abandoned', attempts: 0 });
  });

  it('cancels an order that waits to be sent without sending it', async () => {
    const { clock, client, venue } = await givenAStartedClient({
      venue: { limits: [{ id: 'orders', scope: 'account', kind: 'window', units: 1, perMs: 20_000 }] },
      policy: { reserve: 0 },
    });
    await settle(clock, client.submit(aRestingOrder()));
    const waiting = await settle(clock, client.place(aRestingOrder()));
    expect((await settle(clock, waiting.cancel(), 1_000)).state).toBe('abandoned');
    expect(venue.orders()).toHaveLength(1);
  });
});

describe('proof of absence', () => {
  it('is not taken while a sequenced stream has a gap that was not read again', async () => {
    const { clock, client, venue } = await givenAStartedClient({ policy: { timeoutMs: 500 } });
    venue.fault({ operation: 'place', when: 'before', kind: 'drop', times: 1 });
    const cut = venue.fault({ operation: 'events', when: 'before', kind: 'stream_drop' });
    const handle = await settle(clock, client.place(aMarketOrder()));
    const others = setIntervalOf(clock, 200, () => venue.placeExternal(aRestingOrder()));
    await clock.advance(12_000);
    expect(handle.view).toMatchObject({ state: 'unknown', attempts: 1 });
    others[Symbol.dispose]();
    cut[Symbol.dispose]();
    expect((await settle(clock, handle.done())).state).toBe('filled');
  });

  it('is not taken from reads that fail', async () => {
    const { clock, client, venue } = await givenAStartedClient({ policy: { timeoutMs: 500 } });
    venue.fault({ operation: 'place', when: 'before', kind: 'drop', times: 1 });
    const broken = venue.fault({ operation: 'history', when: 'before', kind: 'reset' });
    const handle = await settle(clock, client.place(aMarketOrder()));
    await clock.advance(20_000);
    expect(handle.view).toMatchObject({ state: 'unknown', attempts: 1 });
    broken[Symbol.dispose]();
    expect(await settle(clock, handle.done())).toMatchObject({ state: 'filled', attempts: 2 });
    expect(venue.orders()).toHaveLength(1);
  });

  it('is not taken where the venue does not tell its time: the order is escalated', async () => {
    const { clock, client, venue } = await givenAStartedClient({
      policy: { timeoutMs: 500 },
      adapter: (broker) => new Proxy(broker, { get: (target, name) => (name === 'serverTime' ? undefined : bound(target, name)) }),
    });
    venue.fault({ operation: 'place', when: 'before', kind: 'drop', times: 1 });
    expect((await settle(clock, client.submit(aMarketOrder()))).state).toBe('escalated');
    expect(venue.orders()).toHaveLength(0);
  });
});

function bound(target: object, name: string | symbol): unknown {
  const member = Reflect.get(target, name) as unknown;
  return typeof member === 'function' ? member.bind(target) : member;
}

function setIntervalOf(clock: { schedule(ms: number, task: () => void): Disposable }, ms: number, task: () => void): Disposable {
  let timer: Disposable;
  const again = (): void => {
    task();
    timer = clock.schedule(ms, again);
  };
  timer = clock.schedule(ms, again);
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
}
