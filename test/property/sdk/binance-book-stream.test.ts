import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runBookStream } from './hostile-book-stream.js';

describe('a book kept from a hostile stream', () => {
  it('ends as the venue has it, whatever was lost, doubled, swapped or held back, and never hides a hole', async () => {
    const share = fc.double({ min: 0, max: 0.1, noNaN: true });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.integer({ min: 1, max: 400 }),
        fc.record({ gap: share, duplicate: share, reorder: share, stall: share, failedSnapshot: fc.double({ min: 0, max: 0.5, noNaN: true }) }),
        async (seed, messages, hostility) => {
          const run = await runBookStream(seed, messages, hostility);
          expect(run.seen).toBe(run.true);
          expect(run.brokenChains).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('holds over 40,000 messages of one stream, the short form of `npm run soak`', async () => {
    const run = await runBookStream(7, 40_000, { gap: 0.002, duplicate: 0.01, reorder: 0.002, stall: 0.002, failedSnapshot: 0.1 });
    expect(run.seen).toBe(run.true);
    expect(run.brokenChains).toBe(0);
    // The line did what it was told, or the run would prove nothing.
    expect(run.lost).toBeGreaterThan(40);
    expect(run.gapsTold).toBeGreaterThan(10);
  });
});
