import { toPlaces } from '../../../core/decimal.js';
import type { Json } from '../../shared/json.js';
import { millis } from '../orders/orders.js';

/** What is different from one report of an order to the next. */
export interface Execution {
  /** What happened: `NEW`, `TRADE`, `CANCELED`, `EXPIRED` or `REJECTED`. */
  readonly what: string;
  readonly status: string;
  readonly filledQty: string;
  readonly filledQuote: string;
  /** Epoch ms of the venue. */
  readonly at: number;
  /** Of a fill. */
  readonly trade?: { readonly id: unknown; readonly qty: string; readonly price: string; readonly quote: string; readonly listed?: Json };
}

/** Binance writes amounts with eight places. */
const eight = (value: string): string => toPlaces(value, 8);

const NOTHING = eight('0');

/**
 * An execution report as the stream would have brought it, of what the listings show of an order. They know neither the number of
 * the execution (`I`) nor the id that a cancellation had. Source: binance-spot-api-docs, user-data-stream.md, order update.
 */
export function recoveredReport(order: Json, { what, status, filledQty, filledQuote, at, trade }: Execution): Json {
  const clientOrderId = order.origClientOrderId ?? order.clientOrderId;
  return {
    e: 'executionReport',
    E: at,
    s: order.symbol,
    c: clientOrderId,
    S: order.side,
    o: order.type,
    f: order.timeInForce,
    q: order.origQty,
    p: order.price,
    P: order.stopPrice ?? NOTHING,
    F: order.icebergQty ?? NOTHING,
    g: order.orderListId ?? -1,
    // A cancellation carries an id of its own in `c`, and that of the order here.
    C: what === 'CANCELED' ? clientOrderId : '',
    x: what,
    X: status,
    r: 'NONE',
    i: order.orderId,
    l: eight(trade?.qty ?? '0'),
    z: eight(filledQty),
    L: eight(trade?.price ?? '0'),
    n: trade?.listed?.commission ?? '0',
    N: trade?.listed?.commissionAsset ?? null,
    T: at,
    t: trade?.id ?? -1,
    w: status === 'NEW' || status === 'PARTIALLY_FILLED',
    m: trade?.listed?.isMaker ?? false,
    M: false,
    O: order.time,
    Z: eight(filledQuote),
    Y: eight(trade?.quote ?? '0'),
    Q: order.origQuoteOrderQty ?? NOTHING,
    W: order.workingTime ?? order.time,
    V: order.selfTradePreventionMode ?? 'NONE',
    recovered: true,
  };
}

/** When an order of the listings was last changed, epoch ms. */
export function changedAt(order: Json): number {
  return millis({ time: order.updateTime ?? order.time }, 'time');
}
