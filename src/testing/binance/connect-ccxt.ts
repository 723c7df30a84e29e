import { Agent } from 'node:http';
import type { Credentials } from '../served/credentials.js';
import { rewrittenUrls } from '../served/rewritten-urls.js';

export interface CcxtShape {
  id: string;
  urls: { api: Record<string, unknown> };
  /** ccxt.pro has one for https only, which a ws:// address refuses. */
  httpAgent?: unknown;
  options: Record<string, unknown>;
  apiKey: string;
  secret: string;
}

/**
 * Points a ccxt binance instance at a served venue: every URL under `urls.api`, the credentials, and
 * the loading of markets to what a spot venue has. The instance itself is changed and given back.
 */
export function connectCcxt<S extends CcxtShape>(sdk: S, url: string, credentials: Credentials): S {
  const host = url.replace(/^https?:\/\//, '');
  sdk.urls.api = rewrittenUrls(sdk.urls.api, host);
  // The REST class knows no streams, but who adapts it looks here for them.
  if (sdk.urls.api.ws === undefined) sdk.urls.api.ws = { spot: `ws://${host}/ws`, 'ws-api': { spot: `ws://${host}/ws-api/v3` } };
  else sdk.httpAgent ??= new Agent({ keepAlive: true });
  const markets = sdk.options.fetchMarkets;
  sdk.options.fetchMarkets = typeof markets === 'object' && markets !== null && !Array.isArray(markets) ? { ...markets, types: ['spot'] } : ['spot'];
  sdk.options.fetchMargins = false;
  sdk.options.fetchCurrencies = false;
  sdk.apiKey = credentials.apiKey;
  sdk.secret = credentials.secret;
  return sdk;
}

export function isCcxtBinance(sdk: object): sdk is CcxtShape {
  const { id, urls, options } = sdk as Partial<CcxtShape>;
  return typeof id === 'string' && id.startsWith('binance') && typeof urls?.api === 'object' && urls.api !== null && typeof options === 'object';
}
