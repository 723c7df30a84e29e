import type { VenueOrder } from '../../contracts/broker.js';
import type { Fill, OrderIntent } from '../../contracts/orders.js';
import { isDecimal, isZero, normalize, sign } from '../../core/decimal.js';
import { VenueKitError } from '../../core/errors.js';
import { type Json, text } from '../shared/json.js';

/**
 * Alpaca's words for the states of an order. Source: docs.alpaca.markets, orders, order lifecycle. A replaced
 * order has ended: what goes on is another order, under another id.
 */
const STATES: Readonly<Record<string, VenueOrder['state']>> = {
  new: 'working',
  accepted: 'working',
  pending_new: 'working',
  accepted_for_bidding: 'working',
  held: 'working',
  pending_cancel: 'working',
  pending_replace: 'working',
  stopped: 'working',
  suspended: 'working',
  calculated: 'working',
  partially_filled: 'partially_filled',
  filled: 'filled',
  canceled: 'canceled',
  replaced: 'canceled',
  done_for_day: 'working',
  expired: 'expired',
  rejected: 'rejected',
};

/**
 * What the order path calls the symbol and the side of an order of several legs, which has neither: its legs do. Its type there is that of an order
 * without a price, since a credit is one below 0. Source: docs.alpaca.markets, options level 3 trading, and the examples of its OpenAPI description.
 */
export const MULTI_LEG = 'mleg';
export const MULTI_LEG_SIDE = 'buy';

/** An order of the Trading API, or of a trade update. */
export function venueOrderOf(json: Json, symbolOf: (symbol: string) => string): VenueOrder {
  const status = text(json, 'status');
  const state = STATES[status];
  if (state === undefined) throw new VenueKitError('BAD_ANSWER', `the venue's order has the unknown status ${JSON.stringify(status)}`);
  // An order of several legs has neither symbol nor side, and what it costs may be below 0.
  const isMultiLeg = json.order_class === MULTI_LEG;
  const side = isMultiLeg ? MULTI_LEG_SIDE : json.side;
  if (side !== 'buy' && side !== 'sell') throw new VenueKitError('BAD_ANSWER', `the venue's order has the unknown side ${JSON.stringify(side)}`);
  const filledQty = normalize(decimal(json, 'filled_qty') ?? '0');
  // An order over an amount of money has a quantity only once it has filled.
  const qty = decimal(json, 'qty') ?? filledQty;
  const amount = decimal(json, 'notional');
  const price = decimal(json, 'limit_price');
  const avgPrice = decimal(json, 'filled_avg_price');
  return {
    ...(typeof json.client_order_id === 'string' ? { clientOrderId: json.client_order_id } : {}),
    venueOrderId: text(json, 'id'),
    state: state === 'working' && !isZero(filledQty) ? 'partially_filled' : state,
    symbol: isMultiLeg ? MULTI_LEG : symbolOf(text(json, 'symbol')),
    side,
    qty: normalize(qty),
    ...(amount === undefined ? {} : { quoteQty: normalize(amount) }),
    ...(isMultiLeg || price === undefined || isZero(price) ? {} : { price: normalize(price) }),
    filledQty,
    ...(avgPrice === undefined || isZero(filledQty) ? {} : { avgPrice: normalize(avgPrice) }),
    venueTime: timeOf(json.updated_at ?? json.submitted_at ?? json.created_at),
  };
}

/** A time as Alpaca writes it, to the nanosecond; epoch ms. */
export function timeOf(value: unknown): number {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (!Number.isFinite(time)) throw new VenueKitError('BAD_ANSWER', `the venue's answer has no time, but ${JSON.stringify(value)}`);
  return time;
}

/** A fill among the account's activities. */
export function fillOf(json: Json): Fill {
  return { tradeId: text(json, 'id'), qty: normalize(text(json, 'qty')), price: normalize(text(json, 'price')), at: timeOf(json.transaction_time) };
}

function decimal(json: Json, member: string): string | undefined {
  const value = json[member];
  if (value === null || value === undefined || value === '') return undefined;
  const written = text(json, member);
  if (!isDecimal(written)) throw new VenueKitError('BAD_ANSWER', `the venue's order has no number in ${member}`);
  return written;
}

/** What the adapter alone decides; `extra` may add to an order, never change it. */
const OWN_MEMBERS = ['symbol', 'side', 'type', 'qty', 'notional', 'limit_price', 'stop_price', 'time_in_force', 'client_order_id'];

