/** Where Binance's WebSocket endpoints are. */
export interface SocketUrls {
  /** Of the WebSocket API: requests, and the account's events. */
  readonly api: string;
  /** Of the combined market streams. */
  readonly streams: string;
}

/** By the host of the REST API. Source: binance-spot-api-docs, web-socket-api.md and web-socket-streams.md, for the exchange, its testnet and its demo. */
const BY_REST_HOST: readonly (readonly [host: RegExp, urls: SocketUrls])[] = [
  [/^api(?:\d|-gcp)?\.binance\.com$/, { api: 'wss://ws-api.binance.com:443/ws-api/v3', streams: 'wss://stream.binance.com:9443/stream' }],
  [/^testnet\.binance\.vision$/, { api: 'wss://ws-api.testnet.binance.vision/ws-api/v3', streams: 'wss://stream.testnet.binance.vision/stream' }],
  [/^demo-api\.binance\.com$/, { api: 'wss://demo-ws-api.binance.com/ws-api/v3', streams: 'wss://demo-stream.binance.com/stream' }],
];

/** The WebSocket addresses that belong to a REST address; undefined for a host that is not Binance's own. */
export function socketUrlsFor(restUrl: string): SocketUrls | undefined {
  let host: string;
  try {
    ({ host } = new URL(restUrl));
  } catch {
    return undefined;
  }
  return BY_REST_HOST.find(([pattern]) => pattern.test(host))?.[1];
}
