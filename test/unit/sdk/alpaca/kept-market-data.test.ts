import { describe, expect, it } from 'vitest';
import type { MarketSource, Range } from '../../../../src/sdk/alpaca/market-source.js';
import type { ResilientAlpaca } from '../../../../src/sdk/alpaca/resilient-alpaca.js';
import { KeptMarketData } from '../../../../src/sdk/alpaca/streams/kept-market-data.js';
import { guardedData, streamedMarket } from '../../../../src/sdk/alpaca/streams/stream-history.js';
import type { Json } from '../../../../src/sdk/shared/json.js';
import { recoveryScene } from '../../../setup/recovery-scene.js';

const iso = (ms: number): string => new Date(ms).toISOString();

const given = (url = 'wss://stream.data.alpaca.markets/v2/iex') => {
  const { clock, recovery, recoveries } = recoveryScene('alpaca', 100);
  const asked: Range[] = [];
  const listed: { trades: Json[]; bars: Json[]; quotes: Map<string, Json> } = { trades: [], bars: [], quotes: new Map() };
  const asking = (range: Range, rows: readonly Json[]): Promise<Json[]> => {
    asked.push(range);
    return Promise.resolve([...rows].reverse());
  };
  const source: MarketSource = {
    trades: (_, __, range) => asking(range, listed.trades),
    bars: (_, __, range) => asking(range, listed.bars),
    latestQuotes: () => Promise.resolve(listed.quotes),
    book: () => Promise.reject(new Error('not asked for')),
  };
  const told: Json[] = [];
  const data = new KeptMarketData({
    recovery,
    market: streamedMarket(url)!,
    source,
    handle: (frames) => told.push(...frames),
    handleRecovered: (frame) => told.push({ ...frame, recovered: true }),
  });
  const subscribed = (lists: object): void => data.take([{ T: 'subscription', trades: [], quotes: [], bars: [], ...lists }]);
  const trade = (i: number | bigint, at = clock.now()): Json => ({ T: 't', S: 'AAPL', i, x: 'V', p: 1, s: 1, t: iso(at) });
  const seen = (): string[] => told.filter(({ T }) => T !== 'subscription').map(({ T, i, recovered }) => `${T} ${i} ${recovered === true}`);
  return { clock, data, recoveries, asked, listed, subscribed, trade, told, seen };
};

