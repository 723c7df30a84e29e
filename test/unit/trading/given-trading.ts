import type { BrokerAdapter } from '../../../src/contracts/broker.js';
import { EventBus } from '../../../src/contracts/events.js';
import type { OrderJournal } from '../../../src/contracts/journal.js';
import type { OrderIntent } from '../../../src/contracts/orders.js';
import type { TradingPolicy } from '../../../src/contracts/trading-policy.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { seededRandom } from '../../../src/core/random.js';
import { MemoryOrderJournal } from '../../../src/stores/memory/memory-order-journal.js';
import { simulatedBroker } from '../../../src/testing/simulated-broker.js';
import { SimulatedVenue } from '../../../src/testing/simulated-venue.js';
import type { SimulatedVenueOptions } from '../../../src/testing/venue/venue-options.js';
import { ResilientTradingClient } from '../../../src/trading/resilient-trading-client.js';

/** Three kinds of venue, by what they guarantee. */
export const PROFILES = {
  fence: { fence: { maxMs: 60_000, defaultMs: 2_000 }, clientIdUniqueness: 'open_orders', visibilityLagMs: 1_000 },
  forever: { fence: false, clientIdUniqueness: 'forever', visibilityLagMs: 1_000 },
  neither: { fence: false, clientIdUniqueness: 'open_orders', visibilityLagMs: 1_000 },
} as const satisfies Record<string, SimulatedVenueOptions>;

export interface GivenOptions {
  readonly venue?: SimulatedVenueOptions;
  readonly policy?: TradingPolicy;
  readonly journal?: (clock: ManualClock) => OrderJournal;
  readonly adapter?: (broker: BrokerAdapter, clock: ManualClock) => BrokerAdapter;
}

/** A client on a simulated venue under a clock of the test's own. Not started. */
export function givenAClient(options: GivenOptions = {}) {
  const clock = new ManualClock();
  const venue = new SimulatedVenue({ clock, seed: 1, latency: { p50Ms: 20, p99Ms: 80 }, ...PROFILES.fence, ...options.venue });
  const journal = options.journal?.(clock) ?? new MemoryOrderJournal({ clock });
  const broker = simulatedBroker(venue);
  const adapter = options.adapter?.(broker, clock) ?? broker;
  let made = 0;
  const bus = new EventBus();
  const makeClient = (): ResilientTradingClient =>
    new ResilientTradingClient({ adapter, journal, clock, bus, random: seededRandom(++made), ...(options.policy && { policy: options.policy }) });
  return { clock, venue, journal, broker, adapter, bus, makeClient, client: makeClient() };
}

/** The same, started. */
export async function givenAStartedClient(options: GivenOptions = {}) {
  const given = givenAClient(options);
  await settle(given.clock, given.client.start());
  return given;
}

/** Lets virtual time run until the promise has settled. */
export async function settle<T>(clock: ManualClock, promise: Promise<T>, withinMs = 120_000): Promise<T> {
  let isOver = false;
  const watched = promise.finally(() => {
    isOver = true;
  });
  watched.catch(() => {});
  for (let passed = 0; !isOver && passed < withinMs; ) {
    await clock.advance(0);
    if (isOver) break;
    const step = Math.min(Math.max(clock.nextInMs ?? 100, 0), 1_000);
    await clock.advance(step);
    passed += Math.max(step, 0.01);
  }
  if (!isOver) throw new Error(`nothing came of it within ${withinMs} ms of virtual time`);
  return watched;
}

/** A market order over a small quantity. */
export function aMarketOrder(change: Partial<OrderIntent> = {}): OrderIntent {
  return { symbol: 'BTC/USDT', side: 'buy', type: 'market', qty: '0.01', ...change };
}

/** A limit order far from the market, so that it rests. */
export function aRestingOrder(change: Partial<OrderIntent> = {}): OrderIntent {
  return { symbol: 'BTC/USDT', side: 'buy', type: 'limit', qty: '0.01', price: '30000', ...change };
}

export type Members = { readonly [K in keyof BrokerAdapter]?: (broker: BrokerAdapter) => BrokerAdapter[K] };

/** The broker with some of its members replaced. */
export const lying =
  (members: Members) =>
  (broker: BrokerAdapter): BrokerAdapter =>
    new Proxy(broker, {
      get(target, name: keyof BrokerAdapter) {
        const made = members[name];
        if (made !== undefined) return made(target);
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
