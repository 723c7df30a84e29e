import ccxt, { type binance, type Order } from 'ccxt';
import { afterEach, describe, expect, it } from 'vitest';
import { EventBus, type VenueKitEvents } from '../../../src/contracts/events.js';
import { systemClock } from '../../../src/core/clock.js';
import { factsOf, type ResilientOptions, ready, release, resilient } from '../../../src/sdk/ccxt/index.js';
import { type ServedVenue, SimulatedVenue, type SimulatedVenueOptions, serveBinance } from '../../../src/testing/index.js';
import { MemoryOrderJournal, TradingError } from '../../../src/trading/index.js';

/** However short the deadlines of a test are, the start before it may take its time. */
const START = { deadlineMs: 30_000 };

const open: { served: ServedVenue; exchange?: binance }[] = [];
afterEach(async () => {
  for (const { served, exchange } of open.splice(0)) {
    if (exchange !== undefined) await release(exchange);
    await served.close();
  }
});

const SYMBOLS = {
  'BTC/USDT': { price: 50_000, priceStep: '0.01', qtyStep: '0.00001', minNotional: '5' },
  'ETH/USDT': { price: 3_000, priceStep: '0.01', qtyStep: '0.0001' },
};
// Short waits for proof: the served venue keeps them.
const CAPABILITIES = { visibilityLagMs: 50, fence: { maxMs: 60_000, defaultMs: 400 } };

async function givenVenue(options: SimulatedVenueOptions = {}) {
  const venue = new SimulatedVenue({
    seed: 1,
    symbols: SYMBOLS,
    balances: { USDT: '100000', BTC: '2' },
    visibilityLagMs: 50,
    volatility: 0,
    ...options,
  });
  const served = await serveBinance(venue);
  open.push({ served });
  const raw = (): binance => served.connect(new ccxt.binance({ timeout: 500, enableRateLimit: false }));
  return { venue, served, raw };
}

async function givenResilient(options: ResilientOptions = {}, venueOptions: SimulatedVenueOptions = {}) {
  const given = await givenVenue(venueOptions);
  const exchange = resilient(given.raw(), { capabilities: CAPABILITIES, ...options });
  open.push({ served: given.served, exchange });
  return { ...given, exchange };
}

const caught = (call: Promise<unknown>): Promise<Error> =>
  call.then(
    (value) => {
      throw new Error(`expected a rejection, got ${JSON.stringify(value)}`);
    },
    (error: Error) => error,
  );

describe('resilient(ccxt.binance): orders beside those of the matrix', () => {
  it('shows that the same helper doubles the order on the raw SDK with its own retries', async () => {
    const { raw, venue } = await givenVenue();
    const exchange = raw();
    await exchange.loadMarkets();
    exchange.options.maxRetriesOnFailure = 3;
    venue.fault({ operation: 'place', when: 'after', kind: 'reset', times: 1 });
    await exchange.createMarketBuyOrder('BTC/USDT', 0.01);
    expect(venue.orders()).toHaveLength(2);
  });

  it('makes one order of a market buy by its cost, through a lost answer', async () => {
    const { exchange, venue } = await givenResilient();
    await ready(exchange, START);
    venue.fault({ operation: 'place', when: 'after', kind: 'reset', times: 1 });
    const order = await exchange.createMarketBuyOrderWithCost('BTC/USDT', 500);
    expect(order).toMatchObject({ status: 'closed', side: 'buy', filled: 0.00999 });
    expect(venue.orders()).toHaveLength(1);
  });

  it('makes one order of a retry loop around a lost answer, since the client order id is the key', async () => {
    const { exchange, venue } = await givenResilient({ policy: { deadlineMs: 300 } });
    await ready(exchange, START);
    venue.fault({ operation: 'place', when: 'after', kind: 'drop', times: 1 });
    const place = () => exchange.createOrder('BTC/USDT', 'market', 'buy', 0.01, undefined, { clientOrderId: 'open-1' });
    let order: Order | undefined;
    for (let tries = 0; order === undefined && tries < 40; tries++) order = await place().catch(() => undefined);
    expect(order).toMatchObject({ clientOrderId: 'open-1', status: 'closed' });
    expect(venue.orders()).toHaveLength(1);
    expect(await place()).toMatchObject({ id: order?.id });
  });
});

