import type { OrderRef, VenueOrder } from '../../contracts/broker.js';
import type { Fill, OrderIntent } from '../../contracts/orders.js';
import { isDecimal, isZero, normalize, sign } from '../../core/decimal.js';
import { VenueKitError } from '../../core/errors.js';
import { type Json, number, objectOf, text } from '../shared/json.js';
import type { Params } from './wire.js';

/** Kraken's words for the states of an order. Source: docs.kraken.com, Query orders info. */
const STATES: Readonly<Record<string, VenueOrder['state']>> = {
  pending: 'working',
  open: 'working',
  closed: 'filled',
  canceled: 'canceled',
  expired: 'expired',
};

/** An order of QueryOrders, OpenOrders or ClosedOrders, which list it by its id. */
export function venueOrderOf(venueOrderId: string, json: Json, symbolOf: (name: string) => string): VenueOrder {
  const status = text(json, 'status');
  const known = STATES[status];
  if (known === undefined) throw new VenueKitError('BAD_ANSWER', `the venue's order has the unknown status ${JSON.stringify(status)}`);
  const descr = objectOf(json.descr, 'descr');
  const side = text(descr, 'type');
  if (side !== 'buy' && side !== 'sell') throw new VenueKitError('BAD_ANSWER', `the venue's order has the unknown side ${JSON.stringify(side)}`);
  const filledQty = normalize(text(json, 'vol_exec'));
  const price = limitPriceOf(descr);
  const average = normalize(text(json, 'price'));
  const { cl_ord_id: clientOrderId } = json;
  return {
    ...(typeof clientOrderId === 'string' && clientOrderId !== '' ? { clientOrderId } : {}),
    venueOrderId,
    state: known === 'working' && !isZero(filledQty) ? 'partially_filled' : known,
    symbol: symbolOf(text(descr, 'pair')),
    side,
    qty: normalize(text(json, 'vol')),
    ...(price === undefined ? {} : { price }),
    filledQty,
    ...(isZero(average) ? {} : { avgPrice: average }),
    venueTime: millis(json, json.closetm === undefined ? 'opentm' : 'closetm'),
  };
}

const TRAILING = /^trailing-stop/;

/** Where the type has one: of a stop or a take-profit it is the second price. */
function limitPriceOf(descr: Json): string | undefined {
  const type = text(descr, 'ordertype');
  // Of a trailing stop it is a distance.
  if (!/limit$|^iceberg$/.test(type) || TRAILING.test(type)) return undefined;
  const price = text(descr, type === 'limit' || type === 'iceberg' ? 'price' : 'price2');
  return isDecimal(price) && !isZero(price) ? normalize(price) : undefined;
}

/** A time of Kraken, seconds with a fraction, as epoch ms. */
export function millis(json: Json, member: string): number {
  return Math.floor(Math.round(number(json, member) * 1e6) / 1e3);
}

/** A trade of TradesHistory, which lists it by its id. @param feeAsset - the quote asset. */
export function fillOf(tradeId: string, json: Json, feeAsset: string | undefined): Fill {
  return {
    tradeId,
    qty: normalize(text(json, 'vol')),
    price: normalize(text(json, 'price')),
    ...(feeAsset === undefined ? {} : { fee: normalize(text(json, 'fee')), feeAsset }),
    at: millis(json, 'time'),
  };
}

/** What the adapter alone decides; `extra` may add to an order, never change it. */
const OWN_PARAMS = ['pair', 'type', 'ordertype', 'volume', 'price', 'price2', 'timeinforce', 'cl_ord_id', 'userref', 'deadline', 'nonce', 'validate'];

const TYPES = { market: 'market', limit: 'limit', stop: 'stop-loss', stop_limit: 'stop-loss-limit' } as const;

/** The parameters of AddOrder, with quantities and prices exactly as the intent has them. */
export function orderParams(intent: OrderIntent, marketId: string, clientOrderId: string): Record<string, unknown> {
  if (intent.timeInForce === 'day') throw invalid('timeInForce "day" does not exist on Kraken; use "gtc", "ioc" or "fok"');
  if (intent.reduceOnly === true) throw invalid('reduceOnly exists on Kraken with margin only, which is not supported');
  if (intent.quoteQty !== undefined) throw invalid('quoteQty is not supported on Kraken: how it lists such an order is not documented; use qty');
  if ((intent.type === 'stop' || intent.type === 'stop_limit') && intent.stopPrice === undefined)
    throw invalid(`a ${intent.type} order on Kraken needs stopPrice`);
  const own = Object.keys(intent.extra ?? {}).find((name) => OWN_PARAMS.includes(name));
  if (own !== undefined) throw invalid(`extra must not hold ${own}, which the order itself decides, got ${JSON.stringify(intent.extra?.[own])}`);
  return {
    pair: marketId,
    type: intent.side,
    ordertype: TYPES[intent.type],
    volume: intent.qty,
    ...(intent.type === 'limit' ? { price: intent.price } : {}),
    ...(intent.type === 'stop' ? { price: intent.stopPrice } : {}),
    ...(intent.type === 'stop_limit' ? { price: intent.stopPrice, price2: intent.price } : {}),
    ...(intent.timeInForce === undefined || intent.type === 'market' ? {} : { timeinforce: intent.timeInForce.toUpperCase() }),
    cl_ord_id: clientOrderId,
    ...intent.extra,
  };
}

/** What is to be changed of an order: the quantity in all, what has filled included, and the price of its limit. */
export interface AmendTarget {
  readonly qty?: string;
  readonly price?: string;
}

