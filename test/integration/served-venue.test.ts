import { createHmac } from 'node:crypto';
import ccxt, { type binance } from 'ccxt';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.js';
import { isVenueKitError } from '../../src/core/errors.js';
import { type ServedVenue, SimulatedVenue, type SimulatedVenueOptions, serveBinance } from '../../src/testing/index.js';

const open: ServedVenue[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((served) => served.close()));
});

const SYMBOLS = {
  'BTC/USDT': { price: 50_000, priceStep: '0.01', qtyStep: '0.00001', minNotional: '5' },
  'ETH/USDT': { price: 3_000, priceStep: '0.01', qtyStep: '0.0001' },
};

async function givenServed(options: SimulatedVenueOptions = {}) {
  const venue = new SimulatedVenue({ symbols: SYMBOLS, balances: { USDT: '100000', BTC: '2' }, ...options });
  const served = await serveBinance(venue);
  open.push(served);
  const exchange: binance = served.connect(new ccxt.binance({ timeout: 10_000 }));
  return { venue, served, exchange };
}

async function givenLoaded(options: SimulatedVenueOptions = {}) {
  const given = await givenServed(options);
  await given.exchange.loadMarkets();
  return given;
}

/** Signs as the protocol says, without an SDK. */
function signed(
  served: ServedVenue,
  method: string,
  path: string,
  params: Record<string, string | number>,
  over: { key?: string; secret?: string } = {},
) {
  const query = new URLSearchParams(Object.entries(params).map(([name, value]) => [name, String(value)])).toString();
  const signature = createHmac('sha256', over.secret ?? served.credentials.secret)
    .update(query)
    .digest('hex');
  return fetch(`${served.url}${path}?${query}&signature=${signature}`, {
    method,
    headers: { 'X-MBX-APIKEY': over.key ?? served.credentials.apiKey },
  });
}

const codeOf = async (response: Response) => ((await response.json()) as { code: number }).code;
const ORDER = { symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity: '0.01' };

