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
import { type ServeHttpOptions, Serving } from './served/serving.js';
import type { SimulatedVenue } from './simulated-venue.js';

/** How a venue is served over Alpaca's protocol. */
export type ServeAlpacaOptions = ServeHttpOptions;

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
  const { core } = venue;
  const serving = new Serving('serveAlpaca', core, ALPACA, options);
  const { line, counters, credentials } = serving;
  const ids = new Ids(core);
  const orders = new OrderEndpoints();
  const router = new Router([...orders.all(), ...positionEndpoints(orders), ...accountEndpoints, ...dataEndpoints]);
  const kept = core.meter.limits.find(({ kind }) => kind === 'window');
  const headers = replyHeadersOf(kept?.kind === 'window' ? kept.units : undefined, core.venueClock);
  const face = new HttpFace({ line, credentials, router, ids, headers, counters });
  const [{ WebSocketServer }, { encode, decode }] = await Promise.all([import('ws'), import('@msgpack/msgpack')]);
  const server = new WebSocketServer({ noServer: true });
  const msgpack = { encode: (value: unknown) => encode(value), decode: (data: Uint8Array) => decode(data) };
  const sockets = new SocketFace({ line, server, credentials, ids, links: orders.links, msgpack });
  const { address, ...served } = await serving.listen(
    {
      request: (message, response) => face.handle(message, response),
      upgrade: (message, connection, head) => sockets.upgrade(message, connection, head),
    },
    () => sockets.close(),
  );
  return { ...served, url: `http://${address}`, wsUrl: `ws://${address}`, credentials, connect: (sdk) => connectAlpaca(sdk, address, credentials) };
}
