import { ok, type WireReply } from '../served/wire-reply.js';
import type { Contingency, OrderList } from '../venue/order-record.js';
import { deskOf, type Endpoint, integer, isReply, type Request } from './endpoint.js';
import { type NameOf, orderRequestOf } from './order-requests.js';
import { cancelledJson, listJson, placedJson } from './wire-format.js';
import { failure, refusalReply } from './wire-reply.js';

const DEFAULT_LIMIT = 500;
const MOST = 1_000;

/** One order of a list: how its parameters are called, and its client order id. */
interface Leg {
  readonly nameOf: NameOf;
  readonly id: string;
}

/** Parameters with a prefix, but for those that all orders of the list share. */
function leg(prefix: string, shared: Readonly<Record<string, string>> = {}): Leg {
  const prefixed = (name: string): string => `${prefix}${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  return { nameOf: (name) => shared[name] ?? prefixed(name), id: prefixed('clientOrderId') };
}

const BOTH = { side: 'side', quantity: 'quantity' };
const PENDING = { side: 'pendingSide', quantity: 'pendingQuantity' };

/** Lists of orders. Source: binance-spot-api-docs, rest-api.md, order lists. */
export const listEndpoints: Readonly<Record<string, Endpoint>> = {
  'POST /api/v3/orderList/oco': placing('oco', [leg('above', BOTH), leg('below', BOTH)], 2),
  'POST /api/v3/orderList/oto': placing('oto', [leg('working'), leg('pending')], 2),
  'POST /api/v3/orderList/otoco': placing('otoco', [leg('working'), leg('pendingAbove', PENDING), leg('pendingBelow', PENDING)], 3),
  'POST /api/v3/order/oco': { operation: 'place', signed: true, weight: 1, orders: 2, run: placeOldOco },
  'DELETE /api/v3/orderList': { operation: 'cancel', signed: true, weight: 1, run: cancel },
  'GET /api/v3/orderList': { operation: 'find', signed: true, weight: 4, run: find },
  'GET /api/v3/openOrderList': { operation: 'openOrders', signed: true, weight: 6, run: openLists },
  'GET /api/v3/allOrderList': { operation: 'history', signed: true, weight: 20, run: allLists },
};

function placing(contingency: Contingency, legs: readonly Leg[], orders: number): Endpoint {
  return { operation: 'place', signed: true, weight: 1, orders, run: (request) => place(request, contingency, legs) };
}

/** The older form of an OCO, whose orders have fixed types. */
function placeOldOco(request: Request): WireReply {
  const params = new URLSearchParams(request.params);
  const isStopLimit = params.has('stopLimitPrice');
  params.set('limitType', 'LIMIT_MAKER');
  params.set('stopType', isStopLimit ? 'STOP_LOSS_LIMIT' : 'STOP_LOSS');
  const limit = leg('limit', { ...BOTH, price: 'price' });
  const stop = leg('stop', {
    ...BOTH,
    price: 'stopLimitPrice',
    stopPrice: 'stopPrice',
    timeInForce: 'stopLimitTimeInForce',
    trailingDelta: 'trailingDelta',
  });
  return place({ ...request, params }, 'oco', [stop, limit]);
}

function place(request: Request, contingency: Contingency, legs: readonly Leg[]): WireReply {
  const { core, params, account } = request;
  const made = core.log.count.toString(36);
  const wanted = [];
  for (const [index, { nameOf, id }] of legs.entries()) {
    const order = orderRequestOf(request, nameOf);
    if (isReply(order)) return order;
    wanted.push({ request: order, clientOrderId: params.get(id) || `sim_${made}_${index}` });
  }
  const [first] = wanted;
  if (contingency !== 'oco' && first?.request.type !== 'limit') return failure(-1116, 'Invalid orderType.');
  const answer = core.engine.placeList(account, { contingency, clientId: params.get('listClientOrderId') || `sim_${made}`, legs: wanted });
  if (!answer.ok) return refusalReply(answer, core.venueClock.venueNow());
  const { value: list } = answer;
  if (list.orders[0] !== undefined) request.placed(list.orders[0]);
  const detail = params.get('newOrderRespType') ?? 'RESULT';
  return ok({ ...listJson(list, true), orderReports: list.orders.map((order) => placedJson(order, detail)) });
}

function cancel(request: Request): WireReply {
  const { core, params, account } = request;
  const desk = deskOf(request);
  if (isReply(desk)) return desk;
  const list = named(request, 'listClientOrderId');
  if (isReply(list)) return list;
  const open = list.found?.orders.find((order) => order.isLive);
  if (list.found === undefined || open === undefined || open.symbol !== desk.market.symbol) return failure(-2011, 'Unknown order sent.');
  const answer = core.engine.cancel(account, { venueOrderId: String(open.id) });
  if (!answer.ok) return refusalReply(answer, core.venueClock.venueNow());
  const id = params.get('newClientOrderId') || `cancel_${open.id}`;
  return ok({ ...listJson(list.found, false), orderReports: list.found.orders.map((order) => cancelledJson(order, id)) });
}

function find(request: Request): WireReply {
  const list = named(request, 'origClientOrderId');
  if (isReply(list)) return list;
  const isOpen = list.found?.isOpenAsOf(request.asOf());
  // With which code the venue says so is not documented.
  return list.found === undefined || isOpen === undefined ? failure(-2013, 'Order list does not exist.') : ok(listJson(list.found, isOpen));
}

function named({ core, params, account }: Request, clientIdName: string): { readonly found: OrderList | undefined } | WireReply {
  const [id, clientId] = [integer(params, 'orderListId'), params.get(clientIdName)];
  if (id === undefined && !clientId) return failure(-1102, `Param '${clientIdName}' or 'orderListId' must be sent, but both were empty/null!`);
  const books = core.engine.account(account);
  const found = id === undefined ? books.listOf(clientId ?? '') : books.lists.get(id);
  return { found: clientId && found?.clientId !== clientId ? undefined : found };
}

function openLists({ core, account, asOf }: Request): WireReply {
  const at = asOf();
  const open = [...core.engine.account(account).lists.values()].filter((list) => list.isOpenAsOf(at) === true);
  return ok(open.map((list) => listJson(list, true)));
}

function allLists({ core, account, params, asOf }: Request): WireReply {
  const at = asOf();
  const [from, to, fromId] = [integer(params, 'startTime') ?? 0, integer(params, 'endTime') ?? Infinity, integer(params, 'fromId') ?? 0];
  const found = [...core.engine.account(account).lists.values()].filter(
    (list) => list.id >= fromId && list.createdVenueTime >= from && list.createdVenueTime <= to && list.isOpenAsOf(at) !== undefined,
  );
  return ok(found.slice(0, Math.min(integer(params, 'limit') ?? DEFAULT_LIMIT, MOST)).map((list) => listJson(list, list.isOpenAsOf(at) === true)));
}
