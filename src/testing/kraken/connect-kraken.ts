import type { Credentials } from '../served/credentials.js';
import { rewrittenUrls } from '../served/rewritten-urls.js';

/** The parts of ccxt's kraken that say where it leads. */
interface CcxtShape {
  id: string;
  urls: { api: Record<string, unknown> };
  apiKey: string;
  secret: string;
}

/**
 * Points a ccxt kraken instance at a served venue, with its credentials. The instance itself is changed and given back.
 * @throws TypeError for anything else: the shape decides, not the class.
 */
export function connectKraken<S extends object>(sdk: S, address: string, { apiKey, secret }: Credentials): S {
  if (!isCcxtKraken(sdk)) throw new TypeError('connect() takes ccxt\'s kraken at a served Kraken (an object with id "kraken" and urls.api)');
  sdk.urls.api = rewrittenUrls(sdk.urls.api, address);
  return Object.assign(sdk, { apiKey, secret });
}

function isCcxtKraken(sdk: object): sdk is CcxtShape {
  const { id, urls } = sdk as Partial<CcxtShape>;
  return id === 'kraken' && typeof urls?.api === 'object';
}
