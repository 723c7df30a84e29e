import { createHash } from 'node:crypto';
import type { OrderIntent, OrderState, OrderView } from '../../../contracts/orders.js';
import type { Params } from '../wire.js';
import { intentOf, keptOf } from './order-requests.js';

export const ORDER = '/api/v3/order';
export const CANCEL_REPLACE = '/api/v3/order/cancelReplace';

const FAILED: readonly OrderState[] = ['rejected', 'abandoned'];

/** Parameters of an order of a list, by what POST /api/v3/order calls them. */
type Names = Readonly<Record<string, string>>;

const ORDER_PARAMETERS = ['type', 'side', 'quantity', 'price', 'stopPrice', 'trailingDelta', 'timeInForce'];

function prefixed(prefix: string, shared: Names = {}): Names {
  const named = [...ORDER_PARAMETERS, 'clientOrderId'].map((name): [string, string] => [
    name,
    `${prefix}${name.charAt(0).toUpperCase()}${name.slice(1)}`,
  ]);
  return { ...Object.fromEntries(named), ...shared };
}

/**
 * The order of a list that stands for all of it, by the path that places the list: a list is taken whole or not at all, so what becomes of that
 * order tells what became of the request. Source: binance-spot-api-docs, rest-api.md, order lists.
 */
const HEADS: Readonly<Record<string, { readonly names: Names; readonly type?: string }>> = {
  '/api/v3/orderList/oco': { names: prefixed('above', { side: 'side', quantity: 'quantity' }) },
  '/api/v3/orderList/oto': { names: prefixed('working') },
  '/api/v3/orderList/otoco': { names: prefixed('working') },
  // The older form: its limit order, whose parameters have no prefix.
  '/api/v3/order/oco': { names: { side: 'side', quantity: 'quantity', price: 'price', clientOrderId: 'limitClientOrderId' }, type: 'LIMIT_MAKER' },
};

/** What cancelReplace has beside the parameters of an order. */
const OF_THE_CANCEL = /^(?:cancel[A-Z]|orderRateLimitExceededMode$)/;

/** An intent of the order path that is sent by another request than one for a plain order. */
export interface CompositeExtra {
  readonly path: string;
  readonly request: Params;
}

/** What is sent for an intent, where that is no plain order. */
export function compositeOf({ extra }: Pick<OrderIntent, 'extra'>): CompositeExtra | undefined {
  return typeof extra?.path === 'string' ? (extra as unknown as CompositeExtra) : undefined;
}

/**
 * The intent of a request that makes an order in another way than POST /api/v3/order: the order that takes the place of another one, or the one that stands
 * for a list. It travels along and goes on the wire as it is, under the ids that the journal has.
 *
 * @returns undefined for other requests, and for what the order path can't keep account of, as for plain orders.
 */
export function compositeIntentOf(path: string, request: Params, symbolOf: (marketId: string) => string | undefined): OrderIntent | undefined {
  if (path === CANCEL_REPLACE) {
    const intent = hasOldOrder(request) ? intentOf(plainOf(request), symbolOf) : undefined;
    return intent && { ...intent, extra: { path, request: keptOf(request) } };
  }
  const head = HEADS[path];
  if (head === undefined) return undefined;
  const { names, type } = head;
  const { listClientOrderId } = request;
  const id = request[names.clientOrderId as string];
  const plain: Record<string, unknown> = { symbol: request.symbol, type };
  for (const name of ORDER_PARAMETERS) if (names[name] !== undefined && request[names[name]] !== undefined) plain[name] = request[names[name]];
  // The list's id is the key where only that is given. It must be no order's.
  plain.newClientOrderId = isId(id) ? id : isId(listClientOrderId) ? `list:${listClientOrderId}` : undefined;
  const intent = intentOf(plain, symbolOf);
  return intent && { ...intent, extra: { path, request: keptOf(request) } };
}

/** The parameters of the sending: those of the bot, under the ids that the journal has. */
export function compositeRequestOf({ path, request }: CompositeExtra, clientOrderId: string): Record<string, unknown> {
  const names = HEADS[path]?.names;
  if (names === undefined) return { ...request, newClientOrderId: clientOrderId };
  const { listClientOrderId = listIdOf(clientOrderId) } = request;
  return { ...request, listClientOrderId, [names.clientOrderId as string]: clientOrderId };
}

/** A request to replace an order, without the order that is replaced. */
export function plainOf(request: Params): Params {
  return Object.fromEntries(Object.entries(request).filter(([name]) => !OF_THE_CANCEL.test(name)));
}

/** How a request to replace an order names the one that is replaced. */
export function oldOrderOf({ symbol, cancelOrderId, cancelOrigClientOrderId }: Params): Params {
  return cancelOrderId === undefined ? { symbol, origClientOrderId: cancelOrigClientOrderId } : { symbol, orderId: cancelOrderId };
}

/** Whether an order is another one than `clientOrderId` that has taken the place of the same old order, or may have. */
export function isReplacementOf(view: OrderView, old: Params, clientOrderId: string): boolean {
  const composite = compositeOf(view.intent);
  if (composite?.path !== CANCEL_REPLACE || view.clientOrderId === clientOrderId || FAILED.includes(view.state)) return false;
  const [one, other] = [oldOrderOf(composite.request), oldOrderOf(old)];
  return (
    one.symbol === other.symbol &&
    `${one.orderId as string | number}` === `${other.orderId as string | number}` &&
    one.origClientOrderId === other.origClientOrderId
  );
}

// Under one id the old order could not be told from the new one.
function hasOldOrder({ cancelOrderId, cancelOrigClientOrderId, newClientOrderId, cancelReplaceMode }: Params): boolean {
  if (cancelOrderId === undefined && !isId(cancelOrigClientOrderId)) return false;
  return isId(cancelReplaceMode) && (newClientOrderId === undefined || newClientOrderId !== cancelOrigClientOrderId);
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function listIdOf(clientOrderId: string): string {
  return `vk-list-${createHash('sha256').update(clientOrderId).digest('base64url').slice(0, 20)}`;
}
