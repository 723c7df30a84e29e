import { type Refusal, refuse } from './answers.js';
import type { OrderRecord } from './order-record.js';
import type { CheckedOrder, OrderRequest } from './order-terms.js';

/** One order cancels the other; one triggers the other; one triggers a pair of which one cancels the other. */
export type Contingency = 'oco' | 'oto' | 'otoco';

/** Orders that are placed together, or not at all. */
export interface ListRequest {
  readonly contingency: Contingency;
  readonly clientId: string;
  /** The one that others wait for comes first. */
  readonly legs: readonly { readonly request: OrderRequest; readonly clientOrderId: string }[];
}

/** Orders that hang together: what becomes of one ends or begins the others. */
export class OrderList {
  readonly id: number;
  readonly clientId: string;
  readonly contingency: Contingency;
  readonly orders: readonly OrderRecord[];
  readonly createdVenueTime: number;

  constructor(id: number, clientId: string, contingency: Contingency, orders: readonly OrderRecord[], venueTime: number) {
    this.id = id;
    this.clientId = clientId;
    this.contingency = contingency;
    this.orders = orders;
    this.createdVenueTime = venueTime;
    for (const order of orders) order.list = this;
  }

  /** The order that the others wait for; undefined where none does. */
  get working(): OrderRecord | undefined {
    return this.contingency === 'oco' ? undefined : this.orders[0];
  }

  /** Those of which one ends the other as soon as it starts. */
  get pair(): readonly OrderRecord[] {
    return this.contingency === 'oco' ? this.orders : this.contingency === 'otoco' ? this.orders.slice(1) : [];
  }

  get isDone(): boolean {
    return this.orders.every((order) => !order.isLive);
  }

  /** As a replica shows it that has seen everything up to `at` (engine time): whether one of its orders is open; undefined before it was there. */
  isOpenAsOf(at: number): boolean | undefined {
    const versions = this.orders.map((order) => order.asOf(at));
    if (versions.some((version) => version === undefined)) return undefined;
    return versions.some((version) => version?.state === 'working' || version?.state === 'partially_filled');
  }
}

/** Why two orders make no pair: one rests at a price, the other waits for a stop price on the other side of the market. */
export function pairRefusal(pair: readonly CheckedOrder[], isNow: boolean): Refusal | undefined {
  if (pair.length === 0) return undefined;
  const limit = pair.find(({ terms }) => terms.type === 'limit');
  const stop = pair.find(({ terms }) => terms.type === 'stop' || terms.type === 'stop_limit');
  if (limit === undefined || stop === undefined || !limit.terms.postOnly)
    return refuse('bad_list', 'The order list must hold one limit maker and one stop order.');
  const { side, qty, price } = limit.terms;
  if (stop.terms.side !== side || stop.terms.qty !== qty) return refuse('bad_list', 'Orders of a pair must have one side and one quantity.');
  const { stopPrice } = stop.terms;
  const market = isNow ? limit.executesAt : price;
  const isOrdered = stopPrice === 0 || (side === 'sell' ? stopPrice < price && stopPrice <= market : stopPrice > price && stopPrice >= market);
  return isOrdered ? undefined : refuse('bad_list', 'The relationship of the prices for the orders is not correct.');
}
