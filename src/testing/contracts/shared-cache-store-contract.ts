import assert from 'node:assert/strict';
import type { CacheEntry, SharedCacheStore } from '../../contracts/cache-store.js';
import { systemClock } from '../../core/clock.js';
import { type ContractCase, casesOf } from './contract-case.js';

/** A storage of its own, empty at first, and as many processes on it as are asked for. */
export interface SharedCacheUnderTest extends AsyncDisposable {
  /** A store as another process has it, with a connection of its own. The suite does not close it. */
  open(): SharedCacheStore | Promise<SharedCacheStore>;
  /** Takes entries away for all, as a host does that knows them to be wrong. Absent: invalidations are not asked for. */
  invalidate?(store: SharedCacheStore, keys: readonly string[]): Promise<void>;
}

const TTL_MS = 60_000;
const SHORT_MS = 150;
/** What a store may add to an age for what it does not know of clocks. */
const UNSURE_MS = 5_000;

/** What every second level of the cache must keep to; run it on your own. It waits in real time, some tenths of a second in all. */
export function sharedCacheStoreContract(options: {
  readonly open: () => SharedCacheUnderTest | Promise<SharedCacheUnderTest>;
}): readonly ContractCase[] {
  return casesOf(options.open, { ...entryRules, ...orderRules, ...leaseRules, ...invalidationRules });
}

function entry(value: unknown, over: Partial<CacheEntry> = {}): CacheEntry {
  const now = systemClock.now();
  return { value, sentAt: now, receivedAt: now, epoch: 0, source: 'rest', weight: 100, ...over };
}

async function valueAt(store: SharedCacheStore, key: string): Promise<unknown> {
  return (await store.getMany([key]))[0]?.value;
}

/** Until it holds, or the time is up. */
async function eventually(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const until = systemClock.monotonic() + 10_000; !(await holds()); await systemClock.sleep(10))
    assert.ok(systemClock.monotonic() < until, what);
}

type Rules = Readonly<Record<string, (subject: SharedCacheUnderTest) => Promise<void>>>;

const entryRules: Rules = {
  'gives what one process has written to all others, in the order of the keys': async (subject) => {
    const [writer, reader] = [await subject.open(), await subject.open()];
    for (const key of ['a', 'b']) assert.equal(await writer.setIfNewer(key, entry(`of ${key}`), TTL_MS), true);
    const found = await reader.getMany(['b', 'none', 'a', 'b']);
    assert.deepEqual(
      found.map((one) => one?.value),
      ['of b', undefined, 'of a', 'of b'],
    );
    assert.deepEqual(await reader.getMany([]), []);
  },
  'gives values back as they were: numbers, text and arrays of floats': async (subject) => {
    const [writer, reader] = [await subject.open(), await subject.open()];
    const value = {
      symbol: 'BTC/USDT',
      bid: 0.1 + 0.2,
      ask: 1e-12,
      text: 'ä "quoted" \n😀',
      bars: Float64Array.of(1, Number.NaN, -0, 1e300),
      none: null,
    };
    await writer.setIfNewer('k', entry(value, { eventTime: 5, seq: 7, weight: 42, source: 'stream' }), TTL_MS);
    const [found] = await reader.getMany(['k']);
    assert.deepEqual(found?.value, value);
    assert.equal(found?.eventTime, 5);
    assert.equal(found?.seq, 7);
    assert.equal(found?.weight, 42);
    assert.equal(found?.source, 'stream');
  },
  'never gives an entry for younger than it is': async (subject) => {
    const [writer, reader] = [await subject.open(), await subject.open()];
    const sentAt = systemClock.now() - 1_000;
    await writer.setIfNewer('k', entry(1, { sentAt, receivedAt: sentAt + 100 }), TTL_MS);
    const [found] = await reader.getMany(['k']);
    assert.ok(found !== undefined);
    assert.ok(found.sentAt <= sentAt + 0.01, `it was sent at ${sentAt}, and is given as sent at ${found.sentAt}`);
    assert.ok(found.sentAt > sentAt - UNSURE_MS, `it was sent at ${sentAt}, and is given as sent at ${found.sentAt}: too old to be of use`);
  },
  'forgets an entry when its time is over': async (subject) => {
    const store = await subject.open();
    await store.setIfNewer('short', entry(1), SHORT_MS);
    await store.setIfNewer('long', entry(2), TTL_MS);
    await eventually(async () => (await valueAt(store, 'short')) === undefined, 'an entry must be gone after its time');
    assert.equal(await valueAt(store, 'long'), 2);
  },
  'keeps keys of any characters apart': async (subject) => {
    const store = await subject.open();
    const keys = ['a', 'a:b', 'a b', 'A', '{a}', 'a|b', '*', 'ä', 'a\n', '__proto__'];
    for (const [i, key] of keys.entries()) await store.setIfNewer(key, entry(i), TTL_MS);
    assert.deepEqual(
      (await store.getMany(keys)).map((found) => found?.value),
      keys.map((_, i) => i),
    );
  },
  'gives no answer to a read that was given up before': async (subject) => {
    const store = await subject.open();
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    controller.abort(reason);
    await assert.rejects(store.getMany(['k'], controller.signal), (error) => error === reason);
  },
};

