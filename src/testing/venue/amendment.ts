import { type Answer, done, refuse } from './answers.js';
import type { OrderRecord } from './order-record.js';
import { heldAsset, heldFor } from './order-terms.js';
import { toUnits } from './units.js';

/** What is to be changed of an open order. */
export interface Amendment {
  /** In all, what has filled included. */
  readonly qty?: string;
  /** Of an order that has one. */
  readonly price?: string;
  readonly clientOrderId?: string;
}

/** Gives an open order another quantity or price, and sets aside what it needs then; or leaves all as it was, where the venue's filters or the account say no. */
export function amendTerms(order: OrderRecord, { qty, price }: Amendment): Answer<OrderRecord> {
  const { symbol, filled, account } = order;
  if (!order.isLive || order.quoteQty !== undefined || (price !== undefined && order.price === 0))
    return refuse('unknown_order', 'Unknown order sent.');
  const units = qty === undefined ? order.qty : toUnits(qty, symbol.qtyPlaces);
  if (!(units > filled) || units % symbol.qtyStepUnits !== 0) return refuse('lot_size', `qty must be a multiple of ${symbol.qtyStep}`);
  const level = price === undefined ? order.price : toUnits(price, symbol.pricePlaces);
  if (price !== undefined && (!(level > 0) || level % symbol.priceStepUnits !== 0))
    return refuse('price_filter', `price must be a multiple of ${symbol.priceStep} above 0, got ${price}`);
  const [asset, held] = [heldAsset(order), order.heldPerUnit * BigInt(order.qty - filled)];
  // Another order of its list may have set aside what both need.
  const heldPerUnit = level === order.price || order.heldPerUnit === 0n ? order.heldPerUnit : heldFor(order, level);
  account.ledger.release(asset, held);
  if (!account.ledger.hold(asset, heldPerUnit * BigInt(units - filled))) {
    account.ledger.hold(asset, held);
    return refuse('insufficient_funds', 'Account has insufficient balance for requested action.');
  }
  Object.assign(order, { qty: units, price: level, heldPerUnit });
  return done(order);
}
