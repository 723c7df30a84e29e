import { describe, expect, it } from 'vitest';
import { EventBus } from '../../../src/contracts/events.js';
import type { Fetcher } from '../../../src/contracts/fetcher.js';
import { onAbort } from '../../../src/core/abort.js';
import { seededRandom } from '../../../src/core/random.js';
import { BTC, type GivenOptions, givenClient } from './support/given-client.js';
import { givenBars } from './support/scripted-adapter.js';

type Given = ReturnType<typeof givenClient>;

/** Reads at multiples of `periodMs`, each up to `jitterMs` late as timers are, and says how each read was answered. */
async function poll(given: Given, reads: number, periodMs: number, options: Parameters<typeof startPolling>[3] = {}) {
  const outcomes = startPolling(given, reads, periodMs, options);
  await given.clock.advance(reads * periodMs);
  return outcomes;
}

function startPolling(
  { clock, client }: Given,
  reads: number,
  periodMs: number,
  options: { readonly jitterMs?: number; readonly consumer?: string; readonly symbol?: string } = {},
) {
  const { jitterMs = 0, consumer = 'bot', symbol = BTC.symbol } = options;
  const random = seededRandom(7);
  const outcomes: string[] = [];
  for (let i = 0; i < reads; i++) {
    clock.schedule(i * periodMs + jitterMs * random(), () => {
      void client.get('quote', { symbol }, { consumer }).then(({ outcome }) => outcomes.push(outcome));
    });
  }
  return outcomes;
}

const givenPolling = (options: GivenOptions = {}) => givenClient({ random: seededRandom(1), limit: 1, ...options });

