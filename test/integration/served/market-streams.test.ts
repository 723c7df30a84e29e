import { describe, expect, it } from 'vitest';
import { connected, givenPro, givenServed, type Message } from './given.js';

const is = (event: string) => (message: Message) => message.e === event;

describe('market streams of serveBinance', () => {
  it('sends the stream that the address names, raw under /ws and wrapped under /stream', async () => {
    const { served } = await givenServed();
    const raw = await connected(`${served.wsUrl}/ws/btcusdt@bookTicker`);
    expect(await raw.next(() => true)).toMatchObject({ s: 'BTCUSDT', u: expect.any(Number), b: expect.stringMatching(/^\d+\.\d{8}$/) });
    const wrapped = await connected(`${served.wsUrl}/stream?streams=btcusdt@depth5@100ms/ethusdt@trade`);
    const depth = (await wrapped.next(({ stream }) => stream === 'btcusdt@depth5@100ms')).data as Message;
    expect(depth.bids).toHaveLength(5);
    const trade = (await wrapped.next(({ stream }) => stream === 'ethusdt@trade')).data;
    expect(trade).toMatchObject({ e: 'trade', s: 'ETHUSDT', t: expect.any(Number), T: expect.any(Number) });
  });

  it('subscribes, lists, unsubscribes and says what it does not understand', async () => {
    const { served } = await givenServed();
    const reader = await connected(`${served.wsUrl}/ws`);
    reader.send({ method: 'SUBSCRIBE', params: ['btcusdt@miniTicker', 'ethusdt@kline_1m'], id: 1 });
    expect(await reader.next(({ id }) => id === 1)).toEqual({ result: null, id: 1 });
    expect(await reader.next(is('24hrMiniTicker'))).toMatchObject({ s: 'BTCUSDT', c: expect.any(String), v: expect.any(String) });
    expect(await reader.next(is('kline'))).toMatchObject({ s: 'ETHUSDT', k: { i: '1m', x: false } });
    reader.send({ method: 'LIST_SUBSCRIPTIONS', id: 2 });
    expect(await reader.next(({ id }) => id === 2)).toEqual({ result: ['btcusdt@miniTicker', 'ethusdt@kline_1m'], id: 2 });
    reader.send({ method: 'UNSUBSCRIBE', params: ['btcusdt@miniTicker'], id: 3 });
    await reader.next(({ id }) => id === 3);
    reader.send({ method: 'LIST_SUBSCRIPTIONS', id: 4 });
    expect(await reader.next(({ id }) => id === 4)).toEqual({ result: ['ethusdt@kline_1m'], id: 4 });
    reader.send({ method: 'DANCE', id: 5 });
    expect(await reader.next(({ id }) => id === 5)).toMatchObject({ error: { code: 2 } });
    reader.send('no json');
    expect(await reader.next(({ error }) => (error as { code?: number })?.code === 3)).toBeDefined();
    reader.send({ method: 'SET_PROPERTY', params: ['combined', true], id: 6 });
    await reader.next(({ id }) => id === 6);
    expect(await reader.next(({ stream }) => stream === 'ethusdt@kline_1m')).toBeDefined();
  });

  it('refuses an address that is none of the protocol', async () => {
    const { served } = await givenServed();
    await expect(connected(`${served.wsUrl}/nothing/here`)).rejects.toThrow('404');
  });

  it('numbers depth updates without holes, and they lead from any snapshot to the book', async () => {
    const { served } = await givenServed();
    const fast = await connected(`${served.wsUrl}/ws/btcusdt@depth@100ms`);
    const slow = await connected(`${served.wsUrl}/ws/btcusdt@depth`);
    await slow.next(is('depthUpdate'));
    const snapshot = (await (await fetch(`${served.url}/api/v3/depth?symbol=BTCUSDT&limit=1000`)).json()) as Book;
    await slow.count(3, is('depthUpdate'));
    for (const reader of [fast, slow]) {
      const updates = reader.messages.filter(is('depthUpdate')) as unknown as Update[];
      for (let i = 1; i < updates.length; i++) expect(updates[i]!.U).toBe(updates[i - 1]!.u + 1);
    }
    const whole = [fast, slow].map((reader) => follow(snapshot, reader.messages.filter(is('depthUpdate')) as unknown as Update[]));
    // Both have seen all up to the same update once one has been cut to where the other stands.
    const last = Math.min(...whole.map(({ id }) => id));
    expect(last).toBeGreaterThan(snapshot.lastUpdateId);
    const slowUpdates = slow.messages.filter(is('depthUpdate')) as unknown as Update[];
    const end = slowUpdates.at(-1)!.u;
    // They travel on sockets of their own: the fast one may still be on its way there.
    await fast.next((update) => is('depthUpdate')(update) && (update.u as number) >= end);
    const fastUpdates = (fast.messages.filter(is('depthUpdate')) as unknown as Update[]).filter(({ u }) => u <= end);
    expect(follow(snapshot, fastUpdates).book).toEqual(follow(snapshot, slowUpdates).book);
  });

  it.each([
    ['stream_gap', (updates: Update[]) => updates.some(({ U }, i) => i > 0 && U !== updates[i - 1]!.u + 1)],
    ['stream_duplicate', (updates: Update[]) => updates.some(({ U }, i) => i > 0 && U === updates[i - 1]!.U)],
    ['stream_reorder', (updates: Update[]) => updates.some(({ U }, i) => i > 0 && U < updates[i - 1]!.U)],
  ] as const)('does what %s says to its events, and never to its answers', async (kind, isSeen) => {
    const { venue, served } = await givenServed();
    venue.fault({ operation: 'stream', when: 'after', kind, probability: 0.3 });
    const reader = await connected(`${served.wsUrl}/ws`);
    reader.send({ method: 'SUBSCRIBE', params: ['btcusdt@depth@100ms'], id: 1 });
    await reader.next(() => isSeen(reader.messages.filter(is('depthUpdate')) as unknown as Update[]));
    reader.send({ method: 'LIST_SUBSCRIPTIONS', id: 2 });
    await reader.next(({ id }) => id === 2);
    expect(reader.messages.filter(({ id }) => id !== undefined)).toHaveLength(2);
  });

  it('cuts the connection at stream_drop, and holds everything back during stream_stall', async () => {
    const { venue, served } = await givenServed();
    const stalled = await connected(`${served.wsUrl}/ws/btcusdt@depth@100ms`);
    await stalled.next(is('depthUpdate'));
    venue.fault({ operation: 'stream', when: 'after', kind: 'stream_stall', ms: 600, times: 1 });
    await stalled.next(() => venue.log().some(({ type }) => type === 'fault'));
    const before = stalled.messages.length;
    await stalled.next(() => stalled.messages.length > before + 3);
    const updates = stalled.messages.filter(is('depthUpdate')) as unknown as Update[];
    for (let i = 1; i < updates.length; i++) expect(updates[i]!.U).toBe(updates[i - 1]!.u + 1);
    venue.fault({ operation: 'stream', when: 'after', kind: 'stream_drop', times: 1 });
    await stalled.closed;
  });

  it('feeds ccxt.pro: tickers, best prices, trades, bars, and a book that it can keep', async () => {
    const { exchange } = await givenPro();
    expect(await exchange.watchTicker('BTC/USDT')).toMatchObject({ symbol: 'BTC/USDT', last: expect.any(Number) });
    expect((await exchange.watchBidsAsks(['ETH/USDT']))['ETH/USDT']).toMatchObject({ bid: expect.any(Number), ask: expect.any(Number) });
    expect((await exchange.watchTrades('BTC/USDT')).length).toBeGreaterThan(0);
    expect((await exchange.watchOHLCV('BTC/USDT', '1m')).length).toBeGreaterThan(0);
    let book = await exchange.watchOrderBook('BTC/USDT');
    for (let i = 0; i < 5; i++) book = await exchange.watchOrderBook('BTC/USDT');
    expect(book.bids[0]![0]!).toBeLessThan(book.asks[0]![0]!);
    expect(book.bids.length).toBeGreaterThanOrEqual(100);
  });
});

