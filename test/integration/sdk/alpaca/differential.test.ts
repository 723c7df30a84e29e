import { describe, expect, it } from 'vitest';
import { release, resilient } from '../../../../src/sdk/alpaca/index.js';
import { serveAlpaca } from '../../../../src/testing/index.js';
import { alpacaVenue, CAPABILITIES, newV3, newV4, type V3, type V4 } from './given.js';

/** One call of the SDK; `seen` keeps ids for later ones. */
type Call<S> = (sdk: S, seen: Map<string, string>) => unknown;

// On whole seconds, of which each has one trade: as many at any time.
const secondsAgo = (count: number): Date => new Date((Math.floor(Date.now() / 1_000) - count) * 1_000);
const HOUR_AGO = (): string => new Date(Date.now() - 3_600_000).toISOString();
const NOBODY = '00000001-0001-4000-8000-0000000003e7';

type AnyV3 = V3 & Record<string, (...args: unknown[]) => Promise<unknown>>;
const order = (id: string, more: object = {}): object => ({
  symbol: 'AAPL',
  qty: 2,
  side: 'buy',
  type: 'market',
  time_in_force: 'day',
  client_order_id: id,
  ...more,
});
const limit = { type: 'limit', limit_price: '150' };
const kept =
  <S>(name: string, call: Call<S>): Call<S> =>
  async (sdk, seen) => {
    const placed = (await call(sdk, seen)) as { id: string };
    seen.set(name, placed.id);
    return placed;
  };

