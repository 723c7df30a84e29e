import type { BrokerAdapter, VenueCapabilities } from '../../contracts/broker.js';
import type { Bus } from '../../contracts/events.js';
import type { MarketDataAdapter } from '../../contracts/market-data.js';
import { type Clock, systemClock } from '../../core/clock.js';
import { type Logger, redactingLogger } from '../../core/logger.js';
import { requireFunction, requireInteger, requireKnown, requireObject } from '../../core/options.js';
import { AlpacaAdapter } from '../alpaca/alpaca-adapter.js';
import { RequestedSource } from '../alpaca/market-source.js';
import { requireCapabilities as requireAlpacaCapabilities } from '../alpaca/required-capabilities.js';
import { type RequestsPerMinute, requireRates } from '../alpaca/resilient-options.js';
import { BinanceAdapter } from '../binance/binance-adapter.js';
import type { BinanceCredentials } from '../binance/request-signing.js';
import { requireCapabilities } from '../binance/required-capabilities.js';
import { KrakenAdapter } from '../kraken/kraken-adapter.js';
import { type KrakenTier, requireTier } from '../kraken/limits.js';
import { requireCapabilities as requireKrakenCapabilities } from '../kraken/required-capabilities.js';
import { type ResilientOptions, requireAdapterOptions, switchOffRetries } from '../shared/resilient-options.js';
import type { WebSocketConstructor } from '../shared/streams/web-socket.js';
import { AlpacaExchangeWire } from './alpaca-exchange-wire.js';
import { BINANCE_SPOT, CcxtMarkets, KRAKEN_SPOT } from './ccxt-markets.js';
import { CcxtWire } from './ccxt-wire.js';
import { type CcxtAlpaca, type CcxtBinance, type CcxtExchange, type CcxtKraken, requireOwnOptions, requireWithCredentials } from './exchange.js';
import { KrakenExchangeWire } from './kraken-exchange-wire.js';
import { proxyOf, socketUrlsOf } from './sockets.js';

/** What {@link toAdapter} takes beside the SDK. */
export interface CcxtAdapterOptions {
  /** Overrides what is known of the venue. */
  readonly capabilities?: Partial<VenueCapabilities>;
  readonly logger?: Logger;
  /** Where the pool of order sessions reports, beside the other pools. @defaultValue the bus of the trading client or kit that gets the adapter */
  readonly bus?: Bus;
  /**
   * How WebSockets are used: for the stream of own orders, for order calls while somebody follows that
   * stream, and for market streams. false: REST only.
   * @defaultValue the runtime's own WebSocket, else that of the package ws; false behind a proxy of ccxt's
   */
  readonly webSocket?: false | CcxtWebSocketOptions;
  /** Of kraken alone: what the account is verified for, which decides how fast its counters drain. @defaultValue 'starter', the slowest */
  readonly krakenTier?: KrakenTier;
  /** Of alpaca alone: requests a minute that the account's plan allows. @defaultValue 200 for each of both APIs */
  readonly requestsPerMinute?: RequestsPerMinute;
  /** For tests. @defaultValue systemClock */
  readonly clock?: Clock;
}

/** Whose WebSockets an adapter opens, and how many. */
export interface CcxtWebSocketOptions {
  /** In place of the runtime's own, for example one that goes through a proxy. */
  readonly WebSocket?: WebSocketConstructor;
  /** Most sessions for order calls; each carries one request at a time. @defaultValue 4 */
  readonly maxSessions?: number;
}

/**
 * The normalised shape of a ccxt exchange: for the trading and market-data clients, and for new
 * strategies. The instance stays usable as it is. Calls of the order path do not pass ccxt's own
 * rate limiter, since the trading client keeps the venue's limits; market-data calls do.
 *
 * @param sdk - the caller's own `new ccxt.binance({ apiKey, secret })` (spot), `new ccxt.alpaca({ apiKey, secret })`, or `new ccxt.kraken({ apiKey, secret })`.
 * @throws TypeError when `sdk` is no such exchange, is too old or has no credentials.
 * @example
 * const adapter = toAdapter(new ccxt.binance({ apiKey, secret }));
 */
