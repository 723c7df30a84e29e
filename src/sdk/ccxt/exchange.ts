import { requireText } from '../../core/options.js';

/** Answers come back parsed and unchecked: JSON of the venue. */
export type Endpoint = (params?: Record<string, unknown>) => Promise<unknown>;

/** A market as ccxt lists it. */
export interface CcxtMarket {
  readonly id: string;
  readonly symbol: string;
  readonly spot?: boolean;
  readonly info?: unknown;
}

/**
 * What is asked of a ccxt exchange, by shape: the caller's own instance is used, of whatever version
 * and copy of ccxt it comes from, and ccxt itself is never imported.
 */
export interface CcxtExchange {
  readonly id: string;
  apiKey?: string;
  secret?: string;
  timeout: number;
  markets?: Record<string, CcxtMarket> | undefined;
  loadMarkets(reload?: boolean): Promise<unknown>;
  market(symbol: string): CcxtMarket;
  fetch(url: string, method?: string, headers?: unknown, body?: unknown): Promise<unknown>;
  throttle(cost?: number): Promise<unknown>;
  onRestResponse(status: number, statusText: string, url: string, method: string, headers: unknown, body: string, ...rest: unknown[]): string;
}

/** Endpoints that are asked for by us. */
export type EndpointName = Exclude<keyof CcxtBinance, keyof CcxtExchange>;

/** Endpoints of Binance spot, as ccxt derives them from its API description. */
export interface CcxtBinance extends CcxtExchange {
  privatePostOrder: Endpoint;
  privateDeleteOrder: Endpoint;
  privateGetOrder: Endpoint;
  privateGetOpenOrders: Endpoint;
  privateGetAllOrders: Endpoint;
  privateGetMyTrades: Endpoint;
  publicGetTime: Endpoint;
  publicGetTickerBookTicker: Endpoint;
  publicGetDepth: Endpoint;
  publicGetTrades: Endpoint;
  publicGetKlines: Endpoint;
}

const BINANCE_METHODS = [
  'loadMarkets',
  'market',
  'fetch',
  'throttle',
  'onRestResponse',
  'privatePostOrder',
  'privateDeleteOrder',
  'privateGetOrder',
  'privateGetOpenOrders',
  'privateGetAllOrders',
  'privateGetMyTrades',
  'publicGetTime',
  'publicGetTickerBookTicker',
  'publicGetDepth',
  'publicGetTrades',
  'publicGetKlines',
] as const satisfies readonly (keyof CcxtBinance)[];

/** @throws TypeError that says what is missing, unless `sdk` has the shape of a ccxt binance exchange with credentials. */
export function requireCcxtBinance(sdk: object): CcxtBinance {
  const exchange = requireBinanceShape(sdk, 'toAdapter');
  requireText('sdk.apiKey', exchange.apiKey as string);
  requireText('sdk.secret', exchange.secret as string);
  return exchange;
}

/** @throws TypeError as {@link requireCcxtBinance}, but for credentials: public data needs none. */
export function requireBinanceShape(sdk: object, caller: string): CcxtBinance {
  const exchange = sdk as Partial<CcxtBinance>;
  if (typeof exchange.id !== 'string' || typeof exchange.loadMarkets !== 'function') {
    throw new TypeError('sdk must be a ccxt exchange, such as `new ccxt.binance({ apiKey, secret })`; this object has no id and loadMarkets()');
  }
  if (exchange.id !== 'binance') {
    throw new TypeError(
      `${caller} of venuekit/ccxt knows the exchange "binance" so far, got "${exchange.id}"; implement BrokerAdapter for it, see CONTRIBUTING.md`,
    );
  }
  for (const method of BINANCE_METHODS) {
    if (typeof exchange[method] !== 'function')
      throw new TypeError(`sdk is a ccxt binance without ${method}(); venuekit/ccxt needs ccxt 4.4 or newer`);
  }
  return exchange as CcxtBinance;
}
