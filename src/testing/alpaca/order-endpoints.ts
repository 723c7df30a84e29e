import type { OrderIntent } from '../../contracts/orders.js';
import { add, isDecimal, sign } from '../../core/decimal.js';
import { ok, type WireReply } from '../served/wire-reply.js';
import { openAsOf } from '../venue/lookups.js';
import type { Contingency, OrderRecord, OrderVersion, Trail } from '../venue/order-record.js';
import type { OrderRequest } from '../venue/order-terms.js';
import { fromUnits, toUnits } from '../venue/units.js';
import { deskOf, type Endpoint, integer, type Request, timeIn } from './endpoint.js';
import { contingencyOf, groupOf, legsIn, MULTI_LEG, withProfitPrice } from './order-classes.js';
import { acceptedJson, type OrderLinks, orderJson } from './wire-format.js';
import { failure, notFound, refusalReply, unprocessable } from './wire-reply.js';

const TYPES = ['market', 'limit', 'stop', 'stop_limit'] as const;
const TIMES = ['gtc', 'ioc', 'fok', 'day'] as const;
const DEFAULT_LIMIT = 50;
const MOST = 500;
const SHOWN_AS_OPEN = ['working', 'partially_filled'];
const NO_CONTENT: WireReply = { status: 204, body: undefined };
const MULTI_STATUS = 207;

