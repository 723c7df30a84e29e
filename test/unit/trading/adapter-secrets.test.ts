import { describe, expect, it } from 'vitest';
import { EventBus } from '../../../src/contracts/events.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { seededRandom } from '../../../src/core/random.js';
import { createVenueKit } from '../../../src/index.js';
import { SimulatedVenue, simulatedBroker } from '../../../src/testing/index.js';

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
});
