import { divide, multiply, subtract } from '../../core/decimal.js';
import type { ListedSymbol } from '../venue/listed-symbol.js';
import type { FillRecord, OrderRecord, OrderVersion } from '../venue/order-record.js';
import { viewOf } from '../venue/order-record.js';
import { trailedPrice } from '../venue/trailing-stops.js';
import { fromUnits } from '../venue/units.js';
import { isCrypto } from './endpoint.js';
import type { Ids } from './ids.js';
import { multiLegJson, ORDER_CLASSES } from './order-classes.js';

/**
 * Orders, positions and assets as Alpaca writes them. Source: docs.alpaca.markets, Trading API reference, and the models
 * of @alpacahq/alpaca-trade-api 4, which are made of its OpenAPI description.
 */

const STATUSES: Readonly<Record<OrderVersion['state'], string>> = {
  working: 'new',
  partially_filled: 'partially_filled',
  filled: 'filled',
  canceled: 'canceled',
  expired: 'expired',
  rejected: 'rejected',
};
const ENDED_AT: Partial<Record<OrderVersion['state'], string>> = {
  filled: 'filled_at',
  canceled: 'canceled_at',
  expired: 'expired_at',
  rejected: 'failed_at',
};

/** What orders have to do with others, by their numbers: which one another has taken the place of, and which legs they were asked for with. */
export interface OrderLinks {
  readonly by: ReadonlyMap<number, number>;
  readonly of: ReadonlyMap<number, number>;
  readonly legs: ReadonlyMap<number, readonly Readonly<Record<string, unknown>>[]>;
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

export function assetClass(symbol: ListedSymbol): 'crypto' | 'us_equity' {
  return isCrypto(symbol.name) ? 'crypto' : 'us_equity';
}

/** What of an order does not change while it lives. */
function termsJson(order: OrderRecord, ids: Ids, { of, legs }: OrderLinks): Record<string, unknown> {
  const { symbol, trail } = order;
  const type = trail === undefined ? order.type : 'trailing_stop';
  const price = (units: number): string | null => (units > 0 ? fromUnits(units, symbol.pricePlaces) : null);
  const created = isoTime(order.createdVenueTime);
  const replaces = of.get(order.id);
  const ownLegs = legs.get(order.id);
  return {
    id: ids.of('order', order.id),
    client_order_id: order.clientOrderId,
    created_at: created,
    submitted_at: created,
    asset_id: ids.of('asset', symbol.index + 1),
    symbol: symbol.name,
    asset_class: assetClass(symbol),
    // Of the two, the one that it was placed by; the other stays null.
    notional: order.quoteQty ?? null,
    qty: order.quoteQty === undefined ? fromUnits(order.qty, symbol.qtyPlaces) : null,
    order_class: order.list === undefined ? '' : ORDER_CLASSES[order.list.contingency],
    order_type: type,
    type,
    side: order.side,
    position_intent: order.side === 'buy' ? 'buy_to_open' : 'sell_to_close',
    time_in_force: order.timeInForce,
    limit_price: price(order.price),
    stop_price: price(trail === undefined ? order.stopPrice : trailedPrice(order)),
    extended_hours: false,
    legs: null,
    trail_percent: trail !== undefined && 'bips' in trail ? String(trail.bips / 100) : null,
    trail_price: trail !== undefined && 'units' in trail ? price(trail.units) : null,
    hwm: price(order.extreme),
    subtag: null,
    source: null,
    replaces: replaces === undefined ? null : ids.of('order', replaces),
    ...(ownLegs !== undefined && multiLegJson(order, ownLegs, ids)),
  };
}

/** An order as the lists and look-ups show it. */
export function orderJson(version: OrderVersion, ids: Ids, links: OrderLinks): Record<string, unknown> {
  const { order, state, venueTime } = version;
  const view = viewOf(version);
  const replacedBy = links.by.get(order.id);
  const isReplaced = replacedBy !== undefined && state === 'canceled';
  const ended = isReplaced ? 'replaced_at' : ENDED_AT[state];
  return {
    ...termsJson(order, ids, links),
    updated_at: isoTime(venueTime),
    filled_at: null,
    expired_at: null,
    canceled_at: null,
    failed_at: null,
    replaced_at: null,
    ...(ended === undefined ? {} : { [ended]: isoTime(venueTime) }),
    replaced_by: isReplaced ? ids.of('order', replacedBy) : null,
    filled_qty: view.filledQty,
    filled_avg_price: view.avgPrice ?? null,
    status: isReplaced ? 'replaced' : state === 'working' && order.phase === 'pending' ? 'held' : STATUSES[state],
  };
}

/** The answer to POST: the order as it was taken in, whatever has become of it since. */
export function acceptedJson(order: OrderRecord, ids: Ids, links: OrderLinks): Record<string, unknown> {
  return {
    ...termsJson(order, ids, links),
    updated_at: isoTime(order.createdVenueTime),
    filled_at: null,
    expired_at: null,
    canceled_at: null,
    failed_at: null,
    replaced_at: null,
    replaced_by: null,
    filled_qty: '0',
    filled_avg_price: null,
    status: 'pending_new',
  };
}

/** The id of an activity: a time that sorts, and what it was. */
export function activityId(fill: FillRecord, ids: Ids): string {
  const digits = isoTime(fill.venueTime).replace(/\D/g, '');
  return `${digits}::${ids.of('execution', fill.tradeId)}`;
}

/** A fill among the account's activities. @param filled - of its order, this one included */
export function activityJson(fill: FillRecord, filled: number, ids: Ids): Record<string, unknown> {
  const { order } = fill;
  const { symbol } = order;
  const isLast = filled === order.qty;
  return {
    id: activityId(fill, ids),
    activity_type: 'FILL',
    transaction_time: isoTime(fill.venueTime),
    type: isLast ? 'fill' : 'partial_fill',
    price: fromUnits(fill.price, symbol.pricePlaces),
    qty: fromUnits(fill.qty, symbol.qtyPlaces),
    side: order.side,
    symbol: symbol.name,
    leaves_qty: fromUnits(order.qty - filled, symbol.qtyPlaces),
    order_id: ids.of('order', order.id),
    cum_qty: fromUnits(filled, symbol.qtyPlaces),
    order_status: isLast ? 'filled' : 'partially_filled',
  };
}

export function assetJson(symbol: ListedSymbol, ids: Ids): Record<string, unknown> {
  const crypto = isCrypto(symbol.name);
  const common = {
    id: ids.of('asset', symbol.index + 1),
    class: assetClass(symbol),
    exchange: crypto ? 'CRYPTO' : 'NASDAQ',
    symbol: symbol.name,
    name: symbol.name,
    status: 'active',
    tradable: true,
    marginable: false,
    maintenance_margin_requirement: 100,
    shortable: false,
    easy_to_borrow: false,
    fractionable: crypto || symbol.qtyPlaces > 0,
    attributes: [],
  };
  // Shares state no steps: those are the exchange's, known to all.
  return crypto ? { ...common, min_order_size: symbol.qtyStep, min_trade_increment: symbol.qtyStep, price_increment: symbol.priceStep } : common;
}

/** What an account holds of one asset. */
export interface Holding {
  readonly symbol: ListedSymbol;
  readonly qty: string;
  readonly available: string;
  readonly entryPrice: string;
  readonly price: string;
}

export function positionJson({ symbol, qty, available, entryPrice, price }: Holding, ids: Ids): Record<string, unknown> {
  const value = multiply(qty, price);
  const cost = multiply(qty, entryPrice);
  const gain = subtract(value, cost);
  const share = Number(cost) === 0 ? '0' : divide(gain, cost);
  return {
    asset_id: ids.of('asset', symbol.index + 1),
    symbol: symbol.id,
    exchange: isCrypto(symbol.name) ? 'CRYPTO' : 'NASDAQ',
    asset_class: assetClass(symbol),
    asset_marginable: false,
    qty,
    qty_available: available,
    avg_entry_price: entryPrice,
    side: 'long',
    market_value: value,
    cost_basis: cost,
    unrealized_pl: gain,
    unrealized_plpc: share,
    unrealized_intraday_pl: gain,
    unrealized_intraday_plpc: share,
    current_price: price,
    lastday_price: entryPrice,
    change_today: '0',
  };
}
