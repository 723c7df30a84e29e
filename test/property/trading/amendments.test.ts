import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventBus } from '../../../src/contracts/events.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { seededRandom } from '../../../src/core/random.js';
import { MemoryOrderJournal } from '../../../src/stores/memory/memory-order-journal.js';
import { ResilientTradingClient } from '../../../src/trading/resilient-trading-client.js';
import { AmendingVenue } from '../../unit/trading/amending-venue.js';
import { aRestingOrder, settle } from '../../unit/trading/given-trading.js';

/** What a bot, its host and its venue do to one order. */
const aStep = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('replace'), price: fc.integer({ min: 29_000, max: 31_000 }), twice: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('mood'), mood: fc.constantFrom('answer', 'lose_answer', 'lose_request', 'reject') }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait'), ms: fc.constantFrom(0, 1, 300, 3_000) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'halt' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'cancel' } as const) },
);

describe('an order that is amended', () => {
  for (const amend of ['in_place', 'cancel_replace_atomic'] as const) {
    it(`is one order at most whatever happens (${amend}), and the client knows which`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(aStep, { maxLength: 12 }), async (steps) => {
          const clock = new ManualClock();
          const venue = new AmendingVenue(clock);
          const journal = new MemoryOrderJournal({ clock });
          const bus = new EventBus();
          const contradictions: string[] = [];
          bus.on('order.conflict', ({ order }) => contradictions.push(order.reason ?? ''));
          bus.on('order.external', ({ order }) => contradictions.push(`external ${order.venueOrderId}`));
          let made = 0;
          const start = async (): Promise<ResilientTradingClient> => {
            const next = new ResilientTradingClient({ adapter: venue.adapter(amend), journal, clock, bus, random: seededRandom(++made) });
            await settle(clock, next.start());
            return next;
          };
          let client = await start();
          await settle(clock, client.submit(aRestingOrder({ intentId: 'a' })));
          const sentWhileHalted = (): number => venue.amendments;
          for (const step of steps) {
            if (step.kind === 'replace')
              for (let i = 0; i <= Number(step.twice); i++) client.replace('a', { price: String(step.price + i) }).catch(() => {});
            else if (step.kind === 'mood') venue.mood = step.mood;
            else if (step.kind === 'wait') await clock.advance(step.ms);
            else if (step.kind === 'cancel') client.cancel('a').catch(() => {});
            else if (step.kind === 'halt') {
              await settle(clock, client.halt('halted', 'stop'));
              const before = sentWhileHalted();
              await clock.advance(2_000);
              expect(sentWhileHalted()).toBe(before);
              await settle(clock, client.halt('active', 'go on'));
            } else {
              await settle(clock, client.close());
              client = await start();
            }
          }
          venue.mood = 'answer';
          await clock.advance(40_000);
          await settle(clock, client.reconcile());
          const live = [...venue.orders.values()].filter(({ state }) => state === 'working');
          const view = client.order('a')?.view;
          expect(contradictions).toEqual([]);
          expect(live.length).toBeLessThanOrEqual(1);
          expect(view?.state).toBe(live.length === 1 ? 'working' : 'canceled');
          expect([...(view?.venueOrderIds ?? [])].sort()).toEqual([...venue.orders.keys()].sort());
          await settle(clock, client.close());
        }),
        { numRuns: 60 },
      );
    });
  }
});
