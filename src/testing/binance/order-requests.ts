import type { OrderIntent } from '../../contracts/orders.js';
import type { WireReply } from '../served/wire-reply.js';
import type { OrderRecord } from '../venue/order-record.js';
import type { OrderRequest } from '../venue/order-terms.js';
import { deskOf, isReply, type Request } from './endpoint.js';
import { failure, missing } from './wire-reply.js';

const TYPES: Readonly<Record<string, OrderIntent['type']>> = {
  MARKET: 'market',
  LIMIT: 'limit',
  LIMIT_MAKER: 'limit',
  STOP_LOSS: 'stop',
  STOP_LOSS_LIMIT: 'stop_limit',
};
const SIDES: Readonly<Record<string, 'buy' | 'sell'>> = { BUY: 'buy', SELL: 'sell' };
const TIMES: Readonly<Record<string, 'gtc' | 'ioc' | 'fok'>> = { GTC: 'gtc', IOC: 'ioc', FOK: 'fok' };

/** How a request calls the parameters of an order: as they are, or those of one order of a list. */
export type NameOf = (parameter: string) => string;

/** The order that a request asks for, or what to answer where it asks for none. */
export function orderRequestOf(request: Request, nameOf: NameOf = (parameter) => parameter): OrderRequest | WireReply {
  const { params } = request;
  const given = (parameter: string): string | null => params.get(nameOf(parameter));
  const lacks = (parameter: string): WireReply => missing(nameOf(parameter));
  const desk = deskOf(request);
  if (isReply(desk)) return desk;
  const { symbol } = desk.market;
  const side = SIDES[given('side') ?? ''];
  if (side === undefined) return given('side') === null ? lacks('side') : failure(-1117, 'Invalid side.');
  const wireType = given('type') ?? '';
  const type = TYPES[wireType];
  if (type === undefined) return wireType === '' ? lacks('type') : failure(-1116, 'Invalid orderType.');
  const isLimit = type === 'limit' || type === 'stop_limit';
  const postOnly = wireType === 'LIMIT_MAKER';
  const timeInForce = TIMES[given('timeInForce') ?? (isLimit && !postOnly ? '' : 'GTC')];
  if (timeInForce === undefined) return given('timeInForce') === null ? lacks('timeInForce') : failure(-1115, 'Invalid timeInForce.');
  const price = given('price');
  if (isLimit && price === null) return lacks('price');
  const [stopPrice, trailingDelta] = [given('stopPrice'), given('trailingDelta')];
  if (type.startsWith('stop') && stopPrice === null && trailingDelta === null) return lacks('stopPrice');
  const qty = given('quantity');
  const spend = type === 'market' && qty === null ? given('quoteOrderQty') : null;
  if (qty === null && spend === null) return lacks('quantity');
  return {
    symbol: symbol.name,
    side,
    type,
    qty: qty ?? '0',
    timeInForce,
    ...(spend !== null && { quoteQty: spend }),
    ...(isLimit && price !== null && { price }),
    ...(stopPrice !== null && { stopPrice }),
    ...(postOnly && { postOnly }),
    ...(trailingDelta !== null && { trail: { bips: Number(trailingDelta) } }),
  };
}

/** How much of an order the answer to its placing tells. */
export function responseDetail(params: URLSearchParams, type: OrderIntent['type']): string {
  return params.get('newOrderRespType') ?? (type === 'market' || type === 'limit' ? 'FULL' : 'ACK');
}

/** The order that a request names, if there is one, or what to answer where it names none. */
export function namedOrder(
  request: Request,
  [idName, clientIdName]: readonly [idName: string, clientIdName: string] = ['orderId', 'origClientOrderId'],
): { readonly found: OrderRecord | undefined } | WireReply {
  const { core, params } = request;
  const desk = deskOf(request);
  if (isReply(desk)) return desk;
  const clientOrderId = params.get(clientIdName);
  const venueOrderId = params.get(idName);
  if (!clientOrderId && !venueOrderId) return failure(-1102, `Param '${clientIdName}' or '${idName}' must be sent, but both were empty/null!`);
  const found = core.engine.find(request.account, venueOrderId ? { venueOrderId } : { clientOrderId: clientOrderId ?? '' });
  // Of both, the one is searched by, and the other must be right.
  const isMeant = found?.symbol === desk.market.symbol && (!clientOrderId || found.clientOrderId === clientOrderId);
  return { found: isMeant ? found : undefined };
}
