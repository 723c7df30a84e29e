import type { BrokerAdapter, OrderRef, VenueCapabilities, VenueOrder, Verdict } from '../../../src/contracts/broker.js';
import type { ManualClock } from '../../../src/core/manual-clock.js';

export type Mood = 'answer' | 'lose_answer' | 'lose_request' | 'reject' | 'leave_old_live' | 'cancel_only';

/** A venue that amends: in place, or by a new order that takes the place of the old one. */
export class AmendingVenue {
  readonly orders = new Map<string, VenueOrder>();
  amendments = 0;
  mood: Mood = 'answer';
  readonly #clock: ManualClock;
  #made = 0;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  adapter(amend: 'in_place' | 'cancel_replace_atomic', capabilities: Partial<VenueCapabilities> | object = {}): BrokerAdapter {
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
        ...capabilities,
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
        if (mood === 'cancel_only') {
          this.#change(old, { state: 'canceled' });
          return { kind: 'unknown', cause: 'reset' };
        }
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
