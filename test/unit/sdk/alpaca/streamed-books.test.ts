import { describe, expect, it } from 'vitest';
import type { StreamUpdate } from '../../../../src/contracts/market-data.js';
import { ManualClock } from '../../../../src/core/manual-clock.js';
import { DataStreams } from '../../../../src/sdk/alpaca/streams/data-streams.js';

type Level = { readonly p: number; readonly s: number };

/** Alpaca's stream of one book: whole to who subscribes, then changes. */
class BookStream extends EventTarget {
  static all: BookStream[] = [];
  readonly readyState = 1;
  readonly asked: string[] = [];

  constructor() {
    super();
    BookStream.all.push(this);
    queueMicrotask(() => this.dispatchEvent(new Event('open')));
  }

  send(text: string): void {
    const { action, orderbooks } = JSON.parse(text) as { action: string; orderbooks?: string[] };
    this.asked.push(orderbooks === undefined ? action : `${action} ${orderbooks.join()}`);
    if (action === 'auth') this.tell([{ T: 'success', msg: 'authenticated' }]);
  }

  tell(events: readonly object[]): void {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(events) }));
  }

  book(b: readonly Level[], a: readonly Level[], isWhole = false): void {
    this.tell([{ T: 'o', S: 'BTC/USD', t: '2026-11-24T14:30:00.000000001Z', b, a, ...(isWhole ? { r: true } : {}) }]);
  }

  close(): void {
    this.dispatchEvent(new Event('close'));
  }
}

const givenStreams = () => {
  const streams = new DataStreams(
    { shares: 'ws://shares', crypto: 'ws://crypto' },
    { credentials: () => ({ key: 'k', secret: 's' }), constructor: BookStream as never, clock: new ManualClock() },
  );
  const leaving = new AbortController();
  const follow = (): StreamUpdate<'book'>[] => {
    const seen: StreamUpdate<'book'>[] = [];
    void (async () => {
      for await (const update of streams.updates('book', ['BTC/USD'], leaving.signal)) seen.push(update as StreamUpdate<'book'>);
    })().catch(() => {});
    return seen;
  };
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { follow, settled, leave: () => leaving.abort(new Error('left')) };
};

describe('a streamed book of Alpaca', () => {
  it('regression: of who joined a connection late, or lost its first message, held nothing but changes', async () => {
    const { follow, settled, leave } = givenStreams();
    const early = follow();
    await settled();
    const socket = BookStream.all.at(-1)!;
    socket.book([{ p: 99, s: 1 }], [{ p: 101, s: 1 }], true);
    const late = follow();
    await settled();
    socket.book([{ p: 98, s: 2 }], []);
    socket.book([{ p: 97, s: 3 }], []);
    await settled();
    expect(early.at(-1)?.value?.bids).toEqual([
      [99, 1],
      [98, 2],
      [97, 3],
    ]);
    // Told once, and the whole is asked for once, however many changes come meanwhile.
    expect(late).toEqual([{ kind: 'book', symbol: 'BTC/USD', gap: true }]);
    expect(socket.asked.slice(-2)).toEqual(['unsubscribe BTC/USD', 'subscribe BTC/USD']);
    socket.book([{ p: 99, s: 5 }], [{ p: 101, s: 4 }], true);
    await settled();
    for (const seen of [early, late]) expect(seen.at(-1)?.value).toMatchObject({ bids: [[99, 5]], asks: [[101, 4]] });
    leave();
  });
});
