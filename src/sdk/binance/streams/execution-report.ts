import type { VenueEvent, VenueOrder } from '../../../contracts/broker.js';
import { divide, isZero, normalize } from '../../../core/decimal.js';
import { VenueKitError } from '../../../core/errors.js';
import { type Json, number, text } from '../../shared/json.js';
import { ORDER_STATES, SIDES } from '../orders/orders.js';

/**
 * What an execution report says, as events of the trading client: the fill first, then the order as it
 * is by then. Source: binance-spot-api-docs, user-data-stream.md, order update.
 */
export function eventsOf(report: Json, symbol: string): readonly VenueEvent[] {
  const order = orderOf(report, symbol);
  const event: VenueEvent = { kind: 'order', order };
  if (report.x !== 'TRADE') return [event];
  const fill = {
    tradeId: text(report, 't'),
    qty: normalize(text(report, 'l')),
    price: normalize(text(report, 'L')),
    ...(typeof report.N === 'string' ? { fee: normalize(text(report, 'n')), feeAsset: report.N } : {}),
    at: number(report, 'T'),
  };
  const named = order.clientOrderId === undefined ? {} : { clientOrderId: order.clientOrderId };
  return [{ kind: 'fill', venueOrderId: order.venueOrderId, ...named, symbol, fill }, event];
}

function orderOf(report: Json, symbol: string): VenueOrder {
  const state = ORDER_STATES[text(report, 'X')];
  const side = SIDES[text(report, 'S')];
  if (state === undefined || side === undefined)
    throw new VenueKitError('BAD_ANSWER', `an execution report has the unknown status or side ${JSON.stringify([report.X, report.S])}`);
  const filledQty = normalize(text(report, 'z'));
  const quoteQty = text(report, 'Z');
  const price = normalize(text(report, 'p'));
  // A cancellation has an id of its own in c, and that of the order in C.
  const clientOrderId = typeof report.C === 'string' && report.C !== '' ? report.C : report.c;
  return {
    ...(typeof clientOrderId === 'string' ? { clientOrderId } : {}),
    venueOrderId: text(report, 'i'),
    state,
    symbol,
    side,
    qty: normalize(text(report, 'q')),
    ...(isZero(price) ? {} : { price }),
    filledQty,
    ...(isZero(filledQty) || quoteQty.startsWith('-') ? {} : { avgPrice: divide(quoteQty, filledQty) }),
    venueTime: number(report, 'T'),
  };
}
