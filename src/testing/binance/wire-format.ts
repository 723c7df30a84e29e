import { toPlaces } from '../../core/decimal.js';
import type { ListedSymbol } from '../venue/listed-symbol.js';
import type { FillRecord, OrderList, OrderRecord, OrderVersion } from '../venue/order-record.js';
import { AMOUNT_PLACES, fromUnits } from '../venue/units.js';

const PLACES = 8;
const LARGEST_QTY = '9000000.00000000';
const LARGEST_PRICE = '1000000000.00000000';

const TYPES = { market: 'MARKET', limit: 'LIMIT', stop: 'STOP_LOSS', stop_limit: 'STOP_LOSS_LIMIT' } as const;
const LIMIT_MAKER = 'LIMIT_MAKER';
const STATES: Readonly<Record<OrderVersion['state'], string>> = {
  working: 'NEW',
  partially_filled: 'PARTIALLY_FILLED',
  filled: 'FILLED',
  canceled: 'CANCELED',
  expired: 'EXPIRED',
  rejected: 'REJECTED',
};

/** As Binance prints numbers: eight decimal places, as a string. */
export function eight(value: string | number): string {
  return typeof value === 'number' ? value.toFixed(PLACES) : toPlaces(value, PLACES);
}

const price = (units: number, symbol: ListedSymbol): string => eight(fromUnits(units, symbol.pricePlaces));
const qty = (units: number, symbol: ListedSymbol): string => eight(fromUnits(units, symbol.qtyPlaces));

/** An order as GET order and the lists show it. */
export function orderJson(version: OrderVersion): Record<string, unknown> {
  const { order, venueTime } = version;
  return {
    ...commonJson(version),
    time: order.createdVenueTime,
    updateTime: venueTime,
    isWorking: order.phase !== 'waiting' && order.phase !== 'pending',
  };
}

/** What every form of an order has. */
export function commonJson(version: Omit<OrderVersion, 'at' | 'view'>): Record<string, unknown> {
  const { order } = version;
  const { symbol } = order;
  return {
    symbol: symbol.id,
    orderId: order.id,
    orderListId: listIdOf(order),
    clientOrderId: order.clientOrderId,
    price: price(order.price, symbol),
    origQty: qty(order.qty, symbol),
    executedQty: qty(version.filled, symbol),
    cummulativeQuoteQty: eight(fromUnits(version.traded, symbol.pricePlaces + symbol.qtyPlaces)),
    status: version.state === 'working' && order.phase === 'pending' ? 'PENDING_NEW' : STATES[version.state],
    timeInForce: order.timeInForce === 'day' ? 'GTC' : order.timeInForce.toUpperCase(),
    type: order.postOnly ? LIMIT_MAKER : TYPES[order.type],
    side: order.side.toUpperCase(),
    stopPrice: price(order.stopPrice, symbol),
    ...(order.trail !== undefined && 'bips' in order.trail && { trailingDelta: order.trail.bips }),
    icebergQty: eight('0'),
    origQuoteOrderQty: eight(order.quoteQty ?? '0'),
    workingTime: order.createdVenueTime,
    selfTradePreventionMode: 'NONE',
  };
}

/** The answer to POST order, as short or long as was asked for. */
export function placedJson(order: OrderRecord, detail: string): Record<string, unknown> {
  const { symbol, latest } = order;
  const brief = {
    symbol: symbol.id,
    orderId: order.id,
    orderListId: listIdOf(order),
    clientOrderId: order.clientOrderId,
    transactTime: latest.venueTime,
  };
  if (detail === 'ACK') return brief;
  const result = { ...commonJson(latest), ...brief };
  if (detail === 'RESULT') return result;
  const fills = order.fills.map((fill) => ({
    price: price(fill.price, symbol),
    qty: qty(fill.qty, symbol),
    commission: eight(fromUnits(fill.fee, AMOUNT_PLACES)),
    commissionAsset: fill.feeAsset,
    tradeId: fill.tradeId,
  }));
  return { ...result, fills };
}

/** The answer to DELETE order: the cancel has a client id of its own. */
export function cancelledJson(order: OrderRecord, cancelId: string): Record<string, unknown> {
  const { latest } = order;
  return { ...commonJson(latest), origClientOrderId: order.clientOrderId, clientOrderId: cancelId, transactTime: latest.venueTime };
}

