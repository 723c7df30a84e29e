import { describe, expect, it } from 'vitest';
import { EventBus } from '../../../src/contracts/events.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { seededRandom } from '../../../src/core/random.js';
import { MemoryOrderJournal } from '../../../src/stores/memory/memory-order-journal.js';
import { ResilientTradingClient } from '../../../src/trading/resilient-trading-client.js';
import { AmendingVenue } from './amending-venue.js';
import { aRestingOrder, settle } from './given-trading.js';

async function givenAnAmendableOrder(amend: 'in_place' | 'cancel_replace_atomic', capabilities: object = {}) {
  const clock = new ManualClock();
  const venue = new AmendingVenue(clock);
  const journal = new MemoryOrderJournal({ clock });
  const bus = new EventBus();
  const make = (seed: number): ResilientTradingClient =>
    new ResilientTradingClient({ adapter: venue.adapter(amend, capabilities), journal, clock, bus, random: seededRandom(seed) });
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

  it('found by review: two at once amend it once', async () => {
    const { clock, client, venue } = await givenAnAmendableOrder('cancel_replace_atomic');
    const both = Promise.allSettled([client.replace('a', { price: '31000' }), client.replace('a', { price: '29000' })]);
    const ends = await settle(clock, both);
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(venue.amendments).toBe(1);
  });

  it('found by review: sends nothing where it was cancelled while the record was written', async () => {
    const { clock, client, venue } = await givenAnAmendableOrder('cancel_replace_atomic');
    const replacing = client.replace('a', { price: '31000' }).catch((error: { code: string }) => error.code);
    const cancelling = client.cancel('a');
    expect((await settle(clock, cancelling)).state).toBe('canceled');
    await settle(clock, replacing);
    expect([...venue.orders.values()].filter(({ state }) => state === 'working')).toEqual([]);
  });

  it('found by review: tells of a replacement of which only the half was made that cancels', async () => {
    const { clock, client, venue } = await givenAnAmendableOrder('cancel_replace_atomic');
    venue.mood = 'cancel_only';
    await expect(settle(clock, client.replace('a', { price: '31000' }))).rejects.toMatchObject({
      code: 'INVALID',
      message: expect.stringContaining('canceled'),
    });
    expect(client.order('a')!.view.state).toBe('canceled');
    expect(venue.amendments).toBe(1);
  });

  it('found by review: looks ever more rarely for an amendment that nothing can prove', async () => {
    const { clock, client, venue, bus } = await givenAnAmendableOrder('cancel_replace_atomic', { fence: undefined });
    venue.mood = 'lose_request';
    let looks = 0;
    bus.on('venue.call', ({ operation }) => operation === 'find' && looks++);
    const told: string[] = [];
    bus.on('order.escalated', ({ why }) => told.push(why));
    const replacing = client.replace('a', { price: '31000' }).catch((error: { code: string }) => error.code);
    await clock.advance(600_000);
    expect(await replacing).toBe('OUTCOME_UNKNOWN');
    expect(told).toHaveLength(1);
    expect(looks).toBeLessThan(200);
    expect(looks).toBeGreaterThan(50);
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
