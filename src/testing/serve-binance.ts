import { createPublicKey, type KeyObject } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { createServer, type Server } from 'node:http';
import { VenueKitError } from '../core/errors.js';
import { requireKnown, requireText, requireWithin } from '../core/options.js';
import type { Credentials } from './binance/authenticate.js';
import { connectCcxt } from './binance/connect-ccxt.js';
import type { Endpoint } from './binance/endpoint.js';
import { HttpFace } from './binance/http-face.js';
import { ListenKeys, listenKeyEndpoints } from './binance/listen-keys.js';
import { marketEndpoints } from './binance/market-endpoints.js';
import { orderEndpoints } from './binance/order-endpoints.js';
import { RequestLine } from './binance/request-line.js';
import { ServedCounters, type ServedStats } from './binance/served-statistics.js';
import { SocketFace } from './binance/socket-face.js';
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
   * @throws TypeError when it is none that is known: so far ccxt's binance, of `ccxt` and of `ccxt.pro`.
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

const HOST = '127.0.0.1';
// Longer than clients keep an idle connection, so that none is closed under a request just sent.
const KEEP_ALIVE_MS = 75_000;

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
  const line = new RequestLine(venue.core, { ...credentials, publicKey }, account, closing.signal);
  const listenKeys = new ListenKeys(venue.core, account);
  const endpoints = new Map<string, Endpoint>(Object.entries({ ...marketEndpoints, ...orderEndpoints, ...listenKeyEndpoints(listenKeys) }));
  const face = new HttpFace(line, endpoints, counters);
  const { WebSocketServer } = await import('ws');
  const socketServer = new WebSocketServer({ noServer: true });
  const sockets = new SocketFace({ line, server: socketServer, endpoints, listenKeys, counters, canLogOn: publicKey !== undefined });
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (message, response) => {
    // A client that hangs up in the middle of its own request is its own affair.
    face.handle(message, response).catch(() => message.socket.destroy());
  });
  server.on('connection', () => counters.connection());
  server.on('upgrade', (message, connection, head) => sockets.upgrade(message, connection, head));
  const address = `${HOST}:${await listen(server, port)}`;
  const url = `http://${address}`;
  const wsUrl = `ws://${address}`;
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= new Promise((resolve) => {
      closing.abort();
      sockets.close();
      server.close(() => resolve());
      server.closeAllConnections();
    });
    return closed;
  };
  return {
    url,
    wsUrl,
    credentials,
    connect: (sdk) => connectCcxt(sdk, url, credentials),
    stats: () => counters.stats(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') reject(error);
      else reject(new VenueKitError('PORT_IN_USE', `Port ${port} of ${HOST} is in use; choose another, or 0 for any free one.`, { cause: error }));
    });
    server.listen(port, HOST, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function requireEd25519(pem: string): KeyObject {
  const key = createPublicKey(requireText('publicKey', pem));
  if (key.asymmetricKeyType !== 'ed25519') throw new RangeError(`publicKey must be an Ed25519 key, got ${String(key.asymmetricKeyType)}`);
  return key;
}
