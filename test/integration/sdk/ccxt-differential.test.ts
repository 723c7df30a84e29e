import ccxt, { type binance } from 'ccxt';
import { describe, expect, it } from 'vitest';
import { release, resilient } from '../../../src/sdk/ccxt/index.js';
import { SimulatedVenue, serveBinance } from '../../../src/testing/index.js';

type Call = (exchange: binance & Record<string, (...args: unknown[]) => Promise<unknown>>, seen: Map<string, string>) => unknown;

const SYMBOL = 'BTC/USDT';
const id = (clientOrderId: string, more: object = {}): object => ({ clientOrderId, ...more });
const kept =
  (name: string, call: Call): Call =>
  async (exchange, seen) => {
    const order = (await call(exchange, seen)) as { id: string };
    seen.set(name, order.id);
    return order;
  };

/** Calls about own orders and money: every word counts, but for times. */
const ORDER_CALLS: Readonly<Record<string, Call>> = {
  loadMarkets: (ex) => ex.loadMarkets(),
  'createOrder, market': kept('market', (ex) => ex.createOrder(SYMBOL, 'market', 'buy', 0.01, undefined, id('d-1'))),
  'createOrder, limit': kept('limit', (ex) => ex.createOrder(SYMBOL, 'limit', 'buy', 0.01, 40_000, id('d-2'))),
  'createOrder, good or cancelled': (ex) => ex.createOrder(SYMBOL, 'limit', 'buy', 0.01, 40_000, id('d-3', { timeInForce: 'IOC' })),
  'createOrder, stop': kept('stop', (ex) => ex.createOrder(SYMBOL, 'market', 'buy', 0.01, undefined, id('d-4', { stopLossPrice: 60_000 }))),
  createLimitBuyOrder: (ex) => ex.createLimitBuyOrder(SYMBOL, 0.02, 41_000, id('d-5')),
  createLimitSellOrder: (ex) => ex.createLimitSellOrder(SYMBOL, 0.02, 60_000, id('d-6')),
  createMarketSellOrder: (ex) => ex.createMarketSellOrder(SYMBOL, 0.005, id('d-7')),
  create_market_buy_order: (ex) => ex.create_market_buy_order!(SYMBOL, 0.005, id('d-8')),
  'createOrder, over an amount of money': (ex) => ex.createOrder(SYMBOL, 'market', 'buy', 0, undefined, id('d-9', { cost: 500 })),
  'createOrder, more than the account has': (ex) => ex.createOrder(SYMBOL, 'market', 'buy', 100, undefined, id('d-10')),
  'createOrder, too little': (ex) => ex.createOrder(SYMBOL, 'limit', 'buy', 0.00001, 40_000, id('d-11')),
  'createOrder, no such symbol': (ex) => ex.createOrder('NO/SUCH', 'market', 'buy', 1),
  'createOrder, no price': (ex) => ex.createOrder(SYMBOL, 'limit', 'buy', 1),
  'createOrder, no such type': (ex) => ex.createOrder(SYMBOL, 'miracle' as never, 'buy', 1, 40_000),
  'createOrder, less than a step': (ex) => ex.createOrder(SYMBOL, 'market', 'buy', 0.000000001),
  privatePostOrderTest: (ex) => ex.privatePostOrderTest!({ symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity: '1' }),
  privatePostOrder: (ex) => ex.privatePostOrder({ symbol: 'BTCUSDT', side: 'BUY', type: 'MARKET', quantity: '0.01', newClientOrderId: 'd-12' }),
  fetchOrder: (ex, seen) => ex.fetchOrder(seen.get('market')!, SYMBOL),
  'fetchOrder, by the id of the bot': (ex) => ex.fetchOrder('', SYMBOL, { origClientOrderId: 'd-2' }),
  'fetchOrder, unknown': (ex) => ex.fetchOrder('999', SYMBOL),
  'fetchOrder, no symbol': (ex) => ex.fetchOrder('1'),
  fetchOrders: (ex) => ex.fetchOrders(SYMBOL),
  fetchOpenOrders: (ex) => ex.fetchOpenOrders(SYMBOL),
  fetchClosedOrders: (ex) => ex.fetchClosedOrders(SYMBOL),
  cancelOrder: (ex, seen) => ex.cancelOrder(seen.get('limit')!, SYMBOL),
  'cancelOrder, again': (ex, seen) => ex.cancelOrder(seen.get('limit')!, SYMBOL),
  'cancelOrder, filled': (ex, seen) => ex.cancelOrder(seen.get('market')!, SYMBOL),
  'cancelOrder, by the id of the bot': (ex) => ex.cancelOrder('', SYMBOL, { origClientOrderId: 'd-5' }),
  'cancelOrder, unknown': (ex) => ex.cancelOrder('999', SYMBOL),
  fetchCanceledOrders: (ex) => ex.fetchCanceledOrders(SYMBOL),
  fetchMyTrades: (ex) => ex.fetchMyTrades(SYMBOL),
  fetchOrderTrades: (ex, seen) => ex.fetchOrderTrades(seen.get('market')!, SYMBOL),
  fetchBalance: (ex) => ex.fetchBalance(),
  privateGetAccount: (ex) => ex.privateGetAccount(),
  'cancelAllOrders, which is not served': (ex) => ex.cancelAllOrders(SYMBOL),
  'fetchDeposits, which is not served': (ex) => ex.fetchDeposits('USDT'),
  'fetchLeverage, which spot has not': (ex) => ex.fetchLeverage(SYMBOL),
  amountToPrecision: (ex) => ex.amountToPrecision(SYMBOL, 0.123456789),
  market: (ex) => ex.market('NO/SUCH'),
};

