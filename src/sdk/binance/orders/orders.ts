import type { Attempt, VenueOrder, Verdict } from '../../../contracts/broker.js';
import type { Fill, OrderIntent } from '../../../contracts/orders.js';
import { divide, isZero, normalize } from '../../../core/decimal.js';
import { VenueKitError } from '../../../core/errors.js';
import { type Json, number, objectOf, text } from '../../shared/json.js';
import type { Params } from '../wire.js';

/** Binance's words for the states of an order. */
export const ORDER_STATES: Readonly<Record<string, VenueOrder['state']>> = {
  NEW: 'working',
  PENDING_NEW: 'working',
  PARTIALLY_FILLED: 'partially_filled',
  PENDING_CANCEL: 'working',
  FILLED: 'filled',
  CANCELED: 'canceled',
  EXPIRED: 'expired',
  EXPIRED_IN_MATCH: 'expired',
  REJECTED: 'rejected',
};

export const SIDES: Readonly<Record<string, VenueOrder['side']>> = { BUY: 'buy', SELL: 'sell' };

/** An order of POST, GET or DELETE /api/v3/order, openOrders or allOrders. */
export function venueOrderOf(json: Json, symbol: string): VenueOrder {
  const status = text(json, 'status');
  const state = ORDER_STATES[status];
  if (state === undefined) throw new VenueKitError('BAD_ANSWER', `the venue's order has the unknown status ${JSON.stringify(status)}`);
  const filledQty = normalize(text(json, 'executedQty'));
  const quoteQty = json.cummulativeQuoteQty === undefined ? undefined : text(json, 'cummulativeQuoteQty');
  const price = normalize(text(json, 'price'));
  const amount = json.origQuoteOrderQty === undefined ? '0' : normalize(text(json, 'origQuoteOrderQty'));
  // A cancelled order is listed under the id of its cancellation; the id it was placed with stays in origClientOrderId.
  const original = json.origClientOrderId ?? json.clientOrderId;
  const venueTime = millis({ time: json.updateTime ?? json.transactTime ?? json.time }, 'time');
  const side = SIDES[text(json, 'side')];
  if (side === undefined) throw new VenueKitError('BAD_ANSWER', `the venue's order has the unknown side ${JSON.stringify(json.side)}`);
  return {
    ...(typeof original === 'string' ? { clientOrderId: original } : {}),
    venueOrderId: text(json, 'orderId'),
    state,
    symbol,
    side,
    qty: normalize(text(json, 'origQty')),
    ...(isZero(amount) ? {} : { quoteQty: amount }),
    ...(isZero(price) ? {} : { price }),
    filledQty,
    ...(quoteQty === undefined || isZero(filledQty) || quoteQty.startsWith('-') ? {} : { avgPrice: divide(quoteQty, filledQty) }),
    venueTime,
  };
}

/** Later than any order in ms: a host may ask for microseconds, header X-MBX-TIME-UNIT, of all its requests. */
const MICROSECONDS = 1e14;

/** A time of the venue, epoch ms. */
export function millis(json: Json, member: string): number {
  const time = number(json, member);
  return time > MICROSECONDS ? Math.floor(time / 1_000) : time;
}

/** A trade of GET /api/v3/myTrades. */
export function fillOf(json: Json): Fill {
  return {
    tradeId: text(json, 'id'),
    qty: normalize(text(json, 'qty')),
    price: normalize(text(json, 'price')),
    fee: normalize(text(json, 'commission')),
    feeAsset: text(json, 'commissionAsset'),
    at: millis(json, 'time'),
  };
}

/** The trades of an answer to POST /api/v3/order that was asked for in full; none where they can't be read: the listing has them all. */
export function fillsOfAnswer(json: Json): readonly Fill[] {
  if (!Array.isArray(json.fills)) return [];
  try {
    return json.fills.map((row) => {
      const trade = objectOf(row, 'fill');
      return fillOf({ ...trade, id: trade.tradeId, time: json.transactTime });
    });
  } catch {
    return [];
  }
}

/** What is known of an order before the venue has answered. */
interface SentOrder extends Pick<VenueOrder, 'symbol'> {
  readonly clientOrderId: string;
  readonly side?: VenueOrder['side'] | undefined;
  readonly qty?: string | undefined;
  readonly price?: string | undefined;
}

