import { describe, expect, it } from 'vitest';
import type { CacheEntry, CacheStore } from '../../../../src/contracts/cache-store.js';
import { seededRandom } from '../../../../src/core/random.js';

export const givenEntry = (value: unknown, weight = 1): CacheEntry => ({ value, sentAt: 0, receivedAt: 0, epoch: 0, source: 'rest', weight });

/** What every first-level store promises. */
export function describeCacheStore(name: string, create: (maxEntries: number) => CacheStore): void {
  describe(`${name} as a cache store`, () => {
    it('gives back what was set, until it is deleted', () => {
      const store = create(10);
      const entry = givenEntry('a');
      expect(store.get('k')).toBeUndefined();
      store.set('k', entry);
      expect(store.get('k')).toBe(entry);
      expect(store.peek('k')).toBe(entry);
      expect(store.delete('k')).toBe(true);
      expect(store.delete('k')).toBe(false);
      expect(store.peek('k')).toBeUndefined();
      expect(store.size).toBe(0);
    });

    it('replaces the value of a key without growing', () => {
      const store = create(10);
      store.set('k', givenEntry(1));
      store.set('k', givenEntry(2));
      expect(store.get('k')?.value).toBe(2);
      expect(store.size).toBe(1);
    });

    it.each([1, 2, 3, 7, 10, 1_000])('never holds more than its capacity of %i, whatever is done to it', (capacity) => {
      const store = create(capacity);
      const random = seededRandom(capacity);
      expect(store.capacity).toBe(capacity);
      for (let i = 0; i < 20 * capacity + 200; i++) {
        const key = `k${Math.floor(random() * 3 * capacity)}`;
        const draw = random();
        if (draw < 0.6) store.set(key, givenEntry(i));
        else if (draw < 0.9) store.get(key);
        else store.delete(key);
        expect(store.size).toBeLessThanOrEqual(capacity);
      }
    });

    it('keeps its count and its watchers true to what it holds, whatever is done to it', () => {
      const store = create(20);
      const random = seededRandom(5);
      const shadow = new Map<string, CacheEntry>();
      store.watch?.((key, entry) => {
        // Each entry leaves once, and only one that was there; a key that is set again lives on.
        expect(shadow.get(key)).toBe(entry);
        shadow.delete(key);
      });
      for (let i = 0; i < 5_000; i++) {
        const key = `k${Math.floor(random() * 60)}`;
        const draw = random();
        if (draw < 0.55) {
          const entry = givenEntry(i);
          store.set(key, entry);
          shadow.set(key, entry);
        } else if (draw < 0.9) store.get(key);
        else if (draw < 0.98) store.delete(key);
        else store.evict?.();
        expect(store.size).toBe(shadow.size);
      }
      for (const [key, entry] of shadow) expect(store.peek(key)).toBe(entry);
      store.clear();
      expect(shadow.size).toBe(0);
      expect(store.size).toBe(0);
    });

    it('holds on to what is read again and again while other keys pass through', () => {
      const store = create(100);
      for (let i = 0; i < 20; i++) store.set(`hot${i}`, givenEntry(i));
      let lost = 0;
      for (let i = 0; i < 2_000; i++) {
        store.set(`cold${i}`, givenEntry(i));
        const key = `hot${i % 20}`;
        if (store.get(key) === undefined) {
          lost++;
          store.set(key, givenEntry(i));
        }
      }
      expect(lost).toBeLessThanOrEqual(20);
    });

    it('gives up entries one by one until none is left', () => {
      const store = create(10);
      for (let i = 0; i < 5; i++) store.set(`k${i}`, givenEntry(i));
      for (let left = 4; left >= 0; left--) {
        expect(store.evict?.()).toBe(true);
        expect(store.size).toBe(left);
      }
      expect(store.evict?.()).toBe(false);
    });

    it.each([0, -1, 1.5, Number.NaN, Infinity])('refuses a capacity of %d', (maxEntries) => {
      expect(() => create(maxEntries)).toThrow(/maxEntries must be a whole number of 1 or more/);
    });
  });
}
