import { describe, expect, it } from 'vitest';
import type { BrokerAdapter, Verdict } from '../../../src/contracts/broker.js';
import type { OrderView } from '../../../src/contracts/orders.js';
import { aMarketOrder, aRestingOrder, givenAStartedClient, PROFILES, settle } from './given-trading.js';

type Members = { readonly [K in keyof BrokerAdapter]?: (broker: BrokerAdapter) => BrokerAdapter[K] };

/** The broker with some of its members replaced. */
const lying =
  (members: Members) =>
  (broker: BrokerAdapter): BrokerAdapter =>
    new Proxy(broker, {
      get(target, name: keyof BrokerAdapter) {
        const made = members[name];
        if (made !== undefined) return made(target);
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });

async function* garbage(items: readonly unknown[]): AsyncGenerator<never> {
  yield* items as readonly never[];
}

describe('an adapter that answers what no adapter should', () => {
  const answers: Readonly<Record<string, () => unknown>> = {
    nothing: () => undefined,
    null: () => null,
    'an empty object': () => ({}),
    'a verdict of a kind that does not exist': () => ({ kind: 'maybe' }),
    'an acceptance without an order': () => ({ kind: 'accepted' }),
    'an acceptance of an order without quantities': () => ({ kind: 'accepted', order: { venueOrderId: '7', symbol: 'BTC/USDT', side: 'buy' } }),
    'an error that is a string': () => Promise.reject('broken'),
  };
  for (const [what, answer] of Object.entries(answers)) {
    it(`to a placement: ${what}. The outcome is unknown, and is looked up`, async () => {
      let calls = 0;
      const adapter = lying({
        place: (broker) => async (intent, id, attempt) => {
          const told = await broker.place(intent, id, attempt);
          return calls++ === 0 ? ((await answer()) as Verdict) : told;
        },
      });
      const { clock, client, venue } = await givenAStartedClient({ adapter });
      const order = await settle(clock, client.place(aMarketOrder()));
      await settle(clock, order.done());
      await clock.advance(20_000);
      expect(order.view.state).toBe('filled');
      expect(venue.orders()).toHaveLength(1);
    });
  }

  it('to a placement by throwing at once: the outcome is unknown, and is proved absent', async () => {
    let calls = 0;
    const adapter = lying({
      place: (broker) => (intent, id, attempt) => {
        if (calls++ === 0) throw new TypeError('not a function');
        return broker.place(intent, id, attempt);
      },
    });
    const { clock, client, venue } = await givenAStartedClient({ adapter });
    expect(await settle(clock, client.submit(aMarketOrder()))).toMatchObject({ state: 'filled', attempts: 2 });
    expect(venue.orders()).toHaveLength(1);
  });

  for (const operation of ['openOrders', 'history', 'fills'] as const) {
    it(`to ${operation} with rows that are none: it is a failed read, proves nothing, and ends no process`, async () => {
      const { clock, client, venue } = await givenAStartedClient({
        adapter: (broker, clock) => {
          const from = clock.monotonic();
          return lying({
            [operation]: (real: BrokerAdapter) => (since: never, attempt: never) =>
              clock.monotonic() - from > 1_000 && clock.monotonic() - from < 60_000
                ? garbage([null, 7, {}])
                : (real[operation] as (...args: unknown[]) => AsyncIterable<never>).call(real, since, attempt),
          } as Members)(broker);
        },
      });
      await clock.advance(2_000);
      venue.fault({ operation: 'place', when: 'before', kind: 'drop', ms: 20_000, times: 1 });
      const order = await settle(clock, client.place(aMarketOrder(), { deadlineMs: 600_000 }));
      await clock.advance(50_000);
      expect(['unknown', 'filled']).toContain(order.view.state);
      if (operation !== 'fills') expect(order.view.state).toBe('unknown');
      expect((await settle(clock, order.done(), 600_000)).state).toBe('filled');
      expect(venue.orders()).toHaveLength(1);
    });
  }

  it('two orders for one id: it is a contradiction, both are known, and trading halts', async () => {
    const { clock, client, venue, bus } = await givenAStartedClient({
      // A bridge between that sends each request twice, under an id that the venue does not hold against a second order.
      venue: { clientIdUniqueness: 'none' },
      adapter: lying({
        place: (broker) => async (intent, id, attempt) => {
          await broker.place(intent, id, attempt);
          return broker.place(intent, id, attempt);
        },
      }),
    });
    const conflicts: OrderView[] = [];
    bus.on('order.conflict', ({ order }) => conflicts.push(order));
    const order = await settle(clock, client.place(aRestingOrder({ intentId: 'twice' })));
    await settle(clock, order.acked());
    await settle(clock, client.reconcile());
    expect(venue.orders()).toHaveLength(2);
    expect(conflicts.map(({ intent }) => intent.intentId)).toContain('twice');
    expect([...order.view.venueOrderIds].sort()).toEqual(
      venue
        .orders()
        .map(({ venueOrderId }) => venueOrderId)
        .sort(),
    );
    await expect(settle(clock, client.place(aMarketOrder()))).rejects.toMatchObject({ code: 'HALTED' });
    expect(venue.orders()).toHaveLength(2);
  });

  it('with events that are none: the stream is opened again, and nothing is lost', async () => {
    let opened = 0;
    const adapter = lying({ events: (broker) => (signal) => (opened++ === 1 ? garbage([null, { kind: 'order' }, 5]) : broker.events!(signal)) });
    const { clock, client, venue } = await givenAStartedClient({ adapter });
    venue.fault({ operation: 'events', when: 'before', kind: 'stream_drop', times: 1 });
    const order = await settle(clock, client.place(aRestingOrder()));
    await settle(clock, order.acked());
    await clock.advance(30_000);
    venue.fill(order.view.venueOrderIds[0] as string);
    expect((await settle(clock, order.done())).state).toBe('filled');
  });
});

describe('fills that come with the answer', () => {
  it('are taken in at once, so that nothing needs to be listed', async () => {
    const { clock, client, bus } = await givenAStartedClient();
    await settle(clock, client.submit(aMarketOrder()));
    await clock.advance(10_000);
    const operations: string[] = [];
    bus.on('venue.call', ({ operation }) => operations.push(operation));
    const view = await settle(clock, client.submit(aMarketOrder({ intentId: 'whole' })));
    await clock.advance(3_000);
    expect(operations).toEqual(['place']);
    expect(view.state).toBe('filled');
    expect(client.order('whole')?.view.fills).toHaveLength(1);
  });

  it('are counted once, however often the stream and the listings show them again (I9)', async () => {
    const { clock, client, venue } = await givenAStartedClient({ venue: { partialFills: true } });
    for (const kind of ['stream_duplicate', 'stream_reorder'] as const) venue.fault({ operation: 'events', when: 'before', kind, probability: 1 });
    const order = await settle(clock, client.place(aMarketOrder({ qty: '2' })));
    await settle(clock, order.done());
    await settle(clock, client.reconcile());
    await clock.advance(5_000);
    expect(order.view.filledQty).toBe('2');
    expect(new Set(order.view.fills.map(({ tradeId }) => tradeId)).size).toBe(order.view.fills.length);
  });

  for (const [what, fill] of Object.entries({
    'of a negative quantity': { qty: '-1' },
    'beyond the size of the order': { qty: '9' },
    'of no quantity at all': { qty: 'a few' },
  })) {
    it(`${what} are a contradiction: trading halts`, async () => {
      const adapter = lying({
        place: (broker) => async (intent, id, attempt) => {
          const verdict = await broker.place(intent, id, attempt);
          return verdict.kind === 'accepted' ? { ...verdict, fills: (verdict.fills ?? []).map((one) => ({ ...one, ...fill })) } : verdict;
        },
      });
      const { clock, client, bus } = await givenAStartedClient({ adapter });
      const conflicts: OrderView[] = [];
      bus.on('order.conflict', ({ order }) => conflicts.push(order));
      await settle(clock, client.place(aMarketOrder()));
      await clock.advance(10_000);
      expect(conflicts.length).toBeGreaterThan(0);
      await expect(settle(clock, client.place(aMarketOrder()))).rejects.toMatchObject({ code: 'HALTED' });
    });
  }
});

describe('what nobody should be able to bring about', () => {
  it('a fill that comes after the remainder was placed anew halts, and is not hidden', async () => {
    const { clock, client, venue, bus } = await givenAStartedClient();
    const conflicts: OrderView[] = [];
    bus.on('order.conflict', ({ order }) => conflicts.push(order));
    await settle(clock, client.submit(aRestingOrder({ intentId: 'first' })));
    const next = await settle(clock, client.replace('first', { price: '29000' }));
    expect(next.linkedFrom).toBe('first');
    venue.fill(client.order('first')?.view.venueOrderIds[0] as string, { late: true } as object);
    await clock.advance(40_000);
    const isFilledLate = client.order('first')?.view.filledQty !== '0';
    expect(conflicts.length > 0).toBe(isFilledLate);
    if (isFilledLate) await expect(settle(clock, client.place(aMarketOrder()))).rejects.toMatchObject({ code: 'HALTED' });
  });

  it('a replacement of an order whose outcome is unknown is refused, and places nothing', async () => {
    const { clock, client, venue } = await givenAStartedClient({ policy: { timeoutMs: 500 } });
    venue.fault({ operation: 'place', when: 'before', kind: 'drop', ms: 20_000, times: 1 });
    await settle(clock, client.place(aRestingOrder({ intentId: 'a' })));
    await clock.advance(600);
    expect(client.order('a')?.view.state).toBe('unknown');
    const replacing = client.replace('a', { price: '29000' }, { deadlineMs: 1_000 }).then(
      () => 'done',
      (error: { code: string }) => error.code,
    );
    expect(['INVALID', 'OUTCOME_UNKNOWN']).toContain(await settle(clock, replacing));
    await clock.advance(60_000);
    expect(venue.orders().filter(({ state }) => state === 'working').length).toBeLessThanOrEqual(1);
  });

  for (const profile of ['fence', 'forever', 'neither'] as const) {
    it(`a halt while the outcome is unknown, over a restart, lets nothing be sent again (${profile})`, async () => {
      const { clock, client, venue, makeClient } = await givenAStartedClient({ venue: PROFILES[profile], policy: { timeoutMs: 500 } });
      venue.fault({ operation: 'place', when: 'before', kind: 'drop', ms: 500_000, times: 1 });
      await settle(clock, client.place(aRestingOrder({ intentId: 'a' })));
      await clock.advance(510);
      await settle(clock, client.halt('halted', 'stop'));
      await settle(clock, client.close());
      const next = makeClient();
      await settle(clock, next.start());
      await clock.advance(60_000);
      expect(venue.orders()).toHaveLength(0);
      expect(next.order('a')?.view.state ?? 'abandoned').toBe(profile === 'fence' ? 'abandoned' : 'escalated');
      await settle(clock, next.halt('active', 'go on'));
      await clock.advance(60_000);
      // Only lasting ids allow another copy, and exactly one order comes of it.
      expect(venue.orders()).toHaveLength(profile === 'forever' ? 1 : 0);
    });
  }

  it('two clients of one process on one journal: the second is refused, and the first goes on', async () => {
    const { clock, client, makeClient } = await givenAStartedClient();
    const second = makeClient();
    await expect(settle(clock, second.start())).rejects.toMatchObject({ code: 'JOURNAL_LOCKED' });
    await settle(clock, second.close());
    expect((await settle(clock, client.submit(aMarketOrder()))).state).toBe('filled');
  });

  it('an abort of the wait for a commit: the order goes on, and the same intent gives it', async () => {
    const { clock, client, venue } = await givenAStartedClient();
    const over = new AbortController();
    const placing = client.submit(aMarketOrder({ intentId: 'a' }), { signal: over.signal });
    over.abort(new Error('gone'));
    await expect(settle(clock, placing)).rejects.toThrow('gone');
    expect((await settle(clock, client.submit(aMarketOrder({ intentId: 'a' })))).state).toBe('filled');
    expect(venue.orders()).toHaveLength(1);
  });
});