const V3_CALLS: Readonly<Record<string, Call<AnyV3>>> = {
  getAccount: (sdk) => sdk.getAccount!(),
  getAccountConfigurations: (sdk) => sdk.getAccountConfigurations!(),
  updateAccountConfigurations: (sdk) => sdk.updateAccountConfigurations!({ no_shorting: true }),
  getClock: (sdk) => sdk.getClock!(),
  getCalendar: (sdk) => sdk.getCalendar!({ start: '2026-01-01', end: '2026-01-10' }),
  getAssets: (sdk) => sdk.getAssets!({ status: 'active' }),
  getAsset: (sdk) => sdk.getAsset!('AAPL'),
  'getAsset, unknown': (sdk) => sdk.getAsset!('NOSUCH'),
  'createOrder, market': kept('market', (sdk) => sdk.createOrder(order('d-1'))),
  'createOrder, limit': kept('limit', (sdk) => sdk.createOrder(order('d-2', limit))),
  'createOrder, stop': (sdk) => sdk.createOrder(order('d-3', { type: 'stop', stop_price: 250 })),
  'createOrder, stop-limit': (sdk) => sdk.createOrder(order('d-4', { type: 'stop_limit', stop_price: '250', limit_price: '251' })),
  'createOrder, money': (sdk) => sdk.createOrder(order('d-5', { qty: undefined, notional: 100 })),
  'createOrder, crypto': (sdk) => sdk.createOrder(order('d-6', { symbol: 'BTC/USD', qty: '0.01', time_in_force: 'gtc' })),
  'createOrder, crypto without a slash': (sdk) => sdk.createOrder(order('d-7', { symbol: 'BTCUSD', qty: '0.01', time_in_force: 'gtc' })),
  'createOrder, more than the account has': (sdk) => sdk.createOrder(order('d-8', { qty: 1e7 })),
  'createOrder, more than it holds': (sdk) => sdk.createOrder(order('d-9', { symbol: 'MSFT', side: 'sell' })),
  'createOrder, no such symbol': (sdk) => sdk.createOrder(order('d-10', { symbol: 'NOSUCH' })),
  'createOrder, no time in force': (sdk) => sdk.createOrder(order('d-11', { time_in_force: undefined })),
  'createOrder, no quantity': (sdk) => sdk.createOrder(order('d-12', { qty: undefined })),
  'createOrder, with legs': (sdk) => sdk.createOrder(order('d-13', { order_class: 'bracket', take_profit: { limit_price: '300' } })),
  'createOrder, too fine a price': (sdk) => sdk.createOrder(order('d-14', { type: 'limit', limit_price: '150.001' })),
  'getOrders, open': (sdk) => sdk.getOrders!({ status: 'open' }),
  'getOrders, all': (sdk) => sdk.getOrders!({ status: 'all', direction: 'asc', limit: 100 }),
  'getOrders, of one symbol': (sdk) => sdk.getOrders!({ status: 'all', symbols: 'BTC/USD' }),
  getOrder: (sdk, seen) => sdk.getOrder(seen.get('market')!),
  getOrderByClientId: (sdk) => sdk.getOrderByClientId!('d-2'),
  'getOrder, unknown': (sdk) => sdk.getOrder(NOBODY),
  'getOrderByClientId, unknown': (sdk) => sdk.getOrderByClientId!('nobody'),
  replaceOrder: kept('replaced', (sdk, seen) => sdk.replaceOrder!(seen.get('limit'), { limit_price: '151', client_order_id: 'd-15' })),
  'cancelOrder, replaced': (sdk, seen) => sdk.cancelOrder(seen.get('limit')!),
  cancelOrder: (sdk, seen) => sdk.cancelOrder(seen.get('replaced')!),
  'cancelOrder, again': (sdk, seen) => sdk.cancelOrder(seen.get('replaced')!),
  'cancelOrder, filled': (sdk, seen) => sdk.cancelOrder(seen.get('market')!),
  'cancelOrder, unknown': (sdk) => sdk.cancelOrder(NOBODY),
  cancelAllOrders: (sdk) => sdk.cancelAllOrders!(),
  getAccountActivities: (sdk) => sdk.getAccountActivities!({ activityTypes: 'FILL', direction: 'asc' }),
  getPositions: (sdk) => sdk.getPositions(),
  getPosition: (sdk) => sdk.getPosition!('AAPL'),
  'getPosition, none': (sdk) => sdk.getPosition!('NOSUCH'),
  closePosition: (sdk) => sdk.closePosition!('AAPL'),
  'closePosition, none': (sdk) => sdk.closePosition!('NOSUCH'),
  closeAllPositions: (sdk) => sdk.closeAllPositions!(),
  'getPortfolioHistory, which is not served': (sdk) => sdk.getPortfolioHistory!({}),
  sendRequest: (sdk) => sdk.sendRequest!('/clock'),
  getLatestTrade: (sdk) => sdk.getLatestTrade!('AAPL'),
  getLatestTrades: (sdk) => sdk.getLatestTrades!(['AAPL', 'MSFT']),
  getLatestQuote: (sdk) => sdk.getLatestQuote('AAPL'),
  getLatestQuotes: (sdk) => sdk.getLatestQuotes!(['AAPL', 'MSFT']),
  getLatestBar: (sdk) => sdk.getLatestBar!('AAPL'),
  getSnapshot: (sdk) => sdk.getSnapshot!('AAPL'),
  getSnapshots: (sdk) => sdk.getSnapshots!(['AAPL', 'MSFT']),
  getBarsV2: (sdk) => sdk.getBarsV2!('AAPL', { timeframe: '1Min', start: HOUR_AGO(), limit: 7, pageLimit: 3 }),
  getTradesV2: (sdk) => sdk.getTradesV2!('AAPL', { start: HOUR_AGO(), limit: 5 }),
  getQuotesV2: (sdk) => sdk.getQuotesV2!('AAPL', { start: HOUR_AGO(), limit: 5 }),
  getMultiBarsV2: (sdk) => sdk.getMultiBarsV2!(['MSFT', 'AAPL'], { timeframe: '1Hour', start: HOUR_AGO(), limit: 2 }),
  getMultiTradesAsyncV2: (sdk) => sdk.getMultiTradesAsyncV2!(['AAPL'], { start: HOUR_AGO(), limit: 3, pageLimit: 2 }),
  'getBarsV2, no such symbol': (sdk) => sdk.getBarsV2!('NOSUCH', { timeframe: '1Min' }),
  'getLatestQuotes, no such symbol': (sdk) => sdk.getLatestQuotes!(['NOSUCH']),
  getCryptoBars: (sdk) => sdk.getCryptoBars!(['BTC/USD'], { timeframe: '1Hour', start: HOUR_AGO(), limit: 1 }),
  getLatestCryptoQuotes: (sdk) => sdk.getLatestCryptoQuotes!(['BTC/USD']),
  getCryptoOrderbooks: (sdk) => sdk.getCryptoOrderbooks!(['BTC/USD']),
  getCryptoSnapshots: (sdk) => sdk.getCryptoSnapshots!(['BTC/USD']),
};

