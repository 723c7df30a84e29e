import ccxt, { type kraken } from 'ccxt';
import { describe, it } from 'vitest';
import { type CcxtResilientOptions, factsOf, ready, release, resilient } from '../../../src/sdk/ccxt/index.js';
import { type Fault, type ServedOverHttp, type SimulatedVenue, serveKraken, SimulatedVenue as Venue } from '../../../src/testing/index.js';
import { MemoryOrderJournal } from '../../../src/trading/index.js';

/**
 * Amendments, batches and trailing stops with a limit through the order path of Kraken, with the real ccxt: whatever becomes of a request or of its
 * answer, each is done once, and the caller hears of it in ccxt's own words.
 */
const SYMBOL = 'BTC/USD';
const OPTIONS = {
  capabilities: { visibilityLagMs: 50 },
  krakenTier: 'pro',
  // A proof waits for the fence and for the counters of reads.
  policy: { deadlineMs: 100_000 },
} as const;

/** Where the request itself is lost the proof takes a quarter of a minute, and a full counter takes its time to drain: those are tried in virtual time, in test/property/sdk/kraken-orders.test.ts. */
const FAULTS: Readonly<Record<string, Omit<Fault, 'operation' | 'times'> | undefined>> = {
  'nothing goes wrong': undefined,
  'the answer is lost': { when: 'after', kind: 'reset' },
  'EService:Timeout comes after it': { when: 'after', kind: 'status', status: 504 },
  'half an answer comes': { when: 'after', kind: 'half_body' },
  'the answer is later than the SDK waits': { when: 'after', kind: 'delay', ms: 2_500 },
};

async function given(options: CcxtResilientOptions = {}) {
  const symbols = { [SYMBOL]: { price: 50_000, priceStep: '0.1', qtyStep: '0.00000001' } };
  const venue = new Venue({ seed: 3, symbols, balances: { USD: '100000', BTC: '2' }, volatility: 0, visibilityLagMs: 50 });
  const served = await serveKraken(venue);
  const wrap = (): kraken => resilient(served.connect(new ccxt.kraken({ timeout: 1_500, enableRateLimit: false })), { ...OPTIONS, ...options });
  const exchange = wrap();
  await exchange.loadMarkets();
  await ready(exchange, { deadlineMs: 60_000 });
  return {
    venue,
    served,
    wrap,
    exchange,
    /** The next request that places or amends is struck. */
    strike: (fault: Omit<Fault, 'operation' | 'times'>) => venue.fault({ operation: 'place', times: 1, ...fault }),
    async [Symbol.asyncDispose]() {
      await release(exchange);
      await served.close();
    },
  };
}

const rawOf = (served: ServedOverHttp): kraken => served.connect(new ccxt.kraken({ timeout: 10_000, enableRateLimit: false }));
const shown = (venue: SimulatedVenue) => venue.orders().map(({ state, price, qty }) => [state, Number(price), Number(qty)]);
const sent = (served: ServedOverHttp, path: string): number => served.stats().requestsByEndpoint[`/0/private/${path}`] ?? 0;
const BATCH = [
  { symbol: SYMBOL, type: 'limit', side: 'buy', amount: 0.01, price: 40_000, params: { clientOrderId: 'a-1' } },
  { symbol: SYMBOL, type: 'limit', side: 'buy', amount: 0.02, price: 41_000, params: { clientOrderId: 'a-2' } },
  { symbol: SYMBOL, type: 'limit', side: 'sell', amount: 0.03, price: 60_000 },
] as const;
const BATCH_SHOWN = [
  ['working', 40_000, 0.01],
  ['working', 41_000, 0.02],
  ['working', 60_000, 0.03],
];
const createOrders = (exchange: kraken, orders: readonly object[] = BATCH) => exchange.createOrders(structuredClone(orders) as never);

const caught = (call: Promise<unknown>): Promise<Error> =>
  call.then(
    (value) => {
      throw new Error(`expected a rejection, got ${JSON.stringify(value)}`);
    },
    (error: Error) => error,
  );

describe.concurrent('resilient(ccxt.kraken): editOrder', () => {
  it.for(Object.entries(FAULTS))('amends the order in its place, once, where %s', async ([, fault], { expect }) => {
    await using one = await given();
    const { exchange, venue } = one;
    const { id } = await exchange.createOrder(SYMBOL, 'limit', 'buy', 0.01, 40_000);
    if (fault !== undefined) one.strike(fault);
    const edited = await exchange.editOrder(id!, SYMBOL, 'limit', 'buy', 0.02, 41_000);
    expect(edited.id).toMatch(/^T/);
    expect(shown(venue)).toEqual([['working', 41_000, 0.02]]);
    // And again, as it stands now.
    await exchange.editOrder(id!, SYMBOL, 'limit', 'buy', 0.015, 42_000);
    expect(shown(venue)).toEqual([['working', 42_000, 0.015]]);
    expect(venue.orders()).toHaveLength(1);
  });

  it('amends an order of another program as well, through a lost answer, and fails in Kraken’s own words where it is over', async ({ expect }) => {
    await using one = await given();
    const { exchange, venue, served, strike } = one;
    const { id } = await rawOf(served).createOrder(SYMBOL, 'limit', 'buy', 0.01, 40_000);
    strike({ when: 'after', kind: 'reset' });
    await exchange.editOrder(id!, SYMBOL, 'limit', 'buy', 0.02, 41_000);
    expect(shown(venue)).toEqual([['working', 41_000, 0.02]]);
    venue.fill('1');
    const over = await caught(exchange.editOrder(id!, SYMBOL, 'limit', 'buy', 0.02, 42_000));
    expect(over).toBeInstanceOf(ccxt.InvalidOrder);
    expect(factsOf(over)).toMatchObject({ code: 'REJECTED', sent: 'yes' });
  });

  it('fails in Kraken’s own words where the account can not pay, and the order stands as it was', async ({ expect }) => {
    await using one = await given();
    const { exchange, venue } = one;
    const { id } = await exchange.createOrder(SYMBOL, 'limit', 'buy', 0.01, 40_000);
    const poor = await caught(exchange.editOrder(id!, SYMBOL, 'limit', 'buy', 50, 41_000));
    expect(poor).toBeInstanceOf(ccxt.InsufficientFunds);
    expect(factsOf(poor)).toMatchObject({ code: 'REJECTED', sent: 'yes' });
    expect(shown(venue)).toEqual([['working', 40_000, 0.01]]);
  });
});

