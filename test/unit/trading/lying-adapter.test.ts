import { describe, expect, it } from 'vitest';
import type { BrokerAdapter, OrderRef, VenueEvent, VenueOrder, Verdict } from '../../../src/contracts/broker.js';
import type { OrderView } from '../../../src/contracts/orders.js';
import { TradingError } from '../../../src/contracts/trading-error.js';
import { aMarketOrder, aRestingOrder, givenAStartedClient, lying, type Members, PROFILES, settle } from './given-trading.js';

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

describe('found by review: an adapter whose answers', () => {
  it('to cancels are none: the order is cancelled all the same, and no process ends', async () => {
    const garbage: unknown[] = [undefined, null, {}, { kind: 'maybe' }, { kind: 'accepted' }, { kind: 'accepted', order: {} }];
    const adapter = lying({
      cancel: (broker) => async (ref, attempt) => (garbage.length > 0 ? (garbage.shift() as Verdict) : broker.cancel(ref, attempt)),
    });
    const { clock, client } = await givenAStartedClient({ adapter });
    await settle(clock, client.submit(aRestingOrder({ intentId: 'a' })));
    expect((await settle(clock, client.cancel('a', { deadlineMs: 120_000 }))).state).toBe('canceled');
    expect(garbage).toEqual([]);
  });

  it('come too late, and are none: nothing is taken from them, and no process ends', async () => {
    let calls = 0;
    const adapter = (broker: BrokerAdapter, clock: { sleep(ms: number): Promise<void> }): BrokerAdapter =>
      lying({
        place: () => async (intent, id, attempt) => {
          const told = await broker.place(intent, id, attempt);
          if (++calls > 3) return told;
          await clock.sleep(2_000);
          return [undefined, { kind: 'accepted' }, { kind: 'accepted', order: { ...(told as { order: object }).order, clientOrderId: 'other' } }][
            calls - 1
          ] as Verdict;
        },
      })(broker);
    const { clock, client, venue } = await givenAStartedClient({ adapter, policy: { timeoutMs: 500 } });
    for (let i = 0; i < 3; i++) expect((await settle(clock, client.submit(aMarketOrder()))).state).toBe('filled');
    await clock.advance(10_000);
    expect(venue.orders()).toHaveLength(3);
  });

  it('are no promises: they count as what they say', async () => {
    const adapter = lying({ place: () => (() => ({ kind: 'rejected', code: 'NO', cause: 'no' })) as never });
    const { clock, client } = await givenAStartedClient({ adapter });
    expect(await settle(clock, client.submit(aMarketOrder()))).toMatchObject({ state: 'rejected', reason: 'no' });
  });

  it('go astray: what is shown of another order says nothing of this one', async () => {
    const orders: VenueOrder[] = [];
    let crossed = 0;
    const adapter = lying({
      place: (broker) => async (intent, id, attempt) => {
        const told = await broker.place(intent, id, attempt);
        if (told.kind !== 'accepted') return told;
        orders.push(told.order);
        if (orders.length < 2) return told;
        crossed++;
        return { kind: 'accepted', order: orders[0] as VenueOrder };
      },
      find: (broker) => async (ref, attempt) => {
        const found = await broker.find(ref, attempt);
        return crossed++ < 6 ? (orders[0] as VenueOrder) : found;
      },
      events: () => undefined,
    });
    const { clock, client, venue } = await givenAStartedClient({ adapter });
    await settle(clock, client.submit(aRestingOrder({ intentId: 'first' })));
    const second = await settle(clock, client.place(aRestingOrder({ intentId: 'second' })));
    expect((await settle(clock, second.acked())).state).toBe('working');
    expect(client.order('first')?.view.venueOrderIds).toEqual([orders[0]?.venueOrderId]);
    expect(second.view.venueOrderIds).toEqual([orders[1]?.venueOrderId]);
    expect(venue.orders()).toHaveLength(2);
    expect(client.mode()).toBe('active');
  });

  it('give the venue the end of time: nothing is proved by that', async () => {
    let isMad = false;
    const adapter = lying({ serverTime: (broker) => (attempt) => (isMad ? Promise.resolve(Infinity) : broker.serverTime!(attempt)) });
    const { clock, client, venue } = await givenAStartedClient({ adapter });
    venue.fault({ operation: 'place', when: 'before', kind: 'drop', ms: 500, times: 1 });
    isMad = true;
    const order = await settle(clock, client.place(aMarketOrder()));
    await clock.advance(20_000);
    expect(order.view.state).toBe('unknown');
    isMad = false;
    expect((await settle(clock, order.done())).state).toBe('filled');
    expect(venue.orders()).toHaveLength(1);
  });

  it('show a state that no order can be in: trading halts', async () => {
    const adapter = lying({
      place: (broker) => async (intent, id, attempt) => {
        const told = await broker.place(intent, id, attempt);
        return told.kind === 'accepted' ? ({ ...told, order: { ...told.order, state: 'pending_new' } } as unknown as Verdict) : told;
      },
    });
    const { clock, client } = await givenAStartedClient({ adapter });
    const order = await settle(clock, client.place(aMarketOrder()));
    expect((await settle(clock, order.done())).state).toBe('filled');
    expect(client.mode()).toBe('halted');
  });

  it('do not say what an order costs: it is over, unsent, with the reason', async () => {
    let isBroken = false;
    const adapter = lying({
      cost: (broker) => (operation) => {
        if (isBroken && operation === 'place') throw new TypeError('costs are not known');
        return broker.cost(operation);
      },
    });
    const { clock, client, venue } = await givenAStartedClient({ adapter });
    isBroken = true;
    expect(await settle(clock, client.submit(aMarketOrder()))).toMatchObject({ state: 'abandoned', reason: expect.stringContaining('not known') });
    expect(venue.orders()).toEqual([]);
  });
});

