import { describe, expect, it, vi } from 'vitest';
import { release, resilient } from '../../../../src/sdk/binance/index.js';
import { serveBinance } from '../../../../src/testing/index.js';
import { binanceVenue, CAPABILITIES, madeAt, SDKS } from './given.js';

type Call = readonly [method: string, ...args: readonly unknown[]];

const LIMIT = { timeInForce: 'GTC', quantity: '0.01', price: '40000' };
const B = 'BTCUSDT';
const byId = (origClientOrderId: string) => ({ origClientOrderId });

/** The same day of a bot in the words of each SDK: every read, every kind of order, and what goes wrong. */
const CALLS: Readonly<Record<string, readonly Call[]>> = {
  '@binance/connector': [
    ['ping'],
    ['time'],
    ['exchangeInfo'],
    ['exchangeInfo', { symbol: B }],
    ['exchangeInfo', { symbol: 'NOSUCH' }],
    ['depth', B],
    ['depth', B, { limit: 5 }],
    ['depth', 'NOSUCH'],
    ['trades', B, { limit: 5 }],
    ['aggTrades', B, { limit: 5 }],
    ['klines', B, '1m', { limit: 3 }],
    ['klines', B, 'nonsense'],
    ['ticker24hr', B],
    ['ticker24hr'],
    ['tickerPrice', B],
    ['tickerPrice'],
    ['bookTicker', B],
    ['bookTicker', '', [B, 'ETHUSDT']],
    ['bookTicker', 'NOSUCH'],
    ['newOrder', B, 'BUY', 'MARKET', { quantity: '0.01' }],
    ['newOrder', B, 'BUY', 'MARKET', { quantity: '0.01', newClientOrderId: 'mine-1', newOrderRespType: 'ACK' }],
    ['newOrder', B, 'BUY', 'LIMIT', { ...LIMIT, newClientOrderId: 'mine-2' }],
    ['newOrder', B, 'BUY', 'LIMIT', { ...LIMIT, newClientOrderId: 'mine-3', newOrderRespType: 'RESULT' }],
    ['newOrder', B, 'SELL', 'LIMIT', { ...LIMIT, price: '60000', newClientOrderId: 'mine-4' }],
    ['newOrder', B, 'BUY', 'LIMIT', { ...LIMIT, timeInForce: 'IOC', newClientOrderId: 'mine-5' }],
    ['newOrder', B, 'BUY', 'LIMIT', { ...LIMIT, price: '40000.001' }],
    ['newOrder', B, 'BUY', 'LIMIT', { timeInForce: 'GTC', quantity: '0.01' }],
    ['newOrder', B, 'BUY', 'MARKET', { quantity: '100' }],
    ['newOrder', B, 'BUY', 'MARKET', { quoteOrderQty: '100', newClientOrderId: 'mine-6' }],
    ['newOrder', 'NOSUCH', 'BUY', 'MARKET', { quantity: '1' }],
    ['newOrderTest', B, 'BUY', 'MARKET', { quantity: '1' }],
    ['getOrder', B, byId('mine-2')],
    ['getOrder', B, { orderId: 999 }],
    ['openOrders', { symbol: B }],
    ['openOrders'],
    ['allOrders', B],
    ['myTrades', B],
    ['account'],
    ['cancelOrder', B, byId('mine-2')],
    ['cancelOrder', B, byId('mine-2')],
    ['cancelOrder', B, { orderId: 999 }],
    ['cancelOpenOrders', B],
    ['createListenKey'],
    ['renewListenKey', 'nonsense'],
  ],
  binance: [
    ['testConnectivity'],
    ['getExchangeInfo'],
    ['getExchangeInfo', { symbol: B }],
    ['getExchangeInfo', { symbols: [B, 'ETHUSDT'] }],
    ['getExchangeInfo', { symbol: 'NOSUCH' }],
    ['getOrderBook', { symbol: B }],
    ['getOrderBook', { symbol: B, limit: 5 }],
    ['getOrderBook', { symbol: 'NOSUCH' }],
    ['getRecentTrades', { symbol: B, limit: 5 }],
    ['getAggregateTrades', { symbol: B, limit: 5 }],
    ['getKlines', { symbol: B, interval: '1m', limit: 3 }],
    ['getKlines', { symbol: B, interval: 'nonsense' }],
    ['get24hrChangeStatistics', { symbol: B }],
    ['get24hrChangeStatistics'],
    ['getSymbolPriceTicker', { symbol: B }],
    ['getSymbolPriceTicker'],
    ['getSymbolOrderBookTicker', { symbol: B }],
    ['getSymbolOrderBookTicker', { symbols: [B, 'ETHUSDT'] }],
    ['getSymbolOrderBookTicker', { symbol: 'NOSUCH' }],
    ['submitNewOrder', { symbol: B, side: 'BUY', type: 'MARKET', quantity: 0.01 }],
    ['submitNewOrder', { symbol: B, side: 'BUY', type: 'MARKET', quantity: 0.01, newClientOrderId: 'mine-1', newOrderRespType: 'ACK' }],
    ['submitNewOrder', { symbol: B, side: 'BUY', type: 'LIMIT', ...LIMIT, newClientOrderId: 'mine-2' }],
    ['submitNewOrder', { symbol: B, side: 'BUY', type: 'LIMIT', ...LIMIT, newClientOrderId: 'mine-3', newOrderRespType: 'RESULT' }],
    ['submitNewOrder', { symbol: B, side: 'SELL', type: 'LIMIT', ...LIMIT, price: 60_000, newClientOrderId: 'mine-4' }],
    ['submitNewOrder', { symbol: B, side: 'BUY', type: 'LIMIT', ...LIMIT, timeInForce: 'IOC', newClientOrderId: 'mine-5' }],
    ['submitNewOrder', { symbol: B, side: 'BUY', type: 'LIMIT', ...LIMIT, price: '40000.001' }],
    ['submitNewOrder', { symbol: B, side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', quantity: '0.01' }],
    ['submitNewOrder', { symbol: B, side: 'BUY', type: 'MARKET', quantity: 100 }],
    ['submitNewOrder', { symbol: B, side: 'BUY', type: 'MARKET', quoteOrderQty: 100, newClientOrderId: 'mine-6' }],
    ['submitNewOrder', { symbol: 'NOSUCH', side: 'BUY', type: 'MARKET', quantity: 1 }],
    ['testNewOrder', { symbol: B, side: 'BUY', type: 'MARKET', quantity: 1 }],
    ['getOrder', { symbol: B, ...byId('mine-2') }],
    ['getOrder', { symbol: B, orderId: 999 }],
    ['getOpenOrders', { symbol: B }],
    ['getOpenOrders'],
    ['getAllOrders', { symbol: B }],
    ['getAccountTradeList', { symbol: B }],
    ['getAccountInformation'],
    ['cancelOrder', { symbol: B, ...byId('mine-2') }],
    ['cancelOrder', { symbol: B, ...byId('mine-2') }],
    ['cancelOrder', { symbol: B, orderId: 999 }],
    ['cancelAllSymbolOrders', { symbol: B }],
    ['getSpotUserDataListenKey'],
    ['keepAliveSpotUserDataListenKey', 'nonsense'],
  ],
  '@binance/spot': [
    ['ping'],
    ['time'],
    ['exchangeInfo'],
    ['exchangeInfo', { symbol: B }],
    ['exchangeInfo', { symbols: [B, 'ETHUSDT'] }],
    ['exchangeInfo', { symbol: 'NOSUCH' }],
    ['depth', { symbol: B }],
    ['depth', { symbol: B, limit: 5 }],
    ['depth', { symbol: 'NOSUCH' }],
    ['depth', {}],
    ['getTrades', { symbol: B, limit: 5 }],
    ['aggTrades', { symbol: B, limit: 5 }],
    ['klines', { symbol: B, interval: '1m', limit: 3 }],
    ['klines', { symbol: B, interval: 'nonsense' }],
    ['ticker24hr', { symbol: B }],
    ['ticker24hr'],
    ['tickerPrice', { symbol: B }],
    ['tickerPrice'],
    ['tickerBookTicker', { symbol: B }],
    ['tickerBookTicker', { symbols: [B, 'ETHUSDT'] }],
    ['tickerBookTicker', { symbol: 'NOSUCH' }],
    ['newOrder', { symbol: B, side: 'BUY', type: 'MARKET', quantity: 0.01 }],
    ['newOrder', { symbol: B, side: 'BUY', type: 'MARKET', quantity: 0.01, newClientOrderId: 'mine-1', newOrderRespType: 'ACK' }],
    ['newOrder', { symbol: B, side: 'BUY', type: 'LIMIT', ...LIMIT, newClientOrderId: 'mine-2' }],
    ['newOrder', { symbol: B, side: 'BUY', type: 'LIMIT', ...LIMIT, newClientOrderId: 'mine-3', newOrderRespType: 'RESULT' }],
    ['newOrder', { symbol: B, side: 'SELL', type: 'LIMIT', ...LIMIT, price: 60_000, newClientOrderId: 'mine-4' }],
    ['newOrder', { symbol: B, side: 'BUY', type: 'LIMIT', ...LIMIT, timeInForce: 'IOC', newClientOrderId: 'mine-5' }],
    ['newOrder', { symbol: B, side: 'BUY', type: 'LIMIT', ...LIMIT, price: '40000.001' }],
    ['newOrder', { symbol: B, side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', quantity: '0.01' }],
    ['newOrder', { symbol: B, side: 'BUY', type: 'MARKET', quantity: 100 }],
    ['newOrder', { symbol: B, side: 'BUY', type: 'MARKET', quoteOrderQty: 100, newClientOrderId: 'mine-6' }],
    ['newOrder', { symbol: 'NOSUCH', side: 'BUY', type: 'MARKET', quantity: 1 }],
    ['newOrder', { symbol: B }],
    ['orderTest', { symbol: B, side: 'BUY', type: 'MARKET', quantity: 1 }],
    ['getOrder', { symbol: B, ...byId('mine-2') }],
    ['getOrder', { symbol: B, orderId: 999 }],
    ['getOpenOrders', { symbol: B }],
    ['getOpenOrders'],
    ['allOrders', { symbol: B }],
    ['myTrades', { symbol: B }],
    ['getAccount'],
    ['deleteOrder', { symbol: B, ...byId('mine-2') }],
    ['deleteOrder', { symbol: B, ...byId('mine-2') }],
    ['deleteOrder', { symbol: B, orderId: 999 }],
    ['deleteOpenOrders', { symbol: B }],
  ],
  'binance-api-node': [
    ['ping'],
    ['exchangeInfo'],
    ['exchangeInfo', { symbol: B }],
    ['exchangeInfo', { symbol: 'NOSUCH' }],
    ['book', { symbol: B }],
    ['book', { symbol: B, limit: 5 }],
    ['book', { symbol: 'NOSUCH' }],
    ['book'],
    ['book', {}],
    ['trades', { symbol: B, limit: 5 }],
    ['aggTrades', { symbol: B, limit: 5 }],
    ['candles', { symbol: B }],
    ['candles', { symbol: B, interval: '1m', limit: 3 }],
    ['candles', { symbol: B, interval: 'nonsense' }],
    ['dailyStats', { symbol: B }],
    ['dailyStats'],
    ['prices', { symbol: B }],
    ['prices'],
    ['allBookTickers'],
    ['order', { symbol: B, side: 'BUY', type: 'MARKET', quantity: '0.01' }],
    ['order', { symbol: B, side: 'BUY', type: 'MARKET', quantity: 0.01, newClientOrderId: 'mine-1', newOrderRespType: 'ACK' }],
    ['order', { symbol: B, side: 'BUY', quantity: '0.01', price: '40000', newClientOrderId: 'mine-2' }],
    ['order', { symbol: B, side: 'BUY', type: 'LIMIT', ...LIMIT, newClientOrderId: 'mine-3', newOrderRespType: 'RESULT' }],
    ['order', { symbol: B, side: 'SELL', type: 'LIMIT', ...LIMIT, price: '60000', newClientOrderId: 'mine-4' }],
    ['order', { symbol: B, side: 'BUY', type: 'LIMIT', ...LIMIT, timeInForce: 'IOC', newClientOrderId: 'mine-5' }],
    ['order', { symbol: B, side: 'BUY', type: 'LIMIT', ...LIMIT, price: '40000.001' }],
    ['order', { symbol: B, side: 'BUY', type: 'LIMIT', quantity: '0.01' }],
    ['order', { symbol: B, side: 'BUY', type: 'MARKET', quantity: '100' }],
    ['order', { symbol: B, side: 'BUY', type: 'MARKET', quoteOrderQty: '100', newClientOrderId: 'mine-6' }],
    ['order', { symbol: 'NOSUCH', side: 'BUY', type: 'MARKET', quantity: '1' }],
    ['order', { symbol: B, side: 'BUY', type: 'MARKET' }],
    ['order'],
    ['orderTest', { symbol: B, side: 'BUY', type: 'MARKET', quantity: '1' }],
    ['getOrder', { symbol: B, ...byId('mine-2') }],
    ['getOrder', { symbol: B, orderId: 999 }],
    ['openOrders', { symbol: B }],
    ['openOrders', { useServerTime: true }],
    ['allOrders', { symbol: B }],
    ['myTrades', { symbol: B }],
    ['accountInfo'],
    ['privateRequest', 'GET', '/api/v3/account', {}],
    ['publicRequest', 'GET', '/api/v3/ticker/price', { symbol: B }],
    ['cancelOrder', { symbol: B, ...byId('mine-2') }],
    ['cancelOrder', { symbol: B, ...byId('mine-2') }],
    ['cancelOrder', { symbol: B, orderId: 999 }],
    ['cancelOpenOrders', { symbol: B }],
    ['getDataStream'],
    ['keepDataStream', { listenKey: 'nonsense' }],
  ],
};

type Members = Readonly<Record<string, (...args: unknown[]) => unknown>>;

const TIMES = /time|^[ET]$/i;
const EPOCH_MS = 1e12;

/** Prices move between two calls, and the latest trades are others: of those the form is compared. */
const MARKET_READS = /depth|book|ticker|trades|klines|statistics|candles|prices|dailyStats/i;

/** What does not depend on when it was, nor on ids that an SDK makes up. */
function lasting(value: unknown, isMarket: boolean, name = ''): unknown {
  if (
    isMarket &&
    (typeof value === 'number' || typeof value === 'boolean' || (typeof value === 'string' && value !== '' && Number.isFinite(Number(value))))
  )
    return typeof value;
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && (TIMES.test(name) || value > EPOCH_MS)) return 'a time';
  if (typeof value === 'string' && name.toLowerCase().endsWith('clientorderid') && !value.startsWith('mine-')) return 'an id';
  if (typeof value === 'string' && name === 'listenKey') return 'a key';
  if (Array.isArray(value)) return value.map((item) => lasting(item, isMarket));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([member, item]) => [member, lasting(item, isMarket, member)]));
}

/** A result as bots use it, or an error as they tell it from others. */
async function seen(sdk: object, [method, ...args]: Call): Promise<unknown> {
  const holder = ('restAPI' in sdk ? sdk.restAPI : sdk) as Members;
  const isMarket = MARKET_READS.test(method) && method !== 'myTrades';
  try {
    const result: unknown = await holder[method]!(...structuredClone(args));
    if (typeof result !== 'object' || result === null || !('status' in result) || !('data' in result)) return lasting(result, isMarket);
    const data: unknown = typeof result.data === 'function' ? await (result.data as () => Promise<unknown>)() : result.data;
    return { status: result.status, data: lasting(data, isMarket) };
  } catch (error) {
    const { constructor: kind, code, message, body, response } = error as Record<string, { data?: unknown }>;
    return { class: (kind as { name?: string } | undefined)?.name, code, message, body, data: response?.data };
  }
}

describe.each(Object.entries(SDKS))('%s, raw and resilient, at a calm venue', (name, sdk) => {
  const calls = CALLS[name] ?? [];

  it(`gives the same results and the same errors for ${calls.length} calls`, async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    expect(calls.length).toBeGreaterThanOrEqual(40);
    // What is new is seen at once, however long the calls take.
    await using one = await serveBinance(binanceVenue({ visibilityLagMs: 0 }));
    await using other = await serveBinance(binanceVenue({ visibilityLagMs: 0 }));
    const raw = madeAt(sdk, one, { timeoutMs: 5_000 });
    const wrapped = resilient(madeAt(sdk, other, { timeoutMs: 5_000 }), { capabilities: CAPABILITIES });
    for (const call of calls) expect(await seen(wrapped, call), JSON.stringify(call)).toEqual(await seen(raw, call));
    await release(wrapped);
  });
});
