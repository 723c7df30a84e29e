import ccxt, { type kraken } from 'ccxt';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/core/manual-clock.js';
import { SimulatedVenue, type SimulatedVenueOptions, serveKraken } from '../../../src/testing/index.js';
import { closedAfterwards } from './given.js';

const SYMBOLS = {
  'BTC/USD': { price: 50_000, priceStep: '0.1', qtyStep: '0.00000001', minNotional: '0.5' },
  'ETH/USD': { price: 3_000, priceStep: '0.01', qtyStep: '0.00000001' },
  'BTC/USDT': { price: 50_000, priceStep: '0.1', qtyStep: '0.00000001' },
};

async function givenKraken(options: SimulatedVenueOptions = {}) {
  const venue = new SimulatedVenue({ seed: 5, symbols: SYMBOLS, balances: { USD: '100000', USDT: '100000', BTC: '2' }, volatility: 0, ...options });
  const served = closedAfterwards(await serveKraken(venue));
  // ccxt takes the time in ms for a nonce, which two calls may share.
  let nonce = Date.now();
  const raw = (): kraken => Object.assign(served.connect(new ccxt.kraken({ timeout: 5_000, enableRateLimit: false })), { nonce: () => ++nonce });
  const exchange = raw();
  await exchange.loadMarkets();
  return { venue, served, raw, exchange };
}

/** The venue's own words in the error that ccxt makes of them. */
const words = (call: Promise<unknown>): Promise<string> =>
  call.then(
    (value) => `no error, but ${JSON.stringify(value)}`,
    (error: Error) => `${error.constructor.name} ${/"error":\["([^"]+)"/.exec(error.message)?.[1] ?? error.message}`,
  );

