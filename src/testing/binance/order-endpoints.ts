import { ok, type WireReply } from '../served/wire-reply.js';
import { fillsSince, openAsOf } from '../venue/lookups.js';
import { deskById, deskOf, type Endpoint, integer, isReply, type Request } from './endpoint.js';
import { namedOrder, orderRequestOf, responseDetail } from './order-requests.js';
import { cancelledJson, eight, orderJson, placedJson, tradeJson } from './wire-format.js';
import { failure, refusalReply } from './wire-reply.js';

const DEFAULT_LIMIT = 500;
const MOST = 1_000;

/** The signed part of the wire contract: orders, trades, account. */
export const orderEndpoints: Readonly<Record<string, Endpoint>> = {
  'POST /api/v3/order': { operation: 'place', signed: true, weight: 1, run: place },
  'DELETE /api/v3/order': { operation: 'cancel', signed: true, weight: 1, run: cancel },
  'GET /api/v3/order': { operation: 'find', signed: true, weight: 4, run: find },
  'GET /api/v3/openOrders': { operation: 'openOrders', signed: true, weight: (params) => (params.has('symbol') ? 6 : 80), run: openOrders },
  'GET /api/v3/allOrders': { operation: 'history', signed: true, weight: 20, run: allOrders },
  'GET /api/v3/myTrades': { operation: 'fills', signed: true, weight: 20, run: myTrades },
  'GET /api/v3/account': { operation: 'balances', signed: true, weight: 20, run: account },
};

function place(request: Request): WireReply {
  const { core, params } = request;
  const wanted = orderRequestOf(request);
  if (isReply(wanted)) return wanted;
  const clientOrderId = params.get('newClientOrderId') || `sim_${core.log.count.toString(36)}`;
  const answer = core.engine.place(request.account, wanted, clientOrderId);
  if (!answer.ok) return refusalReply(answer, core.venueClock.venueNow());
  request.placed(answer.value);
  return ok(placedJson(answer.value, responseDetail(params, wanted.type)));
}

function cancel(request: Request): WireReply {
  const { core, params, account: name } = request;
  const order = namedOrder(request);
  if ('status' in order) return order;
  if (order.found === undefined) return failure(-2011, 'Unknown order sent.');
  const answer = core.engine.cancel(name, { venueOrderId: String(order.found.id) });
  if (!answer.ok) return refusalReply(answer, core.venueClock.venueNow());
  return ok(cancelledJson(answer.value, params.get('newClientOrderId') || `cancel_${answer.value.id}`));
}

function find(request: Request): WireReply {
  const order = namedOrder(request);
  if ('status' in order) return order;
  const asOf = request.asOf();
  const version = order.found?.asOf(asOf) ?? order.found?.previous?.asOf(asOf);
  return version === undefined ? failure(-2013, 'Order does not exist.') : ok(orderJson(version));
}

function openOrders({ core, params, account: name, asOf }: Request): WireReply {
  const id = params.get('symbol');
  const desk = id === null ? undefined : deskById(core, id);
  if (id !== null && desk === undefined) return failure(-1121, 'Invalid symbol.');
  return ok(openAsOf(core.engine.account(name), asOf(), desk?.market.symbol.name).map(orderJson));
}

function allOrders(request: Request): WireReply {
  const { core, params } = request;
  const desk = deskOf(request);
  if (isReply(desk)) return desk;
  const asOf = request.asOf();
  const fromId = integer(params, 'orderId') ?? 0;
  const from = integer(params, 'startTime') ?? 0;
  const to = integer(params, 'endTime') ?? Infinity;
  const found: Record<string, unknown>[] = [];
  for (const order of core.engine.account(request.account).byId.values()) {
    const { id, createdVenueTime: time } = order;
    if (order.symbol !== desk.market.symbol || id < fromId || time < from || time > to) continue;
    const version = order.asOf(asOf);
    if (version !== undefined) found.push(orderJson(version));
  }
  return ok(page(found, params, params.has('orderId') || params.has('startTime')));
}

function myTrades(request: Request): WireReply {
  const { core, params } = request;
  const desk = deskOf(request);
  if (isReply(desk)) return desk;
  const books = core.engine.account(request.account);
  const from = integer(params, 'startTime') ?? 0;
  const to = integer(params, 'endTime') ?? Infinity;
  const fromId = integer(params, 'fromId') ?? 0;
  const orderId = integer(params, 'orderId');
  const found = fillsSince(books, from, request.asOf(), core.venueClock.largestOffsetMs, desk.market.symbol.name).filter(
    ({ tradeId, venueTime, order }) => tradeId >= fromId && venueTime <= to && (orderId === undefined || order.id === orderId),
  );
  return ok(page(found, params, params.has('fromId') || params.has('startTime')).map(tradeJson));
}

// From where the caller asks to start, the first ones; else the newest ones.
function page<T>(items: readonly T[], params: URLSearchParams, hasStart: boolean): readonly T[] {
  const limit = Math.min(integer(params, 'limit') ?? DEFAULT_LIMIT, MOST);
  return hasStart ? items.slice(0, limit) : items.slice(Math.max(0, items.length - limit));
}

function account({ core, account: name }: Request): WireReply {
  const balances = Object.entries(core.engine.account(name).ledger.balances());
  return ok({
    canTrade: true,
    canWithdraw: false,
    canDeposit: false,
    accountType: 'SPOT',
    updateTime: core.venueClock.venueNow(),
    permissions: ['SPOT'],
    balances: balances.map(([asset, { free, held }]) => ({ asset, free: eight(free), locked: eight(held) })),
  });
}
