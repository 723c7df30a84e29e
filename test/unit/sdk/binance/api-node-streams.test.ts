import { describe, expect, it } from 'vitest';
import { keepApiNodeStreams } from '../../../../src/sdk/binance/sdks/api-node-streams.js';
import type { Json } from '../../../../src/sdk/shared/json.js';
import { recoveryScene } from '../../../setup/recovery-scene.js';

type Listener = (message: Json) => void;

interface Connection {
  readonly method: string;
  readonly part: unknown;
  readonly hear: Listener;
  isClosed: boolean;
}

/** `client.ws` as the SDK has it, over connections that a test can hold silent. */
const given = () => {
  const { clock, recovery, recoveries, states } = recoveryScene('binance');
  const connections: Connection[] = [];
  const open =
    (method: string, at: number) =>
    (payload: unknown, ...rest: unknown[]) => {
      const opened = (Array.isArray(payload) ? payload : [payload]).map((part: unknown) => {
        const connection = { method, part, hear: rest[at] as Listener, isClosed: false };
        connections.push(connection);
        return connection;
      });
      return () => {
        for (const connection of opened) connection.isClosed = true;
      };
    };
  const ws = {
    trades: open('trades', 0),
    candles: open('candles', 1),
    depth: open('depth', 0),
    bookTicker: open('bookTicker', 0),
    user: open('user', 0),
  };
  const tape: { id: number; time: number }[] = [];
  const asked: string[] = [];
  const read = (path: string, { fromId, limit, startTime }: Readonly<Record<string, unknown>>): Promise<unknown> => {
    asked.push(path);
    if (path === '/api/v3/klines') return Promise.resolve(candles.filter(([t]) => t >= Number(startTime)));
    const rows = fromId === undefined ? tape.slice(-Number(limit)) : tape.filter(({ id }) => id >= Number(fromId)).slice(0, Number(limit));
    return Promise.resolve(rows.map((row) => ({ ...row, price: '1', qty: '2', isBuyerMaker: true, isBestMatch: true })));
  };
  const candles: (readonly [number, ...string[]])[] = [];
  const kept = keepApiNodeStreams(ws, { recovery, read, hasKey: true });
  const trade = (id: number): Json => {
    tape.push({ id, time: clock.now() });
    return { eventType: 'trade', tradeId: id, tradeTime: clock.now() };
  };
  const openOnes = (): string[] => connections.filter(({ isClosed }) => !isClosed).map(({ method, part }) => `${method} ${JSON.stringify(part)}`);
  return { clock, ws, connections, kept, trade, tape, candles, asked, recoveries, states, openOnes };
};

describe('a market stream of binance-api-node that is kept', () => {
  it('is replaced where it is silent about something, which is told first', async () => {
    const { clock, ws, connections, trade, openOnes } = given();
    const told: Json[] = [];
    ws.trades(['BTCUSDT', 'ETHUSDT'], (event: Json) => told.push(event));
    expect(openOnes()).toEqual(['trades "BTCUSDT"', 'trades "ETHUSDT"']);
    connections[0]!.hear(trade(1));
    await clock.advance(5_000);
    trade(2);
    trade(3);
    await clock.advance(25_100);
    expect(told.map(({ tradeId, recovered }) => [tradeId, recovered])).toEqual([
      [1, undefined],
      [2, true],
      [3, true],
    ]);
    expect(openOnes()).toEqual(['trades "ETHUSDT"', 'trades "BTCUSDT"']);
    connections.at(-1)!.hear(trade(4));
    expect(told.at(-1)).toMatchObject({ tradeId: 4, eventType: 'trade' });
  });

  it('is left alone where its market is as quiet', async () => {
    const { clock, ws, connections, trade, openOnes, asked } = given();
    ws.trades('BTCUSDT', () => {});
    connections[0]!.hear(trade(1));
    await clock.advance(95_000);
    expect(openOnes()).toEqual(['trades "BTCUSDT"']);
    expect(connections).toHaveLength(1);
    expect(asked).toHaveLength(3);
  });

  it('is replaced where no list can tell, as of best prices', async () => {
    const { clock, ws, connections, openOnes } = given();
    const told: Json[] = [];
    const leave = ws.bookTicker('BTCUSDT', (event: Json) => told.push(event)) as () => void;
    connections[0]!.hear({ updateId: 1 });
    await clock.advance(30_100);
    expect(connections.map(({ isClosed }) => isClosed)).toEqual([true, false]);
    connections[1]!.hear({ updateId: 2 });
    expect(told).toEqual([{ updateId: 1 }, { updateId: 2 }]);
    leave();
    expect(openOnes()).toEqual([]);
    await clock.advance(120_000);
    expect(connections).toHaveLength(2);
  });

  it('tells the candles that are missing before the one that comes next', async () => {
    const { clock, ws, connections, candles, recoveries } = given();
    const told: Json[] = [];
    ws.candles('BTCUSDT', '1m', (event: Json) => told.push(event));
    const live = (n: number, isFinal = false): Json => ({ startTime: n * 60_000, closeTime: n * 60_000 + 59_999, isFinal, close: 'live' });
    const began = Math.floor(clock.now() / 60_000);
    connections[0]!.hear(live(began));
    for (const n of [0, 1, 2, 3]) candles.push([(began + n) * 60_000, 'o', 'h', 'l', 'read', 'v']);
    connections[0]!.hear(live(began + 3));
    connections[0]!.hear(live(began + 3));
    await clock.advance(10);
    connections[0]!.hear(live(began + 3));
    expect(told.map(({ startTime, close, isFinal, recovered }) => [Number(startTime) / 60_000 - began, close, isFinal, recovered])).toEqual([
      [0, 'live', false, undefined],
      [0, 'read', true, true],
      [1, 'read', true, true],
      [2, 'read', true, true],
      [3, 'live', false, undefined],
    ]);
    expect(recoveries).toEqual(['kline_1m BTCUSDT 3 true']);
  });

  it('says of changes of a book that some are missing', async () => {
    const { ws, connections, recoveries, states } = given();
    const told: Json[] = [];
    ws.depth('BTCUSDT@100ms', (event: Json) => told.push(event));
    const change = (firstUpdateId: number, finalUpdateId: number): Json => ({ firstUpdateId, finalUpdateId });
    for (const [first, last] of [
      [1, 3],
      [4, 4],
      [7, 9],
      [10, 12],
    ] as const)
      connections[0]!.hear(change(first, last));
    expect(told).toHaveLength(4);
    expect(recoveries).toEqual(['depth BTCUSDT 0 false']);
    expect(states).toEqual(['gap']);
    await Promise.resolve();
  });

  it('is the SDK’s own again on release, and what it opens then', async () => {
    const { clock, ws, connections, kept } = given();
    ws.bookTicker('BTCUSDT', () => {});
    kept[Symbol.dispose]();
    await clock.advance(120_000);
    ws.bookTicker('ETHUSDT', () => {});
    await clock.advance(120_000);
    expect(connections.map(({ part, isClosed }) => [part, isClosed])).toEqual([
      ['BTCUSDT', false],
      ['ETHUSDT', false],
    ]);
  });
});
