import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../../src/contracts/broker.js';
import { EventBus } from '../../../src/contracts/events.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { seededRandom } from '../../../src/core/random.js';
import { createVenueKit } from '../../../src/index.js';
import { MemoryOrderJournal } from '../../../src/stores/memory/memory-order-journal.js';
import { SimulatedVenue, simulatedBroker } from '../../../src/testing/index.js';
import { aMarketOrder, givenAStartedClient, lying, settle } from './given-trading.js';

const SECRET = 'abc123secret';
const leaked = (): Error => new Error(`GET https://venue/order?apiKey=${SECRET}&signature=${SECRET} failed`);

describe('an adapter whose errors hold secrets', () => {
  it('gets none of them into views, events or what the caller catches', async () => {
    const clock = new ManualClock();
    const venue = new SimulatedVenue({ clock, symbols: { 'BTC/USDT': { price: 100 } } });
    const broker = simulatedBroker(venue);
    const adapter = Object.create(broker, {
      place: { value: async () => Promise.reject(leaked()) },
      fetch: { value: async () => Promise.reject(leaked()) },
      ...Object.fromEntries(
        (['cost', 'cancel', 'find', 'openOrders', 'history', 'fills', 'events', 'serverTime', 'observe', 'batchLimit'] as const).map((name) => [
          name,
          { value: (broker[name] as (...args: unknown[]) => unknown).bind(broker) },
        ]),
      ),
    }) as typeof broker;
    const bus = new EventBus();
    const seen: string[] = [];
    const keep = (value: unknown): void => {
      seen.push(
        JSON.stringify(value, (_, member: unknown) =>
          member instanceof Error ? { message: member.message, stack: member.stack, cause: member.cause } : member,
        ),
      );
    };
    bus.on('order.state', keep);
    bus.on('order.unknown', keep);
    await using kit = await createVenueKit({ clock, bus, random: seededRandom(1), broker: adapter, marketData: adapter });
    const through = async (work: Promise<unknown>): Promise<void> => {
      let isOver = false;
      void work.then(keep, keep).finally(() => {
        isOver = true;
      });
      for (let i = 0; i < 400 && !isOver; i++) await clock.advance(250);
      expect(isOver).toBe(true);
    };
    await through(kit.start());
    await through(kit.trading!.submit({ intentId: 'a', symbol: 'BTC/USDT', side: 'buy', type: 'market', qty: '1' }, { deadlineMs: 1_000 }));
    await through(kit.marketData!.get('quote', { symbol: 'BTC/USDT' }, { deadlineMs: 1_000 }));
    await through(kit.marketData!.get('quote', { symbol: 'BTC/USDT' }, { deadlineMs: 1_000, intent: 'order' }));
    await through(kit.trading!.read('openOrders', async () => Promise.reject(leaked())));
    expect(seen.join('\n')).toContain('[redacted]');
    expect(seen.join('\n')).not.toContain(SECRET);
  });

  it('found by review: nor where they are no errors at all', async () => {
    const verdicts: readonly Verdict[] = [
      { kind: 'unknown', cause: `GET https://venue/order?signature=${SECRET}` },
      { kind: 'refused', cause: { url: `https://venue/order?signature=${SECRET}`, headers: { 'X-MBX-APIKEY': SECRET } } },
      { kind: 'rejected', code: 'NO', cause: `no: token=${SECRET}` },
    ];
    let calls = 0;
    const { clock, client, bus, journal } = await givenAStartedClient({
      adapter: lying({
        place:
          (broker) =>
          async (...args) =>
            verdicts[calls++] ?? broker.place(...args),
      }),
    });
    const seen: unknown[] = [];
    bus.on('order.state', (event) => seen.push(event));
    bus.on('order.unknown', (event) => seen.push(event));
    seen.push(await settle(clock, client.submit(aMarketOrder({ intentId: 'a' }))));
    await clock.advance(1_000);
    const all = JSON.stringify([seen, await journal.byIntent('a')]);
    expect(calls).toBe(3);
    expect(all).toContain('[redacted]');
    expect(all).not.toContain(SECRET);
  });

  it('found by review: and the address of a journal that fails none either', async () => {
    const { clock, client } = await givenAStartedClient({
      journal: (clock) => {
        const memory = new MemoryOrderJournal({ clock });
        memory.append = () => Promise.reject(new Error(`connect postgres://bot:${SECRET}@db/orders failed`));
        return memory;
      },
    });
    const error = await settle(
      clock,
      client.place(aMarketOrder()).then(
        () => undefined,
        (failure: Error) => failure,
      ),
    );
    expect(error).toMatchObject({ code: 'JOURNAL', message: expect.stringContaining('postgres://bot:[redacted]@db/orders') });
    const cause = error?.cause as Error;
    expect(`${error?.message} ${cause.message} ${cause.stack}`).not.toContain(SECRET);
  });
});
