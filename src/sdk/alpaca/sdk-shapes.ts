import type { AxiosAnswer } from '../shared/axios.js';
import { type OwnRetries, switchOffRetries } from '../shared/resilient-options.js';

type Method = (...args: unknown[]) => Promise<unknown>;

/** What is asked of an instance of @alpacahq/alpaca-trade-api 3, by shape; the package itself is never imported. */
export interface AlpacaV3 {
  readonly configuration: {
    readonly baseUrl: string;
    readonly dataBaseUrl: string;
    readonly dataStreamUrl: string;
    readonly keyId: string;
    readonly secretKey: string;
    readonly oauth: string;
    readonly feed: string;
  };
  httpRequest(endpoint: string, query?: unknown, body?: unknown, method?: string): Promise<AxiosAnswer>;
  readonly getLatestQuotes: Method;
  readonly getLatestCryptoQuotes: Method;
  readonly getCryptoBars: Method;
  readonly getCryptoTrades: Method;
  readonly getCryptoOrderbooks: Method;
  getBarsV2(symbol: string, options: object): AsyncIterable<unknown>;
  getTradesV2(symbol: string, options: object): AsyncIterable<unknown>;
}

const V3_METHODS = [
  'httpRequest',
  'createOrder',
  'cancelOrder',
  'getOrderByClientId',
  'getLatestQuotes',
  'getLatestCryptoQuotes',
  'getCryptoBars',
  'getCryptoTrades',
  'getCryptoOrderbooks',
  'getBarsV2',
  'getTradesV2',
] as const;

/** The configuration that every sub-client of version 4 shares. */
export interface V4Configuration {
  readonly basePath: string;
  readonly apiKey: ((name: string) => string | Promise<string>) | undefined;
  readonly accessToken: (() => string | Promise<string>) | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly redirect: 'error' | 'follow' | 'manual';
  readonly userAgent: string | undefined;
  /** The parameters that the members above are read from, on each request. */
  readonly configuration: V4Parameters;
  _rateLimiter?: unknown;
}

export interface V4Parameters {
  fetchApi?: Fetch | undefined;
  timeoutMs?: number | undefined;
  retry?: { readonly maxRetries?: number } | undefined;
  rateLimit?: unknown;
  readonly keyId?: string | undefined;
  readonly secret?: string | undefined;
  readonly accessToken?: unknown;
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** The same of version 4. */
export interface AlpacaV4 {
  readonly trading: { readonly config: V4Configuration };
  readonly marketData: { readonly config: V4Configuration };
}

export type KnownAlpaca = { readonly version: 3; readonly sdk: AlpacaV3 } | { readonly version: 4; readonly sdk: AlpacaV4 };

const SDK = '@alpacahq/alpaca-trade-api';

/** @throws TypeError that says what is missing, unless `sdk` has the shape of one of the known versions, with credentials. */
export function requireAlpaca(sdk: object | null | undefined): KnownAlpaca {
  const { trading, marketData, configuration } = (sdk ?? {}) as Partial<AlpacaV4> & Partial<AlpacaV3>;
  if (isConfiguration(trading?.config) && isConfiguration(marketData?.config)) {
    const known = sdk as AlpacaV4;
    const { keyId, secret, accessToken } = known.trading.config.configuration;
    if (!hasText(accessToken) && typeof accessToken !== 'function') requireKeys(keyId, secret, 'keyId', 'secret');
    return { version: 4, sdk: known };
  }
  if (typeof configuration !== 'object' || configuration === null || typeof configuration.baseUrl !== 'string') {
    throw new TypeError(
      `sdk must be an instance of ${SDK}, such as \`new Alpaca({ keyId, secret })\`; this object has neither trading and marketData (version 4) nor configuration.baseUrl (version 3)`,
    );
  }
  for (const method of V3_METHODS) {
    if (typeof (sdk as Readonly<Record<string, unknown>>)[method] !== 'function')
      throw new TypeError(`sdk is an Alpaca SDK without ${method}(); venuekit/alpaca needs ${SDK} 3.0 or newer`);
  }
  if (!hasText(configuration.oauth)) requireKeys(configuration.keyId, configuration.secretKey, 'keyId', 'secretKey');
  return { version: 3, sdk: sdk as AlpacaV3 };
}

function isConfiguration(config: unknown): config is V4Configuration {
  return typeof config === 'object' && config !== null && typeof (config as V4Configuration).configuration === 'object';
}

function hasText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function requireKeys(key: unknown, secret: unknown, keyName: string, secretName: string): void {
  if (!hasText(key)) throw new TypeError(`sdk has no credentials: give ${keyName} and ${secretName} to the constructor of ${SDK}`);
  if (!hasText(secret)) throw new TypeError(`sdk has a ${keyName} and no ${secretName}: give both to the constructor of ${SDK}`);
}

/** Version 3 has none. @throws TypeError where they are to be refused */
export function switchOffV4Retries({ trading }: AlpacaV4, options: OwnRetries['options']): void {
  switchOffRetries({
    sdk: `${SDK} 4`,
    option: 'retry.maxRetries',
    count: trading.config.configuration.retry?.maxRetries ?? 0,
    wayOut: '`retry: false` in its constructor',
    options,
  });
}
