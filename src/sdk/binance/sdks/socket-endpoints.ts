/**
 * The methods of Binance's WebSocket API and the REST endpoints of the same meaning: limits, retries and the order path know
 * requests by those. Source: binance-spot-api-docs, web-socket-api.md and rest-api.md.
 */
const ENDPOINTS: Readonly<Record<string, string>> = {
  ping: 'GET ping',
  time: 'GET time',
  exchangeInfo: 'GET exchangeInfo',
  depth: 'GET depth',
  'trades.recent': 'GET trades',
  'trades.historical': 'GET historicalTrades',
  'trades.aggregate': 'GET aggTrades',
  klines: 'GET klines',
  uiKlines: 'GET uiKlines',
  avgPrice: 'GET avgPrice',
  ticker: 'GET ticker',
  'ticker.24hr': 'GET ticker/24hr',
  'ticker.tradingDay': 'GET ticker/tradingDay',
  'ticker.price': 'GET ticker/price',
  'ticker.book': 'GET ticker/bookTicker',
  'order.place': 'POST order',
  'order.test': 'POST order/test',
  'order.cancel': 'DELETE order',
  'order.status': 'GET order',
  'order.amendments': 'GET order/amendments',
  'order.cancelReplace': 'POST order/cancelReplace',
  'order.amend.keepPriority': 'PUT order/amend/keepPriority',
  'openOrders.status': 'GET openOrders',
  'openOrders.cancelAll': 'DELETE openOrders',
  'orderList.place': 'POST order/oco',
  'orderList.place.oco': 'POST orderList/oco',
  'orderList.place.oto': 'POST orderList/oto',
  'orderList.place.otoco': 'POST orderList/otoco',
  'orderList.place.opo': 'POST orderList/opo',
  'orderList.place.opoco': 'POST orderList/opoco',
  'orderList.status': 'GET orderList',
  'orderList.cancel': 'DELETE orderList',
  'openOrderLists.status': 'GET openOrderList',
  allOrderLists: 'GET allOrderList',
  allOrders: 'GET allOrders',
  'sor.order.place': 'POST sor/order',
  'sor.order.test': 'POST sor/order/test',
  'account.status': 'GET account',
  'account.commission': 'GET account/commission',
  'account.rateLimits.orders': 'GET rateLimit/order',
  myTrades: 'GET myTrades',
  myFilters: 'GET myFilters',
  myAllocations: 'GET myAllocations',
  myPreventedMatches: 'GET myPreventedMatches',
};

const METHODS: Readonly<Record<string, string>> = Object.fromEntries(Object.entries(ENDPOINTS).map(([method, endpoint]) => [endpoint, method]));
const PREFIX = '/api/v3/';

/** The REST endpoint of a method; undefined for what is of the session alone. */
export function endpointOf(socketMethod: string): { readonly method: string; readonly path: string } | undefined {
  const [method, path] = ENDPOINTS[socketMethod]?.split(' ') ?? [];
  return method === undefined || path === undefined ? undefined : { method, path: PREFIX + path };
}

/** The method of a REST endpoint; undefined where the WebSocket API has none. */
export function socketMethodOf(method: string, path: string): string | undefined {
  return path.startsWith(PREFIX) ? METHODS[`${method} ${path.slice(PREFIX.length)}`] : undefined;
}