/**
 * What an answer of success to a write proves. One of type ACK says that the venue has the order, and nothing of
 * what has become of it yet. Answered with success, but not with an order: whatever it is, it proves nothing.
 */
export function acceptedOrder(answer: unknown, sent: SentOrder): Verdict {
  try {
    const json = objectOf(answer, 'order');
    const { symbol, side, qty, price, clientOrderId } = sent;
    if (json.status === undefined && side !== undefined && qty !== undefined) {
      const order = { clientOrderId, venueOrderId: text(json, 'orderId'), state: 'working', symbol, side, qty, filledQty: '0' } as const;
      return { kind: 'accepted', order: { ...order, ...(price === undefined ? {} : { price }), venueTime: millis(json, 'transactTime') } };
    }
    const fills = fillsOfAnswer(json);
    return { kind: 'accepted', order: venueOrderOf(json, symbol), ...(fills.length > 0 && { fills }) };
  } catch (error) {
    return { kind: 'unknown', cause: error };
  }
}

/** What the adapter alone decides; `extra` may add to an order, never change it. */
const OWN_PARAMS = [
  'symbol',
  'side',
  'type',
  'quantity',
  'quoteOrderQty',
  'price',
  'stopPrice',
  'timeInForce',
  'newClientOrderId',
  'newOrderRespType',
  'timestamp',
  'recvWindow',
  'signature',
  'maxRetriesOnFailure',
];

const TYPES = { market: 'MARKET', limit: 'LIMIT', stop: 'STOP_LOSS', stop_limit: 'STOP_LOSS_LIMIT' } as const;

/** The parameters of POST /api/v3/order, with quantities and prices exactly as the intent has them. */
export function orderParams(intent: OrderIntent, marketId: string, clientOrderId: string): Record<string, unknown> {
  const timeInForce = intent.timeInForce ?? (intent.type === 'limit' || intent.type === 'stop_limit' ? 'gtc' : undefined);
  if (timeInForce === 'day') throw new VenueKitError('INVALID', 'timeInForce "day" does not exist on Binance spot; use "gtc", "ioc" or "fok"');
  if (intent.reduceOnly === true) throw new VenueKitError('INVALID', 'reduceOnly does not exist on Binance spot');
  if (intent.quoteQty !== undefined && intent.type !== 'market')
    throw new VenueKitError('INVALID', 'quoteQty exists on Binance spot for market orders only; use qty');
  const isStop = intent.type === 'stop' || intent.type === 'stop_limit';
  if (isStop && intent.stopPrice === undefined && intent.extra?.trailingDelta === undefined)
    throw new VenueKitError('INVALID', `a ${intent.type} order on Binance needs stopPrice, or trailingDelta in extra`);
  const own = Object.keys(intent.extra ?? {}).find((name) => OWN_PARAMS.includes(name));
  if (own !== undefined)
    throw new VenueKitError('INVALID', `extra must not hold ${own}, which the order itself decides, got ${JSON.stringify(intent.extra?.[own])}`);
  return {
    symbol: marketId,
    side: intent.side === 'buy' ? 'BUY' : 'SELL',
    type: TYPES[intent.type],
    ...(intent.quoteQty === undefined ? { quantity: intent.qty } : { quoteOrderQty: intent.quoteQty }),
    ...(intent.price === undefined ? {} : { price: intent.price }),
    ...(intent.stopPrice === undefined ? {} : { stopPrice: intent.stopPrice }),
    ...(timeInForce === undefined ? {} : { timeInForce: timeInForce.toUpperCase() }),
    newClientOrderId: clientOrderId,
    newOrderRespType: 'FULL',
    ...intent.extra,
  };
}

/**
 * A signed request with exactly the timestamp that the journal has, however long it waited since: the venue's
 * own deadline then counts from it, and absence after that deadline is proof.
 */
export function stamped(params: Params, attempt: Attempt): Record<string, unknown> {
  const fence = attempt.fenceMs === undefined ? {} : { recvWindow: attempt.fenceMs };
  return { ...params, timestamp: attempt.venueNow, ...fence };
}
