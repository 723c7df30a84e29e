import { describe, expect, it } from 'vitest';
import { quickLruStore } from '../../../src/market-data/quick-lru-store.js';
import { s3FifoStore } from '../../../src/market-data/s3-fifo-store.js';
import { cacheStoreContract } from '../../../src/testing/contracts/cache-store-contract.js';
import { describeCacheStore, givenEntry } from './support/cache-store-contract.js';

describeCacheStore('quickLruStore', (maxEntries) => quickLruStore({ maxEntries }));
describeCacheStore('s3FifoStore', (maxEntries) => s3FifoStore({ maxEntries }));

describe.each([
  ['quickLruStore', quickLruStore],
  ['s3FifoStore', s3FifoStore],
])('%s keeps the contract that hosts run on their own stores', (_, create) => {
  for (const { name, run } of cacheStoreContract({ open: (maxEntries) => create({ maxEntries }) })) it(name, run);
});

describe('quickLruStore', () => {
  it('regression: quick-lru holds up to twice its maxSize; the store never exceeds maxEntries', () => {
    const store = quickLruStore({ maxEntries: 1_000 });
    let most = 0;
    for (let i = 0; i < 10_000; i++) {
      store.set(`k${i}`, givenEntry(i));
      most = Math.max(most, store.size);
    }
    expect(most).toBeLessThanOrEqual(1_000);
    expect(most).toBeGreaterThan(900);
  });

  it('regression: quick-lru reports the eviction of a key that was set again and lives', () => {
    const store = quickLruStore({ maxEntries: 4 });
    const left: string[] = [];
    store.watch?.((key, _, why) => left.push(`${key} ${why}`));
    for (const key of ['a', 'b', 'a', 'c', 'a', 'd', 'a', 'e', 'a']) store.set(key, givenEntry(key));
    expect(store.peek('a')).toBeDefined();
    expect(left.filter((entry) => entry === 'a evicted')).toEqual([]);
  });

  it('refuses options that it does not have', () => {
    expect(() => quickLruStore({ maxEntries: 1, maxAge: 5 } as never)).toThrow(/quickLruStore has no option "maxAge"/);
  });
});

describe('s3FifoStore', () => {
  it('survives a scan that is larger than itself', () => {
    const store = s3FifoStore({ maxEntries: 100 });
    for (let i = 0; i < 50; i++) store.set(`hot${i}`, givenEntry(i));
    for (let round = 0; round < 3; round++) for (let i = 0; i < 50; i++) store.get(`hot${i}`);
    // Full first, so that the hot ones have moved to the main queue.
    for (let i = 0; i < 1_000; i++) store.set(`scan${i}`, givenEntry(i));
    expect(Array.from({ length: 50 }, (_, i) => store.peek(`hot${i}`)).filter((entry) => entry !== undefined)).toHaveLength(50);
  });

  it('takes a key that comes back soon after it left straight into the main queue', () => {
    const store = s3FifoStore({ maxEntries: 20 });
    for (let i = 0; i < 40; i++) store.set(`k${i}`, givenEntry(i));
    expect(store.peek('k19')).toBeUndefined();
    store.set('k19', givenEntry('back'));
    for (let i = 100; i < 110; i++) store.set(`k${i}`, givenEntry(i));
    expect(store.peek('k19')?.value).toBe('back');
  });
});
