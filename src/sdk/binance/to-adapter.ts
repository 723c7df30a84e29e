import type { BrokerAdapter, VenueCapabilities } from '../../contracts/broker.js';
import type { Bus } from '../../contracts/events.js';
import type { MarketDataAdapter } from '../../contracts/market-data.js';
import type { Clock } from '../../core/clock.js';
import type { Logger } from '../../core/logger.js';
import { requireFunction, requireInteger, requireKnown, requireObject, requireText } from '../../core/options.js';
import { requireAdapterOptions } from '../shared/resilient-options.js';
import type { WebSocketConstructor } from '../shared/streams/web-socket.js';
import { BinanceAdapter, type SocketParts } from './binance-adapter.js';
import { type SocketUrls, socketUrlsFor } from './endpoints.js';
import { OwnNames } from './markets.js';
import { requireCapabilities } from './required-capabilities.js';
import { requireBinanceSdk, requireCredentials } from './sdks/known-sdks.js';
import { attemptMsOf } from './sdks/sdk-timeouts.js';
import { type BinanceSdk, SdkWire } from './sdks/sdk-wire.js';

/** Whose WebSockets an adapter opens, how many, and where to. */
export interface BinanceWebSocketOptions {
  /** In place of the runtime's own, for example one that goes through a proxy. */
  readonly WebSocket?: WebSocketConstructor;
  /** Most sessions for order calls; each carries one request at a time. @defaultValue 4 */
  readonly maxSessions?: number;
  /** @defaultValue those that belong to the SDK's REST address: of Binance itself, its testnet and its demo; none for any other */
  readonly urls?: SocketUrls;
}

/** What {@link toAdapter} takes beside the SDK. */
export interface BinanceAdapterOptions {
  /** Overrides what is known of the venue. */
  readonly capabilities?: Partial<VenueCapabilities>;
  readonly logger?: Logger;
  /** Where the pool of order sessions reports, beside the other pools. @defaultValue the bus of the trading client or kit that gets the adapter */
  readonly bus?: Bus;
  /**
   * How WebSockets are used: for the stream of own orders, for order calls while somebody follows that
   * stream, and for market streams. false: REST only.
   * @defaultValue the runtime's own WebSocket, else that of the package ws
   */
  readonly webSocket?: false | BinanceWebSocketOptions;
  /** For tests. @defaultValue systemClock */
  readonly clock?: Clock;
}

/**
 * The normalised shape of an SDK for Binance spot: for the trading and market-data clients, and for new strategies. The
 * instance stays usable as it is. Symbols are Binance's own, such as `BTCUSDT`.
 *
 * @param sdk - the caller's own `new Spot(…)` of @binance/connector or @binance/spot, `new MainClient(…)` of binance or `Binance(…)` of binance-api-node.
 * @throws TypeError when `sdk` is none, is too old or has no credentials.
 * @example
 * const adapter = toAdapter(new Spot(apiKey, apiSecret));
 */
export function toAdapter(sdk: object, options: BinanceAdapterOptions = {}): BrokerAdapter & MarketDataAdapter {
  requireAdapterOptions(options, ['capabilities', 'logger', 'bus', 'clock', 'webSocket']);
  requireCapabilities('toAdapter', options.capabilities);
  const { webSocket, ...others } = options;
  if (webSocket !== undefined && webSocket !== false) requireSocketOptions(requireObject('webSocket', webSocket));
  const known = requireBinanceSdk(sdk);
  requireCredentials(known);
  if (known.isSocketOnly === true)
    throw new TypeError('sdk is a WebsocketAPIClient of binance, which is no base for an adapter: give `new MainClient({ api_key, api_secret })`');
  return new BinanceAdapter({
    wire: new SdkWire(known, attemptMsOf(known, undefined)),
    markets: (read) => new OwnNames(read),
    sockets: socketsOf(known, webSocket),
    ...others,
  });
}

function requireSocketOptions({ maxSessions, urls, ...others }: BinanceWebSocketOptions): void {
  requireKnown('toAdapter webSocket', others, ['WebSocket']);
  if (others.WebSocket !== undefined) requireFunction('webSocket.WebSocket', others.WebSocket);
  if (maxSessions !== undefined) requireInteger('webSocket.maxSessions', maxSessions, 1);
  if (urls === undefined) return;
  requireKnown('toAdapter webSocket.urls', requireObject('webSocket.urls', urls), ['api', 'streams']);
  requireText('webSocket.urls.api', urls.api);
  requireText('webSocket.urls.streams', urls.streams);
}

// Whoever signs elsewhere, or shows no keys, signs requests over REST only.
function socketsOf(sdk: BinanceSdk, webSocket: BinanceAdapterOptions['webSocket']): SocketParts | undefined {
  if (sdk.signedRequest !== undefined && webSocket !== undefined && webSocket !== false)
    throw new TypeError(`webSocket must be left out or false for ${sdk.name}: it shows no keys, so that no session can be opened with them`);
  const urls =
    webSocket === false || sdk.sign !== undefined || sdk.signedRequest !== undefined ? undefined : (webSocket?.urls ?? socketUrlsFor(sdk.baseUrl));
  if (urls === undefined || webSocket === false) return undefined;
  const credentials = (): ReturnType<SocketParts['credentials']> => sdk.credentials() ?? { apiKey: '', secret: '' };
  return { urls, credentials, constructor: webSocket?.WebSocket, maxSessions: webSocket?.maxSessions };
}
