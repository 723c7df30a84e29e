import { requireText } from '../../core/options.js';

/** A market as ccxt lists it. */
export interface CcxtMarket {
  readonly id: string;
  readonly symbol: string;
  /** Another name of the venue's for it, where it has one. */
  readonly altname?: string;
  /** The asset that is paid with, as ccxt calls it. */
  readonly quote?: string;
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
  handleErrors(status: number, statusText: string, url: string, method: string, headers: unknown, body: string, ...rest: unknown[]): unknown;
  handleHttpStatusCode(status: number, statusText: string, url: string, method: string, body: unknown): unknown;
  onRestResponse(status: number, statusText: string, url: string, method: string, headers: unknown, body: string, ...rest: unknown[]): string;
}

type Costs = Readonly<Record<string, number | Readonly<Record<string, unknown>>>>;

/** Binance as ccxt knows it. */
export interface CcxtBinance extends CcxtExchange {
  /** What each endpoint costs, by section, method in lower case, and path. */
  readonly api: Readonly<Record<string, Readonly<Record<string, Costs>> | undefined>>;
  request(
    path: string,
    section: string,
    method: string,
    params: Record<string, unknown>,
    headers: undefined,
    body: undefined,
    config: object,
  ): Promise<unknown>;
}

const BINANCE_METHODS = [
  'loadMarkets',
  'market',
  'fetch',
  'request',
  'throttle',
  'onRestResponse',
  'handleErrors',
  'handleHttpStatusCode',
  'privatePostOrder',
  'privateDeleteOrder',
] as const;

/** Alpaca as ccxt knows it: its endpoints are asked by their paths, since many have no method of their own in ccxt. */
export interface CcxtAlpaca extends CcxtExchange {
  readonly urls?: { readonly api?: { readonly trader?: unknown; readonly market?: unknown } };
  fetch2(path: string, api: readonly string[], method: string, params: Record<string, unknown>): Promise<unknown>;
}

const ALPACA_METHODS = ['loadMarkets', 'market', 'fetch', 'fetch2', 'throttle', 'onRestResponse'] as const;

/** Kraken as ccxt knows it. */
export interface CcxtKraken extends CcxtExchange {
  readonly urls?: { readonly api?: { readonly private?: unknown } };
  fetch2(path: string, api: string, method: string, params: Record<string, unknown>): Promise<unknown>;
  /** What a private request is told apart by: above every one before. */
  nonce(): number;
  /** Of the whole instance. */
  last_http_response?: string;
}

const KRAKEN_METHODS = ['loadMarkets', 'market', 'fetch', 'fetch2', 'throttle', 'onRestResponse', 'handleErrors', 'nonce'] as const;

/** An exchange of ccxt that venuekit knows. */
export type KnownExchange =
  | { readonly id: 'binance'; readonly sdk: CcxtBinance }
  | { readonly id: 'alpaca'; readonly sdk: CcxtAlpaca }
  | { readonly id: 'kraken'; readonly sdk: CcxtKraken };

const METHODS: Readonly<Record<KnownExchange['id'], readonly string[]>> = {
  binance: BINANCE_METHODS,
  alpaca: ALPACA_METHODS,
  kraken: KRAKEN_METHODS,
};

/** @throws TypeError that says what is missing, unless `sdk` has the shape of a known ccxt exchange with credentials. */
export function requireWithCredentials(sdk: object): KnownExchange {
  const known = requireKnownExchange(sdk, 'toAdapter');
  requireText('sdk.apiKey', known.sdk.apiKey as string);
  requireText('sdk.secret', known.sdk.secret as string);
  return known;
}

/** @throws TypeError as {@link requireWithCredentials}, but for credentials: public data needs none. */
export function requireKnownExchange(sdk: object | null | undefined, caller: string): KnownExchange {
  const { id, loadMarkets } = (sdk ?? {}) as Partial<CcxtExchange>;
  if (typeof id !== 'string' || typeof loadMarkets !== 'function') {
    throw new TypeError('sdk must be a ccxt exchange, such as `new ccxt.binance({ apiKey, secret })`; this object has no id and loadMarkets()');
  }
  const methods = Object.hasOwn(METHODS, id) ? METHODS[id as KnownExchange['id']] : undefined;
  if (methods === undefined) {
    throw new TypeError(
      `${caller} of venuekit/ccxt knows the exchanges "binance", "alpaca" and "kraken" so far, got "${id}"; for another one, with a look-up of orders by client id, implement BrokerAdapter, see CONTRIBUTING.md`,
    );
  }
  const members = sdk as Readonly<Record<string, unknown>>;
  const missing = methods.find((method) => typeof members[method] !== 'function');
  if (missing !== undefined) throw new TypeError(`sdk is a ccxt ${id} without ${missing}(); venuekit/ccxt needs ccxt 4.4 or newer`);
  return { id, sdk } as KnownExchange;
}

/** Options that one exchange alone has, by its id. */
const OF_ONE = { krakenTier: 'kraken', requestsPerMinute: 'alpaca' } as const;

/** @throws TypeError when an option of one exchange is given for another. */
export function requireOwnOptions({ id }: KnownExchange, options: Readonly<Partial<Record<keyof typeof OF_ONE, unknown>>>): void {
  for (const [option, owner] of Object.entries(OF_ONE)) {
    if (options[option as keyof typeof OF_ONE] !== undefined && id !== owner)
      throw new TypeError(`${option} must be left out for ccxt ${id}: it is of ccxt ${owner} alone`);
  }
}
