import { describe, expect, it } from 'vitest';
import { MemoryOrderJournal } from '../../../src/stores/memory/memory-order-journal.js';
import { aMarketOrder, aRestingOrder, givenAStartedClient, settle } from './given-trading.js';

describe('one intent, one order', () => {
  it('gives the same order to any number of concurrent calls', async () => {
    const { clock, client, venue } = await givenAStartedClient();
    const handles = await settle(clock, Promise.all(Array.from({ length: 20 }, () => client.place(aMarketOrder({ intentId: 'once' })))));
    const views = await settle(clock, Promise.all(handles.map((handle) => handle.done())));
    expect(new Set(views).size).toBe(1);
    expect(venue.orders()).toHaveLength(1);
  });

  it('takes the same payload in another order of keys, and decimals written otherwise, for the same', async () => {
    const { clock, client, venue } = await givenAStartedClient();
    await settle(
      clock,
      client.submit({ intentId: 'a', symbol: 'BTC/USDT', side: 'buy', type: 'limit', qty: '0.010', price: '30000.0', extra: { a: 1, b: [2] } }),
    );
    await settle(
      clock,
      client.submit({ extra: { b: [2], a: 1 }, price: '30000', qty: '0.01', type: 'limit', side: 'buy', symbol: 'BTC/USDT', intentId: 'a' }),
    );
    expect(venue.orders()).toHaveLength(1);
  });

  it('regression: what an SDK writes as a number over a socket and as text over REST was taken for another payload', async () => {
    const { clock, client, venue } = await givenAStartedClient();
    const asked = (extra: Readonly<Record<string, unknown>>) => settle(clock, client.submit(aRestingOrder({ intentId: 'a', extra })));
    await asked({ request: { quantity: 1, price: 0.0000001, legs: [{ stopPrice: 2 }], isTest: false, note: 'x' } });
    await asked({ request: { quantity: '1', price: '0.00000010', legs: [{ stopPrice: '2.0' }], isTest: false, note: 'x' } });
    expect(venue.orders()).toHaveLength(1);
    for (const other of [{ quantity: '1.1' }, { price: '0.0000002' }, { legs: [{ stopPrice: 3 }] }, { isTest: true }, { note: 'y' }])
      await expect(
        asked({ request: { quantity: 1, price: 0.0000001, legs: [{ stopPrice: 2 }], isTest: false, note: 'x', ...other } }),
      ).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  });

  it('knows the payload of an order whose hash in the journal was made in another way, as older versions did', async () => {
    class Older extends MemoryOrderJournal {
      override append(records: Parameters<MemoryOrderJournal['append']>[0]): Promise<void> {
        return super.append(
          records.map((record) => (record.type === 'prepared' ? { ...record, body: { ...(record.body as object), payloadHash: 'older' } } : record)),
        );
      }
    }
    const { clock, client, makeClient, venue } = await givenAStartedClient({ journal: (own) => new Older({ clock: own }) });
    const intent = aRestingOrder({ intentId: 'a', extra: { quantity: 1 } });
    await settle(clock, client.submit(intent));
    await settle(clock, client.close());
    const next = makeClient();
    await settle(clock, next.start());
    expect((await settle(clock, next.submit(intent))).state).toBe('working');
    await expect(settle(clock, next.place({ ...intent, extra: { quantity: 2 } }))).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
    expect(venue.orders()).toHaveLength(1);
  });

  it('refuses another payload under the same id, also for orders that are over', async () => {
    const { clock, client } = await givenAStartedClient();
    await settle(clock, client.submit(aMarketOrder({ intentId: 'a' })));
    await expect(settle(clock, client.place(aMarketOrder({ intentId: 'a', qty: '0.02' })))).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
      intentId: 'a',
    });
  });

  it('gives orders from before a restart, terminal and working ones, also while halted', async () => {
    const { clock, client, makeClient, venue } = await givenAStartedClient();
    await settle(clock, client.submit(aMarketOrder({ intentId: 'done' })));
    await settle(clock, client.submit(aRestingOrder({ intentId: 'resting' })));
    await clock.advance(5_000);
    await settle(clock, client.halt('halted', 'night'));
    await settle(clock, client.close());
    const next = makeClient();
    await settle(clock, next.start());
    expect((await settle(clock, next.submit(aMarketOrder({ intentId: 'done' })))).state).toBe('filled');
    expect((await settle(clock, next.submit(aRestingOrder({ intentId: 'resting' })))).state).toBe('working');
    await expect(settle(clock, next.place(aMarketOrder({ intentId: 'done', qty: '9' })))).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
    await expect(settle(clock, next.place(aMarketOrder()))).rejects.toMatchObject({ code: 'HALTED' });
    expect(venue.orders()).toHaveLength(2);
  });

  it('gives a compacted order by its id alone', async () => {
    const { clock, client, makeClient, journal } = await givenAStartedClient();
    await settle(clock, client.submit(aMarketOrder({ intentId: 'old' })));
    await clock.advance(5_000);
    await settle(clock, client.close());
    const lease = await journal.acquire('main', 'test', 1_000);
    expect(await journal.compact('main', clock.now() + 1, lease.epoch)).toBe(1);
    expect(await journal.byIntent('old')).toHaveLength(1);
    await lease.release();
    const next = makeClient();
    await settle(clock, next.start());
    expect(await settle(clock, next.submit(aMarketOrder({ intentId: 'old' })))).toMatchObject({ state: 'filled', filledQty: '0.01' });
    await expect(settle(clock, next.place(aMarketOrder({ intentId: 'old', side: 'sell' })))).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  });

  it('knows an order of its own by the id that it went out under, though the intent had one that no venue takes', async () => {
    const { clock, client, makeClient, bus } = await givenAStartedClient();
    const external: unknown[] = [];
    bus.on('order.external', ({ order }) => external.push(order));
    const view = await settle(clock, client.submit(aRestingOrder({ intentId: 'Übergabe № 1' })));
    expect(view.clientOrderId).toMatch(/^[.A-Z:/a-z0-9_-]{1,36}$/);
    await settle(clock, client.submit(aMarketOrder({ intentId: 'zweite № 2' })));
    await clock.advance(3_000);
    await settle(clock, client.close());
    const next = makeClient();
    const report = await settle(clock, next.start());
    expect(report.external).toEqual([]);
    expect(external).toEqual([]);
    expect(next.order('Übergabe № 1')!.view.state).toBe('working');
  });
});