/** The answer to an amendment. @param before - the client order id that it had */
export function amendedJson(order: OrderRecord, before: string, executionId: number): Record<string, unknown> {
  const { origQty, cummulativeQuoteQty, ...rest } = commonJson(order.latest);
  const amendedOrder = { ...rest, origClientOrderId: before, qty: origQty, cumulativeQuoteQty: cummulativeQuoteQty, quoteOrderQty: eight('0') };
  return { transactTime: order.latest.venueTime, executionId, amendedOrder };
}

/** A list as it is listed. */
export function listJson(list: OrderList, isOpen: boolean): Record<string, unknown> {
  const [first] = list.orders;
  const symbol = first?.symbol.id;
  return {
    orderListId: list.id,
    contingencyType: list.contingency === 'oco' ? 'OCO' : 'OTO',
    listStatusType: isOpen ? 'EXEC_STARTED' : 'ALL_DONE',
    listOrderStatus: isOpen ? 'EXECUTING' : 'ALL_DONE',
    listClientOrderId: list.clientId,
    transactionTime: list.createdVenueTime,
    symbol,
    orders: list.orders.map((order) => ({ symbol, orderId: order.id, clientOrderId: order.clientOrderId })),
  };
}

function listIdOf({ list }: OrderRecord): number {
  return list?.id ?? -1;
}

export function tradeJson(fill: FillRecord): Record<string, unknown> {
  const { order } = fill;
  const { symbol } = order;
  return {
    symbol: symbol.id,
    id: fill.tradeId,
    orderId: order.id,
    orderListId: listIdOf(order),
    price: price(fill.price, symbol),
    qty: qty(fill.qty, symbol),
    quoteQty: eight(fromUnits(BigInt(fill.price) * BigInt(fill.qty), symbol.pricePlaces + symbol.qtyPlaces)),
    commission: eight(fromUnits(fill.fee, AMOUNT_PLACES)),
    commissionAsset: fill.feeAsset,
    time: fill.venueTime,
    isBuyer: order.side === 'buy',
    isMaker: fill.isMaker,
    isBestMatch: true,
  };
}

export function symbolJson(symbol: ListedSymbol): Record<string, unknown> {
  const step = eight(symbol.qtyStep);
  return {
    symbol: symbol.id,
    status: 'TRADING',
    baseAsset: symbol.base,
    baseAssetPrecision: PLACES,
    quoteAsset: symbol.quote,
    quotePrecision: PLACES,
    quoteAssetPrecision: PLACES,
    baseCommissionPrecision: PLACES,
    quoteCommissionPrecision: PLACES,
    orderTypes: [...Object.values(TYPES), LIMIT_MAKER],
    icebergAllowed: false,
    ocoAllowed: true,
    otoAllowed: true,
    amendAllowed: true,
    quoteOrderQtyMarketAllowed: true,
    allowTrailingStop: true,
    cancelReplaceAllowed: true,
    isSpotTradingAllowed: true,
    isMarginTradingAllowed: false,
    filters: [
      { filterType: 'PRICE_FILTER', minPrice: eight(symbol.priceStep), maxPrice: LARGEST_PRICE, tickSize: eight(symbol.priceStep) },
      { filterType: 'LOT_SIZE', minQty: step, maxQty: LARGEST_QTY, stepSize: step },
      {
        filterType: 'TRAILING_DELTA',
        minTrailingAboveDelta: 1,
        maxTrailingAboveDelta: 9_999,
        minTrailingBelowDelta: 1,
        maxTrailingBelowDelta: 9_999,
      },
      { filterType: 'MARKET_LOT_SIZE', minQty: step, maxQty: LARGEST_QTY, stepSize: step },
      {
        filterType: 'NOTIONAL',
        minNotional: eight(symbol.minNotional ?? '0'),
        applyMinToMarket: true,
        maxNotional: '9000000000.00000000',
        applyMaxToMarket: false,
        avgPriceMins: 0,
      },
    ],
    permissions: [],
    permissionSets: [['SPOT']],
    defaultSelfTradePreventionMode: 'NONE',
    allowedSelfTradePreventionModes: ['NONE'],
  };
}
