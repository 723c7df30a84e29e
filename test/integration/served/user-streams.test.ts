import { generateKeyPairSync, sign } from 'node:crypto';
import { InsufficientFunds } from 'ccxt';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.js';
import { connected, givenPro, givenRest, givenServed, type Message, signedParams } from './given.js';

const LIMIT = { symbol: 'BTCUSDT', side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', quantity: '0.01', price: '40000' };
const MARKET = { symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity: '0.01' };
/** What ccxt.pro waits for by now. */
const watched = ({ clients }: { readonly clients: unknown }) =>
  Object.values(clients as Readonly<Record<string, { readonly futures: object }>>).flatMap(({ futures }) => Object.keys(futures));
const statusOf = ({ status, error }: Message) => [status, (error as { code?: number } | undefined)?.code];

async function givenSession(...given: Parameters<typeof givenServed>) {
  const { venue, served } = await givenServed(...given);
  const session = await connected(`${served.wsUrl}/ws-api/v3`);
  const signed = (method: string, params: Record<string, unknown> = {}) => session.call(method, signedParams(served, params));
  return { venue, served, session, signed };
}

describe('the WebSocket API of serveBinance', () => {
  it('places, shows and cancels orders, signed request by request, and says what the limits stand at', async () => {
    const { venue, session, signed } = await givenSession();
    const placed = await signed('order.place', { ...LIMIT, newClientOrderId: 'ws-1' });
    expect(placed).toMatchObject({ status: 200, result: { clientOrderId: 'ws-1', status: 'NEW' } });
    expect(placed.rateLimits).toEqual([
      { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: 6_000, count: 1 },
      { rateLimitType: 'ORDERS', interval: 'SECOND', intervalNum: 10, limit: 100, count: 1 },
    ]);
    expect(await signed('order.status', { symbol: 'BTCUSDT', origClientOrderId: 'ws-1' })).toMatchObject({ result: { status: 'NEW' } });
    expect(await signed('openOrders.status')).toMatchObject({ result: [{ clientOrderId: 'ws-1' }] });
    expect(await signed('order.cancel', { symbol: 'BTCUSDT', origClientOrderId: 'ws-1' })).toMatchObject({
      result: { status: 'CANCELED', origClientOrderId: 'ws-1' },
    });
    expect(await session.call('time', { returnRateLimits: false })).toEqual({
      id: expect.any(String),
      status: 200,
      result: { serverTime: expect.any(Number) },
    });
    expect(venue.orders().map(({ state }) => state)).toEqual(['canceled']);
  });

  it('refuses as Binance does: unsigned, wrongly signed, late, unknown, not JSON', async () => {
    const { served, session, signed } = await givenSession();
    expect(statusOf(await session.call('order.place', LIMIT))).toEqual([401, -2014]);
    expect(statusOf(await session.call('order.place', signedParams(served, LIMIT, 'wrong')))).toEqual([400, -1022]);
    expect(statusOf(await signed('order.place', { ...LIMIT, timestamp: Date.now() - 60_000 }))).toEqual([400, -1021]);
    expect(statusOf(await signed('order.status', { symbol: 'BTCUSDT', origClientOrderId: 'none' }))).toEqual([400, -2013]);
    expect(statusOf(await signed('order.dance'))).toEqual([400, -5000]);
    session.send('{"id":');
    expect(await session.next(({ id }) => id === null)).toMatchObject({ status: 400 });
    // What is wrong is said, and the session goes on.
    expect(await session.call('ping')).toMatchObject({ status: 200, result: {} });
  });

  it('logs a session on with an Ed25519 key only, and then takes requests that carry no signature', async () => {
    const hmac = await givenSession();
    expect(statusOf(await hmac.signed('session.logon'))).toEqual([400, -4056]);
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const { venue, served, session } = await givenSession({}, { publicKey: publicKey.export({ type: 'spki', format: 'pem' }) as string });
    const { apiKey } = served.credentials;
    const timestamp = Date.now();
    const signature = sign(null, Buffer.from(`apiKey=${apiKey}&timestamp=${timestamp}`), privateKey).toString('base64');
    expect(await session.call('session.logon', { apiKey, timestamp, signature })).toMatchObject({ status: 200, result: { apiKey } });
    expect(await session.call('order.place', { ...MARKET, timestamp: Date.now() })).toMatchObject({ status: 200, result: { status: 'FILLED' } });
    expect(await session.call('userDataStream.subscribe')).toMatchObject({ result: { subscriptionId: 0 } });
    expect(await session.call('session.status')).toMatchObject({ result: { apiKey, userDataStream: true } });
    await session.call('session.logout');
    expect(statusOf(await session.call('order.place', { ...MARKET, timestamp: Date.now() }))).toEqual([401, -2014]);
    expect(venue.orders()).toHaveLength(1);
  });

  it('answers 429 with the time to wait, then 418 who goes on, ends the session and lets none in', async () => {
    const { venue, served, session } = await givenSession({
      limits: [{ id: 'weight', scope: 'ip', kind: 'window', units: 5, perMs: 60_000 }],
      bans: { afterIgnored: 2, firstMs: 60_000, longestMs: 60_000 },
    });
    // Connecting cost 2 of the 5.
    for (let i = 0; i < 3; i++) expect(await session.call('ping')).toMatchObject({ status: 200 });
    const refused = await session.call('ping');
    expect(refused).toMatchObject({ status: 429, error: { code: -1003, data: { retryAfter: expect.any(Number) } } });
    const { serverTime, retryAfter } = (refused.error as { data: { serverTime: number; retryAfter: number } }).data;
    expect(retryAfter - serverTime).toBeGreaterThan(50_000);
    expect(await session.call('ping')).toMatchObject({ status: 429 });
    expect(await session.call('ping')).toMatchObject({ status: 418 });
    expect(await session.closed).toBe(1008);
    await expect(connected(`${served.wsUrl}/ws-api/v3`)).rejects.toThrow('418');
    expect(venue.stats().bans).toBe(1);
  });

  it.each([
    ['before', 'reset', 0],
    ['after', 'reset', 1],
    ['after', 'half_body', 1],
    ['before', 'drop', 0],
    ['after', 'drop', 1],
  ] as const)('%s %s cuts the session, with %i orders at the venue', async (when, kind, orders) => {
    const { venue, session, signed } = await givenSession();
    venue.fault({ operation: 'place', when, kind, times: 1, ms: 50 });
    const answered = signed('order.place', MARKET).then(
      () => 'answered',
      () => 'cut',
    );
    await session.closed;
    expect(await answered).toBe('cut');
    expect(venue.orders()).toHaveLength(orders);
  });

  it.each([
    ['before', { kind: 'status', status: 503 }, 503, 0],
    ['after', { kind: 'status', status: 504 }, 504, 1],
    ['before', { kind: 'status', status: 429, ms: 2_000 }, 429, 0],
    ['before', { kind: 'reject' }, 400, 0],
    ['after', { kind: 'duplicate' }, 200, 2],
    ['before', { kind: 'ban', ms: 1_000 }, 418, 0],
  ] as const)('%s %o is answered, with %i', async (when, fault, status, orders) => {
    const { venue, signed } = await givenSession();
    venue.fault({ operation: 'place', when, times: 1, ...fault });
    expect(await signed('order.place', MARKET)).toMatchObject({ status });
    expect(venue.orders()).toHaveLength(orders);
  });

  it('puts a page of HTML in place of an answer, as a gateway does', async () => {
    const { venue, session, signed } = await givenSession();
    venue.fault({ operation: 'place', when: 'after', kind: 'html', times: 1 });
    void signed('order.place', MARKET).catch(() => {});
    expect(await session.next(({ text }) => typeof text === 'string' && text.startsWith('<html>'))).toBeDefined();
    expect(venue.orders()).toHaveLength(1);
  });
});

describe('user streams of serveBinance', () => {
  it('reports orders and fills to a signed subscription: new, trade by trade, cancelled', async () => {
    const { session, signed } = await givenSession({ fees: { maker: '0.001', taker: '0.001' } });
    const subscribed = await signed('userDataStream.subscribe.signature');
    expect(subscribed).toMatchObject({ status: 200, result: { subscriptionId: 0 } });
    await signed('order.place', { ...MARKET, newClientOrderId: 'filled' });
    await signed('order.place', { ...LIMIT, newClientOrderId: 'resting' });
    await signed('order.cancel', { symbol: 'BTCUSDT', origClientOrderId: 'resting' });
    const events = (await session.count(7, ({ event }) => event !== undefined)).map(({ subscriptionId, event }) => {
      expect(subscriptionId).toBe(0);
      return event as Message;
    });
    const reports = events.filter(({ e }) => e === 'executionReport');
    expect(reports.map(({ x, X, c, C }) => [x, X, c, C])).toEqual([
      ['NEW', 'NEW', 'filled', ''],
      ['TRADE', 'FILLED', 'filled', ''],
      ['NEW', 'NEW', 'resting', ''],
      ['CANCELED', 'CANCELED', 'cancel_2', 'resting'],
    ]);
    expect(reports[1]).toMatchObject({ l: '0.01000000', z: '0.01000000', n: '0.00001000', N: 'BTC', t: 1, m: false });
    expect(events.find(({ e }) => e === 'outboundAccountPosition')).toMatchObject({ B: [{ a: 'BTC' }, { a: 'USDT' }] });
    expect(await session.call('userDataStream.unsubscribe', { subscriptionId: 0 })).toMatchObject({ status: 200 });
    expect(await session.call('userDataStream.unsubscribe', { subscriptionId: 0 })).toMatchObject({ status: 400 });
    const seen = session.messages.length;
    await signed('order.place', MARKET);
    await systemClock.sleep(50);
    expect(session.messages.slice(seen).filter(({ event }) => event !== undefined)).toEqual([]);
  });

  it('reports every part of an order that fills in pieces, adding up', async () => {
    const { session, signed } = await givenSession({ partialFills: true, seed: 11 });
    await signed('userDataStream.subscribe.signature');
    await signed('order.place', { ...MARKET, quantity: '3' });
    await session.next(({ event }) => (event as Message | undefined)?.X === 'FILLED');
    const trades = session.messages.map(({ event }) => event as Message | undefined).filter((event) => event?.x === 'TRADE');
    expect(trades.length).toBeGreaterThan(1);
    expect(trades.slice(0, -1).every((event) => event?.X === 'PARTIALLY_FILLED')).toBe(true);
    expect(trades.reduce((sum, event) => sum + Number(event?.l), 0)).toBeCloseTo(3, 8);
    expect(trades.at(-1)?.z).toBe('3.00000000');
  });

  it('serves the listen key of old: made, kept alive, and the stream ends with it', async () => {
    const { served, exchange } = await givenRest();
    const { listenKey } = (await exchange.publicPostUserDataStream()) as { listenKey: string };
    const stream = await connected(`${served.wsUrl}/ws/${listenKey}`);
    await exchange.createOrder('BTC/USDT', 'market', 'buy', 0.01, undefined, { clientOrderId: 'old-1' });
    expect(await stream.next(({ x }) => x === 'TRADE')).toMatchObject({ e: 'executionReport', c: 'old-1' });
    expect(await exchange.publicPutUserDataStream({ listenKey })).toEqual({});
    await expect(exchange.publicPutUserDataStream({ listenKey: 'another' })).rejects.toThrow('-1125');
    await exchange.publicDeleteUserDataStream({ listenKey });
    await stream.closed;
  });

  it('feeds ccxt.pro: own orders, own trades, balances, and orders placed over the socket', async () => {
    const { exchange, venue } = await givenPro();
    const orders = exchange.watchOrders('BTC/USDT');
    const balance = exchange.watchBalance();
    const trades = exchange.watchMyTrades('BTC/USDT');
    await expect.poll(() => watched(exchange)).toEqual(expect.arrayContaining(['orders:BTC/USDT', 'spot:balance', 'myTrades:BTC/USDT']));
    const placed = await exchange.createOrderWs('BTC/USDT', 'limit', 'buy', 0.01, 40_000, { newClientOrderId: 'pro-1' });
    expect(placed).toMatchObject({ clientOrderId: 'pro-1', status: 'open' });
    expect((await orders).at(-1)).toMatchObject({ clientOrderId: 'pro-1', status: 'open' });
    expect((await balance).USDT).toMatchObject({ used: 400 });
    expect(await exchange.fetchOrderWs(String(placed.id), 'BTC/USDT')).toMatchObject({ status: 'open' });
    expect(await exchange.cancelOrderWs(String(placed.id), 'BTC/USDT')).toMatchObject({ status: 'canceled' });
    await exchange.createOrderWs('BTC/USDT', 'market', 'buy', 0.02);
    expect((await trades).at(-1)).toMatchObject({ amount: 0.02, side: 'buy' });
    await expect(exchange.createOrderWs('BTC/USDT', 'market', 'buy', 100)).rejects.toThrow(InsufficientFunds);
    expect(venue.orders().map(({ state }) => state)).toEqual(['canceled', 'filled']);
  });

  it('loses, doubles and swaps events as faults say, and cuts the stream', async () => {
    const { venue, session, signed } = await givenSession();
    await signed('userDataStream.subscribe.signature');
    venue.fault({ operation: 'events', when: 'after', kind: 'stream_gap', times: 1 });
    await signed('order.place', { ...LIMIT, newClientOrderId: 'a' });
    await session.next(({ event }) => (event as Message | undefined)?.e === 'outboundAccountPosition');
    expect(session.messages.some(({ event }) => (event as Message | undefined)?.e === 'executionReport')).toBe(false);
    venue.fault({ operation: 'events', when: 'after', kind: 'stream_duplicate', times: 1 });
    await signed('order.place', { ...LIMIT, newClientOrderId: 'b' });
    await session.count(2, ({ event }) => (event as Message | undefined)?.c === 'b');
    venue.fault({ operation: 'events', when: 'after', kind: 'stream_drop', times: 1 });
    void signed('order.place', { ...LIMIT, newClientOrderId: 'c' }).catch(() => {});
    await session.closed;
  });
});
