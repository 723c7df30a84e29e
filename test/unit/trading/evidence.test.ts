import { describe, expect, it } from 'vitest';
import type { VenueOrder } from '../../../src/contracts/broker.js';
import { EventBus } from '../../../src/contracts/events.js';
import { silentLogger } from '../../../src/core/logger.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { MemoryOrderJournal } from '../../../src/stores/memory/memory-order-journal.js';
import { Evidence } from '../../../src/trading/evidence.js';
import { Halts } from '../../../src/trading/halts.js';
import { JournalWriter } from '../../../src/trading/journal-writer.js';
import { entry } from '../../../src/trading/order-entry.js';
import { reduce } from '../../../src/trading/order-reducer.js';
import { OrderTable } from '../../../src/trading/order-table.js';

async function givenEvidence() {
  const clock = new ManualClock();
  const bus = new EventBus();
  const journal = new MemoryOrderJournal({ clock });
  const { epoch } = await journal.acquire('main', 'test', 1e9);
  const writer = new JournalWriter({ journal, account: 'main', clock, bus, logger: silentLogger });
  writer.begin(epoch);
  const table = new OrderTable({ clock, bus, writer });
  const halts = new Halts({ account: 'main', clock, bus, writer });
  const evidence = new Evidence({ account: 'main', table, journal, halts, clock, bus, logger: silentLogger, isLasting: false });
  /** An order that was placed and has filled at once. */
  const fill = async (id: string): Promise<VenueOrder> => {
    const intent = { intentId: id, symbol: 'BTC/USDT', side: 'buy', type: 'market', qty: '1' } as const;
    const prepared = entry('prepared', 0, { intent, clientOrderId: id, payloadHash: 'h' });
    await writer.append(id, [prepared]);
    const order = table.add(reduce(undefined, prepared));
    table.record(order, 'sending', { attempt: 1, venueNow: 0 });
    const shown: VenueOrder = {
      clientOrderId: id,
      venueOrderId: `venue-${id}`,
      state: 'filled',
      symbol: 'BTC/USDT',
      side: 'buy',
      qty: '1',
      filledQty: '1',
      venueTime: 1,
    };
    evidence.orderOf(order, shown, 'answer');
    evidence.fill({ ...shown, fill: { tradeId: id, qty: '1', price: '10', at: 1 } });
    return shown;
  };
  return { clock, bus, table, halts, evidence, writer, fill };
}

describe('evidence of orders that have left memory', () => {
  it('found by review: a second order by the id of one that has filled alike is a conflict, the first one again is not', async () => {
    const { bus, table, halts, evidence, writer, fill } = await givenEvidence();
    const conflicts: string[] = [];
    bus.on('order.conflict', ({ order }) => conflicts.push(order.intent.intentId));
    const first = await fill('first');
    for (let i = 0; i < 1_000; i++) await fill(`other ${i}`);
    await writer.flush();
    expect(table.get('first')).toBeUndefined();
    expect(await evidence.order(first, 'scan')).toBe('foreign');
    expect(conflicts).toEqual([]);
    await evidence.order({ ...first, venueOrderId: 'venue-second' }, 'scan');
    expect(conflicts).toEqual(['first']);
    expect(halts.modeOf(undefined)).toBe('halted');
  });
});
