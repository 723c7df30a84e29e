import { Authenticator } from './kraken/authenticate.js';
import { connectKraken } from './kraken/connect-kraken.js';
import type { Endpoint } from './kraken/endpoint.js';
import { HttpFace } from './kraken/http-face.js';
import { Ids } from './kraken/ids.js';
import { marketEndpoints } from './kraken/market-endpoints.js';
import { OrderEndpoints } from './kraken/order-endpoints.js';
import { KRAKEN } from './kraken/protocol.js';
import { type ServedOverHttp, type ServeHttpOptions, Serving } from './served/serving.js';
import type { SimulatedVenue } from './simulated-venue.js';

/**
 * Serves a venue over Kraken's spot REST protocol on the loopback interface: real sockets, signatures, nonces that must
 * rise, deadlines of orders, Kraken's errors, which come with HTTP 200, and the venue's faults acting on the connection
 * itself; a `status` fault becomes the error that says the same (503 `EService:Unavailable`, 504 `EService:Timeout`, 429
 * `EAPI:Rate limit exceeded`, 418 `EGeneral:Temporary lockout`). What it does not simulate it refuses by name: margin,
 * conditional closes, legacy edits, streams.
 *
 * Of the venue's `limits`, those by account are the counter of the REST API, and those by symbol the matching engine's,
 * which counts a cancel by the age of the order: `limits: [{ id: 'rest', scope: 'account', kind: 'decay', max: 15, decayPerSecond: 0.33 }]`.
 *
 * @throws VenueKitError PORT_IN_USE that names the port.
 *
 * @example
 * await using served = await serveKraken(venue);
 * const exchange = served.connect(new ccxt.kraken());
 */
export async function serveKraken(venue: SimulatedVenue, options: ServeHttpOptions = {}): Promise<ServedOverHttp> {
  const { core } = venue;
  const serving = new Serving('serveKraken', core, KRAKEN, options);
  const { line, counters } = serving;
  const { apiKey, secret } = serving.credentials;
  const credentials = { apiKey, secret: Buffer.from(secret).toString('base64') };
  const face = new HttpFace({
    line,
    authenticator: new Authenticator(credentials),
    endpoints: new Map<string, Endpoint>(Object.entries({ ...marketEndpoints, ...new OrderEndpoints().all() })),
    ids: new Ids(core.seed),
    counters,
  });
  const { address, ...served } = await serving.listen({
    request: (message, response) => face.handle(message, response),
    upgrade: (_message, connection) => connection.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n'),
  });
  return { ...served, url: `http://${address}`, credentials, connect: (sdk) => connectKraken(sdk, address, credentials) };
}
