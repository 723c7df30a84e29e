import { describe, expect, it } from 'vitest';
import type { VenueKitEvents } from '../../../src/contracts/events.js';
import { EventBus } from '../../../src/contracts/events.js';
import { seededRandom } from '../../../src/core/random.js';
import type { CachedMarketDataClient } from '../../../src/market-data/cached-market-data-client.js';
import { quickLruStore } from '../../../src/market-data/quick-lru-store.js';
import { s3FifoStore } from '../../../src/market-data/s3-fifo-store.js';
import { BTC, ETH, type GivenOptions, givenClient } from './support/given-client.js';
import { givenBars, givenQuote } from './support/scripted-adapter.js';

const sumOf = (stats: ReturnType<CachedMarketDataClient['stats']>) =>
  stats.hits + stats.staleHits + stats.coalesced + stats.negative + stats.misses + stats.bypass;

describe('CachedMarketDataClient', () => {
  describe('reads', () => {
    it('fetches at first, and answers from the cache until the TTL has passed since the send', async () => {
      const { clock, adapter, client, settle } = givenClient();
      expect(await settle(client.get('quote', BTC))).toMatchObject({ outcome: 'miss', ageMs: 50, value: { bid: 1 } });
      await clock.advance(949);
      expect(await client.get('quote', BTC)).toMatchObject({ outcome: 'hit', ageMs: 999, value: { bid: 1 } });
      await clock.advance(1);
      expect(await settle(client.get('quote', BTC))).toMatchObject({ outcome: 'miss', value: { bid: 2 } });
      expect(adapter.calls).toHaveLength(2);
    });

    it('peeks without any I/O', async () => {
      const { clock, adapter, client, settle } = givenClient();
      expect(client.peek('quote', BTC)).toBeUndefined();
      await clock.advance(1_000);
      expect(adapter.calls).toHaveLength(0);
      await settle(client.get('quote', BTC));
      expect(client.peek('quote', BTC)).toMatchObject({ outcome: 'hit', value: { bid: 1 } });
    });

    it('keeps requests apart that differ in a parameter, whatever the order of their names', async () => {
      const { adapter, client, settle } = givenClient();
      adapter.answer = (_, { symbol }) => givenBars(symbol);
      await settle(
        client.getMany('bars', [
          { symbol: 'BTC', interval: '1m', limit: 5 },
          { symbol: 'BTC', limit: 5, interval: '1m' },
          { symbol: 'BTC', interval: '5m', limit: 5 },
        ]),
        100,
      );
      expect(adapter.calls.map((call) => call.symbols)).toEqual([['BTC'], ['BTC']]);
    });

    it('hands out frozen values', async () => {
      const { adapter, client, settle } = givenClient();
      adapter.answer = (_, { symbol }) => ({ symbol, bids: [[1, 2]], asks: [] });
      const { value } = await settle(client.get('book', BTC));
      expect(() => (value.bids as unknown as unknown[]).push(1)).toThrow(TypeError);
      expect(() => ((value.bids[0] as unknown as number[])[0] = 7)).toThrow(TypeError);
    });

    it('rejects an unknown kind, an empty symbol and an impossible maxAgeMs, naming them', async () => {
      const { client } = givenClient();
      await expect(client.get('candles' as never, BTC as never)).rejects.toThrow(/kind must be one of quote.*candles/);
      expect(() => client.peek('candles' as never, BTC as never)).toThrow(/kind must be one of/);
      // Names that every object answers to.
      for (const kind of ['toString', '__proto__', 'constructor']) {
        await expect(client.get(kind as never, BTC as never)).rejects.toThrow(/kind must be one of/);
        expect(() => client.peek(kind as never, BTC as never)).toThrow(/kind must be one of/);
      }
      await expect(client.get('quote', { symbol: '' })).rejects.toThrow(/request\.symbol/);
      await expect(client.get('quote', BTC, { maxAgeMs: Number.NaN })).rejects.toThrow(/maxAgeMs must be a finite number of 0 or more, got NaN/);
      await expect(client.get('quote', BTC, { maxAgeMs: -1 })).rejects.toThrow(RangeError);
    });

    it('found by black-box review: a misspelt intent never reads from memory, whichever way it is asked', async () => {
      const { client, settle } = givenClient();
      await settle(client.get('quote', BTC));
      const options = { intent: 'Order' as never };
      await expect(client.get('quote', BTC, options)).rejects.toThrow(/intent must be one of "signal", "display", "order", got "Order"/);
      await expect(client.getMany('quote', [BTC], options)).rejects.toThrow(RangeError);
      expect(() => client.peek('quote', BTC, options)).toThrow(RangeError);
      expect(() => client.handle('quote', BTC, options)).toThrow(RangeError);
    });

    it('found by black-box review: asks no adapter what it could not answer, naming the member', async () => {
      const { adapter, client } = givenClient();
      for (const [kind, request, message] of [
        ['bars', { symbol: 'A' }, /request\.interval must be a non-empty string/],
        ['bars', { symbol: 'A', interval: '1m', limit: Number.NaN }, /request\.limit/],
        ['bars', { symbol: 'A', interval: '1m', since: Number.NaN }, /request\.since/],
        ['book', { symbol: 'A', depth: -1 }, /request\.depth/],
        ['quote', {}, /request\.symbol/],
      ] as const) {
        for (const intent of ['signal', 'order'] as const) await expect(client.get(kind, request as never, { intent })).rejects.toThrow(message);
      }
      expect(adapter.calls).toHaveLength(0);
    });
  });

  describe('ages', () => {
    it('refuses to a reader what is older than its maxAgeMs, though others may still have it', async () => {
      const { clock, client, settle } = givenClient();
      await settle(client.get('quote', BTC));
      await clock.advance(250);
      expect(client.peek('quote', BTC, { maxAgeMs: 299 })).toBeUndefined();
      expect(client.peek('quote', BTC, { maxAgeMs: 300 })).toMatchObject({ ageMs: 300 });
      expect(client.peek('quote', BTC)).toMatchObject({ ageMs: 300 });
    });

    it("counts from the venue's own time where that is earlier, as behind a venue's REST cache", async () => {
      const { clock, adapter, client, settle } = givenClient();
      const eventTime = clock.now() - 700;
      adapter.answer = (_, { symbol }) => givenQuote(symbol, 1, { eventTime });
      expect(await settle(client.get('quote', BTC))).toMatchObject({ ageMs: 750 });
      await expect(settle(client.get('quote', BTC, { maxAgeMs: 500 }))).rejects.toMatchObject({ code: 'OVER_AGE' });
      expect(client.stats().overAgeRejected).toBe(1);
    });

    it('adds the declared offset of the clocks to the event age', async () => {
      const { clock, adapter, client, settle } = givenClient({ venueOffsetMs: 20 });
      adapter.answer = (_, { symbol }) => givenQuote(symbol, 1, { eventTime: clock.now() });
      expect(await settle(client.get('quote', BTC))).toMatchObject({ ageMs: 70 });
    });

    it('rejects when the answer took longer than the reader allows', async () => {
      const { client, settle } = givenClient({ latencyMs: 300 });
      await expect(settle(client.get('quote', BTC, { maxAgeMs: 200 }))).rejects.toThrow(/quote of BTC\/USDT was 300\.0 ms old.*maxAgeMs 200/);
    });

    it('asks again while the deadline lasts when one answer took longer than the reader allows', async () => {
      const { clock, adapter, client } = givenClient({ latencyMs: 300 });
      const read = client.get('quote', BTC, { maxAgeMs: 200, deadlineMs: 1_000 });
      await clock.advance(250);
      adapter.latencyMs = 40;
      await clock.advance(100);
      expect(await read).toMatchObject({ outcome: 'miss', ageMs: 40 });
      expect(adapter.calls.map((call) => call.sentAt)).toEqual([0, 300]);
    });

    it('stops at the deadline, and after three more loads, when every answer is too slow', async () => {
      const { clock, adapter, client } = givenClient({ latencyMs: 300 });
      const short = client.get('quote', BTC, { maxAgeMs: 200, deadlineMs: 500 });
      const long = client.get('quote', ETH, { maxAgeMs: 200, deadlineMs: 60_000 });
      const outcomes = Promise.allSettled([short, long]);
      await clock.advance(5_000);
      expect(await outcomes).toMatchObject([{ reason: { code: 'DEADLINE' } }, { reason: { code: 'OVER_AGE' } }]);
      expect(adapter.calls.filter(({ symbols }) => symbols.includes(ETH.symbol)).map(({ sentAt }) => sentAt)).toEqual([0, 300, 600, 900]);
    });

    it('does not ask again for what the venue itself calls old, whatever the deadline', async () => {
      const { clock, adapter, client, settle } = givenClient();
      adapter.answer = (_, { symbol }) => givenQuote(symbol, 1, { eventTime: clock.now() - 700 });
      await expect(settle(client.get('quote', BTC, { maxAgeMs: 500, deadlineMs: 10_000 }))).rejects.toMatchObject({ code: 'OVER_AGE' });
      expect(adapter.calls).toHaveLength(1);
    });

    it('is not fooled by a wall clock that steps back', async () => {
      const { clock, adapter, client, settle } = givenClient();
      adapter.answer = (_, { symbol }) => givenQuote(symbol, 1, { eventTime: clock.now() });
      await settle(client.get('quote', BTC));
      clock.stepWall(-60_000);
      await clock.advance(500);
      expect(client.peek('quote', BTC, { maxAgeMs: 549 })).toBeUndefined();
      expect(client.peek('quote', BTC, { maxAgeMs: 550 })).toMatchObject({ ageMs: 550 });
    });

    it('re-checks in getMany what was there at once but waited for the others', async () => {
      const { clock, adapter, client, settle } = givenClient({ latencyMs: 20 });
      await settle(client.get('quote', BTC));
      await clock.advance(280);
      adapter.latencyMs = 120;
      const [btc, eth] = await settle(client.getMany('quote', [BTC, ETH], { maxAgeMs: 400 }), 300);
      expect(btc).toMatchObject({ status: 'fulfilled', value: { ageMs: 120, outcome: 'miss', value: { bid: 3 } } });
      expect(eth).toMatchObject({ status: 'fulfilled', value: { ageMs: 240 } });
    });

    it('asks once more for a reader who joined a load that was sent too long ago for it', async () => {
      const { clock, adapter, client } = givenClient({ latencyMs: 100 });
      const first = client.get('quote', BTC);
      await clock.advance(60);
      const second = client.get('quote', BTC, { maxAgeMs: 100 });
      const third = client.get('quote', BTC, { maxAgeMs: 50 });
      third.catch(() => {});
      await clock.advance(200);
      expect(await first).toMatchObject({ outcome: 'miss', value: { bid: 1 } });
      expect(await second).toMatchObject({ outcome: 'coalesced', ageMs: 100 });
      await expect(third).rejects.toMatchObject({ code: 'OVER_AGE' });
      expect(adapter.calls.map((call) => call.sentAt)).toEqual([0, 100]);
    });
  });

  describe("intent 'order'", () => {
    it('always asks the venue and leaves the cache as it is', async () => {
      const { adapter, client, settle } = givenClient();
      await settle(client.get('quote', BTC));
      expect(client.peek('quote', BTC, { intent: 'order' })).toBeUndefined();
      expect(await settle(client.get('quote', BTC, { intent: 'order' }))).toMatchObject({ outcome: 'bypass', value: { bid: 2 } });
      expect(client.peek('quote', BTC)).toMatchObject({ value: { bid: 1 } });
      expect(adapter.calls).toHaveLength(2);
    });

    it('shares no load with other readers', async () => {
      const { adapter, client, settle } = givenClient();
      const [shared, order] = await settle(Promise.all([client.get('quote', BTC), client.get('quote', BTC, { intent: 'order' })]));
      expect([shared.outcome, order.outcome]).toEqual(['miss', 'bypass']);
      expect(adapter.calls).toHaveLength(2);
    });

    it('asks although the symbol is remembered as unknown', async () => {
      const { adapter, client, settle } = givenClient();
      adapter.unlisted.add(BTC.symbol);
      await expect(settle(client.get('quote', BTC))).rejects.toMatchObject({ code: 'UNKNOWN_SYMBOL' });
      adapter.unlisted.clear();
      expect(await settle(client.get('quote', BTC, { intent: 'order' }))).toMatchObject({ outcome: 'bypass' });
    });

    it('asks once for a symbol that occurs twice in getMany, in calls of the batch limit', async () => {
      const { adapter, client, settle } = givenClient({ limit: 2 });
      const settled = await settle(client.getMany('quote', [BTC, ETH, BTC, { symbol: 'SOL' }], { intent: 'order' }));
      expect(adapter.calls.map((call) => call.symbols)).toEqual([['BTC/USDT', 'ETH/USDT'], ['SOL']]);
      expect(settled.map((one) => one.status === 'fulfilled' && one.value.value.symbol)).toEqual(['BTC/USDT', 'ETH/USDT', 'BTC/USDT', 'SOL']);
    });

    it('ends with its signal and its deadline', async () => {
      const { adapter, client, settle } = givenClient();
      const controller = new AbortController();
      const aborted = client.get('quote', BTC, { intent: 'order', signal: controller.signal });
      const late = client.get('quote', BTC, { intent: 'order', deadlineMs: 10 });
      late.catch(() => {});
      controller.abort(new Error('changed my mind'));
      await expect(settle(aborted)).rejects.toThrow('changed my mind');
      await expect(late).rejects.toMatchObject({ code: 'DEADLINE' });
      expect(adapter.calls.map((call) => call.signal.aborted)).toEqual([true, true]);
    });
  });

  describe('coalescing', () => {
    it('sends one request for all who ask while it is on its way', async () => {
      const { adapter, client, settle } = givenClient();
      const reads = await settle(Promise.all([client.get('quote', BTC), client.get('quote', BTC), client.get('quote', BTC)]));
      expect(reads.map((read) => read.outcome)).toEqual(['miss', 'coalesced', 'coalesced']);
      expect(adapter.calls).toHaveLength(1);
    });

    it('lets one caller abort without ending the load of the others', async () => {
      const { clock, adapter, client } = givenClient();
      const controller = new AbortController();
      const first = client.get('quote', BTC, { signal: controller.signal });
      const second = client.get('quote', BTC);
      await clock.advance(10);
      controller.abort(new Error('not me'));
      await expect(first).rejects.toThrow('not me');
      expect(adapter.calls[0]?.signal.aborted).toBe(false);
      await clock.advance(40);
      expect(await second).toMatchObject({ outcome: 'coalesced', value: { bid: 1 } });
    });

    it('aborts the request when the last waiter has left, and starts a new one for the next', async () => {
      const { clock, adapter, client, settle } = givenClient();
      const controllers = [new AbortController(), new AbortController()];
      const reads = controllers.map(({ signal }) => client.get('quote', BTC, { signal }));
      for (const read of reads) read.catch(() => {});
      await clock.advance(10);
      controllers[0]?.abort();
      expect(adapter.calls[0]?.signal.aborted).toBe(false);
      controllers[1]?.abort();
      expect(adapter.calls[0]?.signal.aborted).toBe(true);
      expect(await settle(client.get('quote', BTC))).toMatchObject({ outcome: 'miss', value: { bid: 2 } });
    });

    it('keeps a batch going while one of its keys is wanted', async () => {
      const { clock, adapter, client } = givenClient();
      const controller = new AbortController();
      const leaving = client.get('quote', BTC, { signal: controller.signal });
      const staying = client.get('quote', ETH);
      leaving.catch(() => {});
      await clock.advance(10);
      controller.abort();
      expect(adapter.calls[0]?.signal.aborted).toBe(false);
      await clock.advance(40);
      expect(await staying).toMatchObject({ outcome: 'miss' });
    });

    it('never sends what everybody gave up before it left', async () => {
      const { clock, adapter, client } = givenClient();
      const controller = new AbortController();
      const read = client.get('quote', BTC, { signal: controller.signal });
      controller.abort(new Error('never mind'));
      await expect(read).rejects.toThrow('never mind');
      await clock.advance(100);
      expect(adapter.calls).toHaveLength(0);
    });

    it('ends a wait at its deadline, and the others go on', async () => {
      const { clock, client } = givenClient();
      const hurried = client.get('quote', BTC, { deadlineMs: 20 });
      const patient = client.get('quote', BTC);
      hurried.catch(() => {});
      await clock.advance(50);
      await expect(hurried).rejects.toMatchObject({ code: 'DEADLINE' });
      expect(await patient).toMatchObject({ outcome: 'coalesced' });
    });

    it('gives up a load that its adapter never settles, so that it blocks no later one', async () => {
      const { clock, adapter, client, settle } = givenClient({ loadTimeoutMs: 2_000 });
      adapter.latencyMs = 1e9;
      await expect(settle(client.get('quote', BTC), 2_000)).rejects.toMatchObject({ code: 'LOAD_TIMEOUT' });
      adapter.latencyMs = 50;
      await clock.advance(1);
      expect(await settle(client.get('quote', BTC))).toMatchObject({ outcome: 'miss' });
    });
  });

  describe('batches', () => {
    it("puts together what is asked in one turn, up to the adapter's limit", async () => {
      const { adapter, client, settle } = givenClient({ limit: 3 });
      await settle(
        client.getMany(
          'quote',
          ['A', 'B', 'C', 'D', 'B'].map((symbol) => ({ symbol })),
        ),
      );
      expect(adapter.calls.map((call) => call.symbols)).toEqual([['A', 'B', 'C'], ['D']]);
    });

    it('waits for company only as long as the policy says', async () => {
      const { clock, adapter, client } = givenClient({ kinds: { quote: { batch: { max: 10, windowMs: 5 } } } });
      const first = client.get('quote', BTC);
      await clock.advance(4);
      const second = client.get('quote', ETH);
      await clock.advance(1);
      expect(adapter.calls.map((call) => call.symbols)).toEqual([['BTC/USDT', 'ETH/USDT']]);
      await clock.advance(50);
      expect((await first).ageMs).toBe(50);
      expect((await second).ageMs).toBe(50);
    });

    it('rejects only the keys that failed', async () => {
      const { adapter, client, settle } = givenClient();
      adapter.failing.set(ETH.symbol, new Error('book crossed'));
      const [btc, eth] = await settle(client.getMany('quote', [BTC, ETH]));
      expect(btc).toMatchObject({ status: 'fulfilled' });
      expect(eth).toMatchObject({ status: 'rejected', reason: { message: 'book crossed' } });
    });

    it('names the keys that an adapter left out, and gives the others their own values', async () => {
      const { adapter, client, settle } = givenClient();
      adapter.mangle = (answers) => answers.slice(1);
      const [btc, eth] = await settle(client.getMany('quote', [BTC, ETH]));
      expect(btc).toMatchObject({ status: 'rejected', reason: { code: 'MISSING_ANSWER', message: expect.stringContaining('BTC/USDT') } });
      expect(eth).toMatchObject({ status: 'fulfilled', value: { value: { symbol: 'ETH/USDT' } } });
    });

    it("never takes another symbol's answer, when an adapter mixes them up", async () => {
      const { adapter, client, settle } = givenClient();
      adapter.mangle = (answers) => [...answers].reverse();
      const settled = await settle(client.getMany('quote', [BTC, ETH]));
      expect(settled.map((one) => one.status === 'fulfilled' && one.value.value.symbol)).toEqual(['BTC/USDT', 'ETH/USDT']);
    });

    it.each([[undefined], ['nonsense'], [[42, undefined]]])('rejects clearly when an adapter answers %j', async (nonsense) => {
      const { adapter, client, settle } = givenClient();
      adapter.mangle = () => nonsense;
      const settled = await settle(client.getMany('quote', [BTC, ETH]));
      for (const one of settled) expect(one).toMatchObject({ status: 'rejected', reason: { code: 'BAD_ANSWER' } });
    });
  });

  describe('regressions', () => {
    it('a value that is not what its kind promises rejects its key and hangs nobody', async () => {
      const { adapter, client, settle } = givenClient();
      adapter.answer = (_, { symbol }) => (symbol === ETH.symbol ? { symbol } : { symbol, bids: [], asks: [] });
      const [btc, eth] = await settle(client.getMany('book', [BTC, ETH]));
      expect(btc).toMatchObject({ status: 'fulfilled' });
      expect(eth).toMatchObject({ status: 'rejected', reason: { code: 'BAD_ANSWER', message: expect.stringContaining('ETH/USDT is no book') } });
    });
  });

  describe('stale values', () => {
    it('serves a stale value for swrMs while a fresh one is fetched, and not longer', async () => {
      const { clock, adapter, client, settle } = givenClient({ kinds: { quote: { swrMs: 500 } } });
      await settle(client.get('quote', BTC));
      await clock.advance(1_449);
      expect(await client.get('quote', BTC)).toMatchObject({ outcome: 'stale', ageMs: 1_499 });
      await clock.advance(50);
      expect(client.peek('quote', BTC)).toMatchObject({ outcome: 'hit', value: { bid: 2 } });
      await clock.advance(1_500);
      expect(await settle(client.get('quote', BTC))).toMatchObject({ outcome: 'miss' });
      expect(adapter.calls).toHaveLength(3);
    });

    it('never serves a stale value above maxAgeMs, nor to a reader who wants none', async () => {
      const { clock, client, settle } = givenClient({ kinds: { quote: { swrMs: 5_000 } } });
      await settle(client.get('quote', BTC));
      await clock.advance(1_450);
      expect(client.peek('quote', BTC, { maxAgeMs: 1_400 })).toBeUndefined();
      expect(client.peek('quote', BTC, { allowStale: false })).toBeUndefined();
      expect(client.peek('quote', BTC, { maxAgeMs: 1_500 })).toMatchObject({ outcome: 'stale' });
    });

    it('serves a stale value when the venue fails, within staleIfErrorMs', async () => {
      const { clock, adapter, client, settle } = givenClient({ kinds: { quote: { staleIfErrorMs: 2_000 } } });
      await settle(client.get('quote', BTC));
      adapter.outage = new Error('503');
      await clock.advance(1_500);
      expect(await settle(client.get('quote', BTC))).toMatchObject({ outcome: 'stale', ageMs: 1_600, value: { bid: 1 } });
      await expect(settle(client.get('quote', BTC, { maxAgeMs: 1_600 }))).rejects.toThrow('503');
      await clock.advance(1_500);
      await expect(settle(client.get('quote', BTC))).rejects.toThrow('503');
    });
  });

  describe('negative answers', () => {
    it('remembers for minutes that the venue does not list a symbol', async () => {
      const { clock, adapter, client, settle } = givenClient();
      adapter.unlisted.add('NOPE');
      await expect(settle(client.get('quote', { symbol: 'NOPE' }))).rejects.toMatchObject({ code: 'UNKNOWN_SYMBOL' });
      await clock.advance(299_000);
      await expect(client.get('quote', { symbol: 'NOPE' })).rejects.toMatchObject({ code: 'UNKNOWN_SYMBOL' });
      expect(client.stats()).toMatchObject({ negative: 1, misses: 1 });
      await clock.advance(1_000);
      adapter.unlisted.clear();
      expect(await settle(client.get('quote', { symbol: 'NOPE' }))).toMatchObject({ outcome: 'miss' });
    });

    it.each([
      ['a timeout', new Error('timed out')],
      ['429', Object.assign(new Error('too many requests'), { status: 429 })],
      ['503', Object.assign(new Error('unavailable'), { status: 503 })],
    ])('never remembers %s', async (_, error) => {
      const { adapter, client, settle } = givenClient();
      adapter.outage = error;
      await expect(settle(client.get('quote', BTC))).rejects.toBe(error);
      adapter.outage = undefined;
      expect(await settle(client.get('quote', BTC))).toMatchObject({ outcome: 'miss' });
    });
  });

  describe('invalidate', () => {
    it('drops by kind, by symbol, or all, and says how many', async () => {
      const { adapter, client, settle } = givenClient();
      adapter.answer = (kind, { symbol }) => (kind === 'quote' ? givenQuote(symbol) : { symbol, bids: [], asks: [] });
      const fill = () => settle(Promise.all([client.get('quote', BTC), client.get('quote', ETH), client.get('book', BTC)]));
      await fill();
      expect(client.invalidate({ kind: 'book' })).toBe(1);
      expect(client.invalidate({ symbol: 'BTC/USDT' })).toBe(1);
      expect(client.peek('quote', ETH)).toBeDefined();
      await fill();
      expect(client.invalidate()).toBe(3);
      expect(client.stats().entries).toBe(0);
    });

    it('gives a load that was sent before it to its own callers only', async () => {
      const { clock, adapter, client } = givenClient();
      const before = client.get('quote', BTC);
      await clock.advance(10);
      client.invalidate();
      const after = client.get('quote', BTC);
      await clock.advance(40);
      expect(await before).toMatchObject({ value: { bid: 1 } });
      expect(client.peek('quote', BTC)).toBeUndefined();
      await clock.advance(50);
      expect(await after).toMatchObject({ outcome: 'miss', value: { bid: 2 } });
      expect(adapter.calls.map((call) => call.sentAt)).toEqual([0, 50]);
    });
  });

  describe('bounds', () => {
    it('holds no more than maxEntries and counts what it gave up', async () => {
      const { client, settle } = givenClient({ maxEntries: 10 });
      await settle(
        client.getMany(
          'quote',
          Array.from({ length: 25 }, (_, i) => ({ symbol: `S${i}` })),
        ),
      );
      const { entries, evictions } = client.stats();
      expect(entries).toBeLessThanOrEqual(10);
      expect(entries + evictions).toBe(25);
    });

    it('holds no more than maxBytes, and never what is heavier than all of them', async () => {
      const { adapter, client, settle } = givenClient({ maxBytes: 8_000 });
      await settle(
        client.getMany(
          'quote',
          Array.from({ length: 25 }, (_, i) => ({ symbol: `S${i}` })),
        ),
      );
      expect(client.stats()).toMatchObject({ entries: 6, bytes: 6 * 1_300 });
      adapter.answer = (_, { symbol }) => ({ symbol, bids: Array.from({ length: 100 }, (_, i) => [i, 1]), asks: [] });
      expect((await settle(client.get('book', BTC))).value.bids).toHaveLength(100);
      expect(client.peek('book', BTC)).toBeUndefined();
      expect(client.stats().entries).toBe(6);
    });
  });

  describe('cells that come and go', () => {
    it('gives its store entries that can be written out: nothing of the cache hangs on them', async () => {
      const store = quickLruStore({ maxEntries: 10 });
      const { client, settle } = givenClient({ store });
      const { value } = await settle(client.get('quote', BTC));
      const entry = store.peek('v1|public/default|quote|testex:BTC/USDT|');
      expect(JSON.parse(JSON.stringify(entry))).toEqual({ value, sentAt: 0, receivedAt: 50, epoch: 0, source: 'rest', weight: 1_300 });
      expect(structuredClone({ ...entry })).toEqual({ ...entry });
    });

    it('keeps two clients that share one store apart, and each in step with it', async () => {
      const store = quickLruStore({ maxEntries: 10 });
      const one = givenClient({ store });
      const two = givenClient({ store });
      await one.settle(one.client.get('quote', BTC));
      await two.settle(two.client.get('quote', BTC));
      // The second took the place of the first one's, which therefore holds nothing any more.
      expect([one.client.peek('quote', BTC), two.client.peek('quote', BTC)?.outcome]).toEqual([undefined, 'hit']);
      expect([one.client.stats().bytes, two.client.stats().bytes]).toEqual([0, 1_300]);
      await one.client.close();
      expect(two.client.peek('quote', BTC)?.outcome).toBe('hit');
      await two.client.close();
    });

    it.each(['quickLruStore', 's3FifoStore'] as const)('never answers for one symbol with what belongs to another (%s)', async (name) => {
      const store = name === 'quickLruStore' ? quickLruStore({ maxEntries: 8 }) : s3FifoStore({ maxEntries: 8 });
      const { clock, client } = givenClient({ store, limit: 3, random: seededRandom(4) });
      const random = seededRandom(9);
      let seen = 0;
      for (let i = 0; i < 4_000; i++) {
        const symbol = `S${Math.floor(40 * random() ** 2)}`;
        const draw = random();
        const consumer = draw < 0.3 ? 'bot' : undefined;
        if (draw < 0.5) void client.get('quote', { symbol }, consumer === undefined ? undefined : { consumer }).catch(() => {});
        else if (draw < 0.53) client.invalidate({ kind: 'quote', symbol });
        else if (draw < 0.56) client.ingest({ kind: 'quote', symbol, value: givenQuote(symbol, i) });
        const read = client.peek('quote', { symbol });
        if (read !== undefined) {
          seen++;
          expect(read.value.symbol).toBe(symbol);
        }
        if (random() < 0.4) await clock.advance(150 * random());
      }
      expect(seen).toBeGreaterThan(500);
      await client.close();
      for (let i = 0; i < 40; i++) expect(client.peek('quote', { symbol: `S${i}` })).toBeUndefined();
    });
  });

  describe('handles', () => {
    it('reads its request, follows later writes, and counts', async () => {
      const { clock, client, settle } = givenClient();
      const handle = client.handle('quote', BTC);
      expect(handle.peek()).toBeUndefined();
      expect(await settle(handle.get())).toMatchObject({ bid: 1 });
      expect(handle.peek()).toMatchObject({ bid: 1 });
      await clock.advance(1_000);
      expect(handle.peek()).toBeUndefined();
      await settle(client.get('quote', BTC));
      expect(handle.peek()).toMatchObject({ bid: 2 });
      expect(client.stats()).toMatchObject({ reads: 6, hits: 2, misses: 4 });
    });

    it('follows its key after the entry was pushed out and came back', async () => {
      const { client, settle } = givenClient({ maxEntries: 2 });
      const handle = client.handle('quote', BTC);
      await settle(handle.get());
      await settle(
        client.getMany(
          'quote',
          ['A', 'B', 'C', 'D'].map((symbol) => ({ symbol })),
        ),
      );
      expect(handle.peek()).toBeUndefined();
      await settle(client.get('quote', BTC));
      expect(handle.peek()).toMatchObject({ symbol: 'BTC/USDT' });
    });

    it('with intent order never reads the cache', async () => {
      const { client, settle } = givenClient();
      await settle(client.get('quote', BTC));
      const handle = client.handle('quote', BTC, { intent: 'order' });
      expect(handle.peek()).toBeUndefined();
      expect(await settle(handle.get())).toMatchObject({ bid: 2 });
    });
  });

  describe('statistics and events', () => {
    it('counts every read under one heading', async () => {
      const { adapter, client, settle } = givenClient();
      adapter.unlisted.add('NOPE');
      await settle(Promise.all([client.get('quote', BTC), client.get('quote', BTC)]));
      await client.get('quote', BTC);
      await settle(client.get('quote', BTC, { intent: 'order' }));
      await settle(client.getMany('quote', [{ symbol: 'NOPE' }]));
      await settle(client.getMany('quote', [{ symbol: 'NOPE' }, BTC]));
      const stats = client.stats();
      expect(stats).toMatchObject({ reads: 7, hits: 2, misses: 2, coalesced: 1, negative: 1, bypass: 1, batches: 3, hitRate: 2 / 7 });
      expect(sumOf(stats)).toBe(stats.reads);
    });

    it('tells a listener of the very next plain read, though nobody listened to reads before', async () => {
      const bus = new EventBus();
      bus.on('cache.load', () => {});
      const { client, settle } = givenClient({ bus });
      await settle(client.get('quote', BTC));
      for (let i = 0; i < 100; i++) client.peek('quote', BTC);
      const seen: string[] = [];
      const subscription = bus.on('cache.read', ({ outcome }) => seen.push(outcome));
      client.peek('quote', BTC);
      await client.get('quote', BTC);
      subscription[Symbol.dispose]();
      client.peek('quote', BTC);
      expect(seen).toEqual(['hit', 'hit']);
      expect(client.stats()).toMatchObject({ reads: 104, hits: 103, misses: 1 });
    });

    it('tells of reads, loads and updates when somebody listens', async () => {
      const bus = new EventBus();
      const { client, settle } = givenClient({ bus });
      const seen: string[] = [];
      bus.on('cache.read', (event: VenueKitEvents['cache.read']) => seen.push(`read ${event.key} ${event.outcome} ${event.level} ${event.ageMs}`));
      bus.on('cache.load', (event) => seen.push(`load ${event.kind} ${event.keys} ${event.ms} ${event.ok}`));
      bus.on('feed.update', (event) => seen.push(`update ${event.feed} ${event.symbol}`));
      await settle(client.get('quote', BTC));
      client.peek('quote', BTC);
      expect(seen).toEqual([
        'update testex/quote BTC/USDT',
        'load quote 1 50 true',
        'read v1|public/default|quote|testex:BTC/USDT| miss none 50',
        'read v1|public/default|quote|testex:BTC/USDT| hit memory 50',
      ]);
    });
  });

  describe('closing', () => {
    it('rejects who waits and who comes later, and may be done twice', async () => {
      const { adapter, client, clock } = givenClient();
      const waiting = client.get('quote', BTC);
      waiting.catch(() => {});
      await clock.advance(10);
      await client.close();
      await client.close();
      await expect(waiting).rejects.toMatchObject({ code: 'CLOSED' });
      await expect(client.get('quote', BTC)).rejects.toMatchObject({ code: 'CLOSED' });
      expect(client.peek('quote', BTC)).toBeUndefined();
      expect(adapter.calls[0]?.signal.aborted).toBe(true);
      expect(clock.pending).toBe(0);
    });
  });

  describe('options', () => {
    it.each([
      [{ kinds: { quote: { ttlMs: -1 } } }, /kinds\.quote\.ttlMs must be a number above 0, or Infinity, got -1/],
      [{ kinds: { quote: { ttlMs: Number.NaN } } }, /kinds\.quote\.ttlMs.*got NaN/],
      [{ kinds: { quotes: {} } }, /kinds has no option "quotes"; did you mean "quote"/],
      [{ kinds: { book: { swr: 1 } } }, /kinds\.book has no option "swr"/],
      [{ kinds: { book: { batch: { max: 0, windowMs: 1 } } } }, /kinds\.book\.batch\.max/],
      [{ kinds: { book: { prefetch: 'always' } } }, /kinds\.book\.prefetch must be one of/],
      [{ maxEntries: 0 }, /maxEntries must be a whole number of 1 or more, got 0/],
      [{ maxByte: 1 }, /CachedMarketDataClient has no option "maxByte"; did you mean "maxBytes"/],
      [{ adapter: {} }, /adapter must be an object with a method batchLimit/],
    ])('refuses %j', (options, message) => {
      expect(() => givenClient(options as never)).toThrow(message as RegExp);
    });
  });
});

