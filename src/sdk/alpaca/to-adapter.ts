import type { BrokerAdapter, VenueCapabilities } from '../../contracts/broker.js';
import type { MarketDataAdapter } from '../../contracts/market-data.js';
import { type Clock, systemClock } from '../../core/clock.js';
import type { Logger } from '../../core/logger.js';
import { requireFunction, requireKnown, requireObject, requireText } from '../../core/options.js';
import { requireAdapterOptions } from '../shared/resilient-options.js';
import type { WebSocketConstructor } from '../shared/streams/web-socket.js';
import { AlpacaAdapter } from './alpaca-adapter.js';
import { type MarketSource, RequestedSource } from './market-source.js';
import { requireCapabilities } from './required-capabilities.js';
import { type AlpacaResilientOptions, requireRates } from './resilient-options.js';
import { type KnownAlpaca, requireAlpaca, switchOffV4Retries } from './sdk-shapes.js';
import { DataStreams } from './streams/data-streams.js';
import { type AlpacaSocketUrls, socketUrlsFor } from './streams/socket-urls.js';
import { tradeEvents } from './streams/trade-events.js';
import { V3Data } from './v3-data.js';
import type { AlpacaWire } from './wire.js';
import { V3Wire } from './wire-v3.js';
import { V4Wire } from './wire-v4.js';

/** What {@link toAdapter} takes beside the SDK. */
export interface AlpacaAdapterOptions extends Pick<AlpacaResilientOptions, 'requestsPerMinute'> {
  /** Overrides what is known of the venue. */
  readonly capabilities?: Partial<VenueCapabilities>;
  /** How WebSockets are opened; false: REST only. @defaultValue the runtime's own WebSocket, else that of the package ws */
  readonly webSocket?: false | { readonly WebSocket?: WebSocketConstructor };
  /** Whose share prices are streamed: `iex`, or `sip` where the account's plan has it. @defaultValue as version 3 is configured, else `iex` */
  readonly feed?: string;
  readonly logger?: Logger;
  /** For tests. @defaultValue systemClock */
  readonly clock?: Clock;
}

/** What version 4 streams where nothing is said, and what every account may see. */
const DEFAULT_FEED = 'iex';

interface Access {
  readonly wire: AlpacaWire;
  readonly source: MarketSource;
  readonly urls: AlpacaSocketUrls;
  /** Of share prices. */
  readonly feed: string;
  /** Undefined where there is only a token, which opens no stream. */
  readonly credentials: () => { readonly key: string; readonly secret: string } | undefined;
}

/**
 * The normalised shape of an Alpaca SDK: for the trading and market-data clients, and for new strategies. The instance stays
 * usable as it is. A symbol with a slash (`BTC/USD`) is a crypto asset, any other a share.
 *
 * @param sdk - the caller's own `new Alpaca(…)` of @alpacahq/alpaca-trade-api, version 3 or 4.
 * @throws TypeError when `sdk` is none, is too old or has no credentials.
 * @example
 * const adapter = toAdapter(new Alpaca({ keyId, secret }));
 */
export function toAdapter(sdk: object, options: AlpacaAdapterOptions = {}): BrokerAdapter & MarketDataAdapter {
  requireAdapterOptions(options, ['capabilities', 'requestsPerMinute', 'webSocket', 'feed', 'logger', 'clock']);
  requireCapabilities('toAdapter', options.capabilities);
  requireRates(options.requestsPerMinute);
  const { webSocket, clock = systemClock } = options;
  if (webSocket !== undefined && webSocket !== false) {
    requireKnown('toAdapter webSocket', requireObject('webSocket', webSocket), ['WebSocket']);
    if (webSocket.WebSocket !== undefined) requireFunction('webSocket.WebSocket', webSocket.WebSocket);
  }
  const { wire, source, urls, feed, credentials } = accessTo(requireAlpaca(sdk), clock, options);
  const keys = credentials();
  const WebSocket = webSocket === false ? undefined : webSocket?.WebSocket;
  const data = {
    shares: `${urls.data}/v2/${options.feed === undefined ? feed : requireText('feed', options.feed)}`,
    crypto: `${urls.data}/v1beta3/crypto/us`,
  };
  const streams =
    webSocket === false || keys === undefined
      ? undefined
      : new DataStreams(data, { credentials: () => credentials() ?? keys, constructor: WebSocket, clock });
  const events =
    webSocket === false || keys === undefined
      ? undefined
      : (signal: AbortSignal) => tradeEvents({ url: urls.trading, credentials: () => credentials() ?? keys, constructor: WebSocket, clock }, signal);
  const stream: MarketDataAdapter['stream'] = streams === undefined ? undefined : (kind, symbols, signal) => streams.updates(kind, symbols, signal);
  const { capabilities, requestsPerMinute } = options;
  return new AlpacaAdapter({ wire, source, clock, capabilities, requestsPerMinute, events, stream });
}

function accessTo(known: KnownAlpaca, clock: Clock, { logger }: Pick<AlpacaAdapterOptions, 'logger'>): Access {
  if (known.version === 3) {
    const { sdk } = known;
    const { configuration } = sdk;
    const { keyId: key, secretKey: secret, oauth } = configuration;
    return {
      wire: new V3Wire(sdk),
      source: new V3Data(sdk),
      urls: socketUrlsFor(configuration.baseUrl, configuration.dataBaseUrl),
      feed: configuration.feed,
      credentials: () => (oauth === '' ? { key, secret } : undefined),
    };
  }
  const { trading, marketData } = known.sdk;
  switchOffV4Retries(known.sdk, logger === undefined ? {} : { logger });
  const wire = new V4Wire(known.sdk);
  return {
    wire,
    source: new RequestedSource(wire, () => clock.now()),
    urls: socketUrlsFor(trading.config.basePath, marketData.config.basePath),
    feed: DEFAULT_FEED,
    credentials: () => {
      const { keyId: key, secret } = trading.config.configuration;
      return key === undefined || secret === undefined ? undefined : { key, secret };
    },
  };
}