const placed = { symbol: 'AAPL', side: 'buy', qty: 2 } as const;

const V4_CALLS: Readonly<Record<string, Call<V4>>> = {
  'account.getAccount': (sdk) => sdk.trading.account.getAccount(),
  validateConnection: (sdk) => sdk.trading.validateConnection(),
  getAccountConfig: (sdk) => sdk.trading.accountConfigurations.getAccountConfig(),
  legacyClock: (sdk) => sdk.trading.clock.legacyClock(),
  'clock, which is not served': (sdk) => sdk.trading.clock.clock(),
  legacyCalendar: (sdk) => sdk.trading.calendar.legacyCalendar({ start: new Date('2026-01-01'), end: new Date('2026-01-10') } as never),
  getV2Assets: (sdk) => sdk.trading.assets.getV2Assets({ status: 'active' } as never),
  getV2AssetsSymbolOrAssetId: (sdk) => sdk.trading.assets.getV2AssetsSymbolOrAssetId({ symbolOrAssetId: 'BTC/USD' }),
  'an asset, unknown': (sdk) => sdk.trading.assets.getV2AssetsSymbolOrAssetId({ symbolOrAssetId: 'NOSUCH' }),
  'orders.market': kept('market', (sdk) => sdk.trading.orders.market({ ...placed, clientOrderId: 'd-1' })),
  'orders.limit': kept('limit', (sdk) => sdk.trading.orders.limit({ ...placed, limitPrice: 150, clientOrderId: 'd-2' })),
  'orders.stop': (sdk) => sdk.trading.orders.stop({ ...placed, stopPrice: 250, clientOrderId: 'd-3' }),
  'orders.stopLimit': (sdk) => sdk.trading.orders.stopLimit({ ...placed, stopPrice: 250, limitPrice: 251, clientOrderId: 'd-4' }),
  'orders.market, money': (sdk) => sdk.trading.orders.market({ symbol: 'AAPL', side: 'buy', notional: 100, clientOrderId: 'd-5' }),
  'orders.submit, crypto': (sdk) =>
    sdk.trading.orders.submit({ type: 'market', symbol: 'BTC/USD', side: 'buy', qty: '0.01', timeInForce: 'gtc', clientOrderId: 'd-6' }),
  'orders.trailingStop': (sdk) => sdk.trading.orders.trailingStop({ ...placed, trailPrice: 5, clientOrderId: 'd-7' }),
  'orders.bracket': (sdk) =>
    sdk.trading.orders.bracket({ ...placed, takeProfit: { limitPrice: 300 }, stopLoss: { stopPrice: 100 }, clientOrderId: 'd-8' }),
  'orders.postOrder': (sdk) =>
    sdk.trading.orders.postOrder({
      postOrderRequest: { type: 'market', timeInForce: 'day', symbol: 'MSFT', side: 'buy', qty: '1', clientOrderId: 'd-9' },
    }),
  'orders.postOrderRaw': async (sdk) => {
    const { raw } = await sdk.trading.orders.postOrderRaw({
      postOrderRequest: { type: 'market', timeInForce: 'day', symbol: 'MSFT', side: 'buy', qty: '1', clientOrderId: 'd-10' },
    });
    return [raw.status, raw.headers.get('content-type'), new URL(raw.url).pathname, await raw.json()];
  },
  'more than the account has': (sdk) => sdk.trading.orders.market({ ...placed, qty: 1e7, clientOrderId: 'd-11' }),
  'more than it holds': (sdk) => sdk.trading.orders.market({ symbol: 'BTC/USD', side: 'sell', qty: 50, clientOrderId: 'd-12' }),
  'no such symbol': (sdk) => sdk.trading.orders.market({ ...placed, symbol: 'NOSUCH', clientOrderId: 'd-13' }),
  'too fine a price': (sdk) => sdk.trading.orders.limit({ ...placed, limitPrice: '150.001', clientOrderId: 'd-14' }),
  'no amount at all, which the SDK itself refuses': (sdk) => sdk.trading.orders.limit({ ...placed, limitPrice: '', clientOrderId: 'd-15' }),
  'getAllOrders, open': (sdk) => sdk.trading.orders.getAllOrders({ status: 'open' }),
  'getAllOrders, of two symbols': (sdk) => sdk.trading.orders.getAllOrders({ status: 'all', symbols: ['AAPL', 'MSFT'], direction: 'asc' }),
  getOrderByOrderID: (sdk, seen) => sdk.trading.orders.getOrderByOrderID({ orderId: seen.get('market')! }),
  getOrderByClientOrderId: (sdk) => sdk.trading.orders.getOrderByClientOrderId({ clientOrderId: 'd-2' }),
  'getOrderByOrderID, unknown': (sdk) => sdk.trading.orders.getOrderByOrderID({ orderId: NOBODY }),
  patchOrderByOrderId: kept('replaced', (sdk, seen) =>
    sdk.trading.orders.patchOrderByOrderId({ orderId: seen.get('limit')!, patchOrderRequest: { limitPrice: '151', clientOrderId: 'd-16' } }),
  ),
  'deleteOrderByOrderID, replaced': (sdk, seen) => sdk.trading.orders.deleteOrderByOrderID({ orderId: seen.get('limit')! }),
  deleteOrderByOrderID: (sdk, seen) => sdk.trading.orders.deleteOrderByOrderID({ orderId: seen.get('replaced')! }),
  'deleteOrderByOrderID, again': (sdk, seen) => sdk.trading.orders.deleteOrderByOrderID({ orderId: seen.get('replaced')! }),
  'deleteOrderByOrderID, unknown': (sdk) => sdk.trading.orders.deleteOrderByOrderID({ orderId: NOBODY }),
  'deleteOrderByOrderID, nothing said': (sdk) => sdk.trading.orders.deleteOrderByOrderID({} as never),
  deleteAllOrders: (sdk) => sdk.trading.orders.deleteAllOrders(),
  collectActivitiesByType: (sdk) => sdk.trading.collectActivitiesByType({ activityType: 'FILL', direction: 'asc' } as never),
  getAllOpenPositions: (sdk) => sdk.trading.positions.getAllOpenPositions(),
  getOpenPosition: (sdk) => sdk.trading.positions.getOpenPosition({ symbolOrAssetId: 'AAPL' }),
  'getOpenPosition, none': (sdk) => sdk.trading.positions.getOpenPosition({ symbolOrAssetId: 'NOSUCH' }),
  deleteOpenPosition: (sdk) => sdk.trading.positions.deleteOpenPosition({ symbolOrAssetId: 'AAPL' }),
  closeAllPositions: (sdk) => sdk.trading.closeAllPositions(),
  'watchlists, which are not served': (sdk) => sdk.trading.watchlists.getWatchlists(),
  stockLatestQuotes: (sdk) => sdk.marketData.stocks.stockLatestQuotes({ symbols: 'AAPL,MSFT' }),
  stockLatestTradeSingle: (sdk) => sdk.marketData.stocks.stockLatestTradeSingle({ symbol: 'AAPL' }),
  stockSnapshots: (sdk) => sdk.marketData.stocks.stockSnapshots({ symbols: 'AAPL' }),
  getStockBarsFor: (sdk) => sdk.marketData.getStockBarsFor('AAPL', { timeframe: '1Min' as never, start: new Date(HOUR_AGO()), limit: 7 } as never),
  collectStockTradesBySymbol: (sdk) =>
    sdk.marketData.collectStockTradesBySymbol({ symbols: ['AAPL', 'MSFT'], start: secondsAgo(10), end: secondsAgo(2), limit: 4 } as never),
  getStockCandlesFor: (sdk) => sdk.marketData.getStockCandlesFor('AAPL', { timeframe: '1Hour' as never, start: new Date(HOUR_AGO()) }),
  'stockBars, no such symbol': (sdk) => sdk.marketData.stocks.stockBars({ symbols: 'NOSUCH', timeframe: '1Min' }),
  'stockBars, no such timeframe': (sdk) => sdk.marketData.stocks.stockBars({ symbols: 'AAPL', timeframe: '7Moons' }),
  cryptoLatestOrderbooks: (sdk) => sdk.marketData.crypto.cryptoLatestOrderbooks({ loc: 'us' as never, symbols: 'BTC/USD' }),
  cryptoSnapshots: (sdk) => sdk.marketData.crypto.cryptoSnapshots({ loc: 'us' as never, symbols: 'BTC/USD' }),
};

