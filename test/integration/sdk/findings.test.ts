import { Spot } from '@binance/spot';
import ccxt, { type binance } from 'ccxt';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { EventBus, type VenueKitEvents } from '../../../src/contracts/events.js';
import { factsOf as alpacaFactsOf } from '../../../src/sdk/alpaca/index.js';
import { release as releaseBinance, resilient as resilientBinance } from '../../../src/sdk/binance/index.js';
import { factsOf, ready, release, resilient } from '../../../src/sdk/ccxt/index.js';
import { type ServedVenue, type SimulatedVenueOptions, serveAlpaca, serveBinance } from '../../../src/testing/index.js';
import { alpacaVenue, caught, givenResilient as givenAlpaca, newV4 } from './alpaca/given.js';
import { binanceVenue, CAPABILITIES } from './binance/given.js';

/**
 * What the SDKs do by themselves that an order path has to know of: each shown on the raw SDK, and then what comes of it under
 * `resilient()`. An SDK that does otherwise one day fails here first. Beside these: that answers of concurrent calls are kept apart
 * (plain-reads.test.ts, call-record.test.ts), and what each answer proves (verdict.test.ts).
 */
const START = { deadlineMs: 30_000 };
const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function givenBinance(options: SimulatedVenueOptions = {}) {
  const venue = binanceVenue(options);
  const served: ServedVenue = await serveBinance(venue);
  open.push(() => served.close());
  const raw = (): binance => served.connect(new ccxt.binance({ timeout: 2_000, enableRateLimit: false }));
  const wrapped = (): binance => {
    const exchange = resilient(raw(), { capabilities: CAPABILITIES });
    open.push(() => release(exchange));
    return exchange;
  };
  return { venue, served, raw, wrapped };
}

