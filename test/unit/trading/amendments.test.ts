import { describe, expect, it } from 'vitest';
import type { BrokerAdapter, OrderRef, VenueOrder, Verdict } from '../../../src/contracts/broker.js';
import { EventBus } from '../../../src/contracts/events.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { seededRandom } from '../../../src/core/random.js';
import { MemoryOrderJournal } from '../../../src/stores/memory/memory-order-journal.js';
import { ResilientTradingClient } from '../../../src/trading/resilient-trading-client.js';
import { aRestingOrder, settle } from './given-trading.js';

type Mood = 'answer' | 'lose_answer' | 'lose_request' | 'reject' | 'leave_old_live';

/** A venue that amends: in place, or by a new order that takes the place of the old one. */
class AmendingVenue {
  readonly orders = new Map<string, VenueOrder>();
  amendments = 0;
  mood: Mood = 'answer';
  readonly #clock: ManualClock;
  #made = 0;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  adapter(amend: 'in_place' | 'cancel_replace_atomic'): BrokerAdapter {
    const all = async function* (this: AmendingVenue): AsyncIterable<VenueOrder> {
      yield* this.orders.values();
    }.bind(this);
    return {
      venue: 'amending',
      capabilities: {
        clientId: { maxLength: 36, pattern: /^[\w-]+$/, unique: 'open_orders' },
        fence: { maxMs: 60_000, defaultMs: 1_000 },
        visibilityLagMs: 500,
        lookup: 'by_client_id',
        amend,
        streamSequenced: false,
      },
      limits: [],
      cost: () => [],
      place: async (intent, clientOrderId) => ({
        kind: 'accepted',
        order: this.#put({ clientOrderId, symbol: intent.symbol, side: intent.side, qty: intent.qty, ...(intent.price && { price: intent.price }) }),
      }),
      cancel: async (ref) => ({ kind: 'accepted', order: this.#change(this.#find(ref)!, { state: 'canceled' }) }),
      amend: async (ref, to): Promise<Verdict> => {
        this.amendments++;
        const { mood } = this;
        this.mood = 'answer';
        if (mood === 'reject') return { kind: 'rejected', code: 'TOO_LATE', cause: 'too late to amend' };
        if (mood === 'lose_request') return { kind: 'unknown', cause: 'reset' };
        const old = this.#find(ref)!;
        const values = { ...(to.qty && { qty: to.qty }), ...(to.price && { price: to.price }) };
        let order: VenueOrder;
        if (amend === 'in_place') order = this.#change(old, values);
        else {
          if (mood !== 'leave_old_live') this.#change(old, { state: 'canceled' });
          order = this.#put({ ...old, ...values, clientOrderId: to.newClientOrderId });
        }
        return mood === 'lose_answer' ? { kind: 'unknown', cause: 'reset' } : { kind: 'accepted', order };
      },
      find: async (ref) => this.#find(ref) ?? 'not_found',
      openOrders: all,
      history: all,
      fills: async function* () {},
      serverTime: async () => this.#clock.now(),
    };
  }

  #find(ref: OrderRef): VenueOrder | undefined {
    return [...this.orders.values()].find((order) => order.venueOrderId === ref.venueOrderId || order.clientOrderId === ref.clientOrderId);
  }

  #put(order: Pick<VenueOrder, 'symbol' | 'side' | 'qty'> & Partial<VenueOrder>): VenueOrder {
    const made: VenueOrder = { ...order, venueOrderId: `v${++this.#made}`, state: 'working', filledQty: '0', venueTime: this.#clock.now() };
    this.orders.set(made.venueOrderId, made);
    return made;
  }

  #change(order: VenueOrder, change: Partial<VenueOrder>): VenueOrder {
    const changed = { ...order, ...change, venueTime: this.#clock.now() };
    this.orders.set(order.venueOrderId, changed);
    return changed;
  }
}

async function givenAnAmendableOrder(amend: 'in_place' | 'cancel_replace_atomic') {
  const clock = new ManualClock();
  const venue = new AmendingVenue(clock);
  const journal = new MemoryOrderJournal({ clock });
  const bus = new EventBus();
  const make = (seed: number): ResilientTradingClient =>
    new ResilientTradingClient({ adapter: venue.adapter(amend), journal, clock, bus, random: seededRandom(seed) });
  const client = make(1);
  await settle(clock, client.start());
  await settle(clock, client.submit(aRestingOrder({ intentId: 'a' })));
  await clock.advance(10);
  return { clock, venue, client, bus, make };
}