interface Update {
  readonly U: number;
  readonly u: number;
  readonly b: readonly (readonly [string, string])[];
  readonly a: readonly (readonly [string, string])[];
}

interface Book {
  readonly lastUpdateId: number;
  readonly bids: readonly (readonly [string, string])[];
  readonly asks: readonly (readonly [string, string])[];
}

/** Keeps a local book as the venue's documentation says. */
function follow(snapshot: Book, updates: readonly Update[]): { readonly id: number; readonly book: Readonly<Record<string, string>> } {
  const levels = new Map([...snapshot.bids.map(([p, q]) => [`b${p}`, q] as const), ...snapshot.asks.map(([p, q]) => [`a${p}`, q] as const)]);
  let id = snapshot.lastUpdateId;
  for (const { U, u, a, b } of updates) {
    if (u <= id) continue;
    if (U > id + 1) throw new Error(`a hole between ${id} and ${U}`);
    for (const [side, rows] of [
      ['a', a],
      ['b', b],
    ] as const) {
      for (const [price, size] of rows) {
        if (Number(size) === 0) levels.delete(`${side}${price}`);
        else levels.set(`${side}${price}`, size);
      }
    }
    id = u;
  }
  return { id, book: Object.fromEntries([...levels].sort(([x], [y]) => (x < y ? -1 : 1))) };
}