describe('serveKraken with ccxt', () => {
  it('lists pairs as Kraken names them, and their steps', async () => {
    const { exchange } = await givenKraken();
    expect(exchange.market('BTC/USD')).toMatchObject({ id: 'XXBTZUSD', altname: 'XBTUSD', active: true, precision: { price: 0.1, amount: 1e-8 } });
    expect(exchange.market('BTC/USDT').id).toBe('XBTUSDT');
    expect(exchange.market('BTC/USD').limits.cost?.min).toBe(0.5);
  });

  it('tells prices, books, bars, trades and the time', async () => {
    const { exchange, venue } = await givenKraken();
    expect(await exchange.fetchTicker('BTC/USD')).toMatchObject({ symbol: 'BTC/USD', last: expect.closeTo(50_000, -3), bid: expect.any(Number) });
    expect(Object.keys(await exchange.fetchTickers(['BTC/USD', 'ETH/USD']))).toEqual(['BTC/USD', 'ETH/USD']);
    const book = await exchange.fetchOrderBook('BTC/USD', 5);
    expect(book.bids).toHaveLength(5);
    expect(book.bids[0]![0]).toBeLessThan(book.asks[0]![0] as number);
    const since = Date.now() - 10 * 3_600_000;
    const bars = await exchange.fetchOHLCV('BTC/USD', '1h', since, 5);
    expect(bars).toHaveLength(5);
    expect(bars[0]![0]).toBeGreaterThanOrEqual(since);
    expect(await exchange.fetchTrades('BTC/USD', undefined, 5)).toHaveLength(5);
    const time = (await exchange.fetchTime()) as number;
    expect(time % 1_000).toBe(0);
    expect(venue.now() - time).toBeLessThan(60_000);
    expect(await exchange.fetchStatus()).toMatchObject({ status: 'ok' });
  });

  it('takes market, limit and stop orders, fills and cancels them, and shows all of it', async () => {
    const { exchange, venue } = await givenKraken({ fees: { maker: '0', taker: '0.001' } });
    const market = await exchange.createOrder('BTC/USD', 'market', 'buy', 0.5, undefined, { clientOrderId: 'k-1' });
    const limit = await exchange.createOrder('BTC/USD', 'limit', 'buy', 0.1, 40_000, { clientOrderId: 'k-2' });
    const stop = await exchange.createOrder('BTC/USD', 'market', 'sell', 0.1, undefined, { stopLossPrice: 30_000 });
    expect(venue.orders().map(({ clientOrderId, state }) => [clientOrderId?.slice(0, 3), state])).toEqual([
      ['k-1', 'filled'],
      ['k-2', 'working'],
      ['unn', 'working'],
    ]);
    const filled = await exchange.fetchOrder(market.id!);
    expect(filled).toMatchObject({ status: 'closed', filled: 0.5, symbol: 'BTC/USD', clientOrderId: 'k-1', fee: { currency: 'USD' } });
    expect(filled.fee?.cost).toBeCloseTo(25, 0);
    expect(await exchange.fetchOrder(stop.id!)).toMatchObject({ status: 'open', type: 'market', stopLossPrice: 30_000, clientOrderId: undefined });
    expect((await exchange.fetchOpenOrders(undefined, undefined, undefined, { clientOrderId: 'k-2' })).map(({ id }) => id)).toEqual([limit.id]);
    await exchange.cancelOrder('', 'BTC/USD', { clientOrderId: 'k-2' });
    expect((await exchange.fetchClosedOrders()).map(({ id, status }) => [id, status])).toEqual([
      [market.id, 'closed'],
      [limit.id, 'canceled'],
    ]);
    const [trade] = await exchange.fetchMyTrades('BTC/USD');
    expect(trade).toMatchObject({ order: market.id, amount: 0.5, side: 'buy', takerOrMaker: 'taker' });
    expect(await exchange.fetchOrderTrades(market.id!, 'BTC/USD', undefined, undefined, { trades: [trade!.id] })).toHaveLength(1);
    const { BTC, USD } = (await exchange.fetchBalance()) as unknown as Record<string, { total: number; used: number }>;
    expect([BTC?.total, BTC?.used]).toEqual([expect.closeTo(2.4995, 6), 0.1]);
    expect(USD?.used).toBe(0);
    await exchange.cancelAllOrders();
    expect(venue.stats().openOrders).toBe(0);
  });

  it('says in Kraken’s words why it does not', async () => {
    const { exchange, raw } = await givenKraken();
    const limit = (params: object) => exchange.createOrder('BTC/USD', 'limit', 'buy', 0.01, 40_000, params);
    expect(await words(exchange.createOrder('BTC/USD', 'market', 'buy', 100))).toBe('InsufficientFunds EOrder:Insufficient funds');
    expect(await words(exchange.createOrder('BTC/USD', 'limit', 'buy', 0.000001, 40_000))).toBe('ExchangeError EOrder:Cost minimum not met');
    expect(await words(exchange.privatePostAddOrder({ pair: 'NOSUCH', type: 'buy', ordertype: 'market', volume: '1' }))).toBe(
      'ExchangeError EQuery:Unknown asset pair',
    );
    expect(await words(limit({ leverage: 2 }))).toMatch(/leverage is not simulated/);
    expect(await words(limit({ clientOrderId: 'longer-than-eighteen' }))).toMatch(/Invalid arguments:cl_ord_id/);
    expect(await words(limit({ clientOrderId: 'k-1', userref: 7 }))).toMatch(/exclude each other/);
    expect(await words(limit({ postOnly: true }))).toMatch(/no error/);
    expect(await words(exchange.createOrder('BTC/USD', 'limit', 'buy', 0.01, 60_000, { postOnly: true }))).toMatch(/EOrder:Post only order/);
    expect(await words(exchange.cancelOrder('OAAAAA-BBBBB-CCCCCC'))).toMatch(/^OrderNotFound/);
    expect(await words(exchange.fetchOrder('OAAAAA-BBBBB-CCCCCC'))).toBe('InvalidOrder EOrder:Invalid order');
    expect(await words(exchange.fetchDepositAddress('BTC'))).toMatch(/EGeneral:Unknown method/);
    expect(await words(Object.assign(raw(), { apiKey: 'another' }).fetchBalance())).toBe('AuthenticationError EAPI:Invalid key');
    expect(await words(Object.assign(raw(), { secret: 'YW5vdGhlcg==' }).fetchBalance())).toBe('ExchangeError EAPI:Invalid signature');
  });

  it('keeps client order ids unique among open orders only', async () => {
    const { exchange, venue } = await givenKraken();
    const place = () => exchange.createOrder('BTC/USD', 'limit', 'buy', 0.01, 40_000, { clientOrderId: 'once' });
    const { id } = await place();
    expect(await words(place())).toMatch(/EGeneral:Invalid arguments:cl_ord_id not unique/);
    await exchange.cancelOrder(id!);
    await place();
    expect(venue.orders()).toHaveLength(2);
  });

  it('takes no nonce that is not above the last one, so that no request counts twice', async () => {
    const { exchange, venue } = await givenKraken();
    exchange.nonce = () => 2 ** 52;
    await exchange.fetchBalance();
    expect(await words(exchange.fetchBalance())).toBe('InvalidNonce EAPI:Invalid nonce');
    exchange.nonce = () => 2 ** 52 + 1;
    venue.fault({ operation: 'place', when: 'before', kind: 'duplicate', times: 1 });
    await exchange.createOrder('BTC/USD', 'market', 'buy', 0.01);
    expect(venue.orders()).toHaveLength(1);
  });

  it('takes no order whose deadline is over, or is not two to sixty seconds ahead', async () => {
    const { exchange, venue } = await givenKraken({ clock: new ManualClock() });
    const place = (aheadMs: number) =>
      words(exchange.createOrder('BTC/USD', 'market', 'buy', 0.01, undefined, { deadline: new Date(venue.now() + aheadMs).toISOString() }));
    expect(await place(-1_000)).toBe('ExchangeError EService:Deadline elapsed');
    expect(await place(500)).toMatch(/EGeneral:Invalid arguments:deadline/);
    expect(await place(120_000)).toMatch(/EGeneral:Invalid arguments:deadline/);
    expect(await place(50_000)).toMatch(/no error/);
    expect(venue.orders()).toHaveLength(1);
  });

  it('counts calls and orders with counters that decay, and a cancel by the age of its order', async () => {
    const { exchange } = await givenKraken({
      limits: [
        { id: 'rest', scope: 'account', kind: 'decay', max: 3, decayPerSecond: 0.001 },
        { id: 'engine', scope: 'symbol', kind: 'decay', max: 12, decayPerSecond: 0.001 },
      ],
    });
    const place = (symbol: string) => exchange.createOrder(symbol, 'limit', 'buy', 0.01, 1_000);
    for (let i = 0; i < 3; i++) await exchange.fetchBalance();
    expect(await words(exchange.fetchBalance())).toBe('DDoSProtection EAPI:Rate limit exceeded');
    // One for each of three orders, eight for the cancel: one more fits.
    const orders = [await place('BTC/USD'), await place('BTC/USD'), await place('BTC/USD')];
    await exchange.cancelOrder(orders[0]!.id!);
    await place('BTC/USD');
    expect(await words(place('BTC/USD'))).toBe('DDoSProtection EOrder:Rate limit exceeded');
    await place('ETH/USD');
  });

  it.each([
    [{ kind: 'status', when: 'after', status: 504 }, 'ExchangeError EService:Timeout', 1],
    [{ kind: 'status', when: 'before', status: 503 }, 'ExchangeNotAvailable EService:Unavailable', 0],
    [{ kind: 'status', when: 'before', status: 429 }, 'DDoSProtection EAPI:Rate limit exceeded', 0],
    [{ kind: 'status', when: 'after', status: 502 }, /^ExchangeNotAvailable/, 1],
    [{ kind: 'ban', when: 'before', ms: 60_000 }, 'DDoSProtection EGeneral:Temporary lockout', 0],
    [{ kind: 'reject', when: 'before' }, 'InvalidOrder EOrder:Invalid order', 0],
    [{ kind: 'html', when: 'after' }, /^ExchangeNotAvailable/, 1],
    [{ kind: 'reset', when: 'after' }, /^NetworkError/, 1],
  ] as const)('goes wrong as it is told: %o', async (fault, error, orders) => {
    const { exchange, venue } = await givenKraken();
    venue.fault({ operation: 'place', times: 1, ...fault });
    const said = await words(exchange.createOrder('BTC/USD', 'market', 'buy', 0.01));
    if (typeof error === 'string') expect(said).toBe(error);
    else expect(said).toMatch(error);
    expect(venue.orders()).toHaveLength(orders);
  });

  it('connects no other SDK, and says which it does', async () => {
    const { served } = await givenKraken();
    expect(() => served.connect(new ccxt.binance())).toThrow(/ccxt's kraken/);
  });
});