describe.concurrent('resilient(ccxt.kraken): createOrders', () => {
  it.for(Object.entries(FAULTS))('makes each order of the batch once where %s', async ([, fault], { expect }) => {
    await using one = await given();
    const { exchange, venue, served } = one;
    if (fault !== undefined) one.strike(fault);
    const orders = await createOrders(exchange);
    const byPrice = shown(venue).sort(([, a], [, b]) => Number(a) - Number(b));
    expect(byPrice).toEqual(BATCH_SHOWN);
    const open = async () => (await exchange.fetchOpenOrders(SYMBOL)).map(({ id }) => id).sort();
    await expect.poll(open, { timeout: 30_000, interval: 500 }).toEqual(orders.map(({ id }) => id).sort());
    expect(orders.map(({ price }) => price)).toEqual([40_000, 41_000, 60_000]);
    expect(sent(served, 'AddOrderBatch')).toBe(1);
  });

  it('throws ccxt’s own error where one order is refused, with the handles of those that were made', async ({ expect }) => {
    await using one = await given();
    const { exchange, venue } = one;
    const poor = [BATCH[0], { ...BATCH[1], amount: 50 }, BATCH[2]];
    const error = await caught(createOrders(exchange, poor));
    expect(error).toBeInstanceOf(ccxt.InsufficientFunds);
    expect(factsOf(error)).toMatchObject({ code: 'REJECTED', sent: 'yes' });
    expect(factsOf(error)?.handles?.map(({ view }) => view.state)).toEqual(['working', 'rejected', 'working']);
    expect(shown(venue).map(([, price]) => price)).toEqual([40_000, 60_000]);
  });

  it('makes nothing of a batch that is refused as a whole, and one order of each id however often it is asked for', async ({ expect }) => {
    await using one = await given();
    const { exchange, venue } = one;
    const wrong = await caught(createOrders(exchange, [BATCH[2], { ...BATCH[2], price: 0.01, side: 'buy', type: 'stop-loss' }]));
    expect(wrong).toBeInstanceOf(ccxt.ExchangeError);
    expect(venue.orders()).toHaveLength(0);
    const first = await createOrders(exchange, [BATCH[0], BATCH[1]]);
    const again = await createOrders(exchange, [BATCH[0], BATCH[1]]);
    expect(again.map(({ id }) => id)).toEqual(first.map(({ id }) => id));
    expect(venue.orders()).toHaveLength(2);
  });

  it('is resolved by the next process where this one ends in the middle of it', async ({ expect }) => {
    const journal = new MemoryOrderJournal();
    await using one = await given({ journal });
    const { exchange, venue, wrap, strike } = one;
    strike({ when: 'after', kind: 'drop' });
    const ended = caught(createOrders(exchange));
    await expect.poll(() => venue.orders().length, { timeout: 30_000 }).toBe(3);
    await release(exchange);
    await ended;
    const next = wrap();
    try {
      await next.loadMarkets();
      await ready(next, { deadlineMs: 60_000 });
      const [first] = await createOrders(next, [BATCH[0], BATCH[1]]);
      expect(first?.price).toBe(40_000);
      expect(shown(venue)).toEqual(BATCH_SHOWN);
    } finally {
      await release(next);
    }
  });
});

describe.concurrent('resilient(ccxt.kraken): a trailing stop with a limit', () => {
  it('is made once through a lost answer, and shown as ccxt shows it', async ({ expect }) => {
    await using one = await given();
    const { exchange, venue, strike } = one;
    strike({ when: 'after', kind: 'reset' });
    const { id } = await exchange.createOrder(SYMBOL, 'limit', 'sell', 0.01, undefined, { trailingPercent: '2', trailingLimitPercent: '1' });
    expect(venue.orders()).toMatchObject([{ state: 'working', side: 'sell' }]);
    const descr = async () => (await exchange.fetchOrder(id!, SYMBOL).catch(() => undefined))?.info.descr;
    await expect
      .poll(descr, { timeout: 30_000, interval: 500 })
      .toMatchObject({ ordertype: 'trailing-stop-limit', price: '+2.0000%', price2: '-1.0000%' });
  });
});
