import type { Spot } from '@binance/spot';
import type { MainClient, WebsocketAPIClient } from 'binance';
import type { binance } from 'ccxt';
import type { ConnectorClient, SpotConnection } from './given.js';

export type Json = Record<string, unknown>;
export type ListKind = 'OCO' | 'OTO' | 'OTOCO';

/** How a bot makes and changes orders by other requests than one for a plain order, in one form: with the venue's own parameters and answers. */
export interface CompositeWriter {
  place(order: Json): Promise<Json>;
  replace(order: Json): Promise<Json>;
  list(kind: ListKind, more?: Json): Promise<Json>;
  /** Where the SDK has a method for it. */
  cancelList?(orderListId: number): Promise<Json>;
  amend?(params: Json): Promise<Json>;
}

const SYMBOL = { symbol: 'BTCUSDT' };
export const RESTING = { ...SYMBOL, side: 'SELL', type: 'LIMIT', quantity: 0.01, price: 60_000, timeInForce: 'GTC' };
export const TRAILING = { ...SYMBOL, side: 'SELL', type: 'STOP_LOSS', quantity: 0.01, trailingDelta: 100, newClientOrderId: 'trail-1' };

/** The replacement of one that is like {@link RESTING}. */
export const replacing = (cancelOrderId: unknown): Json => ({
  ...RESTING,
  price: 61_000,
  cancelReplaceMode: 'STOP_ON_FAILURE',
  cancelOrderId: Number(cancelOrderId),
  newClientOrderId: 'new-1',
});

const BELOW_AND_ABOVE = { aboveType: 'LIMIT_MAKER', abovePrice: 60_000, belowType: 'STOP_LOSS', belowStopPrice: 40_000 };
const WORKING = { workingType: 'LIMIT', workingSide: 'BUY', workingPrice: 45_000, workingQuantity: 0.01, workingTimeInForce: 'GTC' };
const PENDING = { pendingSide: 'SELL', pendingQuantity: 0.01 };
export const LISTS: Readonly<Record<ListKind, Json>> = {
  OCO: { ...SYMBOL, side: 'SELL', quantity: 0.01, ...BELOW_AND_ABOVE, listClientOrderId: 'list-oco' },
  OTO: { ...SYMBOL, ...WORKING, ...PENDING, pendingType: 'LIMIT', pendingPrice: 60_000, pendingTimeInForce: 'GTC', listClientOrderId: 'list-oto' },
  OTOCO: {
    ...{ ...SYMBOL, ...WORKING, ...PENDING, listClientOrderId: 'list-otoco' },
    ...{ pendingAboveType: 'LIMIT_MAKER', pendingAbovePrice: 60_000, pendingBelowType: 'STOP_LOSS', pendingBelowStopPrice: 40_000 },
  },
};
/** How many orders each has. */
export const ORDERS_OF: Readonly<Record<ListKind, number>> = { OCO: 2, OTO: 2, OTOCO: 3 };
const OLD_OCO = { ...SYMBOL, side: 'SELL', quantity: 0.01, price: 60_000, stopPrice: 40_000, listClientOrderId: 'list-oco' };

type Methods = Readonly<Record<string, (...args: unknown[]) => Promise<unknown>>>;
const dataOf = async (answer: Promise<unknown>): Promise<Json> => ((await answer) as { data: Json }).data;
const readOf = async (answer: Promise<unknown>): Promise<Json> => ((await answer) as { data(): Promise<Json> }).data();
const resultOf = async (answer: Promise<unknown>): Promise<Json> => ((await answer) as { result: Json }).result;

const connectorWriter = (client: ConnectorClient): CompositeWriter => {
  const sdk = client as unknown as Methods;
  return {
    place: ({ symbol, side, type, ...rest }) => dataOf(sdk.newOrder!(symbol, side, type, rest)),
    replace: ({ symbol, side, type, cancelReplaceMode, ...rest }) => dataOf(sdk.cancelAndReplace!(symbol, side, type, cancelReplaceMode, rest)),
    list: (kind, more) => {
      const { symbol, side, quantity, aboveType, belowType, ...rest } = { ...LISTS[kind], ...more } as Json;
      if (kind === 'OCO') return dataOf(sdk.newOCOOrder!(symbol, side, quantity, aboveType, belowType, rest));
      // It has no method for the others.
      return dataOf(sdk.signRequest!('POST', `/api/v3/orderList/${kind.toLowerCase()}`, { ...LISTS[kind], ...more }));
    },
    cancelList: (orderListId) => dataOf(sdk.signRequest!('DELETE', '/api/v3/orderList', { ...SYMBOL, orderListId })),
    amend: (params) => dataOf(sdk.signRequest!('PUT', '/api/v3/order/amend/keepPriority', { ...params })),
  };
};

const mainClientWriter = (client: MainClient): CompositeWriter => {
  const sdk = client as unknown as Methods;
  const methods = { OCO: 'submitNewOrderList', OTO: 'submitNewOrderListOTO', OTOCO: 'submitNewOrderListOTOCO' };
  return {
    place: (order) => sdk.submitNewOrder!({ ...order }) as Promise<Json>,
    replace: (order) => sdk.replaceOrder!({ ...order }) as Promise<Json>,
    list: (kind, more) => sdk[methods[kind]]!({ ...LISTS[kind], ...more }) as Promise<Json>,
    cancelList: (orderListId) => sdk.cancelOCO!({ ...SYMBOL, orderListId }) as Promise<Json>,
    // Its method for that asks a path of the futures API, which does not exist.
    amend: (params) => sdk._call!('PUT', 'api/v3/order/amend/keepPriority', { ...params }, true) as Promise<Json>,
  };
};