describe('found by black-box review: getMany', () => {
  it('hands over no book from before a gap that came while it waited for another symbol', async () => {
    const { clock, adapter, client } = givenClient({ latencyMs: 200, kinds: { book: { ttlMs: 60_000 } } });
    adapter.answer = (_, { symbol }, call) => ({ symbol, bids: [[call, 1]], asks: [[call + 1, 1]] });
    const book = (price: number) => ({ symbol: 'A', bids: [[price, 1]], asks: [[price + 1, 1]] }) as const;
    expect(client.ingest({ kind: 'book', symbol: 'A', value: book(7), seq: 1 })).toBe('applied');
    const reading = client.getMany('book', [{ symbol: 'A' }, { symbol: 'B' }]);
    await clock.advance(100);
    expect(client.ingest({ kind: 'book', symbol: 'A', value: book(8), seq: 9, previousSeq: 7 })).toBe('gap');
    await clock.advance(1_000);
    const [first] = await reading;
    expect(first).toMatchObject({ status: 'fulfilled', value: { outcome: 'miss' } });
    expect(first?.status === 'fulfilled' && first.value.value.bids[0]?.[0]).not.toBe(7);
    await client.close();
  });

  it('nor a streamed book that had overtaken its own fetch', async () => {
    const { clock, adapter, client } = givenClient({ limit: 1, kinds: { book: { ttlMs: 60_000 } } });
    adapter.answer = (_, { symbol }, call) => ({ symbol, bids: [[call, 1]], asks: [[call + 1, 1]] });
    const fetch = adapter.fetch.bind(adapter);
    adapter.fetch = (kind, requests, attempt) => {
      adapter.latencyMs = requests[0]?.symbol === 'B' ? 600 : 100;
      return fetch(kind, requests, attempt);
    };
    const book = (price: number) => ({ symbol: 'A', bids: [[price, 1]], asks: [[price + 1, 1]] }) as const;
    const reading = client.getMany('book', [{ symbol: 'A' }, { symbol: 'B' }]);
    await clock.advance(50);
    expect(client.ingest({ kind: 'book', symbol: 'A', value: book(700), seq: 1, eventTime: clock.now() })).toBe('applied');
    await clock.advance(200);
    expect(client.ingest({ kind: 'book', symbol: 'A', value: book(800), seq: 9, previousSeq: 7 })).toBe('gap');
    await clock.advance(2_000);
    const [first] = await reading;
    expect(first?.status).toBe('fulfilled');
    expect(first?.status === 'fulfilled' && first.value.value.bids[0]?.[0]).not.toBe(700);
    await client.close();
  });

  it('for an order ages what waits for others once, and lets no step of the wall clock make it younger', async () => {
    const { clock, adapter, client } = givenClient({ limit: 1 });
    adapter.answer = (_, { symbol }) => givenQuote(symbol, 1, { eventTime: clock.now() });
    const fetch = adapter.fetch.bind(adapter);
    adapter.fetch = (kind, requests, attempt) => {
      adapter.latencyMs = requests[0]?.symbol === 'SLOW' ? 600 : 100;
      return fetch(kind, requests, attempt);
    };
    const ask = async (maxAgeMs: number, stepMs: number) => {
      const reading = client.getMany('quote', [{ symbol: 'FAST' }, { symbol: 'SLOW' }], { intent: 'order', maxAgeMs });
      await clock.advance(300);
      clock.stepWall(stepMs);
      await clock.advance(1_000);
      return (await reading)[0];
    };
    expect(await ask(5_000, 0)).toMatchObject({ status: 'fulfilled', value: { ageMs: 600 } });
    expect(await ask(500, -10_000)).toMatchObject({ status: 'rejected', reason: { code: 'OVER_AGE' } });
    await client.close();
  });
});

