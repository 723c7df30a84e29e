import ccxt, { type alpaca, type binance, type Exchange, type kraken } from 'ccxt';
import { describe, expect, it } from 'vitest';
import { type CcxtResilientOptions, release, resilient } from '../../../src/sdk/ccxt/index.js';
import { SimulatedVenue, serveAlpaca, serveBinance, serveKraken } from '../../../src/testing/index.js';

type Any = Record<string, (...args: unknown[]) => Promise<unknown>>;
type Call<E = binance> = (exchange: E & Any, seen: Map<string, string>) => unknown;

const SYMBOL = 'BTC/USDT';
const id = (clientOrderId: string, more: object = {}): object => ({ clientOrderId, ...more });
const kept =
  <E>(name: string, call: Call<E>): Call<E> =>
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

const COIN = 'BTC/USD';
const coin = (name: string, call: Call<alpaca>): Call<alpaca> => kept(name, call);

/** The same at Alpaca. */
const ALPACA_ORDER_CALLS: Readonly<Record<string, Call<alpaca>>> = {
  loadMarkets: (ex) => ex.loadMarkets(),
  'createOrder, market': coin('market', (ex) => ex.createOrder(COIN, 'market', 'buy', 0.01, undefined, id('d-1'))),
  'createOrder, limit': coin('limit', (ex) => ex.createOrder(COIN, 'limit', 'buy', 0.01, 40_000, id('d-2'))),
  'createOrder, good or cancelled': (ex) => ex.createOrder(COIN, 'limit', 'buy', 0.01, 40_000, id('d-3', { timeInForce: 'IOC' })),
  'createOrder, stop limit': (ex) => ex.createOrder(COIN, 'limit', 'buy', 0.01, 60_000, id('d-4', { triggerPrice: 59_000 })),
  createLimitBuyOrder: coin('other', (ex) => ex.createLimitBuyOrder(COIN, 0.02, 41_000, id('d-5'))),
  createLimitSellOrder: (ex) => ex.createLimitSellOrder(COIN, 0.02, 60_000, id('d-6')),
  createMarketSellOrder: (ex) => ex.createMarketSellOrder(COIN, 0.005, id('d-7')),
  create_market_buy_order: (ex) => ex.create_market_buy_order!(COIN, 0.005, id('d-8')),
  'createOrder, over an amount of money': (ex) => ex.createOrder(COIN, 'market', 'buy', 0, undefined, id('d-9', { cost: 500 })),
  createMarketBuyOrderWithCost: (ex) => ex.createMarketBuyOrderWithCost(COIN, 100, id('d-13')),
  'createOrder, more than the account has': (ex) => ex.createOrder(COIN, 'market', 'buy', 100, undefined, id('d-10')),
  'createOrder, no such symbol': (ex) => ex.createOrder('NO/SUCH', 'market', 'buy', 1),
  'createOrder, no price': (ex) => ex.createOrder(COIN, 'limit', 'buy', 1),
  'createOrder, no such type': (ex) => ex.createOrder(COIN, 'miracle' as never, 'buy', 1, 40_000),
  'createOrder, less than a step': (ex) => ex.createOrder(COIN, 'market', 'buy', 0.000000001),
  traderPrivatePostV2Orders: (ex) =>
    ex.traderPrivatePostV2Orders!({ symbol: COIN, side: 'buy', type: 'market', qty: '0.01', time_in_force: 'gtc', client_order_id: 'd-12' }),
  fetchOrder: (ex, seen) => ex.fetchOrder(seen.get('market')!),
  'fetchOrder, unknown': (ex) => ex.fetchOrder('00000001-0001-4000-8000-000000000999'),
  fetchOrders: (ex) => ex.fetchOrders(COIN),
  fetchOpenOrders: (ex) => ex.fetchOpenOrders(COIN),
  fetchClosedOrders: (ex) => ex.fetchClosedOrders(COIN),
  editOrder: (ex, seen) => ex.editOrder(seen.get('other')!, COIN, 'limit', 'buy', 0.02, 39_000, id('d-14')),
  cancelOrder: (ex, seen) => ex.cancelOrder(seen.get('limit')!),
  'cancelOrder, again': (ex, seen) => ex.cancelOrder(seen.get('limit')!),
  'cancelOrder, filled': (ex, seen) => ex.cancelOrder(seen.get('market')!),
  'cancelOrder, unknown': (ex) => ex.cancelOrder('00000001-0001-4000-8000-000000000999'),
  fetchMyTrades: (ex) => ex.fetchMyTrades(COIN),
  fetchBalance: (ex) => ex.fetchBalance(),
  traderPrivateGetV2Account: (ex) => ex.traderPrivateGetV2Account!(),
  traderPrivateGetV2Positions: (ex) => ex.traderPrivateGetV2Positions!(),
  cancelAllOrders: (ex) => ex.cancelAllOrders(),
  'fetchDeposits, which is not served': (ex) => ex.fetchDeposits('USD'),
  'fetchLeverage, which Alpaca has not': (ex) => ex.fetchLeverage(COIN),
  amountToPrecision: (ex) => ex.amountToPrecision(COIN, 0.123456789),
  market: (ex) => ex.market('NO/SUCH'),
};