export function toAdapter(sdk: object, options: CcxtAdapterOptions = {}): BrokerAdapter & MarketDataAdapter {
  requireAdapterOptions(options, ['capabilities', 'logger', 'bus', 'clock', 'webSocket', 'krakenTier', 'requestsPerMinute']);
  if (options.webSocket !== undefined && options.webSocket !== false) {
    requireKnown('toAdapter webSocket', requireObject('webSocket', options.webSocket), ['WebSocket', 'maxSessions']);
    if (options.webSocket.WebSocket !== undefined) requireFunction('webSocket.WebSocket', options.webSocket.WebSocket);
    if (options.webSocket.maxSessions !== undefined) requireInteger('webSocket.maxSessions', options.webSocket.maxSessions, 1);
  }
  const known = requireWithCredentials(sdk);
  requireOwnOptions(known, options);
  if (known.id === 'kraken') return krakenAdapter(known.sdk, options);
  if (known.id === 'alpaca') return alpacaAdapter(known.sdk, options);
  requireCapabilities('toAdapter', options.capabilities);
  return adapterOf(known.sdk, options);
}

/** REST only: ccxt has no streams of Alpaca's, and no addresses for them. */
function alpacaAdapter(
  sdk: CcxtAlpaca,
  { capabilities, logger, webSocket, requestsPerMinute, clock = systemClock }: CcxtAdapterOptions,
): AlpacaAdapter {
  requireRates(requestsPerMinute);
  requireAlpacaCapabilities('toAdapter', capabilities);
  if (webSocket !== undefined && webSocket !== false)
    throw new TypeError('webSocket must be left out or false for ccxt alpaca: REST only; venuekit/alpaca has the streams, on the SDK of Alpaca');
  switchOffCcxtRetries(sdk, logger === undefined ? {} : { logger });
  const wire = new AlpacaExchangeWire(sdk);
  return new AlpacaAdapter({ wire, source: new RequestedSource(wire, () => clock.now()), clock, capabilities, requestsPerMinute });
}

/** REST only: ccxt's own streams of Kraken are no part of an adapter. */
function krakenAdapter(sdk: CcxtKraken, { capabilities, logger, webSocket, krakenTier, clock = systemClock }: CcxtAdapterOptions): KrakenAdapter {
  requireKrakenCapabilities('toAdapter', capabilities);
  if (webSocket !== undefined && webSocket !== false) throw new TypeError('webSocket must be left out or false for ccxt kraken: REST only');
  switchOffCcxtRetries(sdk, logger === undefined ? {} : { logger });
  const markets = new CcxtMarkets(sdk, KRAKEN_SPOT);
  return new KrakenAdapter({ wire: new KrakenExchangeWire(sdk, clock), markets, tier: requireTier(krakenTier), clock, capabilities });
}

function adapterOf(sdk: CcxtBinance, { capabilities, logger, bus, clock, webSocket }: CcxtAdapterOptions): BinanceAdapter {
  switchOffCcxtRetries(sdk, logger === undefined ? {} : { logger });
  const urls = webSocket === false ? undefined : socketUrlsOf(sdk);
  const own = webSocket === false ? undefined : webSocket;
  const proxy = webSocket === false || own?.WebSocket !== undefined ? undefined : proxyOf(sdk);
  if (proxy !== undefined)
    redactingLogger(logger).info({ option: proxy }, 'ccxt goes through a proxy: REST only, unless webSocket.WebSocket goes through it, too');
  const credentials = (): BinanceCredentials => ({ apiKey: sdk.apiKey ?? '', secret: sdk.secret ?? '' });
  const sockets = { credentials, constructor: own?.WebSocket, maxSessions: own?.maxSessions };
  return new BinanceAdapter({
    wire: new CcxtWire(sdk),
    markets: () => new CcxtMarkets(sdk, BINANCE_SPOT),
    sockets: urls === undefined || proxy !== undefined ? undefined : { urls, ...sockets },
    capabilities,
    logger,
    bus,
    clock,
  });
}

/** @throws TypeError where they are to be refused. */
export function switchOffCcxtRetries(sdk: CcxtExchange, { ownRetries, logger }: Pick<ResilientOptions, 'ownRetries' | 'logger'>): void {
  switchOffRetries({
    sdk: 'ccxt',
    option: 'maxRetriesOnFailure',
    count: (sdk as { options?: { maxRetriesOnFailure?: number } }).options?.maxRetriesOnFailure ?? 0,
    wayOut: '`options: { maxRetriesOnFailure: 0 }` in its constructor',
    options: { ...(logger === undefined ? {} : { logger }), ...(ownRetries === undefined ? {} : { ownRetries }) },
  });
}
