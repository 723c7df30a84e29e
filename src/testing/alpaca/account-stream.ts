import { add } from '../../core/decimal.js';
import type { FillRecord, OrderRecord, OrderVersion } from '../venue/order-record.js';
import { fromUnits } from '../venue/units.js';
import type { VenueCore } from '../venue/venue-core.js';
import type { Ids } from './ids.js';
import { isoTime, type OrderLinks, orderJson } from './wire-format.js';

const ENDED: Partial<Record<OrderVersion['state'], string>> = { canceled: 'canceled', expired: 'expired', rejected: 'rejected' };

/**
 * One account's `trade_updates` as they happen. Alpaca numbers none of them and repeats none: whoever was
 * away reads the lists. Source: docs.alpaca.markets, websocket streaming, trade updates.
 */
export function followTradeUpdates(core: VenueCore, account: string, ids: Ids, links: OrderLinks, listener: (update: object) => void): Disposable {
  let told = 0;
  const tell = (event: string, version: OrderVersion, more: object = {}): void => {
    const execution = { execution_id: ids.of('execution', 2 ** 40 + ++told) };
    listener({ event, timestamp: isoTime(version.venueTime), order: orderJson(version, ids, links), ...execution, ...more });
  };
  const engineListener = {
    order: (version: OrderVersion): void => {
      const { order, state } = version;
      if (order.account.name !== account) return;
      const ended = ENDED[state];
      // What filled was told with the fill.
      if (ended !== undefined) tell(ended === 'canceled' && links.by.has(order.id) ? 'replaced' : ended, version);
      else if (state === 'working') tell('new', version);
    },
    fill: (fill: FillRecord): void => {
      const { order } = fill;
      if (order.account.name !== account) return;
      // Taken on arrival: the venue says first that it has the order.
      if (order.versions.length === 0 && order.fills.length === 1) tell('new', versionOf(order, fill, 'working', 0, 0n));
      const isWhole = order.filled === order.qty;
      const state = isWhole ? 'filled' : order.isLive || order.versions.length === 0 ? 'partially_filled' : order.latest.state;
      tell(isWhole ? 'fill' : 'partial_fill', versionOf(order, fill, state, order.filled, order.traded), {
        execution_id: ids.of('execution', fill.tradeId),
        price: fromUnits(fill.price, order.symbol.pricePlaces),
        qty: fromUnits(fill.qty, order.symbol.qtyPlaces),
        position_qty: positionOf(core, order),
      });
    },
  };
  core.engine.listeners.add(engineListener);
  return { [Symbol.dispose]: () => void core.engine.listeners.delete(engineListener) };
}

function versionOf(order: OrderRecord, { at, venueTime }: FillRecord, state: OrderVersion['state'], filled: number, traded: bigint): OrderVersion {
  return { order, at, venueTime, state, filled, traded, view: undefined };
}

function positionOf(core: VenueCore, order: OrderRecord): string {
  const balance = core.engine.account(order.account.name).ledger.balances()[order.symbol.base];
  return balance === undefined ? '0' : add(balance.free, balance.held);
}