describe('Prefetcher', () => {
  it('has the value there just before a consumer with a period reads it', async () => {
    const given = givenPolling();
    const outcomes = await poll(given, 20, 5_000);
    expect(outcomes.slice(0, 3)).toEqual(['miss', 'miss', 'miss']);
    expect(outcomes.slice(4)).toEqual(Array(16).fill('hit'));
    expect(given.client.stats()).toMatchObject({ prefetchWasted: 0 });
  });

  it('bears a jitter of 50 ms', async () => {
    const given = givenPolling();
    const outcomes = await poll(given, 100, 5_000, { jitterMs: 50 });
    expect(outcomes.slice(10).filter((outcome) => outcome === 'hit').length).toBeGreaterThanOrEqual(89);
  });

  it('costs at most one fetch for nothing when the poller stops', async () => {
    const given = givenPolling();
    await poll(given, 10, 5_000);
    const calls = given.adapter.calls.length;
    await given.clock.advance(600_000);
    expect(given.adapter.calls.length - calls).toBeLessThanOrEqual(1);
    expect(given.client.stats().prefetchWasted).toBeLessThanOrEqual(1);
  });

  it('learns each consumer by itself: two periods on one key do not spoil each other', async () => {
    const given = givenPolling();
    const fast = startPolling(given, 140, 3_000, { consumer: 'fast' });
    const slow = startPolling(given, 60, 7_000, { consumer: 'slow' });
    await given.clock.advance(425_000);
    const share = (outcomes: readonly string[]) => outcomes.filter((outcome) => outcome === 'hit').length / outcomes.length;
    expect(share(fast.slice(5))).toBeGreaterThan(0.95);
    expect(share(slow.slice(5))).toBeGreaterThan(0.95);
  });

  it.each([5, 60, 130])('keeps a value fresh for a loop that peeks at a handle every %i ms', async (everyMs) => {
    const given = givenPolling();
    const handle = given.client.handle('quote', BTC);
    const outcomes: boolean[] = [];
    for (let at = 0; at < 30_000; at += everyMs) {
      given.clock.schedule(at, () => {
        const value = handle.peek();
        outcomes.push(value !== undefined);
        if (value === undefined) void handle.get();
      });
    }
    await given.clock.advance(30_000);
    const learnt = outcomes.slice(Math.floor(outcomes.length / 5));
    expect(learnt.filter((isHit) => isHit).length / learnt.length).toBeGreaterThan(0.99);
    expect(given.adapter.calls.length).toBeLessThan(45);
  });

  it('fetches nothing for who reads without a rhythm', async () => {
    const given = givenPolling();
    for (const gap of [3_000, 9_000, 1_500, 14_000, 2_500, 8_000, 1_200, 20_000]) await poll(given, 1, gap);
    expect(given.client.stats().prefetchIssued).toBe(0);
  });

  it('fetches nothing for a scan', async () => {
    const given = givenPolling();
    for (let i = 0; i < 10; i++) {
      given.client.get('quote', BTC, { scan: true }).catch(() => {});
      await given.clock.advance(5_000);
    }
    expect(given.client.stats().prefetchIssued).toBe(0);
  });

  it('fetches nothing where the policy is off', async () => {
    const given = givenPolling({ kinds: { quote: { prefetch: 'off' } } });
    await poll(given, 10, 5_000);
    expect(given.client.stats().prefetchIssued).toBe(0);
  });

  describe('told to pause', () => {
    const givenAPausable = async (options: GivenOptions = {}) => {
      const bus = new EventBus();
      const given = givenPolling({ bus, ...options });
      const events: string[] = [];
      bus.on('cache.prefetch_state', ({ venue, state, why }) => events.push(`${venue} ${state} ${why}`));
      await poll(given, 6, 5_000);
      const issuedBefore = given.client.stats().prefetchIssued;
      expect(issuedBefore).toBeGreaterThan(0);
      const issuedIn = async (reads: number) => {
        const before = given.client.stats().prefetchIssued;
        await poll(given, reads, 5_000);
        return given.client.stats().prefetchIssued - before;
      };
      return { ...given, bus, events, issuedIn };
    };

    it('fetches nothing ahead for the time that was asked for, and says when it begins and ends', async () => {
      const { client, events, issuedIn } = await givenAPausable();
      client.shedPrefetch(30_000);
      expect(events).toEqual(['testex paused asked']);
      expect(await issuedIn(5)).toBe(0);
      expect(await issuedIn(4)).toBeGreaterThan(0);
      expect(events).toEqual(['testex paused asked', 'testex running asked']);
    });

    it('fetches nothing ahead until it is resumed', async () => {
      const { client, events, issuedIn } = await givenAPausable();
      client.shedPrefetch();
      expect(await issuedIn(500)).toBe(0);
      client.resumePrefetch();
      expect(await issuedIn(4)).toBeGreaterThan(0);
      expect(events).toEqual(['testex paused asked', 'testex running asked']);
    });

    it('tells nothing twice, and the longer time holds', async () => {
      const { clock, client, events, issuedIn } = await givenAPausable();
      client.resumePrefetch();
      client.shedPrefetch(60_000);
      client.shedPrefetch(1_000);
      client.shedPrefetch(0);
      expect(await issuedIn(9)).toBe(0);
      client.shedPrefetch(60_000);
      await clock.advance(30_000);
      expect(events).toEqual(['testex paused asked']);
      client.resumePrefetch();
      client.resumePrefetch();
      expect(events).toEqual(['testex paused asked', 'testex running asked']);
      expect(clock.pending).toBeLessThanOrEqual(2);
    });

    it('goes on pausing near a limit of the venue when the host resumes it', async () => {
      const { clock, bus, client, events, issuedIn } = await givenAPausable();
      client.shedPrefetch();
      bus.emit('limit.observed', { limit: 'weight', used: 70, remaining: 30, resetAt: clock.now() + 20_000 });
      client.resumePrefetch();
      expect(await issuedIn(3)).toBe(0);
      expect(events).toEqual(['testex paused asked']);
      expect(await issuedIn(4)).toBeGreaterThan(0);
      expect(events).toEqual(['testex paused asked', 'testex running limit']);
    });

    it('does not send what is queued for it, unless a reader waits for it by then', async () => {
      const queued: (() => Promise<unknown>)[] = [];
      const held: Fetcher = {
        run: (task, { signal } = {}) =>
          new Promise((resolve, reject) => {
            if (signal !== undefined) onAbort(signal, reject);
            queued.push(() => task.run(task.input, { signal: signal as AbortSignal, attempt: 1 }).then(resolve, reject));
          }),
      };
      const { clock, client, adapter } = givenPolling({ fetcher: held });
      const tick = async (symbol: string) => {
        void client.get('quote', { symbol }, { consumer: 'bot' }).catch(() => {});
        await clock.advance(0);
        for (const run of queued.splice(0)) void run();
        await clock.advance(4_900);
        return queued.length;
      };
      for (let i = 0; i < 4; i++) {
        await tick('A');
        await clock.advance(100);
      }
      for (const run of queued.splice(0)) void run();
      await clock.advance(60_000);
      for (const symbol of ['B', 'C']) for (let i = 0; i < 5; i++) await tick(symbol);
      const sent = adapter.calls.length;
      expect(queued.length).toBe(1);
      client.shedPrefetch();
      for (const run of queued.splice(0)) await run();
      expect(adapter.calls).toHaveLength(sent);
      // The key is free again: a reader gets its own load.
      const read = client.get('quote', { symbol: 'C' });
      await clock.advance(0);
      for (const run of queued.splice(0)) void run();
      await clock.advance(50);
      expect((await read).outcome).toBe('miss');
    });

    it('refuses a time that is none, and does nothing once closed', async () => {
      const { client, events } = await givenAPausable();
      expect(() => client.shedPrefetch(-1)).toThrow(/ms must be .* got -1/);
      expect(() => client.shedPrefetch(Number.NaN)).toThrow(/ms must be .* got NaN/);
      client.shedPrefetch();
      await client.close();
      client.resumePrefetch();
      client.shedPrefetch(5);
      expect(events).toEqual(['testex paused asked']);
    });

    it('pauses when 70 % of a limit is used', async () => {
      const { clock, bus, events, issuedIn } = await givenAPausable();
      bus.emit('limit.observed', { limit: 'weight', used: 4_200, remaining: 1_800, resetAt: clock.now() + 30_000 });
      expect(await issuedIn(5)).toBe(0);
      expect(events).toEqual(['testex paused limit']);
    });
  });

  it('switches itself off when more than 5 % of it is wasted', async () => {
    const given = givenPolling();
    // Pollers that stop after their fifth read, one after the other: half of what is fetched for them is wasted.
    const issuedFor: number[] = [];
    for (let i = 0; i < 250; i++) {
      const before = given.client.stats().prefetchIssued;
      await poll(given, 5, 2_000, { symbol: `S${i}` });
      issuedFor.push(given.client.stats().prefetchIssued - before);
    }
    const off = issuedFor.indexOf(0);
    expect(off).toBeGreaterThan(20);
    // A minute later it tries again.
    expect(issuedFor[off + 3]).toBe(0);
    expect(issuedFor[off + 8]).toBeGreaterThan(0);
  });

  it('refreshes a hot key before it expires', async () => {
    const given = givenPolling({ kinds: { quote: { prefetch: 'hot' } } });
    const random = seededRandom(3);
    const outcomes: string[] = [];
    for (let i = 0; i < 400; i++) {
      const read = given.client.get('quote', BTC);
      await given.clock.advance(20 - 200 * Math.log(1 - random()));
      outcomes.push((await read).outcome);
    }
    expect(outcomes.slice(20).filter((outcome) => outcome === 'hit').length).toBeGreaterThan(0.97 * 380);
    expect(given.client.stats().prefetchIssued).toBeGreaterThan(20);
  });

  it('fetches bars after each close for who read them at the two closes before', async () => {
    const given = givenPolling();
    const { clock, client, adapter } = given;
    adapter.answer = (_, { symbol }) => givenBars(symbol, { lastStart: Math.floor(clock.now() / 60_000) * 60_000 - 60_000 });
    const request = { symbol: 'BTC', interval: '1m' };
    const outcomes: string[] = [];
    for (let i = 0; i < 6; i++) {
      const read = client.get('bars', request);
      await clock.advance(60_000 + (i === 0 ? 400 : 0));
      outcomes.push((await read).outcome);
    }
    expect(outcomes).toEqual(['miss', 'miss', 'hit', 'hit', 'hit', 'hit']);
    await clock.advance(600_000);
    expect(client.stats().prefetchWasted).toBeLessThanOrEqual(1);
  });

  it('asks again for a closed bar that the venue has not published yet, and gives up after a few times', async () => {
    const { clock, client, adapter, settle } = givenPolling();
    const stuck = Math.floor(clock.now() / 60_000) * 60_000 - 60_000;
    adapter.answer = (_, { symbol }) => givenBars(symbol, { lastStart: stuck });
    await settle(client.get('bars', { symbol: 'BTC', interval: '1m' }));
    await clock.advance(60_000);
    adapter.answer = (_, { symbol }) => givenBars(symbol, { lastStart: stuck + 60_000 });
    await settle(client.get('bars', { symbol: 'BTC', interval: '1m' }));
    await clock.advance(61_000);
    expect(adapter.calls.length).toBeGreaterThanOrEqual(4);
    await clock.advance(600_000);
    expect(adapter.calls.length).toBeLessThanOrEqual(8);
  });

  it('says for each prefetch whether it was of use', async () => {
    const bus = new EventBus();
    const given = givenPolling({ bus });
    const seen: boolean[] = [];
    bus.on('cache.prefetch', ({ useful }) => seen.push(useful));
    await poll(given, 10, 5_000);
    await given.clock.advance(60_000);
    const { prefetchIssued, prefetchUseful, prefetchWasted } = given.client.stats();
    expect(seen).toHaveLength(prefetchIssued);
    expect(prefetchUseful + prefetchWasted).toBe(prefetchIssued);
  });

  it('keeps one timer for all keys', async () => {
    const { clock, client } = givenPolling({ limit: 500 });
    const requests = Array.from({ length: 300 }, (_, i) => ({ symbol: `S${i}` }));
    for (let i = 0; i < 6; i++) {
      client.getMany('quote', requests, { consumer: 'bot' }).catch(() => {});
      await clock.advance(5_000);
    }
    expect(client.stats().prefetchIssued).toBeGreaterThan(300);
    expect(clock.pending).toBeLessThanOrEqual(3);
  });
});
