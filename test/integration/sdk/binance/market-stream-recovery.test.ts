import { Spot } from '@binance/spot';
import apiNode from 'binance-api-node';
import { describe, expect, it, vi } from 'vitest';
import { release, resilient } from '../../../../src/sdk/binance/index.js';
import { serveBinance } from '../../../../src/testing/index.js';
import { interruptedStreams } from '../../../setup/interrupted-streams.js';
import { binanceVenue, CAPABILITIES } from './given.js';

// The SDK writes of every connection to the console.
vi.stubEnv('LOG_LEVEL', 'error');

type Event = Record<string, unknown> & { recovered?: boolean };

/** A bot that follows streams of one symbol at a venue whose clock can jump, and what it has been told. */
async function given(makeSdk: (url: string, wsUrl: string) => object) {
  const streams = interruptedStreams();
  const { bus, clock } = streams;
  const venue = binanceVenue({ clock, volatility: 0.5 });
  const served = await serveBinance(venue);
  const sdk = resilient(makeSdk(served.url, served.wsUrl), { bus, clock, capabilities: CAPABILITIES });
  return {
    ...streams,
    venue,
    served,
    sdk,
    async [Symbol.asyncDispose]() {
      await release(sdk);
      await served.close();
    },
  };
}

// A module of CommonJS, whose default export loaders find in different places.
const ApiNode = ((apiNode as { default?: unknown }).default ?? apiNode) as unknown as (options: object) => ApiNodeClient;
type Leave = () => void;

interface ApiNodeClient {
  readonly ws: {
    trades(symbols: string[], listener: (event: Event) => void): Leave;
    aggTrades(symbol: string, listener: (event: Event) => void, transform: boolean): Leave;
    candles(symbol: string, interval: string, listener: (event: Event) => void): Leave;
  };
}

/** What the SDK does with a connection after 23 hours. */
interface Renewable {
  readonly connectionPool: { readonly ws: unknown }[];
  getReconnectURL(url: string, connection: object): string;
  enqueueReconnection(connection: object, url: string, isRenewal: boolean): void;
}

async function list(url: string, path: string): Promise<Record<string, unknown>[]> {
  const answer = await fetch(`${url}${path}`, { headers: { 'X-MBX-APIKEY': 'simulated-main' } });
  return (await answer.json()) as Record<string, unknown>[];
}

const newSpot = (url: string, wsUrl: string): Spot =>
  new Spot({
    configurationRestAPI: { basePath: url, apiKey: 'simulated-main', apiSecret: 'simulated-secret-of-main', retries: 0, timeout: 10_000 },
    configurationWebsocketStreams: { wsURL: wsUrl },
  });