/** Calls about the market, which moves between two of them: numbers count by their place alone. */
const MARKET_CALLS: Readonly<Record<string, Call>> = {
  fetchTime: (ex) => ex.fetchTime(),
  fetchMarkets: (ex) => ex.fetchMarkets(),
  fetchTicker: (ex) => ex.fetchTicker(SYMBOL),
  fetch_ticker: (ex) => ex.fetch_ticker!(SYMBOL),
  fetchTickers: (ex) => ex.fetchTickers([SYMBOL, 'ETH/USDT']),
  fetchBidsAsks: (ex) => ex.fetchBidsAsks([SYMBOL]),
  fetchLastPrices: (ex) => ex.fetchLastPrices([SYMBOL]),
  fetchOrderBook: (ex) => ex.fetchOrderBook(SYMBOL, 5),
  fetchL2OrderBook: (ex) => ex.fetchL2OrderBook(SYMBOL, 5),
  fetchTrades: (ex) => ex.fetchTrades(SYMBOL, undefined, 5),
  fetchOHLCV: (ex) => ex.fetchOHLCV(SYMBOL, '1m', undefined, 5),
  'fetchOHLCV, since': (ex) => ex.fetchOHLCV(SYMBOL, '1h', Date.now() - 10 * 3_600_000, 5),
  'fetchOHLCV, no such interval': (ex) => ex.fetchOHLCV(SYMBOL, '7q' as never),
  'fetchTicker, no such symbol': (ex) => ex.fetchTicker('NO/SUCH'),
  publicGetPing: (ex) => ex.publicGetPing!(),
  publicGetTickerPrice: (ex) => ex.publicGetTickerPrice!({ symbol: 'BTCUSDT' }),
};

const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

function plain(value: unknown, isLoose: boolean): unknown {
  if (typeof value === 'string')
    return TIME.test(value) || /^\d{12,}$/.test(value) ? '<time>' : isLoose && /^-?[\d.]+$/.test(value) ? '<number>' : value;
  if (typeof value === 'number') return isLoose || value > 1e11 ? '<number>' : value;
  if (Array.isArray(value)) return value.map((one) => plain(one, isLoose));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one, isLoose)]));
}

async function outcomesOf(wrap: (exchange: binance) => binance): Promise<Record<string, unknown>> {
  const symbols = { [SYMBOL]: { price: 50_000, priceStep: '0.01', qtyStep: '0.00001', minNotional: '5' }, 'ETH/USDT': { price: 3_000 } };
  const venue = new SimulatedVenue({ seed: 1, symbols, balances: { USDT: '100000', BTC: '2' }, volatility: 0 });
  await using served = await serveBinance(venue);
  const exchange = wrap(
    served.connect(new ccxt.binance({ timeout: 5_000, enableRateLimit: false, options: { warnOnFetchOpenOrdersWithoutSymbol: false } })),
  );
  const seen = new Map<string, string>();
  const outcomes: Record<string, unknown> = {};
  for (const [calls, isLoose] of [
    [ORDER_CALLS, false],
    [MARKET_CALLS, true],
  ] as const) {
    for (const [name, call] of Object.entries(calls)) {
      try {
        outcomes[name] = plain(await call(exchange as never, seen), isLoose);
      } catch (error) {
        const { message } = error as Error;
        outcomes[name] = {
          error: (error as Error).constructor.name,
          message: message.replaceAll(served.url, '<venue>').replace(/(?:timestamp|signature)=\w+/g, '<varies>'),
        };
      }
    }
  }
  await release(exchange);
  return outcomes;
}

describe('raw and resilient ccxt binance, on a calm venue', () => {
  const count = Object.keys(ORDER_CALLS).length + Object.keys(MARKET_CALLS).length;

  it(`give the same results and errors for ${count} calls`, { timeout: 60_000 }, async () => {
    expect(count).toBeGreaterThan(40);
    const [raw, wrapped] = await Promise.all([outcomesOf((exchange) => exchange), outcomesOf((exchange) => resilient(exchange))]);
    for (const name of Object.keys(raw)) expect([name, wrapped[name]]).toEqual([name, raw[name]]);
  });
});
