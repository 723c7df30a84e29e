import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MarketKind } from '../../../src/contracts/market-data.js';
import { quickLruStore } from '../../../src/market-data/quick-lru-store.js';
import { s3FifoStore } from '../../../src/market-data/s3-fifo-store.js';
import { weigh } from '../../../src/market-data/value-weight.js';
import { givenClient } from '../../unit/market-data/support/given-client.js';
import { givenBars, givenQuote } from '../../unit/market-data/support/scripted-adapter.js';

const step = fc.record({
  kind: fc.constantFrom<MarketKind>('quote', 'book', 'trades', 'bars', 'instrument'),
  symbol: fc.constantFrom('A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'),
  rows: fc.nat(60),
  how: fc.constantFrom('get', 'scan', 'ingest', 'invalidate', 'gap'),
  ms: fc.integer({ min: 0, max: 1_500 }),
});

function valueFor(kind: MarketKind, symbol: string, rows: number): unknown {
  const many = <T>(make: (i: number) => T): T[] => Array.from({ length: rows }, (_, i) => make(i));
  if (kind === 'book') return { symbol, bids: many((i) => [100 - i, 1]), asks: [] };
  if (kind === 'trades') return many((i) => ({ id: String(i), symbol, price: 1, size: 1, eventTime: 0 }));
  if (kind === 'bars') return givenBars(symbol, { count: rows + 1 });
  if (kind === 'instrument') return { symbol, priceStep: '0.01', qtyStep: '0.01' };
  return givenQuote(symbol, rows);
}

describe('maxBytes', () => {
  it('is never exceeded, and what is counted is what is held, whatever comes, goes and changes its size', async () => {
    let evictions = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40_000 }),
        fc.boolean(),
        fc.array(step, { minLength: 5, maxLength: 60 }),
        async (maxBytes, isFifo, steps) => {
          const store = isFifo ? s3FifoStore({ maxEntries: 12 }) : quickLruStore({ maxEntries: 12 });
          const { adapter, client, clock } = givenClient({ store, maxBytes, latencyMs: 10 });
          // Summed over the store itself: what the client says must be what is there.
          const keys = new Map<string, number>();
          const set = store.set.bind(store);
          store.set = (key, entry) => {
            set(key, entry);
            keys.set(key, entry.weight);
          };
          for (const { kind, symbol, rows, how, ms } of steps) {
            adapter.answer = () => valueFor(kind, symbol, rows);
            const request = kind === 'bars' ? { symbol, interval: '1m' } : { symbol };
            if (how === 'ingest' && kind === 'quote') client.ingest({ kind, symbol, value: givenQuote(symbol, rows) });
            else if (how === 'gap' && kind === 'book') client.ingest({ kind, symbol, seq: rows + 5, previousSeq: rows });
            else if (how === 'invalidate') client.invalidate({ symbol });
            else {
              const read = client.get(kind, request as never, how === 'scan' ? { scan: true } : {}).catch(() => {});
              await clock.advance(10);
              await read;
            }
            await clock.advance(ms);
            const { bytes, entries } = client.stats();
            expect(bytes).toBeLessThanOrEqual(maxBytes);
            let held = 0;
            let count = 0;
            for (const key of keys.keys()) {
              const entry = store.peek(key);
              if (entry === undefined) continue;
              held += entry.weight;
              count++;
            }
            expect([bytes, entries]).toEqual([held, count]);
          }
          evictions += client.stats().evictions;
          client.invalidate();
          expect(client.stats()).toMatchObject({ bytes: 0, entries: 0 });
          await client.close();
        },
      ),
      { numRuns: 120 },
    );
    expect(evictions).toBeGreaterThan(100);
  });

  it('weighs more with every row, and never less than an entry itself', () => {
    fc.assert(
      fc.property(fc.constantFrom<MarketKind>('book', 'trades', 'bars'), fc.nat(500), fc.nat(500), (kind, a, b) => {
        const [few, many] = [Math.min(a, b), Math.max(a, b)].map((rows) => weigh(kind, valueFor(kind, 'A', rows))) as [number, number];
        expect(few).toBeLessThanOrEqual(many);
        expect(few).toBeGreaterThanOrEqual(weigh('quote', givenQuote('A')));
      }),
    );
  });
});
