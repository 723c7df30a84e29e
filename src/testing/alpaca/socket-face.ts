import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Credentials } from '../served/credentials.js';
import { MarketFeeds } from '../served/market-feeds.js';
import type { RequestLine } from '../served/request-line.js';
import { keepAlive, refuseUpgrade, type ServerSocket, type SocketServer, wireTo } from '../served/socket.js';
import { followTradeUpdates } from './account-stream.js';
import { DataSession } from './data-session.js';
import { isCrypto } from './endpoint.js';
import type { Ids } from './ids.js';
import { sourceOf } from './stream-sources.js';
import { TradingSession } from './trading-session.js';
import type { OrderLinks } from './wire-format.js';

/** How messages of a market-data stream are written. */
export interface MessagePack {
  encode(value: unknown): Uint8Array;
  decode(data: Uint8Array): unknown;
}

/** Alpaca's streams over a venue: trade updates, and market data in JSON or MessagePack. */
export class SocketFace {
  readonly #line: RequestLine;
  readonly #server: SocketServer;
  readonly #credentials: Credentials;
  readonly #ids: Ids;
  readonly #links: OrderLinks;
  readonly #msgpack: MessagePack;
  readonly #feeds: MarketFeeds<object>;

  constructor(parts: {
    readonly line: RequestLine;
    readonly server: SocketServer;
    readonly credentials: Credentials;
    readonly ids: Ids;
    readonly links: OrderLinks;
    readonly msgpack: MessagePack;
  }) {
    this.#line = parts.line;
    this.#server = parts.server;
    this.#credentials = parts.credentials;
    this.#ids = parts.ids;
    this.#links = parts.links;
    this.#msgpack = parts.msgpack;
    const { core } = parts.line;
    this.#feeds = new MarketFeeds(
      core,
      (name) => sourceOf(core, name),
      (payload) => payload,
    );
  }

  /** Takes over a connection that asks for an upgrade, or refuses it. */
  upgrade(message: IncomingMessage, connection: Duplex, head: Buffer): void {
    const path = (message.url ?? '').split('?', 1)[0] ?? '';
    const isTrading = path === '/stream';
    const isData = /^\/(?:v2\/(?:iex|sip|delayed_sip|test)|v1beta3\/crypto\/[a-z0-9-]+)$/.test(path);
    if (!isTrading && !isData) {
      refuseUpgrade(connection, 404, 'Not Found');
      return;
    }
    this.#server.handleUpgrade(message, connection, head, (socket) => {
      keepAlive(socket, this.#line.core.clock);
      if (isTrading) this.#trading(socket);
      else this.#data(socket, path.startsWith('/v1beta3/crypto'), message.headers['content-type'] === 'application/msgpack');
    });
  }

  close(): void {
    this.#feeds.stop();
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
  }

  // JSON in binary frames, as Alpaca's own endpoint sends it.
  #trading(socket: ServerSocket): void {
    const { core, account } = this.#line;
    const wire = wireTo<object>(core, socket, (event) => Buffer.from(JSON.stringify(event)));
    const follow = (listener: (update: object) => void): Disposable => followTradeUpdates(core, account, this.#ids, this.#links, listener);
    new TradingSession({ socket, wire, credentials: this.#credentials, follow });
  }

  #data(socket: ServerSocket, isCryptoStream: boolean, isPacked: boolean): void {
    const { core } = this.#line;
    const msgpack = this.#msgpack;
    const wire = wireTo<readonly object[]>(core, socket, (events) => (isPacked ? msgpack.encode(events) : JSON.stringify(events)));
    const decode = isPacked ? msgpack.decode : (data: Uint8Array): unknown => JSON.parse(Buffer.from(data).toString('utf8'));
    const carries = (symbol: string): boolean => isCrypto(symbol) === isCryptoStream;
    new DataSession({ core, socket, wire, credentials: this.#credentials, feeds: this.#feeds, decode, carries });
  }
}