const ALPACA_MARKET_CALLS: Readonly<Record<string, Call<alpaca>>> = {
  fetchTime: (ex) => ex.fetchTime(),
  fetchMarkets: (ex) => ex.fetchMarkets(),
  fetchTicker: (ex) => ex.fetchTicker(COIN),
  fetch_ticker: (ex) => ex.fetch_ticker!(COIN),
  fetchTickers: (ex) => ex.fetchTickers([COIN]),
  fetchOrderBook: (ex) => ex.fetchOrderBook(COIN, 5),
  fetchTrades: (ex) => ex.fetchTrades(COIN, undefined, 5),
  fetchOHLCV: (ex) => ex.fetchOHLCV(COIN, '1m', undefined, 5),
  'fetchTicker, no such symbol': (ex) => ex.fetchTicker('NO/SUCH'),
  marketPrivateGetV2StocksQuotesLatest: (ex) => ex.marketPrivateGetV2StocksQuotesLatest!({ symbols: 'AAPL' }),
};

const dollar = (name: string, call: Call<kraken>): Call<kraken> => kept(name, call);

/** The same at Kraken. Few of them read the account: its counter drains slowly. */
const KRAKEN_ORDER_CALLS: Readonly<Record<string, Call<kraken>>> = {
  loadMarkets: (ex) => ex.loadMarkets(),
  'createOrder, market': dollar('market', (ex) => ex.createOrder(COIN, 'market', 'buy', 0.01, undefined, id('d-1'))),
  'createOrder, limit': dollar('limit', (ex) => ex.createOrder(COIN, 'limit', 'buy', 0.01, 40_000, id('d-2'))),
  'createOrder, good or cancelled': (ex) => ex.createOrder(COIN, 'limit', 'buy', 0.01, 40_000, id('d-3', { timeInForce: 'IOC' })),
  'createOrder, stop': (ex) => ex.createOrder(COIN, 'market', 'sell', 0.01, undefined, id('d-4', { stopLossPrice: 30_000 })),
  'createOrder, stop limit': (ex) => ex.createOrder(COIN, 'limit', 'sell', 0.01, 29_000, id('d-15', { stopLossPrice: 30_000 })),
  'createOrder, post only': (ex) => ex.createOrder(COIN, 'limit', 'buy', 0.01, 40_000, id('d-16', { postOnly: true })),
  'createOrder, post only that would take': (ex) => ex.createOrder(COIN, 'limit', 'buy', 0.01, 60_000, id('d-17', { postOnly: true })),
  createLimitBuyOrder: (ex) => ex.createLimitBuyOrder(COIN, 0.02, 41_000, id('d-5')),
  createLimitSellOrder: (ex) => ex.createLimitSellOrder(COIN, 0.02, 60_000, id('d-6')),
  createMarketSellOrder: (ex) => ex.createMarketSellOrder(COIN, 0.005, id('d-7')),
  create_market_buy_order: (ex) => ex.create_market_buy_order!(COIN, 0.005, id('d-8')),
  'createOrder, over an amount of money': (ex) => ex.createOrder(COIN, 'market', 'buy', 0, undefined, id('d-9', { cost: 500 })),
  createMarketBuyOrderWithCost: (ex) => ex.createMarketBuyOrderWithCost(COIN, 100, id('d-13')),
  'createOrder, with a userref': (ex) => ex.createOrder(COIN, 'limit', 'buy', 0.01, 39_000, { userref: 7 }),
  'createOrder, under both ids': (ex) => ex.createOrder(COIN, 'limit', 'buy', 0.01, 39_000, id('d-18', { userref: 7 })),
  'createOrder, with leverage': (ex) => ex.createOrder(COIN, 'limit', 'buy', 0.01, 39_000, id('d-19', { leverage: 2 })),
  'createOrder, more than the account has': (ex) => ex.createOrder(COIN, 'market', 'buy', 100, undefined, id('d-10')),
  'createOrder, too little': (ex) => ex.createOrder(COIN, 'limit', 'buy', 0.00001, 40_000, id('d-11')),
  'createOrder, no such symbol': (ex) => ex.createOrder('NO/SUCH', 'market', 'buy', 1),
  'createOrder, no price': (ex) => ex.createOrder(COIN, 'limit', 'buy', 1),
  'createOrder, no such type': (ex) => ex.createOrder(COIN, 'miracle' as never, 'buy', 1, 40_000),
  'createOrder, less than a step': (ex) => ex.createOrder(COIN, 'market', 'buy', 0.000000001),
  privatePostAddOrder: (ex) => ex.privatePostAddOrder({ pair: 'XBTUSD', type: 'buy', ordertype: 'market', volume: '0.01', cl_ord_id: 'd-12' }),
  fetchOrder: (ex, seen) => ex.fetchOrder(seen.get('market')!),
  'fetchOrder, unknown': (ex) => ex.fetchOrder('OAAAAA-BBBBB-CCCCCC'),
  fetchOpenOrders: (ex) => ex.fetchOpenOrders(COIN),
  fetchClosedOrders: (ex) => ex.fetchClosedOrders(COIN),
  'cancelOrder, by the id of the bot': (ex) => ex.cancelOrder('', COIN, id('d-5')),
  cancelOrder: (ex, seen) => ex.cancelOrder(seen.get('limit')!, COIN),
  'cancelOrder, again': (ex, seen) => ex.cancelOrder(seen.get('limit')!, COIN),
  'cancelOrder, filled': (ex, seen) => ex.cancelOrder(seen.get('market')!, COIN),
  'cancelOrder, unknown': (ex) => ex.cancelOrder('OAAAAA-BBBBB-CCCCCC'),
  fetchMyTrades: (ex) => ex.fetchMyTrades(COIN),
  fetchBalance: (ex) => ex.fetchBalance(),
  'editOrder, which is not served': (ex, seen) => ex.editOrder(seen.get('market')!, COIN, 'limit', 'buy', 0.02, 39_000),
  'fetchDepositAddress, which is not served': (ex) => ex.fetchDepositAddress('BTC'),
  cancelAllOrders: (ex) => ex.cancelAllOrders(),
  'fetchLeverage, which spot has not': (ex) => ex.fetchLeverage(COIN),
  amountToPrecision: (ex) => ex.amountToPrecision(COIN, 0.123456789),
  market: (ex) => ex.market('NO/SUCH'),
};