describe('serveBinance with ccxt, calm', () => {
  it('loads markets with steps and limits', async () => {
    const { exchange } = await givenLoaded();
    expect(Object.keys(exchange.markets ?? {})).toEqual(['BTC/USDT', 'ETH/USDT']);
    const market = exchange.market('BTC/USDT');
    expect(market.precision).toMatchObject({ amount: 0.00001, price: 0.01 });
    expect(market.limits.cost).toMatchObject({ min: 5 });
    expect(market.active).toBe(true);
  });

  it('gives tickers, books, bars, trades and the time', async () => {
    const { exchange, venue } = await givenLoaded();
    const ticker = await exchange.fetchTicker('BTC/USDT');
    expect(ticker.bid).toBeLessThan(ticker.ask!);
    expect(ticker.bid).toBeGreaterThan(49_900);
    expect(Object.keys(await exchange.fetchTickers(['BTC/USDT', 'ETH/USDT']))).toEqual(['BTC/USDT', 'ETH/USDT']);
    expect(Object.keys(await exchange.fetchBidsAsks())).toEqual(['BTC/USDT', 'ETH/USDT']);
    const bars = await exchange.fetchOHLCV('BTC/USDT', '1m', undefined, 20);
    expect(bars).toHaveLength(20);
    for (const [t, opened, high, low, close] of bars) {
      expect(t! % 60_000).toBe(0);
      expect(high).toBeGreaterThanOrEqual(Math.max(opened!, close!));
      expect(low).toBeLessThanOrEqual(Math.min(opened!, close!));
    }
    const book = await exchange.fetchOrderBook('BTC/USDT', 10);
    expect(book.bids).toHaveLength(10);
    expect(book.bids[0]![0]!).toBeLessThan(book.asks[0]![0]!);
    expect(await exchange.fetchTrades('BTC/USDT', undefined, 5)).toHaveLength(5);
    const before = Math.floor(venue.now());
    const time = (await exchange.fetchTime())!;
    expect([time >= before, time <= venue.now()]).toEqual([true, true]);
  });

  it('places, shows, cancels and fills orders', async () => {
    const { exchange, venue } = await givenLoaded({ fees: { maker: '0.001', taker: '0.001' } });
    const market = await exchange.createOrder('BTC/USDT', 'market', 'buy', 0.01, undefined, { clientOrderId: 'mine-1' });
    expect(market).toMatchObject({ status: 'closed', filled: 0.01, clientOrderId: 'mine-1' });
    const limit = await exchange.createOrder('BTC/USDT', 'limit', 'buy', 0.02, 40_000.5);
    expect(limit).toMatchObject({ status: 'open', filled: 0, price: 40_000.5 });
    expect((await exchange.fetchOpenOrders('BTC/USDT')).map(({ id }) => id)).toEqual([limit.id]);
    expect(await exchange.fetchOrder(String(limit.id), 'BTC/USDT')).toMatchObject({ status: 'open', clientOrderId: limit.clientOrderId });
    const balance = await exchange.fetchBalance();
    expect(balance.USDT).toMatchObject({ used: 800.01 });
    expect(balance.BTC).toMatchObject({ free: 2.00999 });
    expect(await exchange.cancelOrder(String(limit.id), 'BTC/USDT')).toMatchObject({ id: limit.id, status: 'canceled' });
    expect((await exchange.fetchOrders('BTC/USDT')).map(({ status }) => status)).toEqual(['closed', 'canceled']);
    const trades = await exchange.fetchMyTrades('BTC/USDT');
    expect(trades).toMatchObject([{ order: market.id, amount: 0.01, fee: { cost: 0.00001, currency: 'BTC' } }]);
    expect(venue.orders().map(({ state }) => state)).toEqual(['filled', 'canceled']);
  });

  it('finds an order by the client id', async () => {
    const { exchange } = await givenLoaded();
    await exchange.createOrder('BTC/USDT', 'limit', 'buy', 0.02, 40_000, { clientOrderId: 'mine-2' });
    expect(await exchange.fetchOrder('', 'BTC/USDT', { clientOrderId: 'mine-2' })).toMatchObject({ status: 'open' });
  });

  it('spends an amount of money where a market order asks for that', async () => {
    const { exchange } = await givenLoaded({ volatility: 0 });
    const order = await exchange.createMarketBuyOrderWithCost('BTC/USDT', 1_000);
    expect(order).toMatchObject({ filled: 0.01999, info: { origQuoteOrderQty: '1000.00000000', origQty: '0.01999000' } });
    expect(await exchange.fetchOrder(order.id as string, 'BTC/USDT')).toMatchObject({ info: { origQuoteOrderQty: '1000.00000000' } });
  });

  it.each([
    ['too little money', (exchange: binance) => exchange.createOrder('BTC/USDT', 'market', 'buy', 100), 'InsufficientFunds'],
    ['an unknown order', (exchange: binance) => exchange.fetchOrder('999', 'BTC/USDT'), 'OrderNotFound'],
    ['cancelling what is not there', (exchange: binance) => exchange.cancelOrder('999', 'BTC/USDT'), 'OrderNotFound'],
    ['an order below the minimum', (exchange: binance) => exchange.createOrder('BTC/USDT', 'limit', 'buy', 0.00001, 100), 'BadRequest'],
  ])('has ccxt throw its own class for %s', async (_, call, name) => {
    const { exchange } = await givenLoaded();
    await expect(call(exchange)).rejects.toSatisfy((error: Error) => error.constructor.name === name);
  });

  it('keeps connections open and counts what they carry', async () => {
    const { exchange, served } = await givenServed();
    // A call that is given up takes its connection with it: no pause of this process must end one.
    exchange.timeout = 600_000;
    await exchange.loadMarkets();
    for (let i = 0; i < 10; i++) await exchange.fetchTicker('BTC/USDT');
    const stats = served.stats();
    expect(stats.requestsByEndpoint).toEqual({ 'GET /api/v3/exchangeInfo': 1, 'GET /api/v3/ticker/24hr': 10 });
    expect(stats.requests).toBe(11);
    // The SDK leaves one that was idle for four seconds, as a process that was halted has.
    expect(stats.connections).toBeLessThan(11);
    expect(stats.connectionReuse).toBeCloseTo(1 - stats.connections / 11);
    expect(stats.mostRequestsPerConnection).toBeGreaterThanOrEqual(11 / stats.connections);
  });

  it('trades along a recorded session', async () => {
    const { exchange, venue } = await givenLoaded();
    const bars = Array.from({ length: 600 }, (_, i) => ({
      t: i * 60_000,
      symbol: 'BTC/USDT',
      open: 100 + i,
      high: 101 + i,
      low: 100 + i,
      close: 101 + i,
      volume: 3,
    }));
    venue.replay(bars, { speed: 60, from: 300 * 60_000 });
    const minutes = await exchange.fetchOHLCV('BTC/USDT', '1s', undefined, 100);
    expect(minutes.length).toBe(100);
    expect(minutes.at(-2)![4]! - minutes.at(-3)![4]!).toBe(1);
    expect((await exchange.fetchTicker('BTC/USDT')).bid).toBeGreaterThanOrEqual(399);
  });
});

