import { createPublicKey, type KeyObject } from 'node:crypto';
import { requireText } from '../core/options.js';
import { connectBinance } from './binance/connect-binance.js';
import type { Endpoint } from './binance/endpoint.js';
import { HttpFace } from './binance/http-face.js';
import { listEndpoints } from './binance/list-endpoints.js';
import { ListenKeys, listenKeyEndpoints } from './binance/listen-keys.js';
import { marketEndpoints } from './binance/market-endpoints.js';
import { orderEndpoints } from './binance/order-endpoints.js';
import { BINANCE } from './binance/protocol.js';
import { replaceEndpoints } from './binance/replace-endpoints.js';
import { SocketFace } from './binance/socket-face.js';
import { type ServedOverHttp, type ServeHttpOptions, Serving } from './served/serving.js';
import type { SimulatedVenue } from './simulated-venue.js';

/** A simulated venue that listens on this machine over HTTP and WebSocket. */
export interface ServedVenue extends ServedOverHttp {
  /** Such as `ws://127.0.0.1:43117`: market streams, user streams and order calls. */
  readonly wsUrl: string;
}

/** How a venue is served over Binance's protocol. */
export interface ServeOptions extends ServeHttpOptions {
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
  const { core } = venue;
  const serving = new Serving('serveBinance', core, BINANCE, options, ['publicKey']);
  const publicKey = options.publicKey === undefined ? undefined : requireEd25519(options.publicKey);
  const { line, account, counters, credentials } = serving;
  const held = { ...credentials, publicKey };
  const listenKeys = new ListenKeys(core, account);
  const served = { ...marketEndpoints, ...orderEndpoints, ...replaceEndpoints, ...listEndpoints, ...listenKeyEndpoints(listenKeys) };
  const endpoints = new Map<string, Endpoint>(Object.entries(served));
  const face = new HttpFace(line, held, endpoints, counters);
  const { WebSocketServer } = await import('ws');
  const server = new WebSocketServer({ noServer: true });
  const sockets = new SocketFace({ line, credentials: held, server, endpoints, listenKeys, counters, canLogOn: publicKey !== undefined });
  const { address, ...listening } = await serving.listen(
    {
      request: (message, response) => face.handle(message, response),
      upgrade: (message, connection, head) => sockets.upgrade(message, connection, head),
    },
    () => sockets.close(),
  );
  const url = `http://${address}`;
  return { ...listening, url, wsUrl: `ws://${address}`, credentials, connect: (sdk) => connectBinance(sdk, url, credentials) };
}

function requireEd25519(pem: string): KeyObject {
  const key = createPublicKey(requireText('publicKey', pem));
  if (key.asymmetricKeyType !== 'ed25519') throw new RangeError(`publicKey must be an Ed25519 key, got ${String(key.asymmetricKeyType)}`);
  return key;
}