/** Ends of time and of chance: what two calls at two moments may differ in. */
const VARYING =
  /^(?:[bas]s?|s|i|v|n|vw|[ohlcp]|bp|ap|volume|vwap|tradeCount|open|high|low|close|.*(?:Size|ID|Volume|Price|Count|VWAP)|buying_power|buyingPower|retryAfterMs|requestId|cash|equity|.*(?:[Pp]ower|_value|Value|equity|Equity|basis|Basis|_pl|_plpc|Pl|Plpc|price))$/;
const TIME = /^\d{4}-\d\d-\d\d(?:T[\d:.]+Z)?$/;

function plain(value: unknown, key = ''): unknown {
  if (value instanceof Date || (typeof value === 'string' && TIME.test(value))) return '<time>';
  // Of the latest trade, which is another one a second later.
  if (key === 'TakerSide' || key === 'tks') return '<side>';
  if (typeof value === 'string' && /^\d{17}::/.test(value)) return value.replace(/^\d{17}/, '<time>');
  if (typeof value === 'number' && (VARYING.test(key) || value > 1e9)) return '<number>';
  if (value instanceof Map) return [...value].map(([name, one]) => [name, plain(one)]);
  if (ArrayBuffer.isView(value)) return `<${value.constructor.name} of ${(value as unknown as ArrayLike<unknown>).length}>`;
  if (Array.isArray(value)) return value.map((one) => plain(one, key));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one, name)]));
}

