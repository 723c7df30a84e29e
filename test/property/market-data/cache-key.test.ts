import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cacheKey, paramsOf } from '../../../src/market-data/cache-key.js';

const SCOPE = { account: 'main', feed: 'rest', venue: 'sim' };
/** Made of what keys are put together with. */
const text = fc.oneof(fc.string({ unit: fc.constantFrom('a', '1', '=', '&', '|', '"', '\\', '{', '}', ':', ',') }), fc.string());
const request = fc.record(
  { symbol: text, interval: text, limit: fc.integer({ min: 1, max: 3 }), since: fc.integer({ min: 0, max: 3 }), extra: fc.record({ a: text }) },
  { requiredKeys: ['symbol'] },
);
const keyOf = (one: { readonly symbol: string }): string => cacheKey(SCOPE, 'bars', one.symbol, paramsOf(one));
const sorted = (one: object): string => JSON.stringify(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)));

describe('the key of a request', () => {
  it('is the same for the same request, in whatever order it was written, and never that of another', () => {
    fc.assert(
      fc.property(request, request, (one, other) => {
        expect(keyOf(one) === keyOf(other)).toBe(sorted(one) === sorted(other));
        expect(keyOf(Object.fromEntries(Object.entries(one).reverse()) as typeof one)).toBe(keyOf(one));
      }),
      {
        numRuns: 2_000,
        examples: [
          [
            { symbol: 'A', interval: '1m', limit: 5 },
            { symbol: 'A', interval: '1m&limit=5' },
          ],
          [
            { symbol: 'A', extra: { a: '1' } },
            { symbol: 'A', extra: { a: '2' } },
          ],
        ] as never,
      },
    );
  });
});