const KRAKEN_MARKET_CALLS: Readonly<Record<string, Call<kraken>>> = {
  fetchTime: (ex) => ex.fetchTime(),
  fetchStatus: (ex) => ex.fetchStatus(),
  fetchMarkets: (ex) => ex.fetchMarkets(),
  fetchCurrencies: (ex) => ex.fetchCurrencies(),
  fetchTicker: (ex) => ex.fetchTicker(COIN),
  fetch_ticker: (ex) => ex.fetch_ticker!(COIN),
  fetchTickers: (ex) => ex.fetchTickers([COIN]),
  fetchOrderBook: (ex) => ex.fetchOrderBook(COIN, 5),
  fetchTrades: (ex) => ex.fetchTrades(COIN, undefined, 5),
  fetchOHLCV: (ex) => ex.fetchOHLCV(COIN, '1m', undefined, 5),
  'fetchOHLCV, since': (ex) => ex.fetchOHLCV(COIN, '1h', Date.now() - 10 * 3_600_000, 5),
  'fetchTicker, no such symbol': (ex) => ex.fetchTicker('NO/SUCH'),
  publicGetDepth: (ex) => ex.publicGetDepth!({ pair: 'XBTUSD', count: 2 }),
};

const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

/** Of a trade, which is another one a second later. */
const SIDES = ['side', 'm', 'tks', 'TakerSide', 'takerOrMaker'];

function plain(value: unknown, isLoose: boolean, name = ''): unknown {
  if (isLoose && (SIDES.includes(name) || value === 'b' || value === 's')) return '<side>';
  if (typeof value === 'string' && /^\d{17}::/.test(value)) return value.replace(/^\d{17}/, '<time>');
  if (typeof value === 'string')
    return TIME.test(value) || /^\d{12,}$/.test(value) ? '<time>' : isLoose && /^-?[\d.]+$/.test(value) ? '<number>' : value;
  if (typeof value === 'number') return isLoose || value > 1e9 ? '<number>' : value;
  if (Array.isArray(value)) return value.map((one) => plain(one, isLoose));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([member, one]) => [member, plain(one, isLoose, member)]));
}

