import type { VenueEvent } from '../../contracts/broker.js';
import { fillOf } from '../venue/fill-view.js';
import { type FillRecord, type OrderVersion, viewOf } from '../venue/order-record.js';
import type { VenueCore } from '../venue/venue-core.js';
import { StreamLine } from './stream-line.js';

/** One account's orders and fills as they happen, numbered from 1 behind a `synced`. */
export function accountEvents(core: VenueCore, account: string, signal: AbortSignal): AsyncIterable<VenueEvent> {
  return {
    [Symbol.asyncIterator]: () => {
      let sequence = 0;
      const listener = {
        order: (version: OrderVersion): void => {
          if (version.order.account.name === account) line.push({ kind: 'order', order: viewOf(version), seq: ++sequence });
        },
        fill: (fill: FillRecord): void => {
          if (fill.order.account.name !== account) return;
          const { id, clientOrderId } = fill.order;
          line.push({ kind: 'fill', venueOrderId: String(id), clientOrderId, fill: fillOf(fill), seq: ++sequence });
        },
      };
      const line = new StreamLine<VenueEvent>(core, 'events', signal, () => core.engine.listeners.delete(listener));
      line.open({ kind: 'synced' });
      if (!signal.aborted) core.engine.listeners.add(listener);
      return line[Symbol.asyncIterator]();
    },
  };
}
