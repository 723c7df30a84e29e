import { add, divide, multiply, toPlaces } from '../../core/decimal.js';
import type { ListedSymbol } from '../venue/listed-symbol.js';
import type { FillRecord, OrderRecord, OrderVersion, Trail } from '../venue/order-record.js';
import { AMOUNT_PLACES, fromUnits } from '../venue/units.js';
import { assetId, pairAltname, pairId, pairWsname } from './asset-codes.js';
import type { Ids } from './ids.js';

const VOLUME_PLACES = 8;
const COST_PLACES = 5;

const TYPES = { market: 'market', limit: 'limit', stop: 'stop-loss', stop_limit: 'stop-loss-limit' } as const;
const STATES: Readonly<Record<OrderVersion['state'], string>> = {
  working: 'open',
  partially_filled: 'open',
  filled: 'closed',
  canceled: 'canceled',
  expired: 'expired',
  rejected: 'canceled',
};

/** Ids that the venue made for orders that came without one; Kraken shows none then. */
export const UNNAMED = 'unnamed-';

/** As Kraken prints volumes: eight decimal places, as a string. */
export function volume(value: string | number): string {
  return typeof value === 'number' ? value.toFixed(VOLUME_PLACES) : toPlaces(value, VOLUME_PLACES);
}

/** As Kraken prints times: seconds with decimal places, as a number. */
export function seconds(ms: number): number {
  return ms / 1_000;
}

export function priceText(symbol: ListedSymbol, value: string | number): string {
  return typeof value === 'number' ? value.toFixed(symbol.pricePlaces) : toPlaces(value, symbol.pricePlaces);
}

function priceOf(symbol: ListedSymbol, units: number): string {
  return units === 0 ? '0' : fromUnits(units, symbol.pricePlaces);
}

function costOf(symbol: ListedSymbol, traded: bigint): string {
  return fromUnits(traded, symbol.pricePlaces + symbol.qtyPlaces);
}

/** How far a trailing stop stays behind, and its limit from where it is triggered. */
function distanceOf(symbol: ListedSymbol, distance: Trail): string {
  const size = 'bips' in distance ? distance.bips : distance.units;
  return `${size < 0 ? '-' : '+'}${'bips' in distance ? `${Math.abs(size / 100).toFixed(4)}%` : priceOf(symbol, Math.abs(size))}`;
}

/** Such as `buy 0.01000000 XBTUSD @ limit 40000.0`. */
export function descriptionOf(order: OrderRecord): string {
  const { symbol, side, type, qty, price, stopPrice, trail, limitOffset } = order;
  const limit = limitOffset === undefined ? priceOf(symbol, price) : distanceOf(symbol, limitOffset);
  const stop = trail === undefined ? `stop loss ${priceOf(symbol, stopPrice)}` : `trailing stop ${distanceOf(symbol, trail)}`;
  const terms: Readonly<Record<OrderRecord['type'], string>> = {
    market: 'market',
    limit: `limit ${priceOf(symbol, price)}`,
    stop,
    stop_limit: `${stop} -> limit ${limit}`,
  };
  return `${side} ${volume(fromUnits(qty, symbol.qtyPlaces))} ${pairAltname(symbol)} @ ${terms[type]}`;
}

/** An order as QueryOrders and the lists show it. */
export function orderJson(version: OrderVersion, ids: Ids, userref: number | undefined, withTrades: boolean): Record<string, unknown> {
  const { order, state, filled, traded, at } = version;
  const { symbol, price, stopPrice, type, trail, limitOffset } = order;
  const fees = order.fills.filter((fill) => fill.at <= at).map(feeOf);
  const cost = costOf(symbol, traded);
  const isOpen = state === 'working' || state === 'partially_filled';
  return {
    refid: null,
    userref: userref ?? null,
    cl_ord_id: order.clientOrderId.startsWith(UNNAMED) ? null : order.clientOrderId,
    status: STATES[state],
    ...(isOpen ? {} : { reason: state === 'canceled' ? 'User requested' : null, closetm: seconds(version.venueTime) }),
    opentm: seconds(order.createdVenueTime),
    starttm: 0,
    expiretm: 0,
    descr: {
      pair: pairAltname(symbol),
      type: order.side,
      ordertype: trail === undefined ? TYPES[type] : type === 'stop_limit' ? 'trailing-stop-limit' : 'trailing-stop',
      price: trail === undefined ? priceOf(symbol, type === 'stop' || type === 'stop_limit' ? stopPrice : price) : distanceOf(symbol, trail),
      price2: type !== 'stop_limit' ? '0' : limitOffset === undefined ? priceOf(symbol, price) : distanceOf(symbol, limitOffset),
      leverage: 'none',
      order: descriptionOf(order),
      close: '',
    },
    vol: volume(fromUnits(order.qty, symbol.qtyPlaces)),
    vol_exec: volume(fromUnits(filled, symbol.qtyPlaces)),
    cost: toPlaces(cost, COST_PLACES),
    fee: toPlaces(fees.reduce(add, '0'), COST_PLACES),
    price: filled === 0 ? '0.00000' : toPlaces(divide(cost, fromUnits(filled, symbol.qtyPlaces)), COST_PLACES),
    stopprice: '0.00000',
    limitprice: '0.00000',
    misc: state === 'partially_filled' ? 'partial' : '',
    oflags: 'fciq',
    ...(withTrades && order.fills.length > 0 && { trades: order.fills.map(({ tradeId }) => ids.of('T', tradeId)) }),
  };
}

// In the quote asset, whichever asset the venue has taken it in.
function feeOf({ fee, feeAsset, order: { symbol }, price }: FillRecord): string {
  const amount = fromUnits(fee, AMOUNT_PLACES);
  return feeAsset === symbol.quote ? amount : multiply(amount, fromUnits(price, symbol.pricePlaces));
}

/** A trade of the account, as TradesHistory shows it. */
export function tradeJson(fill: FillRecord, ids: Ids): Record<string, unknown> {
  const { order, price, qty, venueTime, tradeId, isMaker } = fill;
  const { symbol } = order;
  return {
    ordertxid: ids.of('O', order.id),
    postxid: ids.of('T', tradeId),
    pair: pairId(symbol),
    time: seconds(venueTime),
    type: order.side,
    ordertype: TYPES[order.type],
    price: priceOf(symbol, price),
    cost: toPlaces(costOf(symbol, BigInt(price) * BigInt(qty)), COST_PLACES),
    fee: toPlaces(feeOf(fill), COST_PLACES),
    vol: volume(fromUnits(qty, symbol.qtyPlaces)),
    margin: '0.00000',
    leverage: '0',
    misc: '',
    trade_id: tradeId,
    maker: isMaker,
  };
}

/** A pair as AssetPairs lists it. */
export function pairJson(symbol: ListedSymbol): Record<string, unknown> {
  return {
    altname: pairAltname(symbol),
    wsname: pairWsname(symbol),
    aclass_base: 'currency',
    base: assetId(symbol.base),
    aclass_quote: 'currency',
    quote: assetId(symbol.quote),
    lot: 'unit',
    cost_decimals: COST_PLACES,
    pair_decimals: symbol.pricePlaces,
    lot_decimals: symbol.qtyPlaces,
    lot_multiplier: 1,
    leverage_buy: [],
    leverage_sell: [],
    fees: [[0, 0]],
    fees_maker: [[0, 0]],
    fee_volume_currency: 'ZUSD',
    margin_call: 80,
    margin_stop: 40,
    ordermin: symbol.qtyStep,
    costmin: symbol.minNotional ?? '0',
    tick_size: symbol.priceStep,
    status: 'online',
  };
}