describe('replace, where the venue amends', () => {
  it('changes an order in its place', async () => {
    const { clock, client, venue } = await givenAnAmendableOrder('in_place');
    const view = await settle(clock, client.replace('a', { price: '31000', qty: '0.02' }));
    expect(view).toMatchObject({ state: 'working', venueOrderIds: ['v1'] });
    expect([...venue.orders.values()]).toMatchObject([{ price: '31000', qty: '0.02', state: 'working' }]);
  });

  it('takes the order that replaces another for its own, never for one of somebody else', async () => {
    const { clock, client, bus } = await givenAnAmendableOrder('cancel_replace_atomic');
    const external: unknown[] = [];
    bus.on('order.external', (event) => external.push(event));
    const view = await settle(clock, client.replace('a', { price: '31000' }));
    expect(view).toMatchObject({ state: 'working', venueOrderIds: ['v1', 'v2'] });
    await settle(clock, client.reconcile());
    await clock.advance(5_000);
    expect(external).toEqual([]);
    expect((await settle(clock, client.cancel('a'))).state).toBe('canceled');
  });

  for (const amend of ['in_place', 'cancel_replace_atomic'] as const) {
    it(`finds out that an amendment (${amend}) was made although its answer was lost`, async () => {
      const { clock, client, venue } = await givenAnAmendableOrder(amend);
      venue.mood = 'lose_answer';
      expect((await settle(clock, client.replace('a', { price: '31000' }))).state).toBe('working');
      expect(venue.amendments).toBe(1);
      expect([...venue.orders.values()].at(-1)).toMatchObject({ price: '31000', state: 'working' });
    });

    it(`sends an amendment (${amend}) again once it is proved that the first never arrived`, async () => {
      const { clock, client, venue } = await givenAnAmendableOrder(amend);
      venue.mood = 'lose_request';
      const began = clock.monotonic();
      await settle(clock, client.replace('a', { price: '31000' }));
      expect(venue.amendments).toBe(2);
      expect(clock.monotonic() - began).toBeGreaterThan(2_500); // fence 1 s, lag 0.5 s, margin 1 s
      expect([...venue.orders.values()].filter(({ state }) => state === 'working')).toHaveLength(1);
    });
  }

  it('keeps the order as it was where the venue refuses', async () => {
    const { clock, client, venue } = await givenAnAmendableOrder('in_place');
    venue.mood = 'reject';
    await expect(settle(clock, client.replace('a', { price: '31000' }))).rejects.toMatchObject({ code: 'REJECTED', venueCode: 'TOO_LATE' });
    expect(client.order('a')!.view.state).toBe('working');
  });

  it('says so, and halts, when the old order stays live beside the new one', async () => {
    const { clock, client, venue, bus } = await givenAnAmendableOrder('cancel_replace_atomic');
    let conflicts = 0;
    bus.on('order.conflict', () => conflicts++);
    venue.mood = 'leave_old_live';
    await settle(clock, client.replace('a', { price: '31000' }));
    await clock.advance(5_000);
    expect(conflicts).toBe(1);
    await expect(settle(clock, client.place(aRestingOrder()))).rejects.toMatchObject({ code: 'HALTED' });
    await settle(clock, client.cancel('a'));
    expect([...venue.orders.values()].map(({ state }) => state)).toEqual(['canceled', 'canceled']);
  });

  it('resolves after a restart what was being amended', async () => {
    const { clock, client, venue, make } = await givenAnAmendableOrder('cancel_replace_atomic');
    venue.mood = 'lose_answer';
    void client.replace('a', { price: '31000' }).catch(() => {});
    await clock.advance(1);
    await settle(clock, client.close());
    const next = make(2);
    await settle(clock, next.start());
    await clock.advance(3_000);
    expect(next.order('a')!.view).toMatchObject({ state: 'working', venueOrderIds: expect.arrayContaining(['v2']) });
  });

  it('refuses to replace what is over, being cancelled, or not changed at all', async () => {
    const { clock, client } = await givenAnAmendableOrder('in_place');
    await expect(settle(clock, client.replace('a', {}))).rejects.toMatchObject({ code: 'INVALID' });
    await expect(settle(clock, client.replace('a', { qty: '-1' }))).rejects.toMatchObject({
      code: 'INVALID',
      message: expect.stringContaining('to.qty'),
    });
    await expect(settle(clock, client.replace('nobody', { qty: '1' }))).rejects.toMatchObject({ code: 'INVALID' });
    await settle(clock, client.cancel('a'));
    await expect(settle(clock, client.replace('a', { price: '31000' }))).rejects.toMatchObject({
      code: 'INVALID',
      message: expect.stringContaining('canceled'),
    });
  });
});

describe('an adapter that lies', () => {
  it('halts on a fill that no fill can be, and on an order filled beyond its size', async () => {
    for (const lie of [{ filledQty: '-1' }, { filledQty: '0.5', state: 'partially_filled' as const }, { qty: 'many' }]) {
      const { clock, client, venue } = await givenAnAmendableOrder('in_place');
      const [order] = venue.orders.values();
      venue.orders.set('v1', { ...order!, ...lie });
      await settle(clock, client.reconcile());
      await expect(settle(clock, client.place(aRestingOrder()))).rejects.toMatchObject({
        code: 'HALTED',
        message: expect.stringContaining('conflict'),
      });
    }
  });
});