describe('found by review: getMany without maxAgeMs', () => {
  /** An adapter without batches that takes as long for each symbol as `latencies` says, the last entry for all further calls. */
  const givenLatencies = (latencies: Readonly<Record<string, readonly number[]>>, options: GivenOptions = {}) => {
    const given = givenClient({ limit: 1, ...options });
    const fetch = given.adapter.fetch.bind(given.adapter);
    const asked: Record<string, number> = {};
    given.adapter.fetch = (kind, requests, attempt) => {
      const { symbol } = requests[0] as { symbol: string };
      const [nth, all] = [(asked[symbol] = (asked[symbol] ?? 0) + 1), latencies[symbol] as readonly number[]];
      given.adapter.latencyMs = (all[nth - 1] ?? all.at(-1)) as number;
      return fetch(kind, requests, attempt);
    };
    return { ...given, asked };
  };
  const both = [{ symbol: 'FAST' }, { symbol: 'SLOW' }];

  it('hands over no hit that outlived its TTL while another symbol was slow', async () => {
    const { clock, client, asked } = givenLatencies({ FAST: [50], SLOW: [3_000] });
    const first = client.get('quote', { symbol: 'FAST' });
    await clock.advance(500);
    expect(await first).toMatchObject({ outcome: 'miss' });
    const reading = client.getMany('quote', both);
    await clock.advance(4_000);
    expect(await reading).toMatchObject([{ value: { outcome: 'miss', ageMs: 50 } }, { value: { outcome: 'miss' } }]);
    expect(asked.FAST).toBe(2);
  });

  it('nor an answer of the venue that did, for a signal and for an order', async () => {
    for (const intent of ['signal', 'order'] as const) {
      const { clock, client, asked } = givenLatencies({ FAST: [50], SLOW: [800] }, { kinds: { quote: { ttlMs: 500 } } });
      const reading = client.getMany('quote', both, { intent });
      await clock.advance(2_000);
      expect(await reading, intent).toMatchObject([{ value: { ageMs: 50 } }, { value: { ageMs: 850 } }]);
      expect(asked, intent).toEqual({ FAST: 2, SLOW: 1 });
    }
  });

  it('marks as stale what the policy lets be served so, and fetches it anew behind', async () => {
    const { clock, client, asked } = givenLatencies({ FAST: [50], SLOW: [1_200] }, { kinds: { quote: { ttlMs: 1_000, swrMs: 5_000 } } });
    const first = client.get('quote', { symbol: 'FAST' });
    await clock.advance(50);
    await first;
    const reading = client.getMany('quote', both);
    await clock.advance(1_500);
    expect(await reading).toMatchObject([{ value: { outcome: 'stale', ageMs: 1_250 } }, { value: { outcome: 'miss' } }]);
    expect(asked.FAST).toBe(2);
  });

  it('keeps what a heartbeat confirmed meanwhile', async () => {
    const { clock, client, asked } = givenLatencies({ FAST: [50], SLOW: [900, 1_500] });
    client.ingest({ kind: 'quote', symbol: 'FAST', value: givenQuote('FAST', 7), seq: 1 });
    const reading = client.getMany('quote', both);
    await clock.advance(800);
    client.ingest({ kind: 'quote', symbol: 'FAST', heartbeat: true });
    await clock.advance(700);
    expect(await reading).toMatchObject([{ value: { outcome: 'hit', value: { bid: 7 } } }, { value: { outcome: 'miss' } }]);
    expect(asked.FAST).toBeUndefined();
  });

  it('says so where the venue is too slow for so many at once', async () => {
    const { clock, client, asked } = givenLatencies({ FAST: [10, 800], SLOW: [800, 800] }, { kinds: { quote: { ttlMs: 500 } } });
    // Each waits for the other in turn, for longer than it is good: FAST until 800, SLOW until 1,600, FAST again until 2,400.
    const reading = client.getMany('quote', [{ symbol: 'FAST' }, { symbol: 'SLOW' }]);
    await clock.advance(5_000);
    expect(await reading).toMatchObject([
      { status: 'rejected', reason: { code: 'OVER_AGE' } },
      { status: 'fulfilled', value: { ageMs: 800 } },
    ]);
    expect(asked).toEqual({ FAST: 2, SLOW: 2 });
  });

  it('lets a scan take the answers as they come: asked again it would take as long', async () => {
    const { clock, client, asked } = givenLatencies({ FAST: [50], SLOW: [3_000] });
    const reading = client.getMany('quote', both, { scan: true });
    await clock.advance(3_000);
    expect(await reading).toMatchObject([{ value: { ageMs: 3_000 } }, { value: { ageMs: 3_000 } }]);
    expect(asked).toEqual({ FAST: 1, SLOW: 1 });
  });

  it('counts the deadline from the call, also where it asks again', async () => {
    const { clock, client } = givenLatencies({ FAST: [50, 5_000], SLOW: [900] }, { kinds: { quote: { ttlMs: 500 } } });
    const reading = client.getMany('quote', both, { deadlineMs: 1_000 });
    await clock.advance(1_000);
    expect(await reading).toMatchObject([{ status: 'rejected', reason: { code: 'DEADLINE' } }, { status: 'fulfilled' }]);
  });
});