interface Subject {
  readonly orders: Readonly<Record<string, Call<never>>>;
  readonly market: Readonly<Record<string, Call<never>>>;
  readonly options?: CcxtResilientOptions;
  open(): Promise<{ readonly exchange: Exchange; readonly url: string; close(): Promise<void> }>;
}

const BTC = { price: 50_000, priceStep: '0.01', qtyStep: '0.00001', minNotional: '5' };

const SUBJECTS: Readonly<Record<string, Subject>> = {
  binance: {
    orders: ORDER_CALLS as Subject['orders'],
    market: MARKET_CALLS as Subject['market'],
    open: async () => {
      const symbols = { [SYMBOL]: BTC, 'ETH/USDT': { price: 3_000 } };
      const served = await serveBinance(new SimulatedVenue({ seed: 1, symbols, balances: { USDT: '100000', BTC: '2' }, volatility: 0 }));
      const options = { warnOnFetchOpenOrdersWithoutSymbol: false };
      const exchange = served.connect(new ccxt.binance({ timeout: 5_000, enableRateLimit: false, options }));
      return { exchange, url: served.url, close: () => served.close() };
    },
  },
  alpaca: {
    orders: ALPACA_ORDER_CALLS as Subject['orders'],
    market: ALPACA_MARKET_CALLS as Subject['market'],
    open: async () => {
      const symbols = { AAPL: { price: 200 }, [COIN]: BTC };
      const terms = { fence: false, clientIdUniqueness: 'forever', clientIdMaxLength: 128 } as const;
      const served = await serveAlpaca(new SimulatedVenue({ seed: 1, symbols, balances: { USD: '100000', BTC: '2' }, volatility: 0, ...terms }));
      const exchange = served.connect(new ccxt.alpaca({ timeout: 5_000, enableRateLimit: false }));
      return { exchange, url: served.url, close: () => served.close() };
    },
  },
  kraken: {
    orders: KRAKEN_ORDER_CALLS as Subject['orders'],
    market: KRAKEN_MARKET_CALLS as Subject['market'],
    options: { krakenTier: 'pro' },
    open: async () => {
      const symbols = { [COIN]: { ...BTC, priceStep: '0.1', qtyStep: '0.00000001' } };
      const served = await serveKraken(new SimulatedVenue({ seed: 1, symbols, balances: { USD: '100000', BTC: '2' }, volatility: 0 }));
      // Two calls within a millisecond have the same nonce in raw ccxt.
      let nonce = Date.now();
      const exchange = Object.assign(served.connect(new ccxt.kraken({ timeout: 5_000, enableRateLimit: false })), { nonce: () => ++nonce });
      return { exchange, url: served.url, close: () => served.close() };
    },
  },
};

async function outcomesOf({ orders, market, open }: Subject, wrap: (exchange: Exchange) => Exchange): Promise<Record<string, unknown>> {
  const opened = await open();
  const exchange = wrap(opened.exchange);
  const seen = new Map<string, string>();
  const outcomes: Record<string, unknown> = {};
  for (const [calls, isLoose] of [
    [orders, false],
    [market, true],
  ] as const) {
    for (const [name, call] of Object.entries(calls)) {
      try {
        outcomes[name] = plain(await call(exchange as never, seen), isLoose);
      } catch (error) {
        const { message } = error as Error;
        outcomes[name] = {
          error: (error as Error).constructor.name,
          message: message.replaceAll(opened.url, '<venue>').replace(/(?:timestamp|signature)=\w+/g, '<varies>'),
        };
      }
    }
  }
  await release(exchange);
  await opened.close();
  return outcomes;
}

describe.each(Object.entries(SUBJECTS))('raw and resilient ccxt %s, on a calm venue', (_, subject) => {
  const count = Object.keys(subject.orders).length + Object.keys(subject.market).length;

  it(`give the same results and errors for ${count} calls`, async () => {
    expect(count).toBeGreaterThan(40);
    const [raw, wrapped] = await Promise.all([
      outcomesOf(subject, (exchange) => exchange),
      outcomesOf(subject, (exchange) => resilient(exchange, subject.options)),
    ]);
    for (const name of Object.keys(raw)) expect([name, wrapped[name]]).toEqual([name, raw[name]]);
    // A venue that refused everything would be equal, too.
    const answered = Object.values(raw).filter((one) => typeof one !== 'object' || one === null || !('error' in one));
    expect(answered.length).toBeGreaterThan(30);
  });
});
