import type { Fill } from '../../contracts/orders.js';
import type { FillRecord } from './order-record.js';
import { AMOUNT_PLACES, fromUnits } from './units.js';

/** What the venue shows of a fill. */
export function fillOf(fill: FillRecord): Fill {
  const { symbol } = fill.order;
  return {
    tradeId: String(fill.tradeId),
    qty: fromUnits(fill.qty, symbol.qtyPlaces),
    price: fromUnits(fill.price, symbol.pricePlaces),
    fee: fromUnits(fill.fee, AMOUNT_PLACES),
    feeAsset: fill.feeAsset,
    at: fill.venueTime,
  };
}
