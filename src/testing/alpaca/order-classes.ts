import type { WireReply } from '../served/wire-reply.js';
import type { ListRequest } from '../venue/order-list.js';
import type { Contingency, OrderRecord } from '../venue/order-record.js';
import type { OrderRequest } from '../venue/order-terms.js';
import { fromUnits } from '../venue/units.js';
import type { Request } from './endpoint.js';
import type { Ids } from './ids.js';
import { unprocessable } from './wire-reply.js';

/**
 * Orders that come with others. Source: docs.alpaca.markets, Placing orders (bracket, OCO, OTO) and Options level 3 trading (mleg), and the models of
 * @alpacahq/alpaca-trade-api 4.
 */

const CONTINGENCIES: Readonly<Record<string, Contingency>> = { bracket: 'otoco', oco: 'oco', oto: 'oto' };
export const ORDER_CLASSES: Readonly<Record<Contingency, string>> = { otoco: 'bracket', oco: 'oco', oto: 'oto' };

/** The symbol that a strategy of several legs is listed under here: it trades as an instrument of its own, and its legs are only shown. */
export const MULTI_LEG = 'mleg';
const MOST_LEGS = 4;
/** Numbers of legs, which are no orders of the venue's. */
const LEGS_FROM = 2 ** 40;

type Body = Request['body'];

export function contingencyOf({ order_class: name }: Body): Contingency | undefined {
  return typeof name === 'string' ? CONTINGENCIES[name] : undefined;
}

/** What OCO leaves to the order that takes the profit, which stands for both. */
export function withProfitPrice(body: Body): Body {
  return body.order_class === 'oco' ? { limit_price: memberOf(body, 'take_profit').limit_price, ...body } : body;
}

/** An order with those that hang on it. @param nextId - of an order that the bot gives none */
export function groupOf(
  body: Body,
  head: OrderRequest,
  clientOrderId: string,
  contingency: Contingency,
  nextId: () => string,
): ListRequest | WireReply {
  const { limit_price: profit } = memberOf(body, 'take_profit');
  const { stop_price: stop, limit_price: limit } = memberOf(body, 'stop_loss');
  const isMissing = contingency === 'oto' ? (profit === undefined) === (stop === undefined) : profit === undefined || stop === undefined;
  if (isMissing)
    return unprocessable(
      `${ORDER_CLASSES[contingency]} orders require ${contingency === 'oto' ? 'one of ' : ''}take_profit.limit_price, stop_loss.stop_price`,
    );
  const { symbol, qty, timeInForce = 'day' } = head;
  const side = contingency === 'oco' ? head.side : head.side === 'buy' ? 'sell' : 'buy';
  const exit = { symbol, side, qty, timeInForce } as const;
  const profits: OrderRequest = { ...exit, type: 'limit', price: textOf(profit), postOnly: contingency !== 'oto' };
  const stops: OrderRequest = {
    ...exit,
    type: limit === undefined ? 'stop' : 'stop_limit',
    stopPrice: textOf(stop),
    ...(limit !== undefined && { price: textOf(limit) }),
  };
  const others = contingency === 'oco' ? [stops] : contingency === 'oto' ? [profit === undefined ? stops : profits] : [profits, stops];
  const first = contingency === 'oco' ? profits : head;
  const legs = [first, ...others].map((request, index) => ({ request, clientOrderId: index === 0 ? clientOrderId : nextId() }));
  return { contingency, clientId: clientOrderId, legs };
}

// A number may come as a string or as a number.
function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function memberOf(body: Body, name: string): Readonly<Record<string, unknown>> {
  const member = body[name];
  return typeof member === 'object' && member !== null ? (member as Readonly<Record<string, unknown>>) : {};
}

/** The legs of a strategy, as they were asked for; undefined where they are none. */
export function legsIn({ legs }: Body): readonly Readonly<Record<string, unknown>>[] | undefined {
  if (!Array.isArray(legs) || legs.length < 2 || legs.length > MOST_LEGS) return undefined;
  const rows = legs as readonly Readonly<Record<string, unknown>>[];
  return rows.every(({ symbol, ratio_qty: ratio }) => typeof symbol === 'string' && Number(ratio) > 0) ? rows : undefined;
}

/** What is shown of an order of several legs in place of a symbol and a side. */
export function multiLegJson(order: OrderRecord, legs: readonly Readonly<Record<string, unknown>>[], ids: Ids): Record<string, unknown> {
  const units = fromUnits(order.qty, order.symbol.qtyPlaces);
  return {
    asset_id: '',
    symbol: '',
    asset_class: '',
    order_class: MULTI_LEG,
    side: '',
    position_intent: '',
    legs: legs.map((leg, index) => ({
      ...leg,
      id: ids.of('order', LEGS_FROM + order.id * MOST_LEGS + index),
      client_order_id: ids.of('account', LEGS_FROM + order.id * MOST_LEGS + index),
      qty: String(Number(units) * Number(leg.ratio_qty)),
      order_class: MULTI_LEG,
    })),
  };
}
