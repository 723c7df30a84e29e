import { describe, expect, it } from 'vitest';
import type { CacheEntry, CacheStore, SharedCacheStore } from '../../../src/contracts/cache-store.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { quickLruStore } from '../../../src/market-data/quick-lru-store.js';
import { s3FifoStore } from '../../../src/market-data/s3-fifo-store.js';
import { MemoryMetricStore } from '../../../src/stores/memory/memory-metric-store.js';
import {
  type BrokerUnderTest,
  brokerAdapterContract,
  type ContractCase,
  cacheStoreContract,
  metricStoreContract,
  type SharedCacheUnderTest,
  SimulatedVenue,
  type SimulatedVenueOptions,
  sharedCacheStoreContract,
  simulatedBroker,
} from '../../../src/testing/index.js';

function givenBroker(options: SimulatedVenueOptions = {}): BrokerUnderTest {
  const clock = new ManualClock();
  const venue = new SimulatedVenue({ clock, seed: 3, balances: { USDT: '1000000' }, ...options });
  return {
    adapter: simulatedBroker(venue),
    symbol: 'BTC/USDT',
    qty: '0.5',
    restingPrice: '40000',
    unaffordableQty: '1000',
    venueNow: () => venue.now(),
    passTime: (ms) => clock.advance(ms),
    loseNextPlace: (what) => void venue.fault({ operation: 'place', when: what === 'request' ? 'before' : 'after', kind: 'drop', times: 1 }),
    failNextFind: () => void venue.fault({ operation: 'find', when: 'before', kind: 'status', status: 503, times: 1 }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function brokenRules(cases: readonly ContractCase[]): Promise<string[]> {
  const broken: string[] = [];
  for (const { name, run } of cases) await run().catch(() => broken.push(name));
  return broken;
}

describe.each([
  ['by default', {}],
  ['with ids unique forever and no fence', { clientIdUniqueness: 'forever', fence: false }],
  ['with ids that mean nothing, partial fills and a lag', { clientIdUniqueness: 'none', partialFills: true, visibilityLagMs: 2_000 }],
  ['with limits', { limits: [{ id: 'w', scope: 'ip', kind: 'window', units: 1_000, perMs: 60_000 }] }],
] as const)('brokerAdapterContract on simulatedBroker %s', (_, options) => {
  for (const { name, run } of brokerAdapterContract({ open: () => givenBroker(options) })) it(name, run);
});

describe('brokerAdapterContract', () => {
  const withAdapter = (change: (subject: BrokerUnderTest) => Partial<BrokerUnderTest['adapter']>) =>
    brokenRules(
      brokerAdapterContract({
        open: () => {
          const subject = givenBroker();
          const { adapter } = subject;
          const bound = Object.fromEntries(
            ['cost', 'place', 'cancel', 'find', 'openOrders', 'history', 'fills', 'serverTime', 'events'].map((name) => [
              name,
              (adapter[name as 'find'] as (...args: unknown[]) => unknown).bind(adapter),
            ]),
          );
          const { venue, capabilities, limits } = adapter;
          return { ...subject, adapter: { venue, capabilities, limits, ...bound, ...change(subject) } as BrokerUnderTest['adapter'] };
        },
      }),
    );

  it('passes an adapter that only hands on', async () => {
    expect(await withAdapter(() => ({}))).toEqual([]);
  });

  it('fails one that takes a failed lookup for a miss', async () => {
    expect(await withAdapter(({ adapter }) => ({ find: (ref, attempt) => adapter.find(ref, attempt).catch(() => 'not_found') }))).toEqual([
      'throws when a lookup fails: a failed read is no miss',
    ]);
  });

  it('fails one that takes silence for a rejection', async () => {
    const broken = await withAdapter(({ adapter }) => ({
      place: (intent, id, attempt) => adapter.place(intent, id, attempt).catch((cause: unknown) => ({ kind: 'rejected', code: 'TIMEOUT', cause })),
    }));
    expect(broken).toEqual(['never says more than it knows when a request or its answer is lost']);
  });

  it('fails one that signs with a time of its own', async () => {
    const broken = await withAdapter((subject) => ({
      place: (intent, id, attempt) => subject.adapter.place(intent, id, { ...attempt, venueNow: subject.venueNow() }),
    }));
    expect(broken).toEqual(['has the venue refuse what arrives after its fence, and asks for the clock']);
  });
});

describe('cacheStoreContract on quickLruStore', () => {
  for (const { name, run } of cacheStoreContract({ open: (maxEntries) => quickLruStore({ maxEntries }) })) it(name, run);
});

describe('cacheStoreContract on s3FifoStore', () => {
  for (const { name, run } of cacheStoreContract({ open: (maxEntries) => s3FifoStore({ maxEntries }) })) it(name, run);
});

describe('cacheStoreContract', () => {
  it('fails a store without a bound', async () => {
    const unbounded = (capacity: number): CacheStore => {
      const map = new Map<string, CacheEntry>();
      return {
        capacity,
        get size() {
          return map.size;
        },
        get: (key) => map.get(key),
        peek: (key) => map.get(key),
        set: (key, entry) => void map.set(key, entry),
        delete: (key) => map.delete(key),
        clear: () => map.clear(),
      };
    };
    expect(await brokenRules(cacheStoreContract({ open: unbounded }))).toEqual(['has the capacity that was asked for, and never more entries']);
  });
});

/** A second level that lives in this process, for what a suite must find in one that is wrong. */
function sharedInMemory(
  over: (store: SharedCacheStore, held: Map<string, CacheEntry>) => Partial<SharedCacheStore> = () => ({}),
): SharedCacheUnderTest {
  const held = new Map<string, CacheEntry>();
  const ends = new Map<string, number>();
  const leases = new Map<string, number>();
  const listeners = new Map<SharedCacheStore, Set<(keys: readonly string[]) => void>>();
  const isLive = (key: string) => (ends.get(key) ?? 0) > Date.now();
  const isOlder = (a: CacheEntry, b: CacheEntry) => {
    if (a.seq !== undefined && b.seq !== undefined && a.seq !== b.seq) return a.seq < b.seq;
    if (a.eventTime !== undefined && b.eventTime !== undefined && a.eventTime !== b.eventTime) return a.eventTime < b.eventTime;
    return a.sentAt < b.sentAt;
  };
  return {
    open: () => {
      const heard = new Set<(keys: readonly string[]) => void>();
      const store: SharedCacheStore = {
        getMany: async (keys, signal) => {
          signal?.throwIfAborted();
          return keys.map((key) => (isLive(key) ? held.get(key) : undefined));
        },
        setIfNewer: async (key, entry, ttlMs) => {
          const old = isLive(key) ? held.get(key) : undefined;
          if (old !== undefined && isOlder(entry, old)) return false;
          held.set(key, entry);
          ends.set(key, Date.now() + ttlMs);
          return true;
        },
        lease: async (key, ttlMs) => {
          if ((leases.get(key) ?? 0) > Date.now()) return undefined;
          leases.set(key, Date.now() + ttlMs);
          return { token: key };
        },
        onInvalidate: (listener) => {
          heard.add(listener);
          return { [Symbol.dispose]: () => void heard.delete(listener) };
        },
        [Symbol.asyncDispose]: async () => {},
      };
      listeners.set(store, heard);
      return Object.assign(store, over({ ...store }, held));
    },
    invalidate: async (from, keys) => {
      for (const key of keys) held.delete(key);
      for (const [store, heard] of listeners) if (store !== from) for (const listener of heard) listener(keys);
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

describe('sharedCacheStoreContract', () => {
  const rulesThatFail = (over: Parameters<typeof sharedInMemory>[0]) => brokenRules(sharedCacheStoreContract({ open: () => sharedInMemory(over) }));

  it('passes a store that keeps it', async () => expect(await rulesThatFail(() => ({}))).toEqual([]));

  it('fails one that writes whatever comes', async () => {
    const overwriting = (store: SharedCacheStore, held: Map<string, CacheEntry>): Partial<SharedCacheStore> => ({
      setIfNewer: async (key, ...rest) => {
        held.delete(key);
        return store.setIfNewer(key, ...rest);
      },
    });
    expect(await rulesThatFail(overwriting)).toEqual([
      'keeps what has the higher sequence, whenever it was sent',
      "keeps what is newer by the venue's time, where there is no sequence",
      'keeps what was sent later, where the venue says nothing',
      'ends with the newest of many that are written at once',
    ]);
  });

  it('fails one that makes entries younger, and one that lets everybody load', async () => {
    expect(
      await rulesThatFail((store) => ({
        getMany: async (...args) =>
          (await store.getMany(...args)).map((entry) => (entry === undefined ? undefined : { ...entry, sentAt: entry.receivedAt })),
      })),
    ).toEqual(['never gives an entry for younger than it is']);
    expect(await rulesThatFail(() => ({ lease: async () => ({ token: 'yours' }) }))).toEqual([
      'lets one of many that ask at once load a key, and another one another key',
      'lets another process load a key when the time of a lease is over',
    ]);
  });
});

const inMemory = () => {
  const store = new MemoryMetricStore();
  return { store, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
};

describe('metricStoreContract on MemoryMetricStore', () => {
  for (const { name, run } of metricStoreContract({ open: inMemory })) it(name, run);
});

describe('metricStoreContract', () => {
  it('fails a store that keeps the caller’s array', async () => {
    class Borrowing extends MemoryMetricStore {
      override append(tick: Parameters<MemoryMetricStore['append']>[0]): Promise<void> {
        return super.append({ ...tick, values: Object.assign(tick.values, { slice: () => tick.values }) });
      }
    }
    const open = () => {
      const store = new Borrowing();
      return { store, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
    };
    expect(await brokenRules(metricStoreContract({ open }))).toEqual(['does not keep the caller’s own array']);
  });
});