/** Orders. Source: docs.alpaca.markets, Trading API reference, orders. */
export class OrderEndpoints {
  readonly #replaced = {
    by: new Map<number, number>(),
    of: new Map<number, number>(),
    legs: new Map<number, readonly Readonly<Record<string, unknown>>[]>(),
  };
  #made = 0;

  get links(): OrderLinks {
    return this.#replaced;
  }

  all(): readonly Endpoint[] {
    return [
      { method: 'POST', path: '/v2/orders', operation: 'place', run: (request) => this.#place(request) },
      { method: 'GET', path: '/v2/orders', operation: 'openOrders', run: (request) => this.#list(request) },
      { method: 'DELETE', path: '/v2/orders', operation: 'cancel', run: (request) => this.#cancelAll(request) },
      { method: 'GET', path: '/v2/orders:by_client_order_id', operation: 'find', run: (request) => this.#byClientId(request) },
      { method: 'GET', path: '/v2/orders/*', operation: 'find', run: (request) => this.#byId(request) },
      { method: 'PATCH', path: '/v2/orders/*', operation: 'place', run: (request) => this.#replace(request) },
      { method: 'DELETE', path: '/v2/orders/*', operation: 'cancel', run: (request) => this.#cancel(request) },
    ];
  }

  #place(request: Request): WireReply {
    const { body } = request;
    if (body.order_class === MULTI_LEG) return this.#placeMultiLeg(request);
    const intent = intentOf({ ...request, body: withProfitPrice(body) });
    if ('status' in intent) return intent;
    const contingency = contingencyOf(body);
    return contingency === undefined ? this.placeIntent(request, intent, text(body.client_order_id)) : this.#placeGroup(request, intent, contingency);
  }

  /** An order with those that hang on it: all of them, or none. */
  #placeGroup(request: Request, head: OrderRequest, contingency: Contingency): WireReply {
    const { core, account, ids, body } = request;
    const nextId = (): string => ids.of('account', ++this.#made);
    const group = groupOf(body, head, text(body.client_order_id) ?? nextId(), contingency, nextId);
    if ('status' in group) return group;
    const answer = core.engine.placeList(account, group);
    if (!answer.ok) return refusalReply(answer);
    const [first, ...legs] = answer.value.orders as readonly [OrderRecord, ...OrderRecord[]];
    request.placed(first);
    const shown = legs.map((leg) => this.#json(leg.latest, request));
    return ok({ ...acceptedJson(first, ids, this.#replaced), legs: shown });
  }

  /** A unit of a strategy, at a price for all of it. */
  #placeMultiLeg(request: Request): WireReply {
    const { body, core } = request;
    const legs = legsIn(body);
    if (legs === undefined) return unprocessable('mleg orders require two to four legs, each with symbol and ratio_qty');
    if (deskOf(core, MULTI_LEG) === undefined) return unprocessable(`order_class "mleg" is simulated where the venue lists a symbol "${MULTI_LEG}"`);
    if (Number(body.limit_price) < 0) return unprocessable('credits are not simulated: limit_price of an mleg order must be above 0');
    const intent = intentOf({ ...request, body: { ...body, symbol: MULTI_LEG, side: 'buy', order_class: '' } });
    return 'status' in intent ? intent : this.placeIntent(request, intent, text(body.client_order_id), legs);
  }

  /** Places what is no request for an order itself, too. */
  placeIntent(
    request: Request,
    intent: OrderRequest,
    clientOrderId: string | undefined,
    legs?: readonly Readonly<Record<string, unknown>>[],
  ): WireReply {
    const id = clientOrderId ?? request.ids.of('account', ++this.#made);
    const answer = request.core.engine.place(request.account, intent, id);
    if (!answer.ok) return answer.reason === 'insufficient_funds' && intent.side === 'sell' ? insufficientQty(request, intent) : refusalReply(answer);
    if (legs !== undefined) this.#replaced.legs.set(answer.value.id, legs);
    request.placed(answer.value);
    return ok(acceptedJson(answer.value, request.ids, this.#replaced));
  }

  #list(request: Request): WireReply {
    const { core, account, params } = request;
    const status = params.get('status') ?? 'open';
    const asOf = request.asOf();
    const after = timeIn(params, 'after') ?? -Infinity;
    const until = timeIn(params, 'until') ?? Infinity;
    const symbols = params.get('symbols')?.split(',');
    const side = params.get('side');
    const books = core.engine.account(account);
    const versions = status === 'open' ? openAsOf(books, asOf) : [...books.byId.values()].flatMap((order): OrderVersion[] => shownAsOf(order, asOf));
    const found = versions.filter(({ order, state }) => {
      const { createdVenueTime: at } = order;
      if (status === 'closed' && SHOWN_AS_OPEN.includes(state)) return false;
      if (symbols !== undefined && !symbols.includes(order.symbol.name) && !symbols.includes(order.symbol.id)) return false;
      return at > after && at <= until && (side === null || side === order.side);
    });
    found.sort((a, b) => a.order.id - b.order.id);
    if ((params.get('direction') ?? 'desc') !== 'asc') found.reverse();
    const limit = Math.min(integer(params, 'limit') ?? DEFAULT_LIMIT, MOST);
    return ok(found.slice(0, limit).map((version) => this.#json(version, request)));
  }

  #byClientId(request: Request): WireReply {
    const id = request.params.get('client_order_id') ?? '';
    const order = request.core.engine.find(request.account, { clientOrderId: id });
    return this.#shown(order, request, id);
  }

  #byId(request: Request): WireReply {
    return this.#shown(this.#named(request), request, request.at[0] ?? '');
  }

  #shown(order: OrderRecord | undefined, request: Request, id: string): WireReply {
    const asOf = request.asOf();
    const version = order?.asOf(asOf) ?? order?.previous?.asOf(asOf);
    return version === undefined ? notFound(`order not found for ${id}`) : ok(this.#json(version, request));
  }

  #cancel(request: Request): WireReply {
    const order = this.#named(request);
    if (order === undefined) return notFound(`order not found for ${request.at[0]}`);
    const answer = request.core.engine.cancel(request.account, { venueOrderId: String(order.id) });
    return answer.ok ? NO_CONTENT : unprocessable(`order is already in "${String(this.#json(order.latest, request).status)}" state`);
  }

  #cancelAll(request: Request): WireReply {
    const { core, account } = request;
    const open = [...core.engine.account(account).open];
    const body = open.map((order) => {
      const answer = core.engine.cancel(account, { venueOrderId: String(order.id) });
      return { id: request.ids.of('order', order.id), status: answer.ok ? 200 : 500, body: this.#json(order.latest, request) };
    });
    return { status: MULTI_STATUS, body };
  }

  // Takes the old order out and puts a new one in, or leaves all as it was.
  #replace(request: Request): WireReply {
    const { core, account, body } = request;
    const old = this.#named(request);
    if (old === undefined) return notFound(`order not found for ${request.at[0]}`);
    if (old.quoteQty !== undefined) return unprocessable('notional orders cannot be replaced; cancel it and submit a new one instead');
    if (old.list !== undefined) return unprocessable('what is replaced together with its legs is not simulated');
    const { symbol } = old;
    const price = (units: number): string | undefined => (units > 0 ? fromUnits(units, symbol.pricePlaces) : undefined);
    const limitPrice = text(body.limit_price) ?? price(old.price);
    const stopPrice = text(body.stop_price) ?? price(old.stopPrice);
    const time = TIMES.find((one) => one === body.time_in_force) ?? old.timeInForce;
    const intent: OrderIntent = {
      symbol: symbol.name,
      side: old.side,
      type: old.type,
      qty: text(body.qty) ?? fromUnits(old.qty - old.filled, symbol.qtyPlaces),
      timeInForce: time,
      ...(limitPrice === undefined ? {} : { price: limitPrice }),
      ...(stopPrice === undefined ? {} : { stopPrice }),
    };
    const answer = core.engine.replace(
      account,
      { venueOrderId: String(old.id) },
      intent,
      text(body.client_order_id) ?? request.ids.of('account', ++this.#made),
      (made) => {
        this.#replaced.by.set(old.id, made);
        this.#replaced.of.set(made, old.id);
        const legs = this.#replaced.legs.get(old.id);
        if (legs !== undefined) this.#replaced.legs.set(made, legs);
      },
    );
    if (!answer.ok && answer.reason === 'unknown_order')
      return unprocessable(`order is already in "${String(this.#json(old.latest, request).status)}" state`);
    if (!answer.ok) return refusalReply(answer);
    request.placed(answer.value);
    return ok(acceptedJson(answer.value, request.ids, this.#replaced));
  }

  #named({ core, account, ids, at }: Request): OrderRecord | undefined {
    const number = ids.numberOf('order', at[0] ?? '');
    return number === undefined ? undefined : core.engine.find(account, { venueOrderId: String(number) });
  }

  #json(version: OrderVersion, { ids }: Request): Record<string, unknown> {
    return orderJson(version, ids, this.#replaced);
  }
}

function shownAsOf(order: OrderRecord, asOf: number): OrderVersion[] {
  const version = order.asOf(asOf);
  return version === undefined ? [] : [version];
}

function intentOf(request: Request): OrderRequest | WireReply {
  const { body, core } = request;
  const desk = deskOf(core, text(body.symbol) ?? '');
  if (desk === undefined) return unprocessable(`asset not found for ${text(body.symbol) ?? ''}`);
  const { symbol } = desk.market;
  const { side } = body;
  if (side !== 'buy' && side !== 'sell') return unprocessable('side must be buy or sell');
  const orderClass = body.order_class;
  if (orderClass !== undefined && orderClass !== null && orderClass !== '' && orderClass !== 'simple' && contingencyOf(body) === undefined)
    return unprocessable(`order_class ${JSON.stringify(orderClass)} is not simulated`);
  const isTrailing = body.type === 'trailing_stop';
  const type = isTrailing ? 'stop' : TYPES.find((one) => one === body.type);
  if (type === undefined) return unprocessable('invalid order type');
  const [trailPrice, trailPercent] = [text(body.trail_price), text(body.trail_percent)];
  if (isTrailing && (trailPrice === undefined) === (trailPercent === undefined))
    return unprocessable('trailing_stop orders require one of trail_price or trail_percent');
  const trail: Trail = trailPrice === undefined ? { bips: Number(trailPercent) * 100 } : { units: toUnits(trailPrice, symbol.pricePlaces) };
  const timeInForce = TIMES.find((one) => one === body.time_in_force);
  if (timeInForce === undefined) return unprocessable('invalid time_in_force');
  const price = text(body.limit_price);
  if ((type === 'limit' || type === 'stop_limit') && price === undefined) return unprocessable(`${type} orders require limit_price`);
  const stopPrice = text(body.stop_price);
  if (!isTrailing && (type === 'stop' || type === 'stop_limit') && stopPrice === undefined) return unprocessable(`${type} orders require stop_price`);
  const spend = text(body.notional);
  const qty = text(body.qty);
  if (qty === undefined && spend === undefined) return unprocessable('qty or notional is required');
  if (qty !== undefined && spend !== undefined) return unprocessable('only one of qty or notional is accepted');
  if (spend !== undefined && (!isDecimal(spend) || sign(spend) <= 0)) return unprocessable('notional must be > 0');
  if (qty !== undefined && (!isDecimal(qty) || sign(qty) <= 0)) return unprocessable('qty must be > 0');
  return {
    symbol: symbol.name,
    side,
    type,
    qty: qty ?? '0',
    timeInForce,
    ...(spend !== undefined && { quoteQty: spend }),
    ...(price !== undefined && (type === 'limit' || type === 'stop_limit') && { price }),
    ...(isTrailing && { trail }),
    ...(stopPrice !== undefined && !isTrailing && (type === 'stop' || type === 'stop_limit') && { stopPrice }),
  };
}

function insufficientQty({ core, account }: Request, { symbol, qty }: OrderIntent): WireReply {
  const base = core.desks.get(symbol)?.market.symbol.base ?? '';
  const { free = '0', held = '0' } = core.engine.account(account).ledger.balances()[base] ?? {};
  const more = { available: free, existing_qty: add(free, held), held_for_orders: held, symbol };
  return failure(40_310_000, `insufficient qty available for order (requested: ${qty}, available: ${free})`, more);
}

/** A value that may come as a string or as a number. */
function text(value: unknown): string | undefined {
  if (typeof value === 'string' && value !== '') return value;
  return typeof value === 'number' ? String(value) : undefined;
}
