import ccxt, { type kraken } from 'ccxt';
import { afterEach, describe, expect, it } from 'vitest';
import { type CcxtResilientOptions, factsOf, ready, release, resilient, toAdapter } from '../../../src/sdk/ccxt/index.js';
import { SimulatedVenue, type SimulatedVenueOptions, serveKraken } from '../../../src/testing/index.js';

/** However short the deadlines of a test are, the start before it may take its time. */
const START = { deadlineMs: 30_000 };
const OPTIONS = { capabilities: { visibilityLagMs: 50 }, krakenTier: 'pro' } as const;

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function givenKraken(options: CcxtResilientOptions = {}, venueOptions: SimulatedVenueOptions = {}) {
  const symbols = { 'BTC/USD': { price: 50_000, priceStep: '0.1', qtyStep: '0.00000001' } };
  const venue = new SimulatedVenue({ seed: 2, symbols, balances: { USD: '100000', BTC: '2' }, volatility: 0, ...venueOptions });
  const served = await serveKraken(venue);
  open.push(served);
  const raw = (): kraken => served.connect(new ccxt.kraken({ timeout: 10_000, enableRateLimit: false }));
  const exchange = resilient(raw(), { ...OPTIONS, ...options });
  open.push({ close: () => release(exchange) });
  return { venue, raw, exchange };
}

const caught = (call: Promise<unknown>): Promise<Error> =>
  call.then(
    (value) => {
      throw new Error(`expected a rejection, got ${JSON.stringify(value)}`);
    },
    (error: Error) => error,
  );

describe('resilient(ccxt.kraken), beside the matrix', () => {
  it('lets calls at the same time through, which raw ccxt gives nonces that the venue refuses', async () => {
    const { exchange, raw, venue } = await givenKraken();
    const bare = raw();
    await bare.loadMarkets();
    // As the clock has it for calls of one millisecond.
    const now = bare.nonce();
    bare.nonce = () => now;
    const place = (sdk: kraken) => sdk.createOrder('BTC/USD', 'limit', 'buy', 0.001, 40_000);
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => place(bare)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await exchange.loadMarkets();
    await ready(exchange, START);
    await Promise.all(Array.from({ length: 6 }, () => place(exchange)));
    expect(venue.orders()).toHaveLength(7);
  });

  it('throws what ccxt throws, also where a later look-up has come in between, with what is known beside it', async () => {
    const { exchange } = await givenKraken();
    const { id } = await exchange.createOrder('BTC/USD', 'market', 'buy', 0.01);
    const gone = await caught(exchange.cancelOrder(id!, 'BTC/USD'));
    expect(gone).toBeInstanceOf(ccxt.OrderNotFound);
    const poor = await caught(exchange.createOrder('BTC/USD', 'market', 'buy', 100));
    expect(poor).toBeInstanceOf(ccxt.InsufficientFunds);
    expect(factsOf(poor)).toMatchObject({ code: 'REJECTED', sent: 'yes' });
  });

  it('keeps a trailing stop, and finds it after a lost answer', async () => {
    const { exchange, venue } = await givenKraken();
    await exchange.loadMarkets();
    venue.fault({ operation: 'place', when: 'after', kind: 'reset', times: 1 });
    const order = await exchange.createOrder('BTC/USD', 'market', 'sell', 0.01, undefined, { trailingPercent: 2 });
    expect(order.id).toBeDefined();
    expect(venue.orders()).toMatchObject([{ state: 'working', side: 'sell' }]);
  });

  it('sends what excludes a client order id once, and says that its outcome is open', async () => {
    const { exchange, venue } = await givenKraken();
    await exchange.loadMarkets();
    venue.fault({ operation: 'place', when: 'after', kind: 'status', status: 504, times: 1 });
    const error = await caught(exchange.createOrder('BTC/USD', 'limit', 'buy', 0.01, 40_000, { userref: 7 }));
    expect(factsOf(error)).toMatchObject({ code: 'OUTCOME_UNKNOWN', sent: 'maybe' });
    expect(venue.orders()).toHaveLength(1);
  });

  it('refuses deadlines that Kraken does not take, streams that it has none of, and tiers that there are none of', () => {
    const exchange = new ccxt.kraken({ apiKey: 'key', secret: 'c2VjcmV0' });
    const fence = (defaultMs: number) => ({ capabilities: { fence: { maxMs: 60_000, defaultMs } } });
    expect(() => toAdapter(exchange, fence(1_000))).toThrow(/fence\.defaultMs must be .*2,?001/);
    expect(() => resilient(exchange, fence(90_000))).toThrow(/fence\.defaultMs/);
    expect(() => toAdapter(exchange, { webSocket: {} })).toThrow(/webSocket must be left out or false for ccxt kraken/);
    expect(() => toAdapter(exchange, { krakenTier: 'gold' as 'pro' })).toThrow(/krakenTier must be one of/);
    expect(toAdapter(exchange, { krakenTier: 'intermediate' }).limits).toMatchObject([{ max: 20, decayPerSecond: 0.5 }, { max: 125 }]);
  });
});
