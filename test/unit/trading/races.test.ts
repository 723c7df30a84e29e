import { describe, expect, it } from 'vitest';
import type { OrderJournal } from '../../../src/contracts/journal.js';
import type { ManualClock } from '../../../src/core/manual-clock.js';
import { MemoryOrderJournal } from '../../../src/stores/memory/memory-order-journal.js';
import { aMarketOrder, aRestingOrder, givenAClient, givenAStartedClient, lying, settle } from './given-trading.js';

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'done',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );

/** A journal whose appends wait, those that `holds` says. */
const slow =
  (holds: (records: Parameters<OrderJournal['append']>[0]) => boolean, ms: number) =>
  (clock: ManualClock): OrderJournal => {
    const journal = new MemoryOrderJournal({ clock });
    const append = journal.append.bind(journal);
    journal.append = async (records) => {
      if (holds(records)) await clock.sleep(ms);
      return append(records);
    };
    return journal;
  };

describe('found by review: replacements', () => {
  it('two of one order at once place its remainder once', async () => {
    const { clock, client, venue } = await givenAStartedClient();
    await settle(clock, client.submit(aRestingOrder({ intentId: 'a' })));
    const both = Promise.all([codeOf(client.replace('a', { price: '29000' })), codeOf(client.replace('a', { price: '28000' }))]);
    expect((await settle(clock, both)).sort()).toEqual(['INVALID', 'done']);
    await clock.advance(60_000);
    expect(venue.orders().filter(({ state }) => state === 'working')).toHaveLength(1);
  });

  it('are refused while trading is halted, and leave the order as it is', async () => {
    const { clock, client, venue } = await givenAStartedClient();
    await settle(clock, client.submit(aRestingOrder({ intentId: 'a' })));
    await settle(clock, client.halt('halted', 'stop'));
    expect(await settle(clock, codeOf(client.replace('a', { price: '29000' })))).toBe('HALTED');
    await clock.advance(60_000);
    expect(venue.orders().map(({ state }) => state)).toEqual(['working']);
  });

  it('are refused after validUntil, and leave the order as it is', async () => {
    const { clock, client, venue } = await givenAStartedClient();
    await settle(clock, client.submit(aRestingOrder({ intentId: 'a', validUntil: clock.now() + 5_000 })));
    await clock.advance(6_000);
    expect(await settle(clock, codeOf(client.replace('a', { price: '29000' })))).toBe('INTENT_EXPIRED');
    await clock.advance(60_000);
    expect(venue.orders().map(({ state }) => state)).toEqual(['working']);
  });

  it('halt when the old order turns out to have filled while the remainder is being written', async () => {
    const holds = (records: Parameters<OrderJournal['append']>[0]): boolean =>
      records.some(({ type, body }) => type === 'prepared' && (body as { linkedFrom?: string }).linkedFrom !== undefined);
    const { clock, client, venue, bus } = await givenAStartedClient({ journal: slow(holds, 100), venue: { races: { lateFill: 1 } } });
    const conflicts: string[] = [];
    bus.on('order.conflict', ({ order }) => conflicts.push(order.intent.intentId));
    for (let i = 0; i < 12; i++) await settle(clock, client.submit(aRestingOrder({ intentId: `order ${i}` })));
    const all = Promise.all(Array.from({ length: 12 }, (_, i) => codeOf(client.replace(`order ${i}`, { price: '29000' }))));
    await settle(clock, all);
    await clock.advance(10_000);
    // Whatever was filled of an order and its remainder together, more than was asked for is told.
    const filled = (id: string): number => Number(client.order(id)?.view.filledQty ?? 0);
    for (let i = 0; i < 12; i++) {
      const { linkedTo } = client.order(`order ${i}`)!.view;
      const open = linkedTo === undefined ? 0 : Number(client.order(linkedTo)!.view.intent.qty);
      if (filled(`order ${i}`) + open > 0.01 + 1e-9) expect(conflicts).toContain(`order ${i}`);
    }
    expect(venue.orders().length).toBeGreaterThanOrEqual(12);
  });
});

