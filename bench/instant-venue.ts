import type { Attempt, BrokerAdapter, VenueOrder, Verdict } from '../src/contracts/broker.js';
import type { OrderIntent } from '../src/contracts/orders.js';

async function* nothing<T>(): AsyncIterable<T> {}

/** A venue that answers at once, so that only the client and its journal are measured: every order is accepted and over. */
export function instantVenue(): BrokerAdapter {
  let made = 0;
  const now = Date.now();
  return {
    venue: 'instant',
    capabilities: {
      clientId: { maxLength: 36, pattern: /^[\w-]{1,36}$/, unique: 'open_orders' },
      fence: { maxMs: 60_000, defaultMs: 5_000 },
      visibilityLagMs: 1_000,
      lookup: 'by_client_id',
      amend: 'none',
      streamSequenced: false,
    },
    limits: [],
    cost: () => [],
    place: async (intent: OrderIntent, clientOrderId: string, _attempt: Attempt): Promise<Verdict> => {
      const order: VenueOrder = {
        clientOrderId,
        venueOrderId: String(++made),
        state: 'canceled',
        symbol: intent.symbol,
        side: intent.side,
        qty: intent.qty,
        filledQty: '0',
        venueTime: now,
      };
      return { kind: 'accepted', order };
    },
    cancel: async () => ({ kind: 'unknown', cause: 'not benchmarked' }),
    find: async () => 'not_found',
    openOrders: () => nothing(),
    history: () => nothing(),
    fills: () => nothing(),
  };
}
