import { describe, expect, it } from 'vitest';
import type { OrderIntent } from '../../../src/contracts/orders.js';
import { givenAStartedClient, lying, PROFILES, settle } from './given-trading.js';

/** An order that is made of a request of the venue's own, which says how much it is over. */
const REPLACING: OrderIntent = {
  intentId: 'new-1',
  symbol: 'BTC/USDT',
  side: 'buy',
  type: 'limit',
  qty: '0',
  price: '30000',
  extra: { request: { replaces: 1 } },
};

/** A venue that makes 0.02 of it, and loses its first answers. */
const replacing = (lost = 0) => {
  let calls = 0;
  return lying({
    place: (broker) => async (intent, id, attempt) => {
      const verdict = await broker.place({ ...intent, qty: '0.02' }, id, attempt);
      return calls++ < lost ? { kind: 'unknown', cause: new Error('no answer') } : verdict;
    },
  });
};

describe('an order of which the venue says how much it is over', () => {
  it('is one order through a lost answer, whose fills are known before it is', async () => {
    const { clock, client, venue } = await givenAStartedClient({ adapter: replacing(1) });
    const order = await settle(clock, client.place(REPLACING));
    venue.fill('1', { qty: '0.005' });
    expect(await settle(clock, order.acked())).toMatchObject({ intent: { qty: '0' } });
    venue.fill('1');
    expect(await settle(clock, order.done())).toMatchObject({ state: 'filled', filledQty: '0.02', avgPrice: '30000' });
    expect(venue.orders()).toHaveLength(1);
    expect(client.mode()).toBe('active');
  });

  it('is still none of ours at another price, and can only be cancelled', async () => {
    const { clock, client, venue } = await givenAStartedClient({ adapter: replacing() });
    const order = await settle(clock, client.place(REPLACING));
    await settle(clock, order.acked());
    await expect(settle(clock, client.replace('new-1', { price: '29000' }))).rejects.toThrow(/or what the venue says, can only be cancelled/);
    expect(await settle(clock, order.cancel())).toMatchObject({ state: 'canceled' });
    venue.placeExternal({ ...REPLACING, qty: '0.02', price: '31000' }, { clientOrderId: 'new-2' });
    await settle(clock, client.place({ ...REPLACING, intentId: 'new-2' }));
    await clock.advance(20_000);
    expect(client.order('new-2')?.view.reason).toMatch(/an order (?:at 31000|from before)/);
  });

  it.each<OrderIntent>([
    { ...REPLACING, extra: { postOnly: true } },
    { ...REPLACING, qty: '-1' },
  ])('is refused without such a request, and below 0', async (wrong) => {
    const { client } = await givenAStartedClient({ adapter: replacing() });
    await expect(client.place(wrong)).rejects.toThrow(/qty must be above 0/);
  });
});

describe('a rejection that holds for every sending', () => {
  it('ends an order whose first sending was never heard of, where a venue without a fence could prove nothing', async () => {
    let calls = 0;
    const adapter = lying({
      place: () => async () =>
        calls++ === 0
          ? { kind: 'unknown', cause: new Error('no answer') }
          : { kind: 'rejected', code: '422', cause: new Error('it is over'), isFinal: true },
    });
    const { clock, client } = await givenAStartedClient({ venue: PROFILES.forever, adapter });
    const order = await settle(clock, client.place({ ...REPLACING, qty: '0.01' }));
    expect(await settle(clock, order.done())).toMatchObject({ state: 'rejected', attempts: 2, reason: 'it is over' });
    expect(calls).toBe(2);
  });
});
