import type { OrderIntent } from '../../contracts/orders.js';
import { add, divide, floorToStep, isDecimal } from '../../core/decimal.js';
import type { VenueOperation } from '../faults.js';
import type { WireReply } from '../served/wire-reply.js';
import type { ListedSymbol } from '../venue/listed-symbol.js';
import { fillsSince, openAsOf } from '../venue/lookups.js';
import type { OrderRecord, OrderVersion, Trail } from '../venue/order-record.js';
import type { OrderRequest } from '../venue/order-terms.js';
import { fromUnits, toUnits } from '../venue/units.js';
import { assetId } from './asset-codes.js';
import { deskOf, type Endpoint, namedOrder, numberIn, type Request } from './endpoint.js';
import { descriptionOf, orderJson, tradeJson, UNNAMED, volume } from './wire-format.js';
import { failure, invalid, refusalReply, result, UNKNOWN_PAIR } from './wire-reply.js';

const TYPES: Readonly<Record<string, OrderIntent['type']>> = {
  market: 'market',
  limit: 'limit',
  'stop-loss': 'stop',
  'stop-loss-limit': 'stop_limit',
  'trailing-stop': 'stop',
  'trailing-stop-limit': 'stop_limit',
};
const TRAIL = /^\+(\d+(?:\.\d+)?)(%?)$/;
const OFFSET = /^([+-])(\d+(?:\.\d+)?)(%?)$/;
/** Source: docs.kraken.com, Add order batch. */
const BATCH = { least: 2, most: 15 };
const TIMES: Readonly<Record<string, 'gtc' | 'ioc' | 'fok'>> = { GTC: 'gtc', IOC: 'ioc', FOK: 'fok' };
const CLIENT_ID = /^(?:[\x21-\x7e]{1,18}|[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;
const PAGE = 50;
/** Source: docs.kraken.com, Add order: a deadline is at least this far ahead. */
const SHORTEST_DEADLINE_MS = 2_000;
/** What the wire contract has and this venue has not: refused by name. */
const NOT_AMENDED = ['display_qty', 'trigger_price', 'post_only', 'limit_price_type', 'trigger_price_type'];
const NOT_SIMULATED = ['leverage', 'reduce_only', 'displayvol', 'starttm', 'expiretm', 'validate', 'close[ordertype]', 'trigger'];

type Lookup = (params: URLSearchParams) => VenueOperation;
const findOr =
  (list: VenueOperation): Lookup =>
  (params) =>
    params.has('cl_ord_id') ? 'find' : list;

/** What an order was changed to, and when. */
interface Amended {
  readonly id: number;
  readonly qty: string;
  readonly price: string;
  readonly venueTime: number;
}

/** The private part of the wire contract: orders, trades, balances. */
export class OrderEndpoints {
  /** Kraken's second id of the client's, by order. */
  readonly #userrefs = new Map<number, number>();
  /** By order, the oldest first. */
  readonly #amendments = new Map<number, Amended[]>();
  #amended = 0;

  all(): Readonly<Record<string, Endpoint>> {
    const own = (operation: Endpoint['operation'], counts: number, run: Endpoint['run']): Endpoint => ({ operation, isPrivate: true, counts, run });
    return {
      '/0/private/AddOrder': own('place', 0, (request) => this.#add(request)),
      '/0/private/AddOrderBatch': own('place', 0, (request) => this.#addBatch(request)),
      '/0/private/AmendOrder': own('place', 0, (request) => this.#amend(request)),
      '/0/private/OrderAmends': own('find', 1, (request) => this.#amends(request)),
      '/0/private/CancelOrder': own('cancel', 0, cancel),
      '/0/private/CancelAll': own('cancel', 1, cancelAll),
      '/0/private/QueryOrders': own('find', 1, (request) => this.#query(request)),
      '/0/private/OpenOrders': own(findOr('openOrders'), 1, (request) => this.#open(request)),
      '/0/private/ClosedOrders': own(findOr('history'), 1, (request) => this.#closed(request)),
      '/0/private/TradesHistory': own('fills', 2, tradesHistory),
      '/0/private/QueryTrades': own('fills', 1, queryTrades),
      '/0/private/Balance': own('balances', 1, (request) => balances(request, ({ total }) => total)),
      '/0/private/BalanceEx': own('balances', 1, (request) => balances(request, ({ total, held }) => ({ balance: total, hold_trade: held }))),
    };
  }

  #add(request: Request): WireReply {
    const late = deadlineRefusal(request);
    if (late !== undefined) return late;
    const intent = checkedIntent(request);
    return 'status' in intent ? intent : this.#place(request, intent);
  }

  /** One pair for all. What is wrong with one is wrong with the batch; what the account can't pay for is refused alone. */
  #addBatch(request: Request): WireReply {
    const late = deadlineRefusal(request);
    if (late !== undefined) return late;
    const rows = batchIn(request.params);
    if (rows === undefined || rows.length < BATCH.least || rows.length > BATCH.most) return invalid('orders');
    const parts: (readonly [Request, OrderRequest])[] = [];
    for (const row of rows) {
      const part = { ...request, params: row };
      const intent = checkedIntent(part);
      if ('status' in intent) return intent;
      parts.push([part, intent]);
    }
    const orders = parts.map(([part, intent]) => {
      const { error = [], result: made } = this.#place(part, intent).body as { error?: string[]; result?: { descr: object; txid: string[] } };
      return made === undefined ? { error: error[0] } : { txid: made.txid[0], descr: made.descr };
    });
    return result({ orders });
  }

  /** In its place: under the same ids. */
  #amend(request: Request): WireReply {
    const { core, account, params, ids } = request;
    const late = deadlineRefusal(request);
    if (late !== undefined) return late;
    const missing = NOT_AMENDED.find((name) => params.has(name));
    if (missing !== undefined) return invalid(`${missing} is not simulated`);
    const order = namedOrder(request);
    if (order === undefined || !order.isLive) return failure('EOrder:Unknown order');
    const [qty, price] = [params.get('order_qty'), params.get('limit_price')];
    if ((qty === null && price === null) || (qty !== null && !isDecimal(qty)) || (price !== null && !isDecimal(price))) return invalid('order_qty');
    const { symbol } = order;
    // Down to what has filled it is over.
    const isOver = qty !== null && toUnits(qty, symbol.qtyPlaces) <= order.filled;
    const answer = isOver
      ? core.engine.cancel(account, { venueOrderId: String(order.id) })
      : core.engine.amend(order, { ...(qty !== null && { qty }), ...(price !== null && { price }) });
    if (!answer.ok) return refusalReply(answer, true);
    const amended = {
      id: ++this.#amended,
      qty: fromUnits(order.qty, symbol.qtyPlaces),
      price: fromUnits(order.price, symbol.pricePlaces),
      venueTime: order.latest.venueTime,
    };
    this.#amendments.set(order.id, [...(this.#amendments.get(order.id) ?? []), amended]);
    return result({ amend_id: ids.of('T', amended.id) });
  }

  #amends(request: Request): WireReply {
    const { params, ids } = request;
    const amendments = this.#amendments.get(ids.numberOf('O', params.get('order_id') ?? '') ?? 0) ?? [];
    const amends = amendments.map(({ id, qty, price, venueTime }) => ({
      amend_id: ids.of('T', id),
      amend_type: 'user',
      order_qty: volume(qty),
      limit_price: price,
      timestamp: venueTime,
    }));
    return result({ count: amends.length, amends });
  }

  #place(request: Request, intent: OrderRequest): WireReply {
    const { core, account, params, ids } = request;
    const [given, userref] = [params.get('cl_ord_id'), params.get('userref')];
    const answer = core.engine.place(account, intent, given ?? `${UNNAMED}${core.log.count.toString(36)}`);
    if (!answer.ok) return refusalReply(answer, true);
    request.placed(answer.value);
    if (userref !== null) this.#userrefs.set(answer.value.id, Number(userref));
    return result({ descr: { order: descriptionOf(answer.value) }, txid: [ids.of('O', answer.value.id)] });
  }

  #query(request: Request): WireReply {
    const { core, account, params, ids } = request;
    const asOf = request.asOf();
    const found: (readonly [string, unknown])[] = [];
    for (const txid of (params.get('txid') ?? '').split(',')) {
      const number = ids.numberOf('O', txid);
      const version = number === undefined ? undefined : core.engine.find(account, { venueOrderId: String(number) })?.asOf(asOf);
      if (version === undefined) return failure('EOrder:Invalid order');
      found.push(this.#row(version, request));
    }
    return result(Object.fromEntries(found));
  }

  #open(request: Request): WireReply {
    const { core, account } = request;
    const versions = openAsOf(core.engine.account(account), request.asOf()).filter(({ order }) => this.#isMeant(order, request));
    return result({ open: Object.fromEntries(versions.reverse().map((version) => this.#row(version, request))) });
  }

  // The newest first, fifty at a time.
  #closed(request: Request): WireReply {
    const { core, account, params } = request;
    const asOf = request.asOf();
    const [from, until] = [(numberIn(params, 'start') ?? -1) * 1_000, (numberIn(params, 'end') ?? Infinity) * 1_000];
    const byOpening = params.get('closetime') === 'open';
    const found: OrderVersion[] = [];
    for (const order of core.engine.account(account).byId.values()) {
      const version = order.asOf(asOf);
      if (version === undefined || version.state === 'working' || version.state === 'partially_filled') continue;
      const at = byOpening ? order.createdVenueTime : version.venueTime;
      if (at > from && at <= until && this.#isMeant(order, request)) found.push(version);
    }
    found.sort((a, b) => b.venueTime - a.venueTime || b.order.id - a.order.id);
    const offset = numberIn(params, 'ofs') ?? 0;
    const rows = found.slice(offset, offset + PAGE).map((version) => this.#row(version, request));
    return result({ closed: Object.fromEntries(rows), count: found.length });
  }

  #isMeant(order: OrderRecord, { params }: Request): boolean {
    const [clientOrderId, userref] = [params.get('cl_ord_id'), params.get('userref')];
    if (clientOrderId !== null && order.clientOrderId !== clientOrderId) return false;
    return userref === null || this.#userrefs.get(order.id) === Number(userref);
  }

  #row(version: OrderVersion, { ids, params }: Request): readonly [string, unknown] {
    const { id } = version.order;
    return [ids.of('O', id), orderJson(version, ids, this.#userrefs.get(id), params.get('trades') === 'true')];
  }
}

function deadlineRefusal({ core, params }: Request): WireReply | undefined {
  const given = params.get('deadline');
  if (given === null || core.fence === undefined) return undefined;
  const deadline = Date.parse(given);
  const left = deadline - core.venueClock.venueNow();
  if (left < 0) return failure('EService:Deadline elapsed');
  return left >= SHORTEST_DEADLINE_MS && left <= core.fence.maxMs ? undefined : invalid('deadline');
}

/** The order that is asked for, where nothing speaks against it. */
function checkedIntent(request: Request): OrderRequest | WireReply {
  const { params } = request;
  // The last trade is what it goes by.
  const missing = NOT_SIMULATED.find((name) => params.has(name) && !(name === 'trigger' && params.get(name) === 'last'));
  if (missing !== undefined) return invalid(`${missing} is not simulated`);
  const intent = intentOf(request);
  if ('status' in intent) return intent;
  const [given, userref] = [params.get('cl_ord_id'), params.get('userref')];
  if (given !== null && userref !== null) return invalid('cl_ord_id and userref exclude each other');
  return given !== null && !CLIENT_ID.test(given) ? invalid('cl_ord_id') : intent;
}

/** The orders of a batch, each with the pair of all; undefined where they are none. */
function batchIn(params: URLSearchParams): readonly URLSearchParams[] | undefined {
  try {
    const rows = JSON.parse(params.get('orders') ?? '') as readonly Readonly<Record<string, string>>[];
    return rows.map((row) => new URLSearchParams({ ...row, pair: params.get('pair') ?? '' }));
  } catch {
    return undefined;
  }
}

function intentOf({ core, params }: Request): OrderRequest | WireReply {
  const desk = deskOf(core, params.get('pair') ?? '');
  if (desk === undefined) return UNKNOWN_PAIR;
  const { market } = desk;
  const { symbol } = market;
  const side = params.get('type');
  if (side !== 'buy' && side !== 'sell') return invalid('type');
  const type = TYPES[params.get('ordertype') ?? ''];
  if (type === undefined) return invalid('ordertype');
  const timeInForce = TIMES[params.get('timeinforce') ?? 'GTC'];
  if (timeInForce === undefined) return invalid('timeinforce');
  const isTrailing = params.get('ordertype')?.startsWith('trailing-stop') === true;
  const [, distance, percent] = (isTrailing && TRAIL.exec(params.get('price') ?? '')) || [];
  if (isTrailing && distance === undefined) return invalid('price');
  const [, sign, offset, offsetPercent] = (isTrailing && type === 'stop_limit' && OFFSET.exec(params.get('price2') ?? '')) || [];
  if (isTrailing && type === 'stop_limit' && offset === undefined) return invalid('price2');
  const isStop = !isTrailing && (type === 'stop' || type === 'stop_limit');
  const price = isTrailing ? null : params.get(type === 'stop_limit' ? 'price2' : 'price');
  const stopPrice = isStop ? params.get('price') : null;
  if (!isTrailing && (type === 'limit' || type === 'stop_limit') && price === null) return invalid('price');
  if (isStop && stopPrice === null) return invalid('price');
  const flags = (params.get('oflags') ?? '').split(',');
  const now = core.agenda.now;
  const reference = fromUnits(side === 'buy' ? market.askUnits(now) : market.bidUnits(now), symbol.pricePlaces);
  let qty = params.get('volume') ?? '';
  if (flags.includes('viqc') && isDecimal(qty)) qty = floorToStep(divide(qty, reference), symbol.qtyStep);
  if (!isDecimal(qty)) return invalid('volume');
  if (flags.includes('post') && price !== null && (side === 'buy' ? Number(price) >= Number(reference) : Number(price) <= Number(reference)))
    return failure('EOrder:Post only order');
  return {
    symbol: symbol.name,
    side,
    type,
    qty,
    timeInForce,
    ...((type === 'limit' || type === 'stop_limit') && price !== null && { price }),
    ...(stopPrice !== null && { stopPrice }),
    ...(distance !== undefined && { trail: distanceIn(distance, percent, symbol) }),
    ...(offset !== undefined && { limitOffset: distanceIn(offset, offsetPercent, symbol, sign === '-' ? -1 : 1) }),
  };
}

function distanceIn(size: string, percent: string | undefined, { pricePlaces }: ListedSymbol, sign = 1): Trail {
  return percent === '%' ? { bips: sign * Number(size) * 100 } : { units: sign * toUnits(size, pricePlaces) };
}

function cancel(request: Request): WireReply {
  const order = namedOrder(request);
  if (order === undefined) return failure('EOrder:Unknown order');
  const answer = request.core.engine.cancel(request.account, { venueOrderId: String(order.id) });
  return answer.ok ? result({ count: 1 }) : refusalReply(answer, true);
}

function cancelAll({ core, account }: Request): WireReply {
  const open = [...core.engine.account(account).open];
  return result({ count: open.filter(({ id }) => core.engine.cancel(account, { venueOrderId: String(id) }).ok).length });
}

// The newest first, fifty at a time.
function tradesHistory({ core, account, params, ids, asOf }: Request): WireReply {
  const [from, until] = [(numberIn(params, 'start') ?? -1) * 1_000, (numberIn(params, 'end') ?? Infinity) * 1_000];
  const found = fillsSince(core.engine.account(account), from, asOf(), core.venueClock.largestOffsetMs)
    .filter(({ venueTime }) => venueTime > from && venueTime <= until)
    .reverse();
  const offset = numberIn(params, 'ofs') ?? 0;
  const rows = found.slice(offset, offset + PAGE).map((fill) => [ids.of('T', fill.tradeId), tradeJson(fill, ids)] as const);
  return result({ trades: Object.fromEntries(rows), count: found.length });
}

function queryTrades({ core, account, params, ids, asOf }: Request): WireReply {
  const asked = (params.get('txid') ?? '').split(',').map((txid) => ids.numberOf('T', txid));
  const found = fillsSince(core.engine.account(account), 0, asOf(), core.venueClock.largestOffsetMs).filter(({ tradeId }) => asked.includes(tradeId));
  if (found.length === 0) return invalid('txid');
  return result(Object.fromEntries(found.map((fill) => [ids.of('T', fill.tradeId), tradeJson(fill, ids)])));
}

function balances({ core, account }: Request, row: (balance: { readonly total: string; readonly held: string }) => unknown): WireReply {
  const held = Object.entries(core.engine.account(account).ledger.balances());
  return result(
    Object.fromEntries(held.map(([asset, one]) => [assetId(asset), row({ total: volume(add(one.free, one.held)), held: volume(one.held) })])),
  );
}
