import type { Credentials } from '../served/credentials.js';

interface V3Session {
  url: string;
  apiKey: string;
  secretKey: string;
}

/** The parts of @alpacahq/alpaca-trade-api 3 that say where it leads. */
interface V3Shape {
  configuration: { baseUrl: string; dataBaseUrl: string; dataStreamUrl: string; keyId: string; secretKey: string; oauth: string; feed: string };
  trade_ws: { session: V3Session };
  data_stream_v2: { session: V3Session };
  crypto_stream_v1beta3: { session: V3Session };
}

type StreamMaker = (options?: object) => unknown;

interface V4Client {
  config: { configuration: Record<string, unknown> };
  credentials: { keyId: string; secret: string };
}

/** The same of @alpacahq/alpaca-trade-api 4. */
interface V4Shape {
  trading: V4Client & { stream: StreamMaker };
  marketData: V4Client & { stockStream: StreamMaker; cryptoStream: StreamMaker };
}

/** The same of ccxt's alpaca: an address for each of its sections. */
interface CcxtShape {
  id: string;
  urls: { api: Record<string, unknown> };
}

/**
 * Points an instance of @alpacahq/alpaca-trade-api, 3 or 4, or of ccxt's alpaca at a served venue: both hosts, all streams, the credentials.
 * The instance itself is changed and given back.
 * @throws TypeError for anything else: the shape decides, not the class.
 */
export function connectAlpaca<S extends object>(sdk: S, address: string, credentials: Credentials): S {
  if (isV3(sdk)) connectV3(sdk, address, credentials);
  else if (isV4(sdk)) connectV4(sdk, address, credentials);
  else if (isCcxt(sdk)) connectCcxt(sdk, address, credentials);
  else
    throw new TypeError(
      "connect() takes an instance of @alpacahq/alpaca-trade-api (`new Alpaca({ keyId, secretKey })` of version 3, `new Alpaca({ keyId, secret })` of version 4) or ccxt's alpaca",
    );
  return sdk;
}

function connectV3(
  { configuration, trade_ws, data_stream_v2, crypto_stream_v1beta3 }: V3Shape,
  address: string,
  { apiKey, secret }: Credentials,
): void {
  Object.assign(configuration, {
    baseUrl: `http://${address}`,
    dataBaseUrl: `http://${address}`,
    dataStreamUrl: `ws://${address}`,
    keyId: apiKey,
    secretKey: secret,
    oauth: '',
  });
  const keys = { apiKey, secretKey: secret };
  Object.assign(trade_ws.session, keys, { url: `ws://${address}/stream` });
  // Its constructor makes every address a wss:// one, so the finished address is replaced.
  Object.assign(data_stream_v2.session, keys, { url: `ws://${address}/v2/${configuration.feed}` });
  Object.assign(crypto_stream_v1beta3.session, keys, { url: `ws://${address}/v1beta3/crypto/us` });
}

function connectV4({ trading, marketData }: V4Shape, address: string, { apiKey, secret }: Credentials): void {
  for (const client of [trading, marketData]) {
    Object.assign(client.config.configuration, { basePath: `http://${address}`, keyId: apiKey, secret, accessToken: undefined });
    Object.assign(client.credentials, { keyId: apiKey, secret });
  }
  redirect(trading, 'stream', () => `ws://${address}/stream`);
  redirect(marketData, 'stockStream', ({ feed = 'iex' }) => `ws://${address}/v2/${feed}`);
  redirect(marketData, 'cryptoStream', ({ loc = 'us' }) => `ws://${address}/v1beta3/crypto/${loc}`);
}

function redirect<K extends string>(client: Record<K, StreamMaker>, name: K, url: (options: { feed?: string; loc?: string }) => string): void {
  const make = client[name].bind(client);
  client[name] = (options = {}) => make({ url: url(options), ...options });
}

function connectCcxt(sdk: CcxtShape, address: string, { apiKey, secret }: Credentials): void {
  for (const section of Object.keys(sdk.urls.api)) sdk.urls.api[section] = `http://${address}`;
  Object.assign(sdk, { apiKey, secret });
}

function isCcxt(sdk: object): sdk is CcxtShape {
  const { id, urls } = sdk as Partial<CcxtShape>;
  return id === 'alpaca' && typeof urls?.api === 'object';
}

function isV3(sdk: object): sdk is V3Shape {
  const { configuration, trade_ws } = sdk as Partial<V3Shape>;
  return typeof configuration?.baseUrl === 'string' && typeof trade_ws?.session === 'object';
}

function isV4(sdk: object): sdk is V4Shape {
  const { trading, marketData } = sdk as Partial<V4Shape>;
  return typeof trading?.config?.configuration === 'object' && typeof marketData?.config?.configuration === 'object';
}
