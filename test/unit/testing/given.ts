import type { Attempt, VenueOrder, Verdict } from '../../../src/contracts/broker.js';
import type { OrderIntent } from '../../../src/contracts/orders.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { SimulatedVenue, type SimulatedVenueOptions, simulatedBroker } from '../../../src/testing/index.js';

export const START = Date.UTC(2024, 0, 1);

export function givenVenue(options: SimulatedVenueOptions = {}) {
  const clock = new ManualClock(START);
  const venue = new SimulatedVenue({
    clock,
    seed: 7,
    symbols: { 'BTC/USDT': { price: 50_000, priceStep: '0.01', qtyStep: '0.0001' } },
    volatility: 0,
    ...options,
  });
  const broker = simulatedBroker(venue);
  const attempt = (over: Partial<Attempt> = {}): Attempt => ({ signal: new AbortController().signal, number: 1, venueNow: clock.now(), ...over });
  return { clock, venue, broker, attempt };
}

export function anIntent(over: Partial<OrderIntent> = {}): OrderIntent {
  return { symbol: 'BTC/USDT', side: 'buy', type: 'market', qty: '0.01', ...over };
}

export function aRestingBuy(over: Partial<OrderIntent> = {}): OrderIntent {
  return anIntent({ type: 'limit', price: '40000', ...over });
}

export function acceptedOrder(verdict: Verdict): VenueOrder {
  if (verdict.kind !== 'accepted') throw new Error(`expected accepted, got ${verdict.kind}`);
  return verdict.order;
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
