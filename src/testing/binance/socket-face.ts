import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocketServer } from 'ws';
import { StreamWire } from '../broker/stream-wire.js';
import { UNDISTURBED } from '../faults.js';
import type { Endpoint } from './endpoint.js';
import type { ListenKeys } from './listen-keys.js';
import { MarketStreams } from './market-streams.js';
import type { RequestLine } from './request-line.js';
import type { ServedCounters } from './served-statistics.js';
import type { ServerSocket } from './socket.js';
import { StreamSession } from './stream-session.js';
import { WsApiSession } from './ws-api-session.js';

const PING_EVERY_MS = 20_000;
const PONG_WITHIN_MS = 60_000;
const WEIGHT_OF_CONNECTING = 2;

/** The part of the package ws that serving needs; loaded when a venue is served, not before. */
export type SocketServer = Pick<WebSocketServer, 'handleUpgrade' | 'close' | 'clients'>;

/** Binance's WebSocket endpoints over a venue: market and user streams, and the WebSocket API. */
export class SocketFace {
  readonly #line: RequestLine;
  readonly #server: SocketServer;
  readonly #endpoints: ReadonlyMap<string, Endpoint>;
  readonly #listenKeys: ListenKeys;
  readonly #counters: ServedCounters;
  readonly #streams: MarketStreams;
  readonly #canLogOn: boolean;

  constructor(parts: {
    readonly line: RequestLine;
    readonly server: SocketServer;
    readonly endpoints: ReadonlyMap<string, Endpoint>;
    readonly listenKeys: ListenKeys;
    readonly counters: ServedCounters;
    readonly canLogOn: boolean;
  }) {
    this.#line = parts.line;
    this.#server = parts.server;
    this.#endpoints = parts.endpoints;
    this.#listenKeys = parts.listenKeys;
    this.#counters = parts.counters;
    this.#canLogOn = parts.canLogOn;
    this.#streams = new MarketStreams(parts.line.core);
  }

  /** Takes over a connection that asks for an upgrade, or refuses it. */
  upgrade(message: IncomingMessage, connection: Duplex, head: Buffer): void {
    const [path = '', query = ''] = (message.url ?? '').split('?', 2);
    const isApi = path === '/ws-api/v3';
    if (!isApi && path !== '/stream' && path !== '/ws' && !path.startsWith('/ws/')) {
      refuse(connection, 404, 'Not Found');
      return;
    }
    const { core, account } = this.#line;
    const costs = core.meter.limits.flatMap(({ id, scope }) => (scope === 'ip' ? [{ limit: id, units: WEIGHT_OF_CONNECTING }] : []));
    const refusal = isApi ? core.admit(UNDISTURBED, costs, account, undefined) : undefined;
    if (refusal !== undefined) {
      const seconds = Math.ceil((refusal.retryAfterMs ?? 0) / 1_000);
      if (refusal.reason === 'banned') refuse(connection, 418, "I'm a teapot", seconds);
      else refuse(connection, 429, 'Too Many Requests', seconds);
      return;
    }
    this.#server.handleUpgrade(message, connection, head, (socket) => {
      this.#keepAlive(socket);
      const wire = wireTo(this.#line, socket);
      const line = this.#line;
      if (isApi) {
        const returnsRateLimits = new URLSearchParams(query).get('returnRateLimits') !== 'false';
        const [endpoints, counters, canLogOn] = [this.#endpoints, this.#counters, this.#canLogOn];
        new WsApiSession({ line, endpoints, counters, socket, connection, wire, canLogOn, returnsRateLimits });
        return;
      }
      const isCombined = path === '/stream';
      const named = isCombined ? (new URLSearchParams(query).get('streams') ?? '') : path.slice('/ws/'.length);
      const names = named.split('/').filter((name) => name !== '');
      new StreamSession({ line, streams: this.#streams, listenKeys: this.#listenKeys, socket, wire, names, isCombined });
    });
  }

  close(): void {
    this.#streams.stop();
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
  }

  #keepAlive(socket: ServerSocket): void {
    const { clock } = this.#line.core;
    let heardAt = clock.monotonic();
    let timer: Disposable;
    const ping = (): void => {
      if (clock.monotonic() - heardAt > PONG_WITHIN_MS) {
        socket.terminate();
        return;
      }
      socket.ping();
      timer = clock.schedule(PING_EVERY_MS, ping);
    };
    timer = clock.schedule(PING_EVERY_MS, ping);
    socket.on('pong', () => {
      heardAt = clock.monotonic();
    });
    socket.on('close', () => timer[Symbol.dispose]());
    // What the protocol says next is a close; nothing is to be done about it here.
    socket.on('error', () => {});
  }
}

function wireTo(line: RequestLine, socket: ServerSocket): StreamWire<string> {
  const wire = new StreamWire<string>(line.core, {
    arrive: (text) => socket.send(text),
    ended: () => socket.terminate(),
  });
  socket.on('close', () => wire.end(new Error('The connection was closed.')));
  return wire;
}

function refuse(connection: Duplex, status: number, reason: string, retryAfterSeconds?: number): void {
  const retryAfter = retryAfterSeconds === undefined ? '' : `Retry-After: ${retryAfterSeconds}\r\n`;
  connection.end(`HTTP/1.1 ${status} ${reason}\r\n${retryAfter}Connection: close\r\nContent-Length: 0\r\n\r\n`);
}
