import type { Credentials } from '../served/credentials.js';
import { connectCcxt, isCcxtBinance } from './connect-ccxt.js';

/** The part of @binance/connector's `Spot` that says where it leads. */
interface ConnectorShape {
  baseURL: string;
  apiKey: string;
  apiSecret: string;
  privateKey: string;
}

/** The same of the `MainClient` of the package binance. */
interface SieblyShape {
  baseUrl: string;
  key: string;
  secret: string;
  options: Record<string, unknown>;
  globalRequestOptions: { headers?: Record<string, unknown> };
}

/** The same of @binance/spot's `Spot`. */
interface SpotShape {
  restAPI: { configuration: { basePath: string; apiKey: string; apiSecret: string; privateKey?: unknown; baseOptions: { headers?: object } } };
  /** Where it was made with `configurationWebsocketAPI`. */
  websocketAPI?: { configuration: { wsURL: string; apiKey: string; apiSecret: string; privateKey?: unknown } };
  /** Where it was made with `configurationWebsocketStreams`. */
  websocketStreams?: { configuration: { wsURL: string } };
}

/**
 * Points an SDK object for Binance spot at a served venue, with its credentials. The object itself is changed and given back.
 * @throws TypeError for anything else: the shape decides, not the class.
 */
export function connectBinance<S extends object>(sdk: S, url: string, credentials: Credentials): S {
  if (isCcxtBinance(sdk)) return connectCcxt(sdk, url, credentials);
  const { apiKey, secret } = credentials;
  if (isConnector(sdk)) Object.assign(sdk, { baseURL: url, apiKey, apiSecret: secret, privateKey: '' });
  else if (isSiebly(sdk)) {
    Object.assign(sdk, { baseUrl: url, key: apiKey, secret });
    Object.assign(sdk.options, { api_key: apiKey, api_secret: secret });
    sdk.globalRequestOptions.headers = { ...sdk.globalRequestOptions.headers, 'X-MBX-APIKEY': apiKey };
  } else if (isSpot(sdk)) {
    const { configuration } = sdk.restAPI;
    Object.assign(configuration, { basePath: url, apiKey, apiSecret: secret, privateKey: undefined });
    configuration.baseOptions.headers = { ...configuration.baseOptions.headers, 'X-MBX-APIKEY': apiKey };
    const keys = { apiKey, apiSecret: secret, privateKey: undefined };
    if (sdk.websocketAPI !== undefined) Object.assign(sdk.websocketAPI.configuration, { wsURL: `${url.replace('http', 'ws')}/ws-api/v3`, ...keys });
    if (sdk.websocketStreams !== undefined) sdk.websocketStreams.configuration.wsURL = url.replace('http', 'ws');
  } else if ('privateRequest' in sdk)
    throw new TypeError(
      'a client of binance-api-node can not be pointed elsewhere once it is made: give `httpBase: served.url` and the keys of `served.credentials` to Binance()',
    );
  else
    throw new TypeError(
      'connect() takes ccxt\'s binance (an object with id "binance…", urls.api and options), `new Spot(…)` of @binance/connector or @binance/spot, or `new MainClient(…)` of binance',
    );
  return sdk;
}

function isConnector(sdk: object): sdk is ConnectorShape {
  const { baseURL, signRequest } = sdk as { baseURL?: unknown; signRequest?: unknown };
  return typeof baseURL === 'string' && typeof signRequest === 'function';
}

function isSiebly(sdk: object): sdk is SieblyShape {
  const { baseUrl, globalRequestOptions } = sdk as { baseUrl?: unknown; globalRequestOptions?: unknown };
  return typeof baseUrl === 'string' && typeof globalRequestOptions === 'object' && globalRequestOptions !== null;
}

function isSpot(sdk: object): sdk is SpotShape {
  const { restAPI } = sdk as { restAPI?: { configuration?: { baseOptions?: unknown } } };
  return typeof restAPI?.configuration?.baseOptions === 'object';
}