/** The parameters of AmendOrder. */
export function amendParams({ venueOrderId, clientOrderId }: OrderRef, { qty, price }: AmendTarget): Record<string, unknown> {
  return {
    ...(venueOrderId === undefined ? { cl_ord_id: clientOrderId } : { txid: venueOrderId }),
    ...(qty === undefined ? {} : { order_qty: qty }),
    ...(price === undefined ? {} : { limit_price: price }),
  };
}

/** What AmendOrder can change beside: nothing that a look-up would show to be done. */
const BESIDE = /^(?:display_qty|trigger_price|limit_price_type|trigger_price_type|deadline)$/;

/** What a request for AmendOrder asks for, in absolute values; undefined for what can't be known again by these, such as a price that is a distance. */
export function amendTargetOf(request: Params): AmendTarget | undefined {
  if (Object.keys(request).some((name) => BESIDE.test(name) && request[name] !== undefined)) return undefined;
  const [qty, price] = [decimalIn(request.order_qty), decimalIn(request.limit_price)];
  if ((request.order_qty !== undefined && qty === undefined) || (request.limit_price !== undefined && price === undefined)) return undefined;
  return qty === undefined && price === undefined ? undefined : { ...(qty === undefined ? {} : { qty }), ...(price === undefined ? {} : { price }) };
}

/** Whether a row of QueryOrders shows what was asked for. */
export function isAmended(row: Json, { qty, price }: AmendTarget): boolean {
  const shown = limitPriceOf(objectOf(row.descr, 'descr'));
  if (qty !== undefined && normalize(text(row, 'vol')) !== qty) return false;
  return price === undefined || shown === price;
}

function invalid(message: string): VenueKitError {
  return new VenueKitError('INVALID', message);
}

const INTENT_TYPES: Readonly<Record<string, OrderIntent['type']>> = {
  market: 'market',
  limit: 'limit',
  iceberg: 'limit',
  'stop-loss': 'stop',
  'take-profit': 'stop',
  'stop-loss-limit': 'stop_limit',
  'take-profit-limit': 'stop_limit',
  // Their prices are distances, which travel along; how the lists show them is for nobody to compare.
  'trailing-stop': 'stop',
  'trailing-stop-limit': 'stop',
};
const TIMES_IN_FORCE: Readonly<Record<string, NonNullable<OrderIntent['timeInForce']>>> = { GTC: 'gtc', IOC: 'ioc', FOK: 'fok' };

/** What excludes a client order id, or is not an order that can be known again. Source: docs.kraken.com, Add order; krakenfx/kraken-api-sdk, placing orders. */
const UNKEPT = /^(?:userref|close\b.*|validate|deadline|starttm)$/;
/** What the SDK sets anew for each sending. */
const PER_SENDING = ['nonce', 'maxRetriesOnFailure', 'maxRetriesOnFailureDelay'];

/**
 * The intent of a request for AddOrder. The request itself travels along and goes on the wire as it is: what the order
 * path keeps of it is what it needs to know the order again.
 *
 * @param symbolOf - the unified symbol of a pair.
 * @returns undefined for what the order path can't keep account of: orders with a `userref`, a conditional close or a
 * deadline of their own, over an amount of money, with relative prices, and requests that the venue will refuse for what they lack.
 */
export function intentOf(request: Params, symbolOf: (pair: string) => string | undefined): OrderIntent | undefined {
  if (Object.keys(request).some((name) => UNKEPT.test(name) && request[name] !== undefined)) return undefined;
  const symbol = typeof request.pair === 'string' ? symbolOf(request.pair) : undefined;
  const type = INTENT_TYPES[String(request.ordertype)];
  const { type: side, oflags, cl_ord_id: id } = request;
  if (symbol === undefined || type === undefined || (side !== 'buy' && side !== 'sell')) return undefined;
  if (typeof oflags === 'string' && oflags.split(',').includes('viqc')) return undefined;
  const qty = decimalIn(request.volume);
  const first = decimalIn(request.price);
  const second = decimalIn(request.price2);
  const isTrailing = TRAILING.test(String(request.ordertype));
  const [stopPrice, price] = isTrailing
    ? [undefined, undefined]
    : type === 'stop'
      ? [first, undefined]
      : type === 'stop_limit'
        ? [first, second]
        : [undefined, first];
  if (qty === undefined) return undefined;
  if ((type === 'limit' || type === 'stop_limit') && price === undefined) return undefined;
  if (isTrailing ? typeof request.price !== 'string' : (type === 'stop' || type === 'stop_limit') && stopPrice === undefined) return undefined;
  const timeInForce = TIMES_IN_FORCE[String(request.timeinforce)];
  if (request.timeinforce !== undefined && timeInForce === undefined) return undefined;
  return {
    ...(typeof id === 'string' && id !== '' ? { intentId: id } : {}),
    symbol,
    side,
    type,
    qty,
    ...(price === undefined || type === 'market' ? {} : { price }),
    ...(stopPrice === undefined ? {} : { stopPrice }),
    ...(timeInForce === undefined ? {} : { timeInForce }),
    extra: { request: Object.fromEntries(Object.entries(request).filter(([name, value]) => value !== undefined && !PER_SENDING.includes(name))) },
  };
}

/** The parameters of the sending: those of the bot, under the id that the journal has. */
export function requestOf(intent: OrderIntent, clientOrderId: string): Record<string, unknown> {
  return { ...(intent.extra?.request as Params), cl_ord_id: clientOrderId };
}

function decimalIn(value: unknown): string | undefined {
  const written = typeof value === 'number' ? String(value) : value;
  if (typeof written !== 'string' || !isDecimal(written) || sign(written) <= 0) return undefined;
  return normalize(written);
}
