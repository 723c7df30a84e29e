import type { OrderIntent } from '../../contracts/orders.js';
import { add, divide, floorToStep, isDecimal } from '../../core/decimal.js';
import type { VenueOperation } from '../faults.js';
import type { WireReply } from '../served/wire-reply.js';
import { fillsSince, openAsOf } from '../venue/lookups.js';
import type { OrderRecord, OrderVersion } from '../venue/order-record.js';
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
};
const TRAIL = /^\+(\d+(?:\.\d+)?)(%?)$/;
const TIMES: Readonly<Record<string, 'gtc' | 'ioc' | 'fok'>> = { GTC: 'gtc', IOC: 'ioc', FOK: 'fok' };
const CLIENT_ID = /^(?:[\x21-\x7e]{1,18}|[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;
const PAGE = 50;
/** Source: docs.kraken.com, Add order: a deadline is at least this far ahead. */
const SHORTEST_DEADLINE_MS = 2_000;
/** What the wire contract has and this venue has not: refused by name. */
const NOT_SIMULATED = ['leverage', 'reduce_only', 'displayvol', 'starttm', 'expiretm', 'validate', 'close[ordertype]', 'trigger'];

type Lookup = (params: URLSearchParams) => VenueOperation;
const findOr =
  (list: VenueOperation): Lookup =>
  (params) =>
    params.has('cl_ord_id') ? 'find' : list;

/** The private part of the wire contract: orders, trades, balances. */
export class OrderEndpoints {
  /** Kraken's second id of the client's, by order. */
  readonly #userrefs = new Map<number, number>();

  all(): Readonly<Record<string, Endpoint>> {
    const own = (operation: Endpoint['operation'], counts: number, run: Endpoint['run']): Endpoint => ({ operation, isPrivate: true, counts, run });
    return {
      '/0/private/AddOrder': own('place', 0, (request) => this.#add(request)),
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
    const { core, account, params, ids } = request;
    const late = deadlineRefusal(request);
    if (late !== undefined) return late;
    // The last trade is what it goes by.
    const missing = NOT_SIMULATED.find((name) => params.has(name) && !(name === 'trigger' && params.get(name) === 'last'));
    if (missing !== undefined) return invalid(`${missing} is not simulated`);
    const intent = intentOf(request);
    if ('status' in intent) return intent;
    const [given, userref] = [params.get('cl_ord_id'), params.get('userref')];
    if (given !== null && userref !== null) return invalid('cl_ord_id and userref exclude each other');
    if (given !== null && !CLIENT_ID.test(given)) return invalid('cl_ord_id');
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
  const isTrailing = params.get('ordertype') === 'trailing-stop';
  const [, distance, percent] = (isTrailing && TRAIL.exec(params.get('price') ?? '')) || [];
  if (isTrailing && distance === undefined) return invalid('price');
  const isStop = !isTrailing && (type === 'stop' || type === 'stop_limit');
  const price = params.get(type === 'stop_limit' ? 'price2' : 'price');
  const stopPrice = isStop ? params.get('price') : null;
  if ((type === 'limit' || type === 'stop_limit') && price === null) return invalid('price');
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
    ...(distance !== undefined && { trail: percent === '%' ? { bips: Number(distance) * 100 } : { units: toUnits(distance, symbol.pricePlaces) } }),
  };
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
