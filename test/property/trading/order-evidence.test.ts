import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VenueOrder } from '../../../src/contracts/broker.js';
import { add } from '../../../src/core/decimal.js';
import { type Entry, entry } from '../../../src/trading/order-entry.js';
import { type OrderModel, viewOf } from '../../../src/trading/order-model.js';
import { replay } from '../../../src/trading/order-reducer.js';

const INTENT = { intentId: 'a', symbol: 'BTC/USDT', side: 'buy', type: 'limit', qty: '1', price: '10' } as const;
const BEGINNING: readonly Entry[] = [
  entry('prepared', 0, { intent: INTENT, clientOrderId: 'a', payloadHash: 'h' }),
  entry('sending', 1, { attempt: 1, venueNow: 1 }),
];
const STATES = ['working', 'partially_filled', 'filled', 'canceled', 'expired'] as const;

/** What a venue says of an order that fills in tenths and may then end: orders as they were, and the fills. */
const aHistory = fc
  .record({ tenths: fc.integer({ min: 0, max: 10 }), ends: fc.constantFrom('canceled', 'expired', undefined) })
  .map(({ tenths, ends }) => {
    const entries: Entry[] = [];
    const order = (state: (typeof STATES)[number], filled: number, venueTime: number): void => {
      const shown: VenueOrder = {
        clientOrderId: 'a',
        venueOrderId: 'v',
        state,
        symbol: 'BTC/USDT',
        side: 'buy',
        qty: '1',
        filledQty: String(filled / 10),
        venueTime,
      };
      entries.push(entry('seen', venueTime, { order: shown, by: 'stream' }));
    };
    order('working', 0, 10);
    for (let filled = 1; filled <= tenths; filled++) {
      entries.push(entry('fill', 10 + filled, { venueOrderId: 'v', fill: { tradeId: String(filled), qty: '0.1', price: '10', at: 10 + filled } }));
      order(filled === 10 ? 'filled' : 'partially_filled', filled, 10 + filled);
    }
    if (ends !== undefined && tenths < 10) order(ends, tenths, 50);
    return { entries, tenths };
  });

/** The same, shuffled, with some twice. */
const aDelivery = aHistory.chain(({ entries, tenths }) =>
  fc
    .tuple(fc.shuffledSubarray(entries, { minLength: entries.length }), fc.array(fc.nat(entries.length - 1), { maxLength: 6 }))
    .map(([shuffled, again]) => ({ inOrder: entries, delivered: [...shuffled, ...again.map((i) => entries[i] as Entry)], tenths })),
);

/** All but the reading order of the fills. */
function essence(model: OrderModel): unknown {
  const { fills, reason: _, ...view } = viewOf(model);
  return { ...view, fills: fills.map((fill) => fill.tradeId).sort() };
}

describe('evidence', () => {
  it('ends in the same order whatever the order of arrival, and however often it comes (I14, I16)', async () => {
    await fc.assert(
      fc.asyncProperty(aDelivery, async ({ inOrder, delivered }) => {
        const expected = essence(replay([...BEGINNING, ...inOrder]) as OrderModel);
        expect(essence(replay([...BEGINNING, ...delivered]) as OrderModel)).toEqual(expected);
        expect(essence(replay([...BEGINNING, ...delivered, ...BEGINNING, ...delivered]) as OrderModel)).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('never lets filledQty fall, and keeps it at the sum of the fills (I9)', async () => {
    await fc.assert(
      fc.asyncProperty(aDelivery, async ({ delivered, tenths }) => {
        let last = 0;
        for (let length = 0; length <= delivered.length; length++) {
          const { filledQty } = viewOf(replay([...BEGINNING, ...delivered.slice(0, length)]) as OrderModel);
          expect(Number(filledQty)).toBeGreaterThanOrEqual(last);
          last = Number(filledQty);
        }
        const { fills, filledQty } = viewOf(replay([...BEGINNING, ...delivered]) as OrderModel);
        expect(fills.reduce((sum, fill) => add(sum, fill.qty), '0')).toBe(filledQty);
        expect(Number(filledQty)).toBe(tenths / 10);
      }),
      { numRuns: 300 },
    );
  });
});