describe('resilient(ccxt.binance): errors', () => {
  it('are the classes of ccxt, with what is known beside them', async () => {
    const { exchange } = await givenResilient();
    const poor = await caught(exchange.createOrder('BTC/USDT', 'market', 'buy', 100));
    expect(poor).toBeInstanceOf(ccxt.InsufficientFunds);
    expect(factsOf(poor)).toMatchObject({ code: 'REJECTED', sent: 'yes' });
    const gone = await caught(exchange.cancelOrder('999', 'BTC/USDT'));
    expect(gone).toBeInstanceOf(ccxt.OrderNotFound);
    expect(factsOf(gone)).toMatchObject({ code: 'REJECTED' });
    expect(await caught(exchange.fetchOrder('999', 'BTC/USDT'))).toBeInstanceOf(ccxt.OrderNotFound);
    expect(await caught(exchange.fetchTicker('NO/SUCH'))).toBeInstanceOf(ccxt.BadSymbol);
    expect(factsOf(new Error('of somebody else'))).toBeUndefined();
    expect(factsOf('no object')).toBeUndefined();
  });

  it('say that the outcome is open, with the handle that goes on, when the deadline comes first', async () => {
    const { exchange, venue } = await givenResilient({ policy: { deadlineMs: 2_000 } });
    await ready(exchange, START);
    venue.fault({ operation: 'place', when: 'after', kind: 'reset', times: 1 });
    const blind = ['find', 'openOrders', 'history'].map((operation) => venue.fault({ operation, when: 'before', kind: 'status', status: 503 }));
    const error = await caught(exchange.createOrder('BTC/USDT', 'market', 'buy', 0.01, undefined, { clientOrderId: 'slow-1' }));
    expect(error).toBeInstanceOf(ccxt.NetworkError);
    const facts = factsOf(error);
    expect(facts).toMatchObject({ code: 'OUTCOME_UNKNOWN', sent: 'maybe', clientOrderId: 'slow-1' });
    for (const one of blind) one[Symbol.dispose]();
    expect(await facts?.handle?.acked({ deadlineMs: 60_000 })).toMatchObject({ state: 'filled' });
    expect(venue.orders()).toHaveLength(1);
  });

  it('of a venue that is down for longer than the deadline are those of the last answer', async () => {
    const { raw, venue, served } = await givenVenue();
    // Its answers come however slow the machine is: what ends the call is that the next attempt would come too late.
    const sdk = Object.assign(raw(), { timeout: 60_000 });
    await sdk.loadMarkets();
    const exchange = resilient(sdk, { policy: { deadlineMs: 30_000, retry: { max: 10, baseMs: 60_000, capMs: 60_000 } }, random: () => 0.9 });
    open.push({ served, exchange });
    venue.fault({ operation: 'quote', when: 'before', kind: 'html' });
    const error = await caught(exchange.fetchTicker('BTC/USDT'));
    expect(error).toBeInstanceOf(ccxt.ExchangeNotAvailable);
    expect(factsOf(error)).toMatchObject({ sent: 'no' });
  });

  it.each([
    ['an object that is no exchange', {}, undefined, /must be a ccxt exchange/],
    ['another exchange', new ccxt.bybit(), undefined, /knows the exchanges "binance", "alpaca" and "kraken" so far, got "bybit"/],
    ['the tier of another exchange', undefined, { krakenTier: 'pro' }, /krakenTier must be left out for ccxt binance/],
    [
      'the plan of another exchange',
      undefined,
      { requestsPerMinute: { data: 1_000 } },
      /requestsPerMinute must be left out for ccxt binance: it is of ccxt alpaca alone/,
    ],
    ['a misspelt option', undefined, { cach: {} }, /no option "cach"; did you mean "cache"/],
    ['a cache of orders', undefined, { cache: { fetchOpenOrders: 100 } }, /never cached/],
    ['a cache of what does not exist', undefined, { cache: { fetchTikcer: 100 } }, /cache\.fetchTikcer must name a read method/],
    ['an age below 0', undefined, { cache: { fetchTicker: -1 } }, /cache\.fetchTicker must be .*0 or more, got -1/],
  ])('refuse %s', async (_, sdk, options, message) => {
    const { raw } = await givenVenue();
    expect(() => resilient(sdk ?? raw(), options as ResilientOptions)).toThrow(message);
  });

  it('refuse to wrap one object twice, and name credentials that are missing', async () => {
    const { exchange, served } = await givenResilient();
    expect(() => resilient(exchange)).toThrow(/resilient already/);
    const anonymous = served.connect(new ccxt.binance({ timeout: 500 }));
    Object.assign(anonymous, { apiKey: '', secret: '' });
    open.push({ served, exchange: resilient(anonymous) });
    expect((await anonymous.fetchTicker('BTC/USDT')).symbol).toBe('BTC/USDT');
    expect(await caught(anonymous.createOrder('BTC/USDT', 'market', 'buy', 0.01))).toBeInstanceOf(ccxt.AuthenticationError);
  });
});