async function outcomeOf<S>(call: Call<S>, sdk: S, seen: Map<string, string>): Promise<unknown> {
  try {
    const result = await call(sdk, seen);
    if (typeof result !== 'object' || result === null || !(Symbol.asyncIterator in result)) return plain(result);
    const rows: unknown[] = [];
    for await (const row of result as AsyncIterable<unknown>) rows.push(plain(row));
    return rows;
  } catch (error) {
    const { message, name, status, code, response } = error as Error & {
      status?: unknown;
      code?: unknown;
      response?: { status?: unknown; data?: unknown };
    };
    return {
      error: Object.getPrototypeOf(error).constructor.name,
      message,
      name,
      status,
      code,
      answered: response?.status,
      data: plain(response?.data),
    };
  }
}

async function both<S extends object>(make: () => S, calls: Readonly<Record<string, Call<S>>>): Promise<readonly [string, unknown, unknown][]> {
  const run = async (wrap: (sdk: S) => S): Promise<unknown[]> => {
    await using served = await serveAlpaca(alpacaVenue({ visibilityLagMs: 0 }));
    const sdk = wrap(served.connect(make()));
    const seen = new Map<string, string>();
    const outcomes: unknown[] = [];
    for (const call of Object.values(calls)) outcomes.push(await outcomeOf(call, sdk, seen));
    await release(sdk);
    return outcomes;
  };
  const [raw, wrapped] = await Promise.all([run((sdk) => sdk), run((sdk) => resilient(sdk, { capabilities: CAPABILITIES }))]);
  return Object.keys(calls).map((name, i) => [name, raw[i], wrapped[i]]);
}

describe('raw and resilient, on a calm venue', () => {
  it(`give the same results and errors for ${Object.keys(V3_CALLS).length} calls of version 3`, async () => {
    expect(Object.keys(V3_CALLS).length).toBeGreaterThan(40);
    for (const [name, raw, wrapped] of await both(newV3 as () => AnyV3, V3_CALLS)) expect([name, wrapped]).toEqual([name, raw]);
  });

  it(`give the same results and errors for ${Object.keys(V4_CALLS).length} calls of version 4`, async () => {
    expect(Object.keys(V4_CALLS).length).toBeGreaterThan(40);
    for (const [name, raw, wrapped] of await both(() => newV4({ timeoutMs: 5_000, rateLimit: false }), V4_CALLS))
      expect([name, wrapped]).toEqual([name, raw]);
  });
});