describe('ids and quantities at their limits', () => {
  it('sends an intent id as long as the venue allows as it is, and one longer under another that it still knows', async () => {
    const { clock, client, venue } = await givenAStartedClient();
    const [fits, tooLong] = ['x'.repeat(36), 'x'.repeat(37)];
    for (const intentId of [fits, tooLong]) {
      const first = await settle(clock, client.submit(aRestingOrder({ intentId })));
      expect(first.clientOrderId === intentId).toBe(intentId === fits);
      expect((await settle(clock, client.submit(aRestingOrder({ intentId })))).venueOrderIds).toEqual(first.venueOrderIds);
    }
    expect(venue.orders()).toHaveLength(2);
  });
});

describe('what is refused before anything is written', () => {
  const wrong = [
    ['a quantity that is no decimal', { qty: '1e3' }, /qty must be a decimal/],
    ['a quantity as a number', { qty: 0.01 as unknown as string }, /qty must be a decimal string/],
    ['a negative quantity', { qty: '-1' }, /qty must be above 0/],
    ['minus zero', { qty: '-0.000' }, /qty must be above 0/],
    ['a quantity beyond all numbers', { qty: 'Infinity' }, /qty must be a decimal/],
    ['a price as a BigInt', { type: 'limit', price: 30_000n }, /price must be a decimal string/],
    ['reduceOnly as a text', { reduceOnly: 'false' }, /reduceOnly must be true or false, got "false"/],
    ['a list for extra', { extra: ['postOnly'] }, /extra must be an object/],
    ['a limit order without a price', { type: 'limit' }, /price must be given/],
    ['a market order with a price', { price: '1' }, /price must be absent/],
    ['a market order with a stop price', { stopPrice: '1' }, /stopPrice must be absent from a market order/],
    ['a limit order with a stop price, meant as stop_limit', { type: 'limit', price: '1', stopPrice: '1' }, /stopPrice must be absent from a limit/],
    ['a misspelt member', { reduceonly: true }, /did you mean "reduceOnly"/],
    ['another account', { account: 'other' }, /account must be "main"/],
    ['a quantity between two steps', { qty: '0.0000000001' }, /qty of BTC\/USDT must be a multiple of qtyStep/],
    ['a price between two steps', { type: 'limit', price: '30000.0000001' }, /price of BTC\/USDT must be a multiple of priceStep/],
    ['what JSON cannot hold', { extra: { fee: 1n } }, /extra must hold nothing but JSON/],
  ] as const;
  for (const [what, change, message] of wrong) {
    it(`refuses ${what}, by name`, async () => {
      const { clock, client, journal } = await givenAStartedClient();
      await expect(settle(clock, client.place(aMarketOrder({ intentId: 'bad', ...(change as object) })))).rejects.toMatchObject({
        code: 'INVALID',
        sent: 'no',
        message: expect.stringMatching(message),
      });
      expect(await journal.byIntent('bad')).toEqual([]);
    });
  }

  it('refuses an intent that has expired', async () => {
    const { clock, client, journal } = await givenAStartedClient();
    await expect(settle(clock, client.place(aMarketOrder({ intentId: 'late', validUntil: clock.now() - 1 })))).rejects.toMatchObject({
      code: 'INTENT_EXPIRED',
    });
    expect(await journal.byIntent('late')).toEqual([]);
  });

  it('refuses calls before the start and after the close', async () => {
    const { clock, client, makeClient } = await givenAStartedClient();
    await expect(makeClient().place(aMarketOrder())).rejects.toMatchObject({ code: 'CLOSED', message: expect.stringContaining('start()') });
    await settle(clock, client.close());
    await settle(clock, client.close());
    await expect(client.place(aMarketOrder())).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(client.start()).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