describe('found by review: a venue that counts its orders by symbol, as Binance does', () => {
  // The first order of each symbol has the same number here.
  const bySymbol = (broker: BrokerAdapter): BrokerAdapter => {
    const firsts = new Map<string, number>();
    const numbered = <T extends { readonly venueOrderId: string; readonly symbol?: string }>(row: T): T => {
      const first = firsts.get(row.symbol as string) ?? Number(row.venueOrderId);
      firsts.set(row.symbol as string, first);
      return { ...row, venueOrderId: String(Number(row.venueOrderId) - first) };
    };
    const back = (ref: OrderRef): OrderRef =>
      ref.venueOrderId === undefined ? ref : { ...ref, venueOrderId: String(Number(ref.venueOrderId) + (firsts.get(ref.symbol) as number)) };
    const all = async function* <T extends { readonly venueOrderId: string; readonly symbol?: string }>(rows: AsyncIterable<T>): AsyncIterable<T> {
      for await (const row of rows) yield numbered(row);
    };
    const verdict = (told: Verdict): Verdict => (told.kind === 'accepted' ? { kind: 'accepted', order: numbered(told.order) } : told);
    return lying({
      place: () => async (intent, id, attempt) => verdict(await broker.place(intent, id, attempt)),
      cancel: () => async (ref, attempt) => verdict(await broker.cancel(back(ref), attempt)),
      find: () => async (ref, attempt) => {
        const found = await broker.find(back(ref), attempt);
        return found === 'not_found' ? found : numbered(found);
      },
      openOrders: () => (attempt) => all(broker.openOrders(attempt)),
      history: () => (since, attempt) => all(broker.history(since, attempt)),
      fills: () => (since, attempt) => all(broker.fills(since, attempt)),
      events: () => undefined,
    })(broker);
  };

  it('keeps orders and fills of one number on two symbols apart', async () => {
    const { clock, client, venue, bus } = await givenAStartedClient({
      adapter: bySymbol,
      venue: {
        symbols: {
          'BTC/USDT': { price: 50_000, priceStep: '0.01', qtyStep: '0.0001' },
          'ETH/USDT': { price: 2_500, priceStep: '0.01', qtyStep: '0.0001' },
        },
      },
    });
    const external: string[] = [];
    bus.on('order.external', ({ order }) => external.push(order.symbol));
    const btc = await settle(clock, client.place(aRestingOrder({ intentId: 'btc' })));
    const eth = await settle(clock, client.place(aRestingOrder({ intentId: 'eth', symbol: 'ETH/USDT', price: '2000' })));
    await settle(clock, Promise.all([btc.acked(), eth.acked()]));
    expect([btc.view.venueOrderIds, eth.view.venueOrderIds]).toEqual([['0'], ['0']]);
    const [, atVenue] = venue.orders();
    venue.fill(atVenue?.venueOrderId as string);
    await settle(clock, eth.done());
    await clock.advance(30_000);
    expect([btc.view.state, btc.view.filledQty, eth.view.state, eth.view.filledQty]).toEqual(['working', '0', 'filled', '0.01']);
    expect(eth.view.fills).toHaveLength(1);
    expect((await settle(clock, btc.cancel())).state).toBe('canceled');
    expect(external).toEqual([]);
    expect(client.mode()).toBe('active');
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

describe('what the venue and its lines do to listings and streams', () => {
  it('a listing that loses an order to a page that shifts, once: it is found by the next, where there is no other look-up', async () => {
    const missed = { openOrders: 0, history: 0 };
    let isShifting = false;
    const shifting = (name: 'openOrders' | 'history') =>
      async function* (rows: AsyncIterable<VenueOrder>): AsyncIterable<VenueOrder> {
        for await (const row of rows) {
          // In one round of three the row falls between two pages.
          if (isShifting && missed[name]++ % 3 === 0) continue;
          yield row;
        }
      };
    const adapter = lying({
      capabilities: (broker) => ({ ...broker.capabilities, lookup: 'scan' }),
      events: () => undefined,
      openOrders: (broker) => (attempt) => shifting('openOrders')(broker.openOrders(attempt)),
      history: (broker) => (since, attempt) => shifting('history')(broker.history(since, attempt)),
    });
    const { clock, client, venue } = await givenAStartedClient({ adapter });
    isShifting = true;
    for (let i = 0; i < 5; i++) {
      venue.fault({ operation: 'place', when: 'after', kind: 'reset', times: 1 });
      const view = await settle(clock, client.submit(aRestingOrder({ intentId: `order ${i}` })));
      expect(view).toMatchObject({ state: 'working', attempts: 1 });
    }
    expect(missed.history).toBeGreaterThan(0);
    expect(venue.orders()).toHaveLength(5);
  });

  it('a stream that ends at each snapshot: nothing is taken for proved by it, and the order is found', async () => {
    let opened = 0;
    async function* cut(): AsyncGenerator<VenueEvent> {
      yield { kind: 'synced' };
      throw new Error('the connection was lost');
    }
    const adapter = lying({ events: (broker) => (signal) => (opened++ < 6 ? cut() : broker.events!(signal)) });
    const { clock, client, venue } = await givenAStartedClient({ adapter });
    venue.fault({ operation: 'place', when: 'before', kind: 'drop', ms: 500, times: 1 });
    expect((await settle(clock, client.submit(aMarketOrder()))).attempts).toBe(2);
    await clock.advance(60_000);
    expect(opened).toBeGreaterThan(6);
    expect(venue.orders()).toHaveLength(1);
  });

  it('a session that expires: no read and no order passes, nothing is guessed, and all is as it was when it is back', async () => {
    let isExpired = false;
    const expired = (): never => {
      throw new TradingError('AUTH', 'the session has expired', { venueCode: '-2015' });
    };
    const reads = ['find', 'openOrders', 'history', 'fills', 'serverTime'] as const;
    const adapter = lying(
      Object.fromEntries(
        reads.map((name) => [
          name,
          (broker: BrokerAdapter) =>
            (...args: unknown[]) =>
              isExpired ? expired() : (broker[name] as (...given: unknown[]) => unknown).call(broker, ...args),
        ]),
      ) as Members,
    );
    const { clock, client, venue } = await givenAStartedClient({ adapter, policy: { timeoutMs: 500 } });
    venue.fault({ operation: 'place', when: 'before', kind: 'drop', ms: 20_000, times: 1 });
    isExpired = true;
    const order = await settle(clock, client.place(aMarketOrder(), { deadlineMs: 600_000 }));
    await clock.advance(60_000);
    expect(order.view.state).toBe('unknown');
    isExpired = false;
    expect(await settle(clock, order.done())).toMatchObject({ state: 'filled', attempts: 2 });
    expect(venue.orders()).toHaveLength(1);
  });
});

describe('found by black-box review: an acceptance of an order that is not the one that was sent', () => {
  const distortions: Readonly<Record<string, Partial<VenueOrder>>> = {
    'over another quantity': { qty: '0.009' },
    'at another price': { price: '30001' },
    'on another symbol': { symbol: 'ETH/USDT' },
    'under an id that was never sent': { clientOrderId: 'prefix-7' },
  };
  for (const [what, distortion] of Object.entries(distortions)) {
    for (const profile of ['fence', 'forever'] as const) {
      it(`${what} (${profile}) halts, is not sent again, and is never taken for absent, over a restart`, async () => {
        const distorted = <T extends VenueOrder>(order: T): T => ({ ...order, ...distortion });
        async function* all(orders: AsyncIterable<VenueOrder>): AsyncIterable<VenueOrder> {
          for await (const order of orders) yield distorted(order);
        }
        const adapter = lying({
          place: (broker) => async (intent, id, attempt) => {
            const told = await broker.place(intent, id, attempt);
            return told.kind === 'accepted' ? { kind: 'accepted', order: distorted(told.order) } : told;
          },
          // Where the id is another one, a look-up by ours finds nothing.
          find: (broker) => async (ref, attempt) => {
            const found = await broker.find(ref, attempt);
            return found === 'not_found' || distortion.clientOrderId !== undefined ? 'not_found' : distorted(found);
          },
          openOrders: (broker) => (attempt) => all(broker.openOrders(attempt)),
          history: (broker) => (since, attempt) => all(broker.history(since, attempt)),
          fills: () => () => garbage([]),
          events: () => undefined,
        });
        const { clock, client, venue, makeClient } = await givenAStartedClient({ adapter, venue: PROFILES[profile] });
        const order = await settle(clock, client.place(aRestingOrder({ intentId: 'a' }), { deadlineMs: 120_000 }));
        expect((await settle(clock, order.acked())).state).toBe('escalated');
        expect(client.mode()).toBe('halted');
        await settle(clock, client.halt('active', 'somebody has looked'));
        await clock.advance(60_000);
        expect(order.view.state).toBe('escalated');
        expect(venue.orders()).toHaveLength(1);
        await settle(clock, client.close());
        const next = makeClient();
        await settle(clock, next.start());
        await clock.advance(60_000);
        expect(next.order('a')?.view.state).toBe('escalated');
        expect(venue.orders()).toHaveLength(1);
        await settle(clock, next.close());
      });
    }
  }

  it('does not take an unreadable Retry-After for one of no time', async () => {
    const sent: number[] = [];
    const adapter = (broker: BrokerAdapter, clock: { monotonic(): number }): BrokerAdapter =>
      lying({
        place: () => async () => {
          sent.push(clock.monotonic());
          return { kind: 'refused', cause: new Error('429'), retryAfterMs: Number.NaN };
        },
      })(broker);
    const { clock, client } = await givenAStartedClient({ adapter, policy: { retry: { max: 3, baseMs: 1_000, capMs: 1_000 } } });
    await settle(clock, client.place(aMarketOrder(), { deadlineMs: 5_000 }));
    await clock.advance(10_000);
    const gaps = sent.slice(1).map((at, i) => at - (sent[i] as number));
    expect(gaps.length).toBeGreaterThan(1);
    expect(Math.min(...gaps)).toBeGreaterThan(0);
  });

  it('names what the venue lacks where nothing can be proved', async () => {
    const adapter = lying({ serverTime: () => undefined });
    const { clock, client, venue } = await givenAStartedClient({ adapter });
    venue.fault({ operation: 'place', when: 'before', kind: 'reset', times: 1 });
    const view = await settle(clock, client.submit(aRestingOrder(), { deadlineMs: 120_000 }));
    expect(view).toMatchObject({ state: 'escalated', reason: expect.stringContaining('does not tell its time') });
  });
});