describe('found by breaking it: what can not be meant', () => {
  const { client } = givenClient();
  it.each([
    [null, /request must be an object, got null/],
    [undefined, /request must be an object, got undefined/],
    ['BTC/USDT', /request must be an object, got "BTC\/USDT"/],
    [{}, /request\.symbol must be a non-empty string, got undefined/],
    [{ symbol: '' }, /request\.symbol must be a non-empty string, got ""/],
    [{ symbol: Symbol('BTC') }, /request\.symbol must be a non-empty string, got Symbol\(BTC\)/],
    [{ symbol: 1n }, /request\.symbol must be a non-empty string, got 1n/],
    [{ symbol: 'BTC', depth: NaN }, /request\.depth must be a whole number of 1 or more, got NaN/],
    [{ symbol: 'BTC', limit: { toString: () => '5' } }, /request\.limit must be a whole number of 1 or more, got an object/],
  ])('a request is refused by every read: %#', async (request, message) => {
    const bad = request as never;
    expect(() => client.peek('book', bad)).toThrow(message);
    await expect(client.get('book', bad)).rejects.toThrow(message);
    await expect(client.get('book', bad, { maxAgeMs: 5 })).rejects.toThrow(message);
    await expect(client.get('book', bad, { intent: 'order' })).rejects.toThrow(message);
    await expect(client.getMany('book', [bad])).rejects.toThrow(message);
  });

  it.each([
    [null, /options must be an object, got null/],
    [500, /options must be an object, got 500/],
    [{ maxAge: 500 }, /The options of a read has no option "maxAge"; did you mean "maxAgeMs"\?/],
    [{ maxAgeMs: '500' }, /maxAgeMs must be a finite number of 0 or more, got "500"/],
    [{ maxAgeMs: 5n }, /maxAgeMs must be a finite number of 0 or more, got 5n/],
    [{ intent: 'Order' }, /intent must be one of "signal", "display", "order", got "Order"/],
    [{ consumer: 7 }, /consumer must be a non-empty string, got 7/],
    [{ allowStale: 'no' }, /allowStale must be true or false, got "no"/],
    [{ signal: {} }, /signal must be an AbortSignal, got an object/],
    [{ deadlineMs: -1 }, /deadlineMs must be a finite number of 0 or more, got -1/],
    [{ priority: 'urgent' }, /priority must be one of .*, got "urgent"/],
  ])('options are refused by every read: %#', async (options, message) => {
    const bad = options as never;
    expect(() => client.peek('quote', BTC, bad)).toThrow(message);
    expect(() => client.handle('quote', BTC, bad)).toThrow(message);
    await expect(client.get('quote', BTC, bad)).rejects.toThrow(message);
    await expect(client.getMany('quote', [BTC], bad)).rejects.toThrow(message);
  });

  it('a single request where getMany takes several is refused', async () => {
    await expect(client.getMany('quote', BTC as never)).rejects.toThrow(/requests must be an array, got an object/);
  });

  it('symbols that every object has a member for are symbols like any other', async () => {
    const { adapter, client: fresh, settle } = givenClient();
    adapter.answer = (_, { symbol }) => givenQuote(symbol, symbol.length);
    for (const symbol of ['__proto__', 'constructor', 'toString', 'line\nbreak', '\u0000', '🚀']) {
      expect(fresh.peek('quote', { symbol })).toBeUndefined();
      expect(await settle(fresh.get('quote', { symbol }))).toMatchObject({ outcome: 'miss', value: { symbol } });
      expect(fresh.peek('quote', { symbol })).toMatchObject({ outcome: 'hit', value: { symbol } });
    }
    expect(fresh.invalidate({ symbol: '__proto__' })).toBe(1);
  });
});