const orderRules: Rules = {
  'keeps what has the higher sequence, whenever it was sent': async (subject) => {
    const [one, other] = [await subject.open(), await subject.open()];
    const now = systemClock.now();
    assert.equal(await one.setIfNewer('k', entry('new', { seq: 10, eventTime: 1, sentAt: now - 500 }), TTL_MS), true);
    assert.equal(await other.setIfNewer('k', entry('old', { seq: 9, eventTime: 2, sentAt: now }), TTL_MS), false);
    assert.equal(await valueAt(one, 'k'), 'new');
  },
  "keeps what is newer by the venue's time, where there is no sequence": async (subject) => {
    const [one, other] = [await subject.open(), await subject.open()];
    const now = systemClock.now();
    assert.equal(await one.setIfNewer('k', entry('new', { eventTime: 10, sentAt: now - 500 }), TTL_MS), true);
    assert.equal(await other.setIfNewer('k', entry('old', { eventTime: 9, sentAt: now }), TTL_MS), false);
    assert.equal(await valueAt(one, 'k'), 'new');
  },
  'keeps what was sent later, where the venue says nothing': async (subject) => {
    const [one, other] = [await subject.open(), await subject.open()];
    const now = systemClock.now();
    assert.equal(await one.setIfNewer('k', entry('new', { sentAt: now }), TTL_MS), true);
    assert.equal(await other.setIfNewer('k', entry('old', { sentAt: now - UNSURE_MS * 2 }), TTL_MS), false);
    assert.equal(await valueAt(one, 'k'), 'new');
  },
  'ends with the newest of many that are written at once': async (subject) => {
    const stores = [await subject.open(), await subject.open(), await subject.open()];
    const order = Array.from({ length: 60 }, (_, i) => (i * 37) % 60);
    await Promise.all(order.map((seq, i) => stores[i % 3]!.setIfNewer('k', entry(`number ${seq}`, { seq }), TTL_MS)));
    assert.equal(await valueAt(stores[0]!, 'k'), 'number 59');
  },
};

const leaseRules: Rules = {
  'lets one of many that ask at once load a key, and another one another key': async (subject) => {
    const stores: SharedCacheStore[] = [];
    for (let i = 0; i < 8; i++) stores.push(await subject.open());
    const leases = await Promise.all(stores.map((store) => store.lease('k', TTL_MS)));
    assert.equal(leases.filter((lease) => lease !== undefined).length, 1, 'one of eight may load it');
    assert.ok((await stores[0]!.lease('other', TTL_MS)) !== undefined, 'a key has a lease of its own');
  },
  'lets another process load a key when the time of a lease is over': async (subject) => {
    const [dead, next] = [await subject.open(), await subject.open()];
    const askedAt = systemClock.monotonic();
    assert.ok((await dead.lease('k', SHORT_MS)) !== undefined);
    const early = await next.lease('k', TTL_MS);
    // Whoever was slow to ask, asked when it was over.
    if (systemClock.monotonic() - askedAt >= SHORT_MS) return;
    assert.equal(early, undefined);
    await eventually(async () => (await next.lease('k', TTL_MS)) !== undefined, 'a lease must end');
  },
};

const invalidationRules: Rules = {
  'takes an entry away for all, and tells all others once': async (subject) => {
    if (subject.invalidate === undefined) return;
    const [here, there] = [await subject.open(), await subject.open()];
    const [told, own]: [string[], string[]] = [[], []];
    using _ = there.onInvalidate((keys) => void told.push(...keys));
    using __ = here.onInvalidate((keys) => void own.push(...keys));
    // Who has just begun to listen may not hear yet: an entry that is invalidated until it is heard says when he does.
    await eventually(async () => {
      await subject.invalidate!(here, ['probe']);
      await systemClock.sleep(10);
      return told.includes('probe');
    }, 'an invalidation must reach the others');
    await here.setIfNewer('a', entry(1), TTL_MS);
    await subject.invalidate(here, ['a', 'b']);
    await subject.invalidate(here, ['c']);
    await eventually(() => told.includes('c'), 'every invalidation must reach the others');
    assert.deepEqual(
      told.filter((key) => key !== 'probe'),
      ['a', 'b', 'c'],
    );
    assert.deepEqual(own, [], 'a process is not told of its own invalidations');
    assert.equal(await valueAt(there, 'a'), undefined);
  },
  'tells nothing more to who has ended to listen': async (subject) => {
    if (subject.invalidate === undefined) return;
    const [here, there] = [await subject.open(), await subject.open()];
    const [gone, stays]: [string[], string[]] = [[], []];
    const subscription = there.onInvalidate((keys) => void gone.push(...keys));
    using _ = there.onInvalidate((keys) => void stays.push(...keys));
    await eventually(async () => {
      await subject.invalidate!(here, ['probe']);
      await systemClock.sleep(10);
      return stays.includes('probe');
    }, 'an invalidation must reach the others');
    subscription[Symbol.dispose]();
    await subject.invalidate(here, ['a']);
    await eventually(() => stays.includes('a'), 'every invalidation must reach the others');
    assert.ok(!gone.includes('a'));
  },
};