describe('found by review: starts that end before their time', () => {
  it('by a close: the start is refused, and the lease is given back', async () => {
    const { clock, client, makeClient } = givenAClient();
    const starting = codeOf(client.start());
    await settle(clock, client.close());
    expect(await settle(clock, starting)).toBe('CLOSED');
    const next = makeClient();
    await settle(clock, next.start(), 1_000);
    expect((await settle(clock, next.submit(aMarketOrder()))).state).toBe('filled');
  });

  it('by a close while the venue does not answer: nothing goes on behind it', async () => {
    const { clock, client, makeClient, venue } = givenAClient();
    const silence = venue.fault({ when: 'before', kind: 'drop', ms: 20_000, probability: 1 });
    const starting = codeOf(client.start());
    await clock.advance(1_500);
    await settle(clock, client.close(), 100);
    expect(await settle(clock, starting, 1)).toBe('CLOSED');
    silence[Symbol.dispose]();
    await settle(clock, makeClient().start(), 5_000);
  });

  for (const end of ['a close', 'an abort'] as const) {
    it(`by ${end} while the lease is being taken: it is given back as soon as it is there`, async () => {
      const { clock, client, makeClient } = givenAClient({
        journal: (clock) => {
          const journal = new MemoryOrderJournal({ clock });
          const acquire = journal.acquire.bind(journal);
          journal.acquire = async (account, owner, ttlMs) => {
            await clock.sleep(1_000);
            return acquire(account, owner, ttlMs);
          };
          return journal;
        },
      });
      const over = new AbortController();
      const starting = codeOf(client.start({ signal: over.signal }));
      await clock.advance(500);
      if (end === 'an abort') over.abort(new Error('gone'));
      else await settle(clock, client.close(), 1);
      expect(await settle(clock, starting, 1)).toBe(end === 'an abort' ? 'gone' : 'CLOSED');
      await clock.advance(600);
      await settle(clock, makeClient().start(), 1_500);
    });
  }

  it('by an abort can be followed by another of the same client', async () => {
    const { clock, client } = givenAClient();
    await expect(client.start({ signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow('gone');
    await settle(clock, client.start());
    expect((await settle(clock, client.submit(aMarketOrder()))).state).toBe('filled');
  });

  it('a placement that still learns what the symbol allows when the client is closed writes nothing', async () => {
    const { clock, client, venue, journal } = await givenAStartedClient();
    venue.fault({ operation: 'instrument', when: 'before', kind: 'delay', ms: 500, times: 1 });
    const placing = codeOf(client.place(aMarketOrder({ intentId: 'a', symbol: 'BTC/USDT' })));
    await clock.advance(100);
    await settle(clock, client.close());
    expect(await settle(clock, placing)).toBe('CLOSED');
    expect(await journal.byIntent('a')).toEqual([]);
    expect(venue.orders()).toEqual([]);
  });

  it('regression: who waited for an order while the client was closed was told that it was never sent, though the venue had it', async () => {
    const { clock, client, venue } = await givenAStartedClient({ adapter: lying({ events: () => undefined }) });
    venue.fault({ operation: 'place', when: 'after', kind: 'reset', times: 1 });
    for (const operation of ['find', 'openOrders', 'history']) venue.fault({ operation, when: 'before', kind: 'status', status: 503 });
    const handle = await settle(clock, client.place(aMarketOrder({ intentId: 'a' })));
    const waiting = handle.acked().catch((error: unknown) => error);
    await clock.advance(200);
    await settle(clock, client.close());
    expect(venue.orders()).toHaveLength(1);
    const told = { code: 'CLOSED', sent: 'maybe', intentId: 'a', handle };
    expect(await settle(clock, waiting)).toMatchObject(told);
    await expect(handle.done()).rejects.toMatchObject(told);
  });
});
