import type { Cost } from '../../contracts/broker.js';
import type { MarketKind } from '../../contracts/market-data.js';
import { weightOfDepth } from './market-data.js';
import type { Params } from './wire.js';

type Weight = number | ((params: Params) => number);

/** Source: binance-spot-api-docs, rest-api.md, "weight" of each endpoint. What is not here counts {@link OTHERS}. */
const WEIGHTS: Readonly<Record<string, Weight>> = {
  'GET ping': 1,
  'GET time': 1,
  'GET exchangeInfo': 20,
  'GET depth': ({ limit }) => weightOfDepth(Number(limit ?? 100)),
  'GET trades': 25,
  'GET historicalTrades': 25,
  'GET aggTrades': 4,
  'GET klines': 2,
  'GET uiKlines': 2,
  'GET avgPrice': 2,
  'GET ticker/24hr': (params) => {
    const count = symbolsIn(params);
    return count <= 20 ? 2 : count <= 100 ? 40 : 80;
  },
  'GET ticker/tradingDay': (params) => Math.min(200, 4 * symbolsIn(params)),
  'GET ticker': (params) => Math.min(200, 4 * symbolsIn(params)),
  'GET ticker/price': ({ symbol }) => (symbol === undefined ? 4 : 2),
  'GET ticker/bookTicker': ({ symbol }) => (symbol === undefined ? 4 : 2),
  'POST order': 1,
  'DELETE order': 1,
  'GET order': 4,
  'POST order/test': ({ computeCommissionRates }) => (computeCommissionRates === undefined ? 1 : 20),
  'POST order/cancelReplace': 1,
  'PUT order/amend/keepPriority': 4,
  'GET openOrders': ({ symbol }) => (symbol === undefined ? 80 : 6),
  'DELETE openOrders': 1,
  'GET allOrders': 20,
  'POST order/oco': 1,
  'POST orderList/oco': 1,
  'POST orderList/oto': 1,
  'POST orderList/otoco': 1,
  'POST orderList/opo': 1,
  'POST orderList/opoco': 1,
  'DELETE orderList': 1,
  'GET orderList': 4,
  'GET allOrderList': 20,
  'GET openOrderList': 6,
  'POST sor/order': 1,
  'GET account': 20,
  'GET account/commission': 20,
  'GET rateLimit/order': 40,
  'GET myTrades': ({ orderId }) => (orderId === undefined ? 20 : 5),
  'GET myPreventedMatches': 20,
  'GET myAllocations': 20,
};
const OTHERS = 2;
const PREFIX = '/api/v3/';
const BARE_PREFIX = 'api/v3/';
const SPOT = /^\/?api\/v3\//;
const MAKES_ORDERS = /^POST (?:order$|order\/cancelReplace|order\/oco|orderList\/|sor\/order$)/;

/** How often symbols are named in a request; many where it is for all of them. */
function symbolsIn({ symbol, symbols }: Params): number {
  if (symbol !== undefined) return 1;
  if (Array.isArray(symbols)) return symbols.length;
  return typeof symbols === 'string' ? symbols.split(',').length : Infinity;
}

/** What a request of the spot API costs. Other APIs of the host have limits of their own, which are left to the bot. */
export function costsOf(method: string, path: string, params: Params): readonly Cost[] {
  const start = path.startsWith(PREFIX) ? PREFIX.length : path.startsWith(BARE_PREFIX) ? BARE_PREFIX.length : 0;
  if (start === 0) return [];
  const name = `${method} ${path.slice(start)}`;
  const weight = WEIGHTS[name] ?? OTHERS;
  const costs = [{ limit: 'weight-1m', units: typeof weight === 'number' ? weight : weight(params) }];
  return method === 'POST' && MAKES_ORDERS.test(name) ? [...costs, { limit: 'orders-10s', units: 1 }] : costs;
}

const KINDS: readonly (readonly [pattern: RegExp, kind: MarketKind])[] = [
  [/^depth$/, 'book'],
  [/^(?:ui)?[kK]lines$/, 'bars'],
  [/^(?:trades|aggTrades|historicalTrades)$/, 'trades'],
  [/^(?:ticker|ticker\/.*|avgPrice)$/, 'quote'],
  [/^exchangeInfo$/, 'instrument'],
];

/** Which kind of market data a path of the spot API asks for; undefined for everything else. */
export function kindOfPath(path: string): MarketKind | undefined {
  if (!SPOT.test(path)) return undefined;
  const name = path.replace(SPOT, '');
  return KINDS.find(([pattern]) => pattern.test(name))?.[1];
}