describe.concurrent('market streams of a resilient @binance/spot', () => {
  it('tell the trades, aggregates and candles of an interruption, in order, each once, and go on', { timeout: 30_000 }, async () => {
    await using bot = await given(newSpot);
    const { until, interrupt, recoveries, states, served, woken } = bot;
    const connection = await (bot.sdk as Spot).websocketStreams.connect();
    const told = { trade: [] as Event[], aggTrade: [] as Event[], kline: [] as Event[] };
    const follow = (stream: { on(event: 'message', listener: (event: unknown) => void): void }, into: Event[]): void => {
      stream.on('message', (event) => {
        into.push(event as Event);
        woken();
      });
    };
    follow(connection.trade({ symbol: 'btcusdt' }), told.trade);
    follow(connection.aggTrade({ symbol: 'btcusdt' }), told.aggTrade);
    follow(connection.kline({ symbol: 'btcusdt', interval: '1m' as never }), told.kline);
    await until(() => told.trade.length >= 2 && told.aggTrade.length >= 2 && told.kline.length >= 1);
    interrupt(bot.venue, 250_000);
    await until(
      () =>
        states.at(-1) === 'live' &&
        states.includes('down') &&
        ['trade', 'aggTrade', 'kline_1m'].every((name) => recoveries.some(({ channel }) => channel === name)),
    );
    const count = told.trade.length;
    await until(() => told.trade.length > count && told.aggTrade.length > count && told.kline.some(({ recovered }) => recovered === true));
    for (const [events, member, path] of [
      [told.trade, 't', 'historicalTrades'],
      [told.aggTrade, 'a', 'aggTrades'],
    ] as const) {
      const ids = events.map((event) => Number(event[member]));
      expect(ids).toEqual(ids.map((_, i) => ids[0]! + i));
      expect(events.filter(({ recovered }) => recovered === true).length).toBeGreaterThanOrEqual(248);
      expect(events[0]!.recovered ?? events.at(-1)!.recovered).toBeUndefined();
      const rows = await list(served.url, `/api/v3/${path}?symbol=BTCUSDT&fromId=${ids[0]}&limit=1000`);
      expect(events.map(({ p, q, T, m }) => [p, q, T, m])).toEqual(
        rows.slice(0, events.length).map((row) => [row.p ?? row.price, row.q ?? row.qty, row.T ?? row.time, row.m ?? row.isBuyerMaker]),
      );
    }
    const finals = told.kline.map(({ k }) => k as Record<string, unknown>).filter(({ x }) => x === true);
    const first = Number((told.kline[0]!.k as { t: number }).t);
    expect(finals.slice(0, 4).map(({ t }) => t)).toEqual([0, 1, 2, 3].map((n) => first + n * 60_000));
    const candles = (await list(served.url, `/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=${first}&limit=4`)) as unknown as unknown[][];
    expect(finals.slice(0, 4).map(({ t, o, h, l, c, v }) => [t, o, h, l, c, v])).toEqual(candles.map((candle) => candle.slice(0, 6)));
    expect(recoveries.every(({ isWhole }) => isWhole)).toBe(true);
    await connection.disconnect();
  });

  it('tell what a message lost on the way had, though no connection dropped, and each that comes twice once', { timeout: 30_000 }, async () => {
    await using bot = await given(newSpot);
    const { venue, until, woken, clock } = bot;
    const connection = await (bot.sdk as Spot).websocketStreams.connect();
    const ids: number[] = [];
    connection.trade({ symbol: 'btcusdt' }).on('message', (event) => {
      ids.push(Number((event as Event).t));
      woken();
    });
    await until(() => ids.length >= 1);
    venue.fault({ when: 'after', kind: 'stream_gap', operation: 'stream', times: 1 });
    clock.jump(3_000);
    await until(() => ids.length >= 5);
    venue.fault({ when: 'after', kind: 'stream_duplicate', operation: 'stream', times: 2 });
    venue.fault({ when: 'after', kind: 'stream_reorder', operation: 'stream', times: 1 });
    clock.jump(3_000);
    await until(() => ids.length >= 9);
    expect(ids).toEqual(ids.map((_, i) => ids[0]! + i));
    await connection.disconnect();
  });

  it('say of changes of a book that some are missing, so that it begins anew', { timeout: 30_000 }, async () => {
    await using bot = await given(newSpot);
    const { until, interrupt, recoveries, states, woken } = bot;
    const connection = await (bot.sdk as Spot).websocketStreams.connect();
    const updates: { U: number; u: number }[] = [];
    connection.diffBookDepth({ symbol: 'btcusdt' }).on('message', (event) => {
      updates.push(event as unknown as (typeof updates)[number]);
      woken();
    });
    await until(() => updates.length >= 2);
    interrupt(bot.venue, 10_000);
    await until(() => recoveries.length > 0);
    expect(recoveries).toEqual([{ venue: 'binance', channel: 'depth', symbol: 'BTCUSDT', rows: 0, isWhole: false }]);
    expect(states).toContain('gap');
    await connection.disconnect();
  });

  it('outlive the drop of a connection that the SDK has renewed, which it never makes anew by itself', { timeout: 30_000 }, async () => {
    await using bot = await given(newSpot);
    const { until, woken, venue, states } = bot;
    const connection = await (bot.sdk as Spot).websocketStreams.connect();
    const ids: number[] = [];
    connection.trade({ symbol: 'btcusdt' }).on('message', (event) => {
      ids.push(Number((event as Event).t));
      woken();
    });
    await until(() => ids.length >= 1);
    const base = (connection as unknown as { websocketBase: Renewable }).websocketBase;
    const [only] = base.connectionPool as [Renewable['connectionPool'][number]];
    const before = only.ws;
    base.enqueueReconnection(only, base.getReconnectURL('', only), true);
    const count = ids.length;
    await until(() => ids.length >= count + 2 && only.ws !== before);
    venue.fault({ when: 'after', kind: 'stream_drop', operation: 'stream', times: 1 });
    await until(() => states.includes('down'));
    const atDrop = ids.length;
    await until(() => ids.length >= atDrop + 2);
    expect(ids).toEqual(ids.map((_, i) => ids[0]! + i));
    await connection.disconnect();
  });

  it('outlive a venue that is away when they reconnect, which ends the process with the raw SDK', { timeout: 30_000 }, async () => {
    await using bot = await given(newSpot);
    const { until, woken, venue, served, states } = bot;
    const connection = await (bot.sdk as Spot).websocketStreams.connect();
    const ids: number[] = [];
    connection.trade({ symbol: 'btcusdt' }).on('message', (event) => {
      ids.push(Number((event as Event).t));
      woken();
    });
    await until(() => ids.length >= 1);
    const port = Number(new URL(served.url).port);
    await served.close();
    await until(() => states.includes('down'));
    await using again = await serveBinance(venue, { port });
    const count = ids.length;
    await until(() => ids.length >= count + 2);
    expect(ids).toEqual(ids.map((_, i) => ids[0]! + i));
    await connection.disconnect();
    expect(again.url).toBe(served.url);
  });
});