describe('ccxt', () => {
  it('by its own retries makes two market orders of a lost answer, though under one id, and calls a limit order invalid that is live', async () => {
    const { venue, raw, wrapped } = await givenBinance();
    const exchange = raw();
    await exchange.loadMarkets();
    exchange.options.maxRetriesOnFailure = 3;
    const loseAnAnswer = () => venue.fault({ operation: 'place', when: 'after', kind: 'reset', times: 1 });
    loseAnAnswer();
    await exchange.createOrder('BTC/USDT', 'market', 'buy', 0.01, undefined, { clientOrderId: 'raw-market' });
    expect(venue.orders().filter(({ clientOrderId }) => clientOrderId === 'raw-market')).toHaveLength(2);
    loseAnAnswer();
    const error = await caught(exchange.createOrder('BTC/USDT', 'limit', 'buy', 0.01, 40_000, { clientOrderId: 'raw-limit' }));
    expect(error).toBeInstanceOf(ccxt.InvalidOrder);
    expect(await exchange.fetchOpenOrders('BTC/USDT')).toMatchObject([{ clientOrderId: 'raw-limit' }]);

    const ours = wrapped();
    await ready(ours, START);
    loseAnAnswer();
    await ours.createOrder('BTC/USDT', 'market', 'buy', 0.01, undefined, { clientOrderId: 'our-market' });
    loseAnAnswer();
    const limit = await ours.createOrder('BTC/USDT', 'limit', 'buy', 0.01, 40_000, { clientOrderId: 'our-limit' });
    expect(limit).toMatchObject({ clientOrderId: 'our-limit', status: 'open' });
    expect(venue.orders().filter(({ clientOrderId }) => clientOrderId?.startsWith('our-'))).toHaveLength(2);
  });

  it('keeps a failure of loadMarkets() until it is asked to load again; under resilient() the next call loads', async () => {
    const { venue, raw, wrapped } = await givenBinance();
    const exchange = raw();
    const first = venue.fault({ when: 'before', kind: 'html' });
    await caught(exchange.loadMarkets());
    first[Symbol.dispose]();
    expect(await caught(exchange.loadMarkets())).toBeInstanceOf(ccxt.ExchangeNotAvailable);
    expect(Object.keys(await exchange.loadMarkets(true))).toContain('BTC/USDT');

    const ours = wrapped();
    venue.fault({ when: 'before', kind: 'html', times: 1 });
    expect(Object.keys(await ours.loadMarkets())).toContain('BTC/USDT');
  });

  it('gives alpaca’s rejections classes that say something else: an order that can’t be paid is no venue that is away', async () => {
    const venue = alpacaVenue();
    const served = await serveAlpaca(venue);
    open.push(() => served.close());
    const raw = () => served.connect(new ccxt.alpaca({ timeout: 2_000, enableRateLimit: false }));
    const poor = (exchange: InstanceType<typeof ccxt.alpaca>) => caught(exchange.createOrder('BTC/USD', 'market', 'buy', 100));
    expect(await poor(raw())).toBeInstanceOf(ccxt.ExchangeNotAvailable);
    expect(await caught(raw().fetchOrder('00000000-0000-4000-8000-000000000000'))).toBeInstanceOf(ccxt.InvalidOrder);
    const twice = (exchange: InstanceType<typeof ccxt.alpaca>) =>
      exchange.createOrder('BTC/USD', 'limit', 'buy', 0.01, 40_000, { clientOrderId: 'one-id' });
    await twice(raw());
    expect(await caught(twice(raw()))).toBeInstanceOf(ccxt.BadRequest);

    const ours = resilient(raw(), { capabilities: { visibilityLagMs: 50 } });
    open.push(() => release(ours));
    await ready(ours, START);
    const error = await poor(ours);
    expect(error).toBeInstanceOf(ccxt.ExchangeNotAvailable);
    expect(factsOf(error)).toMatchObject({ code: 'REJECTED', sent: 'yes' });
    expect(venue.orders()).toHaveLength(1);
  });

  it.each([
    ['-1007', { when: 'after', kind: 'status', status: 503, code: -1007 }, ccxt.RequestTimeout],
    ['503 and -1000', { when: 'after', kind: 'status', status: 503, code: -1000 }, ccxt.OperationFailed],
    ['a reset', { when: 'after', kind: 'reset' }, ccxt.NetworkError],
  ] as const)('throws what looks like a failure where the order may have been made (%s)', async (_, terms, kind) => {
    const { venue, raw, wrapped } = await givenBinance();
    const exchange = raw();
    await exchange.loadMarkets();
    const lose = () => venue.fault({ operation: 'place', times: 1, ...terms });
    lose();
    expect(await caught(exchange.createOrder('BTC/USDT', 'market', 'buy', 0.01))).toBeInstanceOf(kind);
    expect(venue.orders()).toHaveLength(1);

    const ours = wrapped();
    await ready(ours, START);
    lose();
    expect(await ours.createOrder('BTC/USDT', 'market', 'buy', 0.01)).toMatchObject({ status: 'closed' });
    expect(venue.orders()).toHaveLength(2);
  });

  it('makes DDoSProtection of a 429 and of a 418; how long they last stands in headers of the whole instance', async () => {
    const { venue, raw } = await givenBinance();
    const exchange = raw();
    await exchange.loadMarkets();
    for (const status of [429, 418]) {
      venue.fault({ operation: 'quote', when: 'before', kind: 'status', status, ms: 2_000, times: 1 });
      const error = await caught(exchange.fetchTicker('BTC/USDT'));
      expect(error).toBeInstanceOf(ccxt.DDoSProtection);
      expect(JSON.stringify(error)).not.toMatch(/retry-?after/i);
      const headers = exchange.last_response_headers as Record<string, string>;
      expect(Object.keys(headers).map((header) => header.toLowerCase())).toContain('retry-after');
    }
  });

  it('looks up no order on binance without its symbol, with resilient() or without', async () => {
    const { raw, wrapped } = await givenBinance();
    for (const exchange of [raw(), wrapped()]) expect(await caught(exchange.fetchOrder('1'))).toBeInstanceOf(ccxt.ArgumentsRequired);
  });

  it('rejects a pending watch of ccxt.pro when its socket drops, and connects at the next call; under resilient() the bot hears of nothing', async () => {
    const { venue, served } = await givenBinance({ volatility: 1 });
    const make = () => served.connect(new ccxt.pro.binance({ timeout: 2_000, enableRateLimit: false }));
    const drop = () => venue.fault({ operation: 'stream', when: 'after', kind: 'stream_drop', times: 1 });
    const exchange = make();
    const quote = (sdk: typeof exchange) => sdk.watchBidsAsks(['BTC/USDT']);
    await quote(exchange);
    drop();
    const broken = async (): Promise<unknown> => {
      for (;;) await quote(exchange);
    };
    expect(await caught(broken())).toBeInstanceOf(ccxt.NetworkError);
    expect(await quote(exchange)).toHaveProperty(['BTC/USDT', 'bid'], expect.any(Number));
    // The next drop is for the other one.
    await exchange.close();

    const bus = new EventBus<VenueKitEvents>();
    const states: string[] = [];
    bus.on('stream.state', ({ state }) => states.push(state));
    const ours = resilient(make(), { capabilities: CAPABILITIES, bus });
    open.push(() => release(ours));
    open.push(() => ours.close());
    await quote(ours);
    drop();
    while (!states.includes('live')) await quote(ours);
    expect(states.slice(0, 2)).toEqual(['down', 'live']);
  }, 60_000);
});

