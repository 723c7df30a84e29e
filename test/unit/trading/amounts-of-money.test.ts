import { describe, expect, it } from 'vitest';
import type { VenueOrder, Verdict } from '../../../src/contracts/broker.js';
import type { OrderIntent } from '../../../src/contracts/orders.js';
import { givenAStartedClient, lying, settle } from './given-trading.js';

const FIVE_HUNDRED: OrderIntent = { intentId: 'spend-1', symbol: 'BTC/USDT', side: 'buy', type: 'market', qty: '0', quoteQty: '500.00' };
// Of the ask, half a spread above 50,000.
const BOUGHT = '0.00999';

/** A venue whose answers to the first sendings get lost. */
const spending = (lost = 0, shown: (order: VenueOrder) => VenueOrder = (order) => order) => {
  let calls = 0;
  return lying({
    place: (broker) => async (intent, id, attempt) => {
      const verdict = await broker.place(intent, id, attempt);
      if (calls++ < lost) return { kind: 'unknown', cause: new Error('no answer') };
      return verdict.kind === 'accepted' ? ({ ...verdict, order: shown(verdict.order) } satisfies Verdict) : verdict;
    },
  });
};

describe('an order over an amount of money', () => {
  it('is one order, of as much as the venue made of the money', async () => {
    const { clock, client, venue } = await givenAStartedClient({ adapter: spending() });
    const order = await settle(clock, client.place(FIVE_HUNDRED));
    expect(await settle(clock, order.done())).toMatchObject({ state: 'filled', filledQty: BOUGHT, intent: { qty: '0', quoteQty: '500' } });
    expect(venue.orders()).toHaveLength(1);
  });

  it('is one order through a lost answer, and when it is placed again by the same id', async () => {
    const { clock, client, venue } = await givenAStartedClient({ adapter: spending(1) });
    const order = await settle(clock, client.place(FIVE_HUNDRED));
    expect(await settle(clock, order.done())).toMatchObject({ state: 'filled', filledQty: BOUGHT });
    const again = await settle(clock, client.place({ ...FIVE_HUNDRED, quoteQty: '500' }));
    expect(again.view).toBe(order.view);
    expect(venue.orders()).toHaveLength(1);
    await expect(settle(clock, client.place({ ...FIVE_HUNDRED, quoteQty: '600' }))).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  });

  it('is not taken for one over another amount', async () => {
    const { clock, client } = await givenAStartedClient({ adapter: spending(0, (order) => ({ ...order, quoteQty: '900' })) });
    const order = await settle(clock, client.place(FIVE_HUNDRED));
    await clock.advance(20_000);
    expect(order.view.reason).toMatch(/our id is on an order over the amount 900/);
  });

  it('is known before the venue says how much it is', async () => {
    const unfilled = (order: VenueOrder): VenueOrder => ({ ...order, state: 'working', qty: '0', filledQty: '0', quoteQty: '500' });
    const { clock, client } = await givenAStartedClient({ adapter: spending(0, unfilled) });
    const order = await settle(clock, client.place(FIVE_HUNDRED));
    expect(['working', 'filled']).toContain((await settle(clock, order.acked())).state);
    expect(await settle(clock, order.done())).toMatchObject({ state: 'filled', filledQty: BOUGHT });
  });

  it.each<readonly [Partial<OrderIntent>, RegExp]>([
    [{ qty: '0.01' }, /qty must be "0" where quoteQty is given, got "0\.01"/],
    [{ type: 'limit', price: '50000' }, /quoteQty must be absent from a limit order, got "500\.00"/],
    [{ quoteQty: '-5' }, /quoteQty must be above 0, got "-5"/],
    [{ quoteQty: 'all' }, /quoteQty must be a decimal string/],
  ])('is refused with %j', async (wrong, words) => {
    const { clock, client, venue } = await givenAStartedClient();
    await expect(settle(clock, client.place({ ...FIVE_HUNDRED, ...wrong }))).rejects.toThrow(words);
    expect(venue.orders()).toHaveLength(0);
  });
});
