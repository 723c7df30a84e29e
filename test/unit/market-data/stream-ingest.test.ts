import { describe, expect, it } from 'vitest';
import { EventBus } from '../../../src/contracts/events.js';
import type { OrderBook, StreamUpdate } from '../../../src/contracts/market-data.js';
import { abortReason } from '../../../src/core/abort.js';
import { seededRandom } from '../../../src/core/random.js';
import { BTC, ETH, givenClient } from './support/given-client.js';
import { givenBars, givenQuote } from './support/scripted-adapter.js';

const book = (mark: number): OrderBook => ({ symbol: BTC.symbol, bids: [[mark, 1]], asks: [[mark + 1, 1]] });
const bookUpdate = (mark: number, seq?: number, previousSeq?: number): StreamUpdate => ({
  kind: 'book',
  symbol: BTC.symbol,
  value: book(mark),
  ...(seq === undefined ? {} : { seq }),
  ...(previousSeq === undefined ? {} : { previousSeq }),
});
const quoteUpdate = (bid: number, marks: Partial<StreamUpdate> = {}): StreamUpdate => ({
  kind: 'quote',
  symbol: BTC.symbol,
  value: givenQuote(BTC.symbol, bid),
  ...marks,
});

/** A stream that the test feeds by hand. */
function givenStream() {
  const opened: {
    push: (update: StreamUpdate) => void;
    end: () => void;
    fail: (error: Error) => void;
    signal: AbortSignal;
    symbols: readonly string[];
  }[] = [];
  const stream = (_: string, symbols: readonly string[], signal: AbortSignal): AsyncIterable<StreamUpdate> => {
    const queue: StreamUpdate[] = [];
    let wake = () => {};
    let ended: 'no' | 'end' | Error = 'no';
    const finish = (how: 'end' | Error) => {
      ended = how;
      wake();
    };
    const push = (update: StreamUpdate) => {
      queue.push(update);
      wake();
    };
    opened.push({ push, end: () => finish('end'), fail: finish, signal, symbols });
    signal.addEventListener('abort', () => finish(abortReason(signal)));
    return {
      async *[Symbol.asyncIterator]() {
        for (;;) {
          while (queue.length > 0) yield queue.shift() as StreamUpdate;
          if (ended === 'end') return;
          if (ended !== 'no') throw ended;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      },
    };
  };
  return { stream, opened };
}

function givenSubscription(options: Parameters<typeof givenClient>[0] = {}) {
  const given = givenClient({ random: seededRandom(1), ...options });
  const { stream, opened } = givenStream();
  given.adapter.stream = stream;
  const subscription = given.client.subscribe('quote', [BTC.symbol, ETH.symbol]);
  return { ...given, opened, subscription };
}

describe('ingest', () => {
  it('serves what a stream pushed', () => {
    const { client } = givenClient();
    expect(client.ingest(quoteUpdate(7))).toBe('applied');
    expect(client.peek('quote', BTC)).toMatchObject({ outcome: 'hit', ageMs: 0, value: { bid: 7 } });
  });

  it('keeps the newest, by sequence or by the time of the venue', () => {
    const { client, clock } = givenClient();
    client.ingest(quoteUpdate(7, { seq: 10 }));
    expect(client.ingest(quoteUpdate(6, { seq: 9 }))).toBe('older');
    expect(client.ingest(quoteUpdate(6, { seq: 10 }))).toBe('older');
    expect(client.peek('quote', BTC)?.value.bid).toBe(7);
    client.invalidate();
    client.ingest(quoteUpdate(8, { eventTime: clock.now() - 10 }));
    expect(client.ingest(quoteUpdate(5, { eventTime: clock.now() - 20 }))).toBe('older');
    expect(client.peek('quote', BTC)?.value.bid).toBe(8);
  });

  it('lets no answer that was overtaken on its way replace what the stream pushed, and gives its callers the newer one', async () => {
    const { client, clock } = givenClient();
    const read = client.get('quote', BTC);
    await clock.advance(10);
    client.ingest(quoteUpdate(99));
    await clock.advance(40);
    expect(await read).toMatchObject({ outcome: 'miss', value: { bid: 99 }, ageMs: 40 });
    expect(client.peek('quote', BTC)?.value.bid).toBe(99);
  });

  it('drops the book before it returns when an update is missing', async () => {
    const { client, settle } = givenClient();
    const handle = client.handle('book', BTC);
    expect(client.ingest(bookUpdate(1, 10))).toBe('applied');
    expect(client.ingest(bookUpdate(2, 11, 10))).toBe('applied');
    expect(handle.peek()?.bids[0]).toEqual([2, 1]);
    expect(client.ingest(bookUpdate(4, 13, 12))).toBe('gap');
    expect(client.peek('book', BTC)).toBeUndefined();
    expect(handle.peek()).toBeUndefined();
    expect(client.ingest(bookUpdate(5, 14, 13))).toBe('gap');
    expect(client.peek('book', BTC, { allowStale: true })).toBeUndefined();
    expect((await settle(client.get('quote', BTC))).outcome).toBe('miss');
  });

  it('believes the stream again after a snapshot from the venue, and joins the updates that overlap it', async () => {
    const { client, adapter, settle } = givenClient();
    client.ingest(bookUpdate(1, 10));
    client.ingest(bookUpdate(4, 13, 12));
    adapter.answer = (_, { symbol }) => ({ ...book(20), symbol, seq: 20 });
    expect(await settle(client.get('book', BTC))).toMatchObject({ value: { seq: 20 } });
    expect(client.ingest(bookUpdate(19, 19, 18))).toBe('older');
    expect(client.ingest(bookUpdate(21, 21, 19))).toBe('applied');
    expect(client.ingest(bookUpdate(22, 22, 21))).toBe('applied');
    expect(client.ingest(bookUpdate(24, 24, 23))).toBe('gap');
  });

  it('believes a snapshot that the stream itself sends', () => {
    const { client } = givenClient();
    client.ingest(bookUpdate(1, 10));
    client.ingest(bookUpdate(4, 13, 12));
    expect(client.ingest(bookUpdate(5, 14))).toBe('applied');
    expect(client.ingest(bookUpdate(6, 15, 14))).toBe('applied');
  });

  it('gives a fetch that was sent before a gap to its own callers only', async () => {
    const { client, clock, adapter } = givenClient();
    adapter.answer = (_, { symbol }, call) => ({ ...book(call), symbol });
    client.ingest(bookUpdate(1, 10));
    await clock.advance(600);
    const before = client.get('book', BTC);
    await clock.advance(10);
    client.ingest(bookUpdate(4, 13, 12));
    const after = client.get('book', BTC);
    await clock.advance(40);
    expect(await before).toMatchObject({ value: { bids: [[1, 1]] } });
    expect(client.peek('book', BTC)).toBeUndefined();
    await clock.advance(50);
    expect(await after).toMatchObject({ value: { bids: [[2, 1]] } });
  });

  it('drops the book at every depth', async () => {
    const { client, adapter, settle } = givenClient();
    adapter.answer = (_, { symbol }) => ({ ...book(1), symbol });
    await settle(client.get('book', { ...BTC, depth: 5 }));
    client.ingest(bookUpdate(1, 10));
    expect(client.peek('book', { ...BTC, depth: 5 })).toBeUndefined();
    await settle(client.get('book', { ...BTC, depth: 5 }));
    client.ingest({ kind: 'book', symbol: BTC.symbol, gap: true });
    expect(client.peek('book', { ...BTC, depth: 5 })).toBeUndefined();
  });

  it('feeds the depths that are read from the streamed book, as far as it reaches', async () => {
    const { client, adapter, clock, settle } = givenClient();
    const deep = (mark: number, levels: number): OrderBook => ({
      symbol: BTC.symbol,
      bids: Array.from({ length: levels }, (_, i) => [mark - i, 1] as const),
      asks: Array.from({ length: levels }, (_, i) => [mark + 1 + i, 1] as const),
    });
    adapter.answer = () => deep(1, 20);
    await settle(Promise.all([client.get('book', { ...BTC, depth: 5 }), client.get('book', { ...BTC, depth: 20 })]));
    client.ingest({ kind: 'book', symbol: BTC.symbol, value: deep(50, 10), seq: 7 });
    expect(client.peek('book', { ...BTC, depth: 5 })?.value).toMatchObject({
      bids: [
        [50, 1],
        [49, 1],
        [48, 1],
        [47, 1],
        [46, 1],
      ],
    });
    expect(client.peek('book', { ...BTC, depth: 20 })).toBeUndefined();
    await clock.advance(400);
    client.ingest({ kind: 'book', symbol: BTC.symbol, heartbeat: true });
    await clock.advance(400);
    expect(client.peek('book', { ...BTC, depth: 5 })).toMatchObject({ outcome: 'hit', ageMs: 400 });
  });

  it('joins streamed trades to those that are held', async () => {
    const { client, adapter, settle } = givenClient();
    const trade = (id: string) => ({ id, symbol: BTC.symbol, price: 1, size: 1, eventTime: 1 });
    adapter.answer = () => [trade('1'), trade('2')];
    await settle(client.get('trades', BTC));
    client.ingest({ kind: 'trades', symbol: BTC.symbol, value: [trade('2'), trade('3')] });
    expect(client.peek('trades', BTC)?.value.map(({ id }) => id)).toEqual(['1', '2', '3']);
  });

  it('feeds bars by their interval', () => {
    const { client, clock } = givenClient();
    const lastStart = Math.floor(clock.now() / 60_000) * 60_000;
    client.ingest({ kind: 'bars', symbol: BTC.symbol, value: givenBars(BTC.symbol, { lastStart, lastBar: 'forming' }) });
    expect(client.peek('bars', { ...BTC, interval: '1m' })).toMatchObject({ outcome: 'hit' });
    expect(client.peek('bars', { ...BTC, interval: '5m' })).toBeUndefined();
  });

  it('tells of a gap once', () => {
    const bus = new EventBus();
    const { client } = givenClient({ bus });
    const keys: string[] = [];
    bus.on('cache.gap', ({ key }) => keys.push(key));
    client.ingest(bookUpdate(1, 10));
    client.ingest(bookUpdate(4, 13, 12));
    client.ingest(bookUpdate(5, 14, 13));
    expect(keys).toEqual(['v1|public/default|book|testex:BTC/USDT|']);
  });

  it('takes a streamed value for fresh while its heartbeat lives, and no longer', async () => {
    const { client, clock } = givenClient();
    client.ingest(quoteUpdate(7));
    client.ingest({ ...quoteUpdate(3), symbol: ETH.symbol, value: givenQuote(ETH.symbol, 3) });
    for (let i = 0; i < 5; i++) {
      await clock.advance(800);
      client.ingest({ kind: 'quote', symbol: BTC.symbol, heartbeat: true });
    }
    expect(client.peek('quote', BTC, { maxAgeMs: 1 })).toMatchObject({ outcome: 'hit', ageMs: 0 });
    expect(client.peek('quote', ETH)).toBeUndefined();
    await clock.advance(1_000);
    expect(client.peek('quote', BTC)).toBeUndefined();
  });

  it('lets a heartbeat for * speak for every streamed symbol of the kind, never for a fetched one', async () => {
    const { client, clock, settle } = givenClient();
    client.ingest(quoteUpdate(7));
    await settle(client.get('quote', ETH));
    await clock.advance(700);
    client.ingest({ kind: 'quote', symbol: '*', heartbeat: true });
    await clock.advance(700);
    expect(client.peek('quote', BTC)).toMatchObject({ ageMs: 700 });
    expect(client.peek('quote', ETH)).toBeUndefined();
  });

  it('lets the event age of a streamed value grow unless the heartbeat carries a time', async () => {
    const { client, clock } = givenClient();
    client.ingest(quoteUpdate(7, { eventTime: clock.now() }));
    await clock.advance(800);
    client.ingest({ kind: 'quote', symbol: BTC.symbol, heartbeat: true });
    expect(client.peek('quote', BTC)).toMatchObject({ ageMs: 800 });
    expect(client.peek('quote', BTC, { maxAgeMs: 500 })).toBeUndefined();
    client.ingest({ kind: 'quote', symbol: BTC.symbol, heartbeat: true, eventTime: clock.now() });
    expect(client.peek('quote', BTC, { maxAgeMs: 500 })).toMatchObject({ ageMs: 0 });
  });

  it('accepts that a venue begins to count anew once what it said before is long overdue', async () => {
    const { client, clock, adapter, settle } = givenClient();
    client.ingest(bookUpdate(1, 1_000));
    adapter.answer = (_, { symbol }) => ({ ...book(2), symbol, seq: 5 });
    await clock.advance(600);
    expect(await settle(client.get('book', BTC))).toMatchObject({ value: { bids: [[1, 1]] }, ageMs: 650 });
    await clock.advance(600);
    expect(await settle(client.get('book', BTC))).toMatchObject({ value: { bids: [[2, 1]] } });
  });

  it('refuses what is no update', () => {
    const { client } = givenClient();
    expect(() => client.ingest({ kind: 'quote', symbol: '' })).toThrow(/update\.symbol/);
    expect(() => client.ingest({ kind: 'nope' as never, symbol: 'X' })).toThrow(/kind must be one of/);
  });
});

describe('subscribe', () => {
  it('feeds the cache from the stream of the adapter', async () => {
    const { client, clock, opened } = givenSubscription();
    opened[0]?.push(quoteUpdate(7));
    await clock.advance(0);
    expect(opened[0]?.symbols).toEqual([BTC.symbol, ETH.symbol]);
    expect(client.peek('quote', BTC)?.value.bid).toBe(7);
  });

  it.each(['end', 'fail'] as const)('makes what was streamed unservable when the stream %ss, and opens it anew after a pause', async (how) => {
    const bus = new EventBus();
    const states: string[] = [];
    bus.on('stream.state', ({ state }) => states.push(state));
    const { client, clock, opened, adapter } = givenSubscription({ bus });
    opened[0]?.push(quoteUpdate(7, { seq: 5 }));
    await clock.advance(0);
    opened[0]?.[how](new Error('socket closed'));
    await clock.advance(0);
    expect(client.peek('quote', BTC, { allowStale: true })).toBeUndefined();
    expect(opened).toHaveLength(1);
    await clock.advance(500);
    expect(opened).toHaveLength(2);
    opened[1]?.push(quoteUpdate(8, { seq: 1 }));
    await clock.advance(0);
    expect(client.peek('quote', BTC)?.value.bid).toBe(8);
    expect(states).toEqual(['live', 'down', 'recovering', 'live']);
    expect(adapter.calls).toHaveLength(0);
  });

  it('waits longer after each failure, up to 30 s', async () => {
    const { clock, opened } = givenSubscription();
    for (let i = 0; i < 30; i++) {
      opened.at(-1)?.fail(new Error('refused'));
      await clock.advance(0);
      await clock.advance(30_000);
    }
    expect(opened.length).toBe(31);
    opened.at(-1)?.fail(new Error('refused'));
    await clock.advance(5_000);
    expect(opened.length).toBe(31);
  });

  it('takes a stream for dead that says nothing', async () => {
    const { clock, opened } = givenSubscription({ streamSilenceMs: 5_000 });
    opened[0]?.push(quoteUpdate(7));
    await clock.advance(4_999);
    expect(opened[0]?.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(opened[0]?.signal.aborted).toBe(true);
    await clock.advance(500);
    expect(opened).toHaveLength(2);
  });

  it('fetches a snapshot by itself after a gap', async () => {
    const { client, clock, opened, adapter } = givenSubscription();
    opened[0]?.push(quoteUpdate(7, { seq: 5 }));
    opened[0]?.push(quoteUpdate(9, { seq: 8, previousSeq: 7 }));
    await clock.advance(0);
    expect(client.peek('quote', BTC)).toBeUndefined();
    await clock.advance(adapter.latencyMs);
    expect(client.peek('quote', BTC)).toMatchObject({ value: { bid: 1 } });
  });

  it('ends with its subscription, and with the client', async () => {
    const { client, clock, opened, subscription } = givenSubscription();
    subscription[Symbol.dispose]();
    subscription[Symbol.dispose]();
    await clock.advance(60_000);
    expect(opened[0]?.signal.aborted).toBe(true);
    expect(opened).toHaveLength(1);
    client.subscribe('quote', [BTC.symbol]);
    await client.close();
    await clock.advance(60_000);
    expect(opened[1]?.signal.aborted).toBe(true);
    expect(opened).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });

  it('says so when the adapter has no stream', () => {
    const { client } = givenClient();
    expect(() => client.subscribe('quote', [BTC.symbol])).toThrow(/testex has no stream/);
  });
});