/** The body of POST /v2/orders, with quantities and prices exactly as the intent has them. */
export function orderBody(intent: OrderIntent, clientOrderId: string): Record<string, unknown> {
  if (intent.reduceOnly === true) throw new VenueKitError('INVALID', 'reduceOnly does not exist on Alpaca');
  if ((intent.type === 'stop' || intent.type === 'stop_limit') && intent.stopPrice === undefined)
    throw new VenueKitError('INVALID', `a ${intent.type} order on Alpaca needs stopPrice`);
  const own = Object.keys(intent.extra ?? {}).find((name) => OWN_MEMBERS.includes(name));
  if (own !== undefined)
    throw new VenueKitError('INVALID', `extra must not hold ${own}, which the order itself decides, got ${JSON.stringify(intent.extra?.[own])}`);
  return {
    symbol: intent.symbol,
    side: intent.side,
    type: intent.type,
    ...(intent.quoteQty === undefined ? { qty: intent.qty } : { notional: intent.quoteQty }),
    ...(intent.price === undefined ? {} : { limit_price: intent.price }),
    ...(intent.stopPrice === undefined ? {} : { stop_price: intent.stopPrice }),
    // Shares take orders for the day by default; crypto assets know no day.
    time_in_force: intent.timeInForce ?? (intent.symbol.includes('/') ? 'gtc' : 'day'),
    client_order_id: clientOrderId,
    ...intent.extra,
  };
}

const TYPES = ['market', 'limit', 'stop', 'stop_limit'] as const;
const TIMES = ['day', 'gtc', 'ioc', 'fok'] as const;

const TRAILING = 'trailing_stop';

/** The type of an order as the order path calls it. A trailing stop has no stop price of its own: the trail travels along. */
export function typeOf({ type }: Json): OrderIntent['type'] | undefined {
  return type === TRAILING ? 'stop' : TYPES.find((one) => one === type);
}

/** As the order path calls it: crypto may come with its slash or without, and is answered with it. */
export function pathSymbol(symbol: string): string {
  return symbol.replace('/', '');
}

/**
 * The intent of a body for POST /v2/orders. The body itself travels along and goes on the wire as it is: what the order
 * path keeps of it is what it needs to know the order again. Of an order with legs that is the order that they hang on.
 *
 * @returns undefined for requests that the venue will refuse for what they lack.
 */
export function intentOf(body: Json): OrderIntent | undefined {
  if (body.order_class === MULTI_LEG) return multiLegIntentOf(body);
  const { symbol, side } = body;
  const isTrailing = body.type === TRAILING;
  const type = typeOf(body);
  const quoteQty = (type === 'market' || type === 'limit') && !isGiven(body.qty) ? decimalIn(body.notional) : undefined;
  const qty = quoteQty === undefined ? decimalIn(body.qty) : '0';
  if (typeof symbol !== 'string' || type === undefined || qty === undefined || (side !== 'buy' && side !== 'sell')) return undefined;
  if ((isGiven(body.notional) && quoteQty === undefined) || isGiven(body.legs)) return undefined;
  const price = type === 'limit' || type === 'stop_limit' ? limitPriceOf(body) : undefined;
  const stopPrice = !isTrailing && (type === 'stop' || type === 'stop_limit') ? decimalIn(body.stop_price) : undefined;
  if ((type === 'limit' || type === 'stop_limit') && price === undefined) return undefined;
  if (isTrailing && decimalIn(body.trail_price) === undefined && decimalIn(body.trail_percent) === undefined) return undefined;
  if (!isTrailing && (type === 'stop' || type === 'stop_limit') && stopPrice === undefined) return undefined;
  const id = body.client_order_id;
  const timeInForce = TIMES.find((one) => one === body.time_in_force);
  return {
    ...(typeof id === 'string' && id !== '' ? { intentId: id } : {}),
    symbol: pathSymbol(symbol),
    side,
    type,
    qty,
    ...(quoteQty === undefined ? {} : { quoteQty }),
    ...(price === undefined ? {} : { price }),
    ...(stopPrice === undefined ? {} : { stopPrice }),
    ...(timeInForce === undefined ? {} : { timeInForce }),
    extra: { request: withoutUndefined(body) },
  };
}

function multiLegIntentOf(body: Json): OrderIntent | undefined {
  const { client_order_id: id, legs } = body;
  const qty = decimalIn(body.qty);
  if (qty === undefined || !Array.isArray(legs) || legs.length === 0) return undefined;
  return {
    ...(typeof id === 'string' && id !== '' ? { intentId: id } : {}),
    symbol: MULTI_LEG,
    side: MULTI_LEG_SIDE,
    type: 'market',
    qty,
    extra: { request: withoutUndefined(body) },
  };
}

/** The body of the sending: that of the bot, under the id that the journal has. */
export function requestOf(intent: OrderIntent, clientOrderId: string): Record<string, unknown> {
  return { ...(intent.extra?.request as Json), client_order_id: clientOrderId };
}

function withoutUndefined(body: Json): Record<string, unknown> {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}

// Of a pair the order that takes the profit stands for both, and its price may be given there alone.
function limitPriceOf({ limit_price, order_class, take_profit }: Json): string | undefined {
  const ofProfit = order_class === 'oco' && typeof take_profit === 'object' && take_profit !== null ? (take_profit as Json).limit_price : undefined;
  return decimalIn(limit_price) ?? decimalIn(ofProfit);
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

export function decimalIn(value: unknown): string | undefined {
  const written = typeof value === 'number' ? String(value) : value;
  if (typeof written !== 'string' || !isDecimal(written) || sign(written) <= 0) return undefined;
  return normalize(written);
}