const spotWriter = ({ restAPI }: Spot): CompositeWriter => {
  const sdk = restAPI as unknown as Methods;
  const methods = { OCO: 'orderListOco', OTO: 'orderListOto', OTOCO: 'orderListOtoco' };
  // Its methods want all of itself.
  const call = (method: string, params: Json): Promise<Json> => readOf(sdk[method]!.call(restAPI, { ...params }));
  return {
    place: (order) => call('newOrder', order),
    replace: (order) => call('orderCancelReplace', order),
    list: (kind, more) => call(methods[kind], { ...LISTS[kind], ...more }),
    cancelList: (orderListId) => call('deleteOrderList', { ...SYMBOL, orderListId }),
    amend: (params) => call('orderAmendKeepPriority', params),
  };
};

const apiNodeWriter = (client: object): CompositeWriter => {
  const sdk = client as Methods;
  return {
    place: (order) => sdk.order!(order) as Promise<Json>,
    replace: (order) => sdk.updateOrder!(order) as Promise<Json>,
    list: (kind, more) => {
      if (kind === 'OCO') return sdk.orderOco!({ ...OLD_OCO, ...more }) as Promise<Json>;
      return sdk.privateRequest!('POST', `/api/v3/orderList/${kind.toLowerCase()}`, { ...LISTS[kind], ...more }) as Promise<Json>;
    },
    cancelList: (orderListId) => sdk.cancelOrderOco!({ ...SYMBOL, orderListId }) as Promise<Json>,
    amend: (params) => sdk.privateRequest!('PUT', '/api/v3/order/amend/keepPriority', { ...params }) as Promise<Json>,
  };
};

const ccxtWriter = (exchange: binance): CompositeWriter => {
  const sdk = exchange as unknown as Methods;
  return {
    place: async ({ side, type, quantity, price, newClientOrderId, trailingDelta }) => {
      const params = {
        ...(newClientOrderId === undefined ? {} : { clientOrderId: newClientOrderId }),
        ...(trailingDelta === undefined ? {} : { trailingDelta, stopLossOrTakeProfit: 'stopLoss' }),
      };
      const kind = type === 'STOP_LOSS' ? 'market' : String(type).toLowerCase();
      return (await exchange.createOrder('BTC/USDT', kind as never, String(side).toLowerCase() as never, Number(quantity), price as number, params))
        .info;
    },
    replace: async ({ side, type, quantity, price, cancelOrderId, newClientOrderId, cancelReplaceMode }) => {
      const params = { cancelReplaceMode, ...(newClientOrderId === undefined ? {} : { newClientOrderId }) };
      const [kind, way] = [String(type).toLowerCase(), String(side).toLowerCase()];
      const order = await exchange.editOrder(String(cancelOrderId), 'BTC/USDT', kind as never, way as never, Number(quantity), Number(price), params);
      // It shows the new order alone.
      return { newOrderResponse: order.info };
    },
    list: (kind, more) =>
      sdk[`privatePostOrderList${kind.charAt(0)}${kind.slice(1).toLowerCase()}`]!({ ...LISTS[kind], ...more }) as Promise<unknown> as Promise<Json>,
    cancelList: (orderListId) => sdk.privateDeleteOrderList!({ ...SYMBOL, orderListId }) as Promise<Json>,
  };
};

export const spotSocketWriter = (socket: SpotConnection): CompositeWriter => {
  const sdk = socket as unknown as Methods;
  const methods = { OCO: 'orderListPlaceOco', OTO: 'orderListPlaceOto', OTOCO: 'orderListPlaceOtoco' };
  const call = (method: string, params: Json): Promise<Json> => dataOf(sdk[method]!.call(socket, { ...params }));
  return {
    place: (order) => call('orderPlace', order),
    replace: (order) => call('orderCancelReplace', order),
    list: (kind, more) => call(methods[kind], { ...LISTS[kind], ...more }),
    cancelList: (orderListId) => call('orderListCancel', { ...SYMBOL, orderListId }),
    amend: (params) => call('orderAmendKeepPriority', params),
  };
};

export const sieblyApiWriter = (api: WebsocketAPIClient): CompositeWriter => {
  const sdk = api as unknown as Methods;
  const methods = { OCO: 'placeSpotOCOOrderList', OTO: 'placeSpotOTOOrderList', OTOCO: 'placeSpotOTOCOOrderList' };
  const call = (method: string, params: Json): Promise<Json> => resultOf(sdk[method]!.call(api, { ...params, timestamp: Date.now() }));
  return {
    place: (order) => call('submitNewSpotOrder', order),
    replace: (order) => call('cancelReplaceSpotOrder', order),
    list: (kind, more) => call(methods[kind], { ...LISTS[kind], ...more }),
    cancelList: (orderListId) => call('cancelSpotOrderList', { ...SYMBOL, orderListId }),
    amend: (params) => call('amendSpotOrderKeepPriority', params),
  };
};

/** Over REST, by the name of the SDK. */
export const WRITERS: Readonly<Record<string, (sdk: never) => CompositeWriter>> = {
  '@binance/connector': connectorWriter,
  binance: mainClientWriter,
  '@binance/spot': spotWriter,
  'binance-api-node': apiNodeWriter,
  ccxt: ccxtWriter,
};
