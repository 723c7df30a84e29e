import { type Refusal, refuse } from './answers.js';
import type { Contingency } from './order-record.js';
import type { CheckedOrder, OrderRequest } from './order-terms.js';

/** Orders that are placed together, or not at all. */
export interface ListRequest {
  readonly contingency: Contingency;
  readonly clientId: string;
  /** The one that others wait for comes first. */
  readonly legs: readonly { readonly request: OrderRequest; readonly clientOrderId: string }[];
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