describe.concurrent('market streams of a resilient binance-api-node', () => {
  // Its own pause before it connects anew is four seconds.
  it('tell the trades, aggregates and candles of an interruption, in order, each once, in the SDK’s own words', { timeout: 60_000 }, async () => {
    await using bot = await given((url, wsUrl) =>
      ApiNode({ httpBase: url, wsBase: `${wsUrl}/ws`, apiKey: 'simulated-main', apiSecret: 'simulated-secret-of-main' }),
    );
    const { until, recoveries, venue, clock, woken, served } = bot;
    const { ws } = bot.sdk as ApiNodeClient;
    const told = { trades: [] as Event[], aggTrades: [] as Event[], candles: [] as Event[] };
    const into = (events: Event[]) => (event: Event) => {
      events.push(event);
      woken();
    };
    const leave = [
      ws.trades(['BTCUSDT'], into(told.trades)),
      ws.aggTrades('BTCUSDT', into(told.aggTrades), false),
      ws.candles('BTCUSDT', '1m', into(told.candles)),
    ];
    await until(() => told.trades.length >= 2 && told.aggTrades.length >= 2 && told.candles.length >= 1);
    venue.fault({ when: 'after', kind: 'stream_drop', operation: 'stream', times: 3 });
    clock.jump(250_000);
    await until(() => ['trade', 'aggTrade', 'kline_1m'].every((name) => recoveries.some(({ channel }) => channel === name)));
    const count = told.trades.length;
    await until(() => told.trades.length > count);
    const ids = told.trades.map(({ tradeId }) => Number(tradeId));
    expect(ids).toEqual(ids.map((_, i) => ids[0]! + i));
    const rows = await list(served.url, `/api/v3/historicalTrades?symbol=BTCUSDT&fromId=${ids[0]}&limit=1000`);
    expect(told.trades.map(({ price, quantity, tradeTime, isBuyerMaker }) => [price, quantity, tradeTime, isBuyerMaker])).toEqual(
      rows.slice(0, ids.length).map(({ price, qty, time, isBuyerMaker }) => [price, qty, time, isBuyerMaker]),
    );
    const recovered = told.trades.find((event) => event.recovered === true)!;
    expect(new Set([...Object.keys(recovered), 'buyerOrderId', 'sellerOrderId'])).toEqual(new Set([...Object.keys(told.trades[0]!), 'recovered']));
    const aggIds = told.aggTrades.map(({ a }) => Number(a));
    expect(aggIds).toEqual(aggIds.map((_, i) => aggIds[0]! + i));
    const finals = told.candles.filter(({ isFinal }) => isFinal === true).map(({ startTime }) => Number(startTime));
    expect(finals.slice(0, 4)).toEqual([0, 1, 2, 3].map((n) => Number(told.candles[0]!.startTime) + n * 60_000));
    expect(recoveries.every(({ isWhole }) => isWhole)).toBe(true);
    for (const one of leave) one();
  });
});
