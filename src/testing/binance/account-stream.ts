import type { FillRecord, OrderList, OrderRecord, OrderVersion } from '../venue/order-record.js';
import { AMOUNT_PLACES, fromUnits } from '../venue/units.js';
import type { VenueCore } from '../venue/venue-core.js';
import { commonJson, eight, listJson } from './wire-format.js';

/** What happened to an order, as `x` of an execution report says it. */
type Execution = 'NEW' | 'TRADE' | 'CANCELED' | 'EXPIRED' | 'REJECTED';

const ENDED: Partial<Record<OrderVersion['state'], Execution>> = { canceled: 'CANCELED', expired: 'EXPIRED', rejected: 'REJECTED' };

/**
 * One account's user data events, as they happen. Binance numbers none of them: whoever was away
 * reads the listings. Source: binance-spot-api-docs, user-data-stream.md.
 */
export function followAccount(core: VenueCore, account: string, listener: (event: object) => void): Disposable {
  let executions = 0;
  const report = (order: OrderRecord, execution: Execution, at: { readonly venueTime: number }, fill?: FillRecord): void =>
    listener(executionReport(order, execution, ++executions, at.venueTime, fill));
  const balances = (order: OrderRecord, venueTime: number): void => {
    const { base, quote } = order.symbol;
    const all = core.engine.account(account).ledger.balances();
    const rows = [base, quote].map((asset) => ({ a: asset, f: eight(all[asset]?.free ?? '0'), l: eight(all[asset]?.held ?? '0') }));
    listener({ e: 'outboundAccountPosition', E: venueTime, u: venueTime, B: rows });
  };
  const listStatus = (list: OrderList): void => {
    if (list.orders[0]?.account.name !== account) return;
    const json = listJson(list, !list.isDone);
    const orders = list.orders.map(({ id, clientOrderId }) => ({ s: json.symbol, i: id, c: clientOrderId }));
    listener({
      e: 'listStatus',
      E: core.venueClock.venueNow(),
      s: json.symbol,
      g: list.id,
      c: json.contingencyType,
      l: json.listStatusType,
      L: json.listOrderStatus,
      r: 'NONE',
      C: list.clientId,
      T: core.venueClock.venueNow(),
      O: orders,
    });
  };
  const engineListener = {
    list: listStatus,
    order: (version: OrderVersion): void => {
      const { order, state } = version;
      if (order.account.name !== account) return;
      const ended = ENDED[state];
      // What filled was reported with the fill.
      if (ended !== undefined) report(order, ended, version);
      else if (state === 'working') report(order, 'NEW', version);
      balances(order, version.venueTime);
    },
    fill: (fill: FillRecord): void => {
      const { order } = fill;
      if (order.account.name !== account) return;
      // Taken on arrival: the venue says first that it has the order.
      if (order.versions.length === 0 && order.fills.length === 1) report(order, 'NEW', fill);
      report(order, 'TRADE', fill, fill);
    },
  };
  core.engine.listeners.add(engineListener);
  return { [Symbol.dispose]: () => void core.engine.listeners.delete(engineListener) };
}

function executionReport(order: OrderRecord, execution: Execution, id: number, venueTime: number, fill: FillRecord | undefined): object {
  const { symbol } = order;
  const filled = execution === 'NEW' && order.versions.length === 0 ? 0 : order.filled;
  const json = commonJson({ order, venueTime, state: stateOf(order, execution), filled, traded: filled === 0 ? 0n : order.traded });
  const price = (units: number): string => eight(fromUnits(units, symbol.pricePlaces));
  return {
    e: 'executionReport',
    E: venueTime,
    s: json.symbol,
    // A cancellation carries an id of its own, and the order's in C.
    c: execution === 'CANCELED' ? `cancel_${order.id}` : order.clientOrderId,
    S: json.side,
    o: json.type,
    f: json.timeInForce,
    q: json.origQty,
    p: json.price,
    P: json.stopPrice,
    F: eight('0'),
    g: json.orderListId,
    C: execution === 'CANCELED' ? order.clientOrderId : '',
    x: execution,
    X: json.status,
    r: execution === 'REJECTED' ? 'UNKNOWN_ERROR' : 'NONE',
    i: order.id,
    l: eight(fill === undefined ? '0' : fromUnits(fill.qty, symbol.qtyPlaces)),
    z: json.executedQty,
    L: fill === undefined ? eight('0') : price(fill.price),
    n: fill === undefined ? '0' : eight(fromUnits(fill.fee, AMOUNT_PLACES)),
    N: fill === undefined ? null : fill.feeAsset,
    T: venueTime,
    t: fill === undefined ? -1 : fill.tradeId,
    I: id,
    w: order.phase === 'resting',
    m: fill?.isMaker ?? false,
    M: false,
    O: order.createdVenueTime,
    Z: json.cummulativeQuoteQty,
    Y: fill === undefined ? eight('0') : eight(fromUnits(BigInt(fill.price) * BigInt(fill.qty), symbol.pricePlaces + symbol.qtyPlaces)),
    Q: eight(order.quoteQty ?? '0'),
    W: order.createdVenueTime,
    V: 'NONE',
  };
}

function stateOf(order: OrderRecord, execution: Execution): OrderVersion['state'] {
  if (execution === 'NEW') return 'working';
  if (execution === 'TRADE') {
    if (order.filled === order.qty) return 'filled';
    // On arrival it is in no book yet; one that has ended and fills all the same keeps its end.
    return order.isLive || order.versions.length === 0 ? 'partially_filled' : order.latest.state;
  }
  return execution === 'CANCELED' ? 'canceled' : execution === 'EXPIRED' ? 'expired' : 'rejected';
}
