import { createPublicKey, type KeyObject } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { requireKnown, requireText, requireWithin } from '../core/options.js';
import { connectBinance } from './binance/connect-binance.js';
import type { Endpoint } from './binance/endpoint.js';
import { HttpFace } from './binance/http-face.js';
import { ListenKeys, listenKeyEndpoints } from './binance/listen-keys.js';
import { marketEndpoints } from './binance/market-endpoints.js';
import { orderEndpoints } from './binance/order-endpoints.js';
import { BINANCE } from './binance/protocol.js';
import { SocketFace } from './binance/socket-face.js';
import type { Credentials } from './served/credentials.js';
import { openLoopbackServer } from './served/loopback-server.js';
import { RequestLine } from './served/request-line.js';
import { ServedCounters, type ServedStats } from './served/served-statistics.js';
import type { SimulatedVenue } from './simulated-venue.js';

/** A simulated venue that listens on this machine. */
export interface ServedVenue extends AsyncDisposable {
  /** Such as `http://127.0.0.1:43117`. */
  readonly url: string;
  /** Such as `ws://127.0.0.1:43117`: market streams, user streams and order calls. */
  readonly wsUrl: string;
  /** What requests are signed with. */
  readonly credentials: Credentials;
  /**
   * Points an SDK instance at this venue, with its credentials, and gives it back.
   * @throws TypeError when it is none that is known: ccxt's binance, of `ccxt` and of `ccxt.pro`, @binance/connector, @binance/spot and binance at a served Binance (binance-api-node takes `httpBase` when it is made); ccxt's alpaca and @alpacahq/alpaca-trade-api 3 and 4 at a served Alpaca.
   */
  connect<S extends object>(sdk: S): S;
  stats(): ServedStats;
  /** Ends all connections and frees the port. Closing twice is fine. */
  close(): Promise<void>;
}

/** How a venue is served. */
export interface ServeOptions {
  /** @defaultValue 0: any free port */
  readonly port?: number;
  /** Whose orders and balances the credentials stand for. @defaultValue 'main' */
  readonly account?: string;
  /** PEM of an Ed25519 public key that the API key stands for, in place of the shared secret. Only such a key can log a session on. */
  readonly publicKey?: string;
}

/**
 * Serves a venue over Binance's spot protocol on the loopback interface, REST and WebSocket: real
 * sockets, signatures, request weights in the answers, 429 and 418, Binance's error codes, and the
 * venue's faults acting on the connection itself. Give the venue the system clock: real SDKs run on it.
 *
 * @throws VenueKitError PORT_IN_USE that names the port.
 *
 * @example
 * await using served = await serveBinance(venue);
 * const exchange = served.connect(new ccxt.binance());
 */
export async function serveBinance(venue: SimulatedVenue, options: ServeOptions = {}): Promise<ServedVenue> {
  requireKnown('serveBinance', options, ['port', 'account', 'publicKey']);
  const port = requireWithin('port', options.port ?? 0, 0, 65_535);
  const account = requireText('account', options.account ?? 'main');
  const publicKey = options.publicKey === undefined ? undefined : requireEd25519(options.publicKey);
  // They open nothing but this process's own loopback port.
  const credentials: Credentials = { apiKey: `simulated-${account}`, secret: `simulated-secret-of-${account}` };
  const counters = new ServedCounters();
  const closing = new AbortController();
  // Every request that waits listens to it: many listeners are no leak here.
  setMaxListeners(0, closing.signal);
  const line = new RequestLine(venue.core, BINANCE, account, closing.signal);
  const held = { ...credentials, publicKey };
  const listenKeys = new ListenKeys(venue.core, account);
  const endpoints = new Map<string, Endpoint>(Object.entries({ ...marketEndpoints, ...orderEndpoints, ...listenKeyEndpoints(listenKeys) }));
  const face = new HttpFace(line, held, endpoints, counters);
  const { WebSocketServer } = await import('ws');
  const socketServer = new WebSocketServer({ noServer: true });
  const sockets = new SocketFace({
    line,
    credentials: held,
    server: socketServer,
    endpoints,
    listenKeys,
    counters,
    canLogOn: publicKey !== undefined,
  });
  const server = await openLoopbackServer(port, {
    request: (message, response) => face.handle(message, response),
    upgrade: (message, connection, head) => sockets.upgrade(message, connection, head),
    connection: () => counters.connection(),
  });
  const url = `http://${server.address}`;
  const wsUrl = `ws://${server.address}`;
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= (async () => {
      closing.abort();
      sockets.close();
      await server.close();
    })();
    return closed;
  };
  return {
    url,
    wsUrl,
    credentials,
    connect: (sdk) => connectBinance(sdk, url, credentials),
    stats: () => counters.stats(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function requireEd25519(pem: string): KeyObject {
  const key = createPublicKey(requireText('publicKey', pem));
  if (key.asymmetricKeyType !== 'ed25519') throw new RangeError(`publicKey must be an Ed25519 key, got ${String(key.asymmetricKeyType)}`);
  return key;
}
