import { setMaxListeners } from 'node:events';
import { requireKnown, requireText, requireWithin } from '../core/options.js';
import { accountEndpoints } from './alpaca/account-endpoints.js';
import { connectAlpaca } from './alpaca/connect-alpaca.js';
import { dataEndpoints } from './alpaca/data-endpoints.js';
import { Router } from './alpaca/endpoint.js';
import { HttpFace } from './alpaca/http-face.js';
import { Ids } from './alpaca/ids.js';
import { OrderEndpoints } from './alpaca/order-endpoints.js';
import { positionEndpoints } from './alpaca/position-endpoints.js';
import { ALPACA, replyHeadersOf } from './alpaca/protocol.js';
import { SocketFace } from './alpaca/socket-face.js';
import type { ServedVenue } from './serve-binance.js';
import { openLoopbackServer } from './served/loopback-server.js';
import { RequestLine } from './served/request-line.js';
import { ServedCounters } from './served/served-statistics.js';
import type { SimulatedVenue } from './simulated-venue.js';

/** How a venue is served over Alpaca's protocol. */
export interface ServeAlpacaOptions {
  /** @defaultValue 0: any free port */
  readonly port?: number;
  /** Whose orders and balances the credentials stand for. @defaultValue 'main' */
  readonly account?: string;
}

/**
 * Serves a venue over Alpaca's protocol on the loopback interface: Trading and Market Data API over REST,
 * `trade_updates` and market-data streams in JSON and MessagePack, all on one port, with Alpaca's error codes and
 * rate-limit headers and the venue's faults acting on the connection itself. What it does not simulate it refuses by
 * name: orders with legs, trailing stops, options.
 *
 * Alpaca keeps a client order id for good and has no deadline for requests, and its accounts are in USD. A venue like
 * that: `new SimulatedVenue({ clientIdUniqueness: 'forever', clientIdMaxLength: 128, fence: false, symbols: { AAPL: { price: 200 } } })`.
 *
 * @throws VenueKitError PORT_IN_USE that names the port.
 *
 * @example
 * await using served = await serveAlpaca(venue);
 * const alpaca = served.connect(new Alpaca({ keyId: 'any', secretKey: 'any' }));
 */
export async function serveAlpaca(venue: SimulatedVenue, options: ServeAlpacaOptions = {}): Promise<ServedVenue> {
  requireKnown('serveAlpaca', options, ['port', 'account']);
  const port = requireWithin('port', options.port ?? 0, 0, 65_535);
  const account = requireText('account', options.account ?? 'main');
  // They open nothing but this process's own loopback port.
  const credentials = { apiKey: `simulated-${account}`, secret: `simulated-secret-of-${account}` };
  const counters = new ServedCounters();
  const closing = new AbortController();
  // Every request that waits listens to it: many listeners are no leak here.
  setMaxListeners(0, closing.signal);
  const { core } = venue;
  const line = new RequestLine(core, ALPACA, account, closing.signal);
  const ids = new Ids(core);
  const orders = new OrderEndpoints();
  const router = new Router([...orders.all(), ...positionEndpoints(orders), ...accountEndpoints, ...dataEndpoints]);
  const kept = core.meter.limits.find(({ kind }) => kind === 'window');
  const headers = replyHeadersOf(kept?.kind === 'window' ? kept.units : undefined, core.venueClock);
  const face = new HttpFace({ line, credentials, router, ids, headers, counters });
  const [{ WebSocketServer }, { encode, decode }] = await Promise.all([import('ws'), import('@msgpack/msgpack')]);
  const server = new WebSocketServer({ noServer: true });
  const msgpack = { encode: (value: unknown) => encode(value), decode: (data: Uint8Array) => decode(data) };
  const sockets = new SocketFace({ line, server, credentials, ids, replacements: orders.replacements, msgpack });
  const listening = await openLoopbackServer(port, {
    request: (message, response) => face.handle(message, response),
    upgrade: (message, connection, head) => sockets.upgrade(message, connection, head),
    connection: () => counters.connection(),
  });
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= (async () => {
      closing.abort();
      sockets.close();
      await listening.close();
    })();
    return closed;
  };
  return {
    url: `http://${listening.address}`,
    wsUrl: `ws://${listening.address}`,
    credentials,
    connect: (sdk) => connectAlpaca(sdk, listening.address, credentials),
    stats: () => counters.stats(),
    close,
    [Symbol.asyncDispose]: close,
  };
}
