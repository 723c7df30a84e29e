import type { SocketUrls } from '../binance/endpoints.js';
import { socketUrlsFor } from '../binance/endpoints.js';
import type { CcxtBinance } from './exchange.js';

interface CcxtUrls {
  readonly api?: {
    readonly public?: unknown;
    readonly ws?: { readonly spot?: unknown; readonly 'ws-api'?: { readonly spot?: unknown } };
  };
}

/** ccxt's own options for a proxy: a connection past it would come from another address than the key allows. */
const PROXIES = ['httpProxy', 'httpsProxy', 'socksProxy', 'proxyUrl', 'wsProxy', 'wssProxy', 'wsSocksProxy'] as const;

/** Where the sockets of this instance lead: as ccxt.pro has them, or as its REST address suggests. */
export function socketUrlsOf(sdk: CcxtBinance): SocketUrls | undefined {
  const { api } = (sdk as { readonly urls?: CcxtUrls }).urls ?? {};
  const [session, spot] = [api?.ws?.['ws-api']?.spot, api?.ws?.spot];
  if (typeof session === 'string' && typeof spot === 'string') return { api: session, streams: spot.replace(/\/ws$/, '/stream') };
  return typeof api?.public === 'string' ? socketUrlsFor(api.public) : undefined;
}

/** The proxy option that is set, if any. */
export function proxyOf(sdk: CcxtBinance): string | undefined {
  return PROXIES.find((name) => {
    const value = (sdk as unknown as Readonly<Record<string, unknown>>)[name];
    return value !== undefined && value !== null && value !== '';
  });
}