describe('resilient(ccxt.binance): the object', () => {
  it('is the same object, and raw again after release', async () => {
    const { raw, venue, served } = await givenVenue();
    const sdk = raw();
    const fetch2 = sdk.fetch2;
    const exchange = resilient(sdk, { capabilities: CAPABILITIES, cache: { fetchTicker: 60_000 } });
    open.push({ served, exchange });
    expect(exchange).toBe(sdk);
    exchange.options.mine = 'kept';
    const first = await exchange.fetchTicker('BTC/USDT');
    first.symbol = 'spoilt';
    expect((await exchange.fetchTicker('BTC/USDT')).symbol).toBe('BTC/USDT');
    expect(served.stats()).toBeDefined();
    await release(exchange);
    await release(exchange);
    expect(sdk.fetch2).toBe(fetch2);
    venue.fault({ operation: 'quote', when: 'before', kind: 'html', times: 1 });
    expect(await caught(sdk.fetchTicker('BTC/USDT'))).toBeInstanceOf(ccxt.ExchangeNotAvailable);
    await expect(ready(sdk)).rejects.toThrow(/not resilient/);
  });

  it('asks the venue once for concurrent and repeated cached reads, and again when the age is over', async () => {
    const { exchange, served } = await givenResilient({ cache: { fetchTicker: 60_000, fetchOrderBook: 10 } });
    await exchange.loadMarkets();
    const asked = (path: string) => served.stats().requestsByEndpoint[`GET /api/v3/${path}`];
    await Promise.all(Array.from({ length: 20 }, () => exchange.fetchTicker('BTC/USDT')));
    for (let i = 0; i < 50; i++) await exchange.fetchTicker('BTC/USDT');
    expect(asked('ticker/24hr')).toBe(1);
    await exchange.fetchOrderBook('BTC/USDT');
    await systemClock.sleep(20);
    await exchange.fetchOrderBook('BTC/USDT');
    expect(asked('depth')).toBe(2);
  });

  it('warns once, on the bus and in the log, that orders are in memory only', async () => {
    const bus = new EventBus<VenueKitEvents>();
    const volatile: unknown[] = [];
    bus.on('journal.volatile', (event) => volatile.push(event));
    const said: string[] = [];
    const logger = { debug() {}, info() {}, error() {}, warn: (_: object, message?: string) => void said.push(message ?? '') };
    const { exchange } = await givenResilient({ bus, logger });
    await exchange.createOrder('BTC/USDT', 'market', 'buy', 0.01);
    expect(volatile).toEqual([{ venue: 'binance', account: 'main' }]);
    expect(said.filter((message) => message.includes('in memory only'))).toHaveLength(1);
  });

  it('lets no second process send for the account, and says so in an error that nothing was sent', async () => {
    const journal = new MemoryOrderJournal();
    const { exchange, raw, venue, served } = await givenResilient({ journal });
    await ready(exchange, START);
    const second = resilient(raw(), { journal, capabilities: CAPABILITIES });
    open.push({ served, exchange: second });
    const error = await caught(second.createOrder('BTC/USDT', 'market', 'buy', 0.01));
    expect(error).toBeInstanceOf(TradingError);
    expect(factsOf(error)).toMatchObject({ code: 'JOURNAL_LOCKED', sent: 'no' });
    expect((await second.fetchTicker('BTC/USDT')).symbol).toBe('BTC/USDT');
    expect(venue.orders()).toHaveLength(0);
  });

  it('takes loadMarkets up again after a failure', async () => {
    const { exchange, venue } = await givenResilient({ policy: { deadlineMs: 300 } });
    const fault = venue.fault({ when: 'before', kind: 'html' });
    await caught(exchange.loadMarkets());
    fault[Symbol.dispose]();
    // Its deadline is short: where a call has no turn for so long, the next one has.
    await expect.poll(() => exchange.loadMarkets().then(Object.keys, () => [])).toContain('BTC/USDT');
  });

  it('protects a call that a listener makes in the middle of another call', async () => {
    const bus = new EventBus<VenueKitEvents>();
    const { exchange, venue } = await givenResilient({ bus });
    await ready(exchange, START);
    let second: Promise<Order> | undefined;
    bus.on('limit.observed', () => {
      if (second !== undefined || venue.orders().length === 0) return;
      venue.fault({ operation: 'place', when: 'after', kind: 'reset', times: 1 });
      second = exchange.createOrder('ETH/USDT', 'market', 'buy', 0.1);
    });
    await exchange.createOrder('BTC/USDT', 'market', 'buy', 0.01);
    expect(await second).toMatchObject({ symbol: 'ETH/USDT', status: 'closed' });
    expect(venue.orders()).toHaveLength(2);
  });
});