describe('the other SDKs', () => {
  it('@alpacahq/alpaca-trade-api 4 puts retryAfterMs on errors that no repetition mends: they are told at once', async () => {
    // Longer than any machine takes: an attempt that timed out would be made again.
    await using given = await givenAlpaca(() => newV4({ timeoutMs: 60_000 }));
    const { bot, raw, served } = given;
    const find = (sdk: object) =>
      caught((sdk as ReturnType<typeof newV4>).trading.orders.getOrderByOrderID({ orderId: '00000000-0000-4000-8000-000000000000' }));
    const requests = () => served.stats().requests;
    expect(await find(raw())).toHaveProperty('retryAfterMs');
    const before = requests();
    const error = await find(bot.sdk);
    expect(error.constructor.name).toBe('NotFoundError');
    expect(error).toHaveProperty('retryAfterMs');
    expect(alpacaFactsOf(error)).toMatchObject({ code: 'REJECTED' });
    expect(requests() - before).toBe(1);
  });

  it('@binance/spot sends a cancel again by itself, and reports that the order is unknown which it has cancelled', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const { venue, served } = await givenBinance();
    const make = () =>
      served.connect(new Spot({ configurationRestAPI: { apiKey: 'key', apiSecret: 'secret', timeout: 2_000, retries: 3, backoff: 1 } }));
    const place = async (sdk: Spot) => {
      const order = { symbol: 'BTCUSDT', side: 'BUY', type: 'LIMIT', quantity: 0.01, price: 40_000, timeInForce: 'GTC' };
      return (await (await sdk.restAPI.newOrder(order as never)).data()).orderId as number;
    };
    const sdk = make();
    const orderId = await place(sdk);
    venue.fault({ operation: 'cancel', when: 'after', kind: 'html', times: 1 });
    expect(await caught(sdk.restAPI.deleteOrder({ symbol: 'BTCUSDT', orderId }))).toMatchObject({ code: -2011 });

    const ours = resilientBinance(make(), { capabilities: CAPABILITIES });
    open.push(() => releaseBinance(ours));
    const ourId = await place(ours);
    venue.fault({ operation: 'cancel', when: 'after', kind: 'html', times: 1 });
    expect(await (await ours.restAPI.deleteOrder({ symbol: 'BTCUSDT', orderId: ourId })).data()).toMatchObject({ status: 'CANCELED' });
  });
});