describe('serveBinance: the wire', () => {
  it('accepts a signed request and reports weight and order count', async () => {
    const { served } = await givenServed();
    const response = await signed(served, 'POST', '/api/v3/order', { ...ORDER, timestamp: Date.now() });
    expect(response.status).toBe(200);
    expect(response.headers.get('x-mbx-used-weight-1m')).toBe('1');
    expect(response.headers.get('x-mbx-order-count-10s')).toBe('1');
    expect(await response.json()).toMatchObject({ status: 'FILLED', executedQty: '0.01000000', fills: [{ qty: '0.01000000' }] });
    const list = await signed(served, 'GET', '/api/v3/openOrders', { timestamp: Date.now() });
    expect(list.headers.get('x-mbx-used-weight-1m')).toBe('81');
  });

  it.each([
    ['no key', { key: '' }, {}, -2014],
    ['a wrong key', { key: 'x' }, {}, -2015],
    ['a wrong signature', { secret: 'x' }, {}, -1022],
    ['an old timestamp', {}, { offMs: -60_000 }, -1021],
    ['a timestamp from the future', {}, { offMs: 60_000 }, -1021],
    ['too long a window', {}, { recvWindow: 60_001 }, -1131],
    ['an unknown symbol', {}, { symbol: 'NOPE' }, -1121],
    ['no quantity', {}, { quantity: '' }, -1013],
    ['an unknown type', {}, { type: 'ICEBERG' }, -1116],
    ['a client id with a blank', {}, { newClientOrderId: 'a b' }, -1100],
  ])(
    'refuses %s',
    async (_, over, { offMs = 0, ...params }: { readonly offMs?: number; readonly [name: string]: string | number | undefined }, code) => {
      const { served, venue } = await givenServed();
      const given = params as Record<string, string | number>;
      const response = await signed(served, 'POST', '/api/v3/order', { ...ORDER, timestamp: Date.now() + offMs, ...given }, over);
      expect(await codeOf(response)).toBe(code);
      expect(venue.orders()).toEqual([]);
    },
  );

  it('says what is missing', async () => {
    const { served } = await givenServed();
    for (const name of ['symbol', 'side', 'type', 'quantity'] as const) {
      const { [name]: _, ...rest } = ORDER;
      const response = await signed(served, 'POST', '/api/v3/order', { ...rest, timestamp: Date.now() });
      expect(await response.json()).toEqual({ code: -1102, msg: `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.` });
    }
  });

  it('refuses a second open order with the same client id, and takes it once the first has ended', async () => {
    const { served, venue } = await givenServed();
    const resting = { ...ORDER, type: 'LIMIT', price: '40000', timeInForce: 'GTC', newClientOrderId: 'once' };
    await signed(served, 'POST', '/api/v3/order', { ...resting, timestamp: Date.now() });
    const again = await signed(served, 'POST', '/api/v3/order', { ...resting, timestamp: Date.now() });
    expect(await again.json()).toEqual({ code: -2010, msg: 'Duplicate order sent.' });
    await signed(served, 'DELETE', '/api/v3/order', { symbol: 'BTCUSDT', origClientOrderId: 'once', timestamp: Date.now() });
    expect((await signed(served, 'POST', '/api/v3/order', { ...resting, timestamp: Date.now() })).status).toBe(200);
    expect(venue.orders()).toHaveLength(2);
  });

  it('answers 429 with Retry-After over a limit, and 418 to who goes on', async () => {
    const { served } = await givenServed({
      limits: [{ id: 'w', scope: 'ip', kind: 'window', units: 10, perMs: 60_000 }],
      bans: { afterIgnored: 2, firstMs: 30_000, longestMs: 60_000 },
    });
    const statuses: number[] = [];
    let last: Response | undefined;
    for (let i = 0; i < 9; i++) statuses.push((last = await fetch(`${served.url}/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=1`)).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429, 418, 418]);
    expect(Number(last!.headers.get('retry-after'))).toBeGreaterThan(25);
    expect(await last!.json()).toMatchObject({ code: -1003, msg: expect.stringContaining('banned until') });
  });

  it('answers a path that it does not have with 404', async () => {
    const { served } = await givenServed();
    expect((await fetch(`${served.url}/fapi/v1/order`)).status).toBe(404);
  });

  it('says which port is in use', async () => {
    const { served, venue } = await givenServed();
    const port = Number(new URL(served.url).port);
    await expect(serveBinance(venue, { port })).rejects.toSatisfy(
      (error: Error) => isVenueKitError(error, 'PORT_IN_USE') && error.message.includes(String(port)),
    );
  });

  it('closes twice, in the middle of a silence too, and frees the port', async () => {
    const { served, venue } = await givenServed();
    venue.fault({ operation: 'ping', when: 'before', kind: 'drop' });
    const hanging = fetch(`${served.url}/api/v3/ping`).catch((error: Error) => error);
    await systemClock.sleep(50);
    await served.close();
    await served.close();
    expect(await hanging).toBeInstanceOf(Error);
    await (await serveBinance(venue, { port: Number(new URL(served.url).port) })).close();
  });

  it('refuses to connect what is no SDK of Binance that it knows, and says which are', async () => {
    const { served } = await givenServed();
    expect(() => served.connect({ id: 'kraken', urls: { api: {} }, options: {} })).toThrow(/ccxt's binance.*@binance\/connector/);
  });
});

