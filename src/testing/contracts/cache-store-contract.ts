import assert from 'node:assert/strict';
import type { CacheEntry, CacheStore } from '../../contracts/cache-store.js';
import { type ContractCase, casesOf } from './contract-case.js';

function entry(value: unknown): CacheEntry {
  return { value, sentAt: 1, receivedAt: 2, epoch: 0, source: 'rest', weight: 8 };
}

/** What every first-level cache store must keep to; run it on your own. @param options.open - makes an empty store for that many entries. */
export function cacheStoreContract(options: { readonly open: (maxEntries: number) => CacheStore }): readonly ContractCase[] {
  return casesOf(() => ({ open: options.open, [Symbol.asyncDispose]: () => Promise.resolve() }), rules);
}

const rules: Readonly<Record<string, (subject: { readonly open: (maxEntries: number) => CacheStore }) => void>> = {
  'gives back the very entry that was set, by get and by peek': ({ open }) => {
    const store = open(10);
    const kept = entry('a');
    store.set('a', kept);
    assert.equal(store.get('a'), kept);
    assert.equal(store.peek('a'), kept);
    assert.equal(store.get('b'), undefined);
    assert.equal(store.peek('b'), undefined);
  },
  'keeps an entry whose value is undefined': ({ open }) => {
    const store = open(10);
    store.set('a', entry(undefined));
    assert.ok(store.get('a') !== undefined);
  },
  'has the capacity that was asked for, and never more entries': ({ open }) => {
    for (const capacity of [1, 2, 7, 100]) {
      const store = open(capacity);
      assert.equal(store.capacity, capacity);
      for (let i = 0; i < capacity * 5; i++) {
        store.set(`k${i % (capacity * 3)}`, entry(i));
        if (i % 3 === 0) store.get(`k${(i * 7) % (capacity * 3)}`);
        assert.ok(store.size <= capacity, `size is ${store.size}, capacity ${capacity}`);
      }
      let held = 0;
      for (let i = 0; i < capacity * 3; i++) held += Number(store.peek(`k${i}`) !== undefined);
      assert.equal(held, store.size, 'size counts what can be read');
    }
  },
  'holds as many entries as fit without pushing any out': ({ open }) => {
    const store = open(1);
    store.set('a', entry(1));
    assert.equal(store.size, 1);
    assert.equal(store.get('a')?.value, 1);
  },
  'replaces an entry without growing': ({ open }) => {
    const store = open(10);
    store.set('a', entry(1));
    store.set('a', entry(2));
    assert.equal(store.size, 1);
    assert.equal(store.get('a')?.value, 2);
  },
  'deletes, and says whether there was something to delete': ({ open }) => {
    const store = open(10);
    store.set('a', entry(1));
    assert.equal(store.delete('a'), true);
    assert.equal(store.delete('a'), false);
    assert.equal(store.get('a'), undefined);
    assert.equal(store.size, 0);
  },
  'is empty after clear, and works on': ({ open }) => {
    const store = open(10);
    for (let i = 0; i < 10; i++) store.set(`k${i}`, entry(i));
    store.clear();
    assert.equal(store.size, 0);
    assert.equal(store.peek('k3'), undefined);
    store.set('again', entry(1));
    assert.equal(store.size, 1);
  },
  'tells its watchers of every entry that leaves, once, while they are subscribed': ({ open }) => {
    const store = open(5);
    if (store.watch === undefined) return;
    let inside = 0;
    const subscription = store.watch(() => {
      inside--;
    });
    for (let i = 0; i < 50; i++) {
      store.set(`k${i % 13}`, entry(i));
      inside++;
      assert.equal(inside, store.size, 'what came in less what was told of is what is there');
    }
    store.delete('k10');
    assert.equal(inside, store.size);
    store.clear();
    assert.equal(inside, 0);
    subscription[Symbol.dispose]();
    store.set('a', entry(1));
    store.delete('a');
    assert.equal(inside, 0, 'nobody is told after the subscription has ended');
  },
  'gives up entries one by one when asked to': ({ open }) => {
    const store = open(5);
    if (store.evict === undefined) return;
    for (let i = 0; i < 5; i++) store.set(`k${i}`, entry(i));
    for (let left = store.size; left > 0; left--) {
      assert.equal(store.evict(), true);
      assert.equal(store.size, left - 1);
    }
    assert.equal(store.evict(), false);
  },
};
