import { describe, expect, it } from 'vitest';
import type { CacheEntry, SharedCacheStore } from '../../../src/contracts/cache-store.js';
import { EventBus } from '../../../src/contracts/events.js';
import type { MarketDataAdapter } from '../../../src/contracts/market-data.js';
import type { Clock } from '../../../src/core/clock.js';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { CachedMarketDataClient } from '../../../src/market-data/cached-market-data-client.js';
import type { CachedMarketDataOptions } from '../../../src/market-data/cached-market-data-options.js';
import { BTC, ETH } from './support/given-client.js';
import { ScriptedAdapter } from './support/scripted-adapter.js';

/** What Redis would do, in memory: expiry by wall time, leases, and faults on demand. */
class MemorySharedStore implements SharedCacheStore {
  failure: Error | undefined;
  isHanging = false;
  calls = 0;
  readonly entries = new Map<string, { readonly entry: CacheEntry; readonly until: number }>();
  readonly leases = new Map<string, number>();
  readonly #listeners = new Set<(keys: readonly string[]) => void>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async getMany(keys: readonly string[]): Promise<readonly (CacheEntry | undefined)[]> {
    await this.#answer();
    return keys.map((key) => {
      const found = this.entries.get(key);
      return found !== undefined && found.until > this.#clock.now() ? structuredClone(found.entry) : undefined;
    });
  }

  async setIfNewer(key: string, entry: CacheEntry, ttlMs: number): Promise<boolean> {
    await this.#answer();
    const held = this.entries.get(key)?.entry;
    if (held !== undefined && held.sentAt > entry.sentAt) return false;
    this.entries.set(key, { entry, until: this.#clock.now() + ttlMs });
    return true;
  }

  async lease(key: string, ttlMs: number): Promise<{ readonly token: string } | undefined> {
    await this.#answer();
    if ((this.leases.get(key) ?? 0) > this.#clock.now()) return undefined;
    this.leases.set(key, this.#clock.now() + ttlMs);
    return { token: 't' };
  }

  onInvalidate(listener: (keys: readonly string[]) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  invalidate(keys: readonly string[]): void {
    for (const listener of this.#listeners) listener(keys);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }

  async #answer(): Promise<void> {
    this.calls++;
    if (this.isHanging) await new Promise(() => {});
    await this.#clock.sleep(1);
    if (this.failure !== undefined) throw this.failure;
  }
}

/** Two processes in front of one venue and one shared store. */
function givenTwoProcesses(options: Partial<CachedMarketDataOptions> = {}) {
  const clock = new ManualClock();
  const shared = new MemorySharedStore(clock);
  const adapter = new ScriptedAdapter(clock);
  const client = (more: Partial<CachedMarketDataOptions> = {}) =>
    new CachedMarketDataClient({ adapter: adapter as MarketDataAdapter, clock, shared, sharedSkewMs: 10, ...options, ...more });
  const settle = async <T>(promise: Promise<T>, ms = 100): Promise<T> => {
    promise.catch(() => {});
    await clock.advance(ms);
    return promise;
  };
  return { clock, shared, adapter, settle, first: client(), second: client() };
}

describe('shared level', () => {
  it('spares a request that another process has made, and counts its age from the send there, plus the skew', async () => {
    const { adapter, settle, first, second } = givenTwoProcesses();
    await settle(first.get('quote', BTC));
    const read = await settle(second.get('quote', BTC));
    expect(read).toMatchObject({ outcome: 'miss', value: { bid: 1 } });
    // Sent 2 ms after the start (look, lease), read 101 ms after it.
    expect(read.ageMs).toBeGreaterThanOrEqual(99 + 10);
    expect(read.ageMs).toBeLessThanOrEqual(99 + 12);
    expect(adapter.calls).toHaveLength(1);
  });

  it('says in its events which level answered', async () => {
    const bus = new EventBus();
    const { clock, shared, adapter, settle, first } = givenTwoProcesses();
    const observed = new CachedMarketDataClient({ adapter, clock, shared, bus });
    const levels: string[] = [];
    bus.on('cache.read', ({ level }) => levels.push(level));
    await settle(first.get('quote', BTC));
    await settle(observed.get('quote', BTC));
    await observed.get('quote', BTC);
    expect(levels).toEqual(['shared', 'memory']);
  });

  it('sends one request when two processes miss together', async () => {
    const { adapter, settle, first, second } = givenTwoProcesses();
    const [a, b] = await settle(Promise.all([first.get('quote', BTC), second.get('quote', BTC)]), 200);
    expect(a.value.bid).toBe(1);
    expect(b.value.bid).toBe(1);
    expect(adapter.calls).toHaveLength(1);
  });

  it('loads by itself when the process that holds the lease does not deliver', async () => {
    const { shared, clock, adapter, settle, first } = givenTwoProcesses();
    shared.leases.set('v1|public/default|quote|testex:BTC/USDT|', clock.now() + 60_000);
    expect(await settle(first.get('quote', BTC), 1_300)).toMatchObject({ value: { bid: 1 } });
    expect(adapter.calls).toHaveLength(1);
    expect(adapter.calls[0]?.sentAt).toBeGreaterThanOrEqual(1_000);
  });

  it('does not take what is too old for the reader, nor what a clock ahead of ours has written', async () => {
    const { clock, adapter, settle, first, second } = givenTwoProcesses();
    await settle(first.get('quote', BTC));
    await clock.advance(400);
    expect(await settle(second.get('quote', BTC, { maxAgeMs: 200 }), 1_500)).toMatchObject({ value: { bid: 2 } });
    clock.stepWall(-60_000);
    second.invalidate();
    expect(await settle(second.get('quote', BTC), 1_500)).toMatchObject({ value: { bid: 3 } });
    expect(adapter.calls).toHaveLength(3);
  });

  it('does not take what was sent before a gap of the stream', async () => {
    const { settle, adapter, first, second } = givenTwoProcesses();
    adapter.answer = (_, { symbol }, call) => ({ symbol, bids: [[call, 1]], asks: [] });
    await settle(first.get('book', BTC));
    second.ingest({ kind: 'book', symbol: BTC.symbol, gap: true });
    expect(await settle(second.get('book', BTC), 700)).toMatchObject({ value: { bids: [[2, 1]] } });
  });

  it('never answers an order', async () => {
    const { settle, shared, first, second } = givenTwoProcesses();
    await settle(first.get('quote', BTC));
    const { calls } = shared;
    expect(await settle(second.get('quote', BTC, { intent: 'order' }))).toMatchObject({ outcome: 'bypass', value: { bid: 2 } });
    expect(shared.calls).toBe(calls);
  });

  it('leaves out kinds whose policy says so', async () => {
    const { settle, shared, first } = givenTwoProcesses({ kinds: { quote: { shared: false } } });
    await settle(first.get('quote', BTC));
    expect(shared.calls).toBe(0);
  });

  it.each(['fails', 'hangs'] as const)('goes on without it when it %s, says so, and comes back to it later', async (how) => {
    const bus = new EventBus();
    const states: string[] = [];
    bus.on('breaker.state', ({ scope, state }) => states.push(`${scope} ${state}`));
    const { clock, shared, adapter, settle, first } = givenTwoProcesses({ bus });
    if (how === 'fails') shared.failure = new Error('ECONNREFUSED');
    else shared.isHanging = true;
    expect(await settle(first.get('quote', BTC), 200)).toMatchObject({ value: { bid: 1 } });
    expect(states).toEqual(['shared-cache testex open']);
    const { calls } = shared;
    expect(await settle(first.get('quote', ETH), 50)).toMatchObject({ outcome: 'miss' });
    expect(shared.calls).toBe(calls);
    shared.failure = undefined;
    shared.isHanging = false;
    await clock.advance(1_000);
    await settle(first.get('quote', BTC), 1_200);
    expect(states).toEqual(['shared-cache testex open', 'shared-cache testex half_open', 'shared-cache testex closed']);
    expect(adapter.calls).toHaveLength(3);
  });

  it('drops what another process invalidates', async () => {
    const { settle, shared, first } = givenTwoProcesses();
    await settle(first.get('quote', BTC));
    shared.invalidate(['v1|public/default|quote|testex:BTC/USDT|', 'v1|unknown']);
    expect(first.peek('quote', BTC)).toBeUndefined();
  });

  it('lets a caller leave while another process loads', async () => {
    const { shared, clock, settle, first } = givenTwoProcesses();
    shared.leases.set('v1|public/default|quote|testex:BTC/USDT|', clock.now() + 60_000);
    const controller = new AbortController();
    const read = first.get('quote', BTC, { signal: controller.signal });
    clock.schedule(100, () => controller.abort(new Error('enough')));
    await expect(settle(read, 150)).rejects.toThrow('enough');
  });

  it('waits no longer for it after the client was closed', async () => {
    const { settle, first } = givenTwoProcesses();
    const read = first.get('quote', BTC);
    read.catch(() => {});
    await first.close();
    await expect(settle(read)).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('refuses a shared store that lacks a method', () => {
    const clock = new ManualClock();
    expect(() => new CachedMarketDataClient({ adapter: new ScriptedAdapter(clock), shared: { getMany() {} } as never })).toThrow(
      /shared must be an object with a method setIfNewer/,
    );
  });
});
