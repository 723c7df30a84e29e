import type { OrderIntent } from '../../../contracts/orders.js';
import { isDecimal, normalize, sign } from '../../../core/decimal.js';
import type { Params } from '../wire.js';

/** What the order path sets anew for each sending. */
const PER_SENDING = ['timestamp', 'recvWindow', 'signature', 'maxRetriesOnFailure', 'maxRetriesOnFailureDelay'];

const TYPES: Readonly<Record<string, OrderIntent['type']>> = {
  MARKET: 'market',
  LIMIT: 'limit',
  LIMIT_MAKER: 'limit',
  STOP_LOSS: 'stop',
  TAKE_PROFIT: 'stop',
  STOP_LOSS_LIMIT: 'stop_limit',
  TAKE_PROFIT_LIMIT: 'stop_limit',
};
const TIMES_IN_FORCE: Readonly<Record<string, NonNullable<OrderIntent['timeInForce']>>> = { GTC: 'gtc', IOC: 'ioc', FOK: 'fok' };

/**
 * The intent of a request for POST /api/v3/order. The request itself travels along and goes on the
 * wire as it is: what the order path keeps of it is what it needs to know the order again.
 *
 * @param symbolOf - the unified symbol of a market id.
 * @returns undefined for what the order path can't keep account of: requests that the venue will refuse for what they lack, or have too much.
 */
export function intentOf(request: Params, symbolOf: (marketId: string) => string | undefined): OrderIntent | undefined {
  const symbol = typeof request.symbol === 'string' ? symbolOf(request.symbol) : undefined;
  const type = TYPES[String(request.type)];
  const side = request.side === 'BUY' ? 'buy' : request.side === 'SELL' ? 'sell' : undefined;
  if (symbol === undefined || type === undefined || side === undefined) return undefined;
  const quoteQty = type === 'market' && request.quantity === undefined ? decimalIn(request, 'quoteOrderQty') : undefined;
  if (request.quoteOrderQty !== undefined && quoteQty === undefined) return undefined;
  const qty = quoteQty === undefined ? decimalIn(request, 'quantity') : '0';
  if (qty === undefined) return undefined;
  const price = type === 'limit' || type === 'stop_limit' ? decimalIn(request, 'price') : undefined;
  const stopPrice = type === 'stop' || type === 'stop_limit' ? decimalIn(request, 'stopPrice') : undefined;
  if ((type === 'limit' || type === 'stop_limit') && price === undefined) return undefined;
  // A trailing stop may do without: it follows from the start.
  if ((type === 'stop' || type === 'stop_limit') && stopPrice === undefined && decimalIn(request, 'trailingDelta') === undefined) return undefined;
  const id = request.newClientOrderId;
  const timeInForce = TIMES_IN_FORCE[String(request.timeInForce)];
  return {
    ...(typeof id === 'string' && id !== '' ? { intentId: id } : {}),
    symbol,
    side,
    type,
    qty,
    ...(quoteQty === undefined ? {} : { quoteQty }),
    ...(price === undefined ? {} : { price }),
    ...(stopPrice === undefined ? {} : { stopPrice }),
    ...(timeInForce === undefined ? {} : { timeInForce }),
    extra: { request: keptOf(request) },
  };
}

/** A request without what is set anew for each sending. */
export function keptOf(request: Params): Params {
  return Object.fromEntries(Object.entries(request).filter(([name]) => !PER_SENDING.includes(name)));
}

/** The parameters of the sending: those of the bot, under the id that the journal has. */
export function requestOf(intent: OrderIntent, clientOrderId: string): Record<string, unknown> {
  return { ...(intent.extra?.request as Params), newClientOrderId: clientOrderId };
}

/** A positive decimal, as text or number, in canonical form; undefined where it is none. */
export function decimalIn(request: Params, name: string): string | undefined {
  const value = request[name];
  const written = typeof value === 'number' ? String(value) : value;
  if (typeof written !== 'string' || !isDecimal(written) || sign(written) <= 0) return undefined;
  return normalize(written);
}