describe('market data of Alpaca that is kept', () => {
  it('says of a subscription to all symbols that nothing is read again', async () => {
    const { data, recoveries, subscribed, trade, seen, clock } = given();
    subscribed({ trades: ['*'], quotes: ['*'] });
    data.take([trade(1)]);
    data.down();
    subscribed({ trades: ['*'], quotes: ['*'] });
    await clock.advance(3_000);
    expect(recoveries).toEqual(['trades * 0 false']);
    expect(seen()).toEqual(['t 1 false']);
  });

  it('reads of the feed that it streams', async () => {
    const { data, asked, subscribed, clock } = given();
    subscribed({ trades: ['AAPL'] });
    const since = clock.now();
    data.down();
    await clock.advance(1_000);
    subscribed({ trades: ['AAPL'] });
    await clock.advance(3_000);
    expect(asked[0]).toEqual({ start: iso(since), limit: 101, sort: 'desc', feed: 'iex' });
  });

  it('reads of a delayed stream no more than it will tell itself', async () => {
    const { data, asked, subscribed, clock } = given('wss://stream.data.alpaca.markets/v2/delayed_sip');
    subscribed({ trades: ['AAPL'] });
    const since = clock.now();
    data.down();
    subscribed({ trades: ['AAPL'] });
    await clock.advance(3_000);
    expect(asked[0]).toMatchObject({ start: iso(since - 900_000), end: iso(since - 900_000), feed: 'sip' });
  });

  it('is told by numbers of trades that no double holds', async () => {
    const { data, listed, subscribed, trade, clock, seen } = given();
    subscribed({ trades: ['AAPL'] });
    data.take([trade(447_222_699_101_865_076n)]);
    data.down();
    listed.trades = [
      { ...trade(0), i: '447222699101865076' },
      { ...trade(0, clock.now() + 10), i: '447222699101865999' },
    ];
    await clock.advance(100);
    subscribed({ trades: ['AAPL'] });
    await clock.advance(3_000);
    expect(seen()).toEqual(['t 447222699101865076 false', 't 447222699101865999 true']);
  });

  it('leaves a bar out that is still forming', async () => {
    const { data, listed, subscribed, clock, seen } = given();
    subscribed({ bars: ['AAPL'] });
    data.down();
    const minute = Math.floor(clock.now() / 60_000) * 60_000;
    listed.bars = [
      { i: 'over', t: iso(minute) },
      { i: 'forming', t: iso(minute + 60_000) },
    ];
    await clock.advance(60_000);
    subscribed({ bars: ['AAPL'] });
    await clock.advance(3_000);
    data.take([{ T: 'b', S: 'AAPL', i: 'over', t: iso(minute) }]);
    expect(seen()).toEqual(['b over true']);
  });

  it('tells the latest quote only where the stream has told no newer one', async () => {
    const { data, listed, subscribed, clock, seen, recoveries } = given();
    subscribed({ quotes: ['AAPL', 'MSFT'] });
    const quote = (S: string, i: string, at = clock.now()): Json => ({ T: 'q', S, i, t: iso(at) });
    data.take([quote('AAPL', 'a1'), quote('MSFT', 'm1')]);
    data.down();
    await clock.advance(100);
    listed.quotes = new Map([
      ['AAPL', quote('AAPL', 'a2')],
      ['MSFT', quote('MSFT', 'm2')],
    ]);
    subscribed({ quotes: ['AAPL', 'MSFT'] });
    data.take([quote('MSFT', 'm3')]);
    await clock.advance(100);
    expect(seen()).toEqual(['q a1 false', 'q m1 false', 'q m3 false', 'q a2 true']);
    expect(recoveries).toEqual(['quotes AAPL 1 true', 'quotes MSFT 0 true']);
  });

  it('takes what comes after the bot has ended and begun the stream again as a new beginning', async () => {
    const { data, listed, subscribed, trade, clock, seen, asked } = given();
    subscribed({ trades: ['AAPL'] });
    data.take([trade(1)]);
    data.ended();
    data.down();
    listed.trades = [trade(2)];
    await clock.advance(1_000);
    subscribed({ trades: ['AAPL'] });
    data.take([trade(3)]);
    await clock.advance(3_000);
    expect(seen()).toEqual(['t 1 false', 't 3 false']);
    expect(asked).toEqual([]);
  });
});

describe('what Alpaca’s REST API has of trades', () => {
  it('keeps the digits of their ids', async () => {
    const body = '{"trades":{"BTC/USD":[{"i":447222699101865076,"p":26755.7,"t":"2026-01-01T00:00:00Z"},{"i":7,"p":1}]}}';
    const path = {
      guarded: { repeatable: (endpoint: { call(attempt: object): Promise<{ result: unknown }> }) => endpoint.call({}).then(({ result }) => result) },
    };
    const wire = {
      request: () => Promise.resolve({ result: { status: 200, json: JSON.parse(body) as unknown, native: { status: 200, headers: {}, body } } }),
    };
    const guarded = guardedData(path as unknown as ResilientAlpaca, wire);
    const outcome = await guarded.request('data', { method: 'GET', path: '/v1beta3/crypto/us/trades' }, new AbortController().signal);
    expect(outcome).toMatchObject({ result: { json: { trades: { 'BTC/USD': [{ i: '447222699101865076' }, { i: 7 }] } } } });
  });

  it('is read where a stream’s address says what it carries', () => {
    expect(streamedMarket('wss://x/v2/sip')).toEqual({ isCrypto: false, feed: 'sip', loc: '', delayMs: 0 });
    expect(streamedMarket('wss://x/v1beta3/crypto/eu-1')).toEqual({ isCrypto: true, loc: 'eu-1', delayMs: 0 });
    expect(streamedMarket('wss://x/v1beta1/news')).toBeUndefined();
    expect(streamedMarket('wss://x/v1beta1/indicative')).toBeUndefined();
  });
});