describe('serveBinance with ccxt, under each fault', () => {
  const place = (exchange: Awaited<ReturnType<typeof givenLoaded>>['exchange']) =>
    exchange.createOrder('BTC/USDT', 'market', 'buy', 0.01).then(
      () => 'ok',
      (error: Error) => error.constructor.name,
    );

  it.each([
    ['drop', 'before', {}, 'RequestTimeout', 0],
    ['drop', 'after', {}, 'RequestTimeout', 1],
    ['drop', 'after', { ms: 0 }, 'NetworkError', 1],
    ['reset', 'before', {}, 'NetworkError', 0],
    ['reset', 'after', {}, 'NetworkError', 1],
    // Not a class of ccxt's: undici's own error comes through.
    ['half_body', 'after', {}, 'SocketError', 1],
    ['html', 'before', {}, 'ExchangeNotAvailable', 0],
    ['html', 'after', {}, 'ExchangeNotAvailable', 1],
    ['status', 'before', { status: 503 }, 'OperationFailed', 0],
    ['status', 'after', { status: 503 }, 'OperationFailed', 1],
    ['status', 'after', { status: 504, code: -1007 }, 'RequestTimeout', 1],
    ['status', 'before', { status: 429, ms: 2_000 }, 'DDoSProtection', 0],
    ['status', 'before', { status: 400, code: -1021 }, 'InvalidNonce', 0],
    ['ban', 'before', { ms: 5_000 }, 'DDoSProtection', 0],
    ['reject', 'before', {}, 'InvalidOrder', 0],
    ['delay', 'before', { ms: 300 }, 'ok', 1],
    ['delay', 'after', { ms: 2_000 }, 'RequestTimeout', 1],
    ['duplicate', 'before', {}, 'ok', 2],
    ['duplicate', 'after', {}, 'ok', 2],
  ] as const)('%s %s %j: ccxt sees %s, and the venue has %i orders', async (kind, when, more, seen, orders) => {
    const { exchange, venue } = await givenLoaded();
    venue.fault({ operation: 'place', when, kind, times: 1, ...more });
    if (kind === 'drop' || seen === 'RequestTimeout') exchange.timeout = 1_000;
    expect(await place(exchange)).toBe(seen);
    expect(venue.orders()).toHaveLength(orders);
  });

  it('says how long to wait in the header that ccxt keeps', async () => {
    const { exchange, venue } = await givenLoaded();
    venue.fault({ operation: 'quote', when: 'before', kind: 'status', status: 429, ms: 2_500, times: 1 });
    await expect(exchange.fetchTicker('BTC/USDT')).rejects.toThrow(ccxt.DDoSProtection);
    expect(
      (exchange.last_response_headers as Record<string, string>)['Retry-After'] ??
        (exchange.last_response_headers as Record<string, string>)['retry-after'],
    ).toBe('3');
  });

  it('accepts an order and takes it back', async () => {
    const { exchange, venue } = await givenLoaded();
    venue.fault({ operation: 'place', when: 'after', kind: 'reject', times: 1 });
    expect(await exchange.createOrder('BTC/USDT', 'limit', 'buy', 0.01, 40_000)).toMatchObject({ status: 'open' });
    expect(venue.orders()[0]?.state).toBe('rejected');
  });

  it('shows stale lookups', async () => {
    const { exchange, venue } = await givenLoaded({ visibilityLagMs: 60_000, staleReadRatio: 0 });
    venue.fault({ when: 'before', kind: 'stale_read' });
    const { id } = await exchange.createOrder('BTC/USDT', 'limit', 'buy', 0.01, 40_000);
    await expect(exchange.fetchOrder(String(id), 'BTC/USDT')).rejects.toThrow(ccxt.OrderNotFound);
    expect(await exchange.fetchOpenOrders('BTC/USDT')).toEqual([]);
    expect(await exchange.fetchOrders('BTC/USDT')).toEqual([]);
  });

  it('refuses requests signed by a clock that is off', async () => {
    const { exchange, venue } = await givenLoaded();
    venue.fault({ when: 'before', kind: 'clock_skew', ms: 60_000 });
    expect(await place(exchange)).toBe('InvalidNonce');
  });

  it('found by running: a lost answer, ccxt’s own retries and the same client id buy more than once', async () => {
    const { exchange, venue } = await givenLoaded();
    venue.fault({ operation: 'place', when: 'after', kind: 'reset', times: 1 });
    exchange.options.maxRetriesOnFailure = 3;
    await exchange.createOrder('BTC/USDT', 'market', 'buy', 0.01, undefined, { clientOrderId: 'same' });
    expect(venue.orders().map(({ clientOrderId, state }) => `${clientOrderId} ${state}`)).toEqual(['same filled', 'same filled']);
  });
});
