import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { UNDISTURBED } from '../faults.js';
import { MarketFeeds } from '../served/market-feeds.js';
import type { RequestLine } from '../served/request-line.js';
import type { ServedCounters } from '../served/served-statistics.js';
import { gathering, keepAlive, refuseUpgrade, type SocketServer, wireTo } from '../served/socket.js';
import type { VenueCredentials } from './authenticate.js';
import type { Endpoint } from './endpoint.js';
import type { ListenKeys } from './listen-keys.js';
import { StreamSession } from './stream-session.js';
import { sourceOf } from './stream-sources.js';
import { WsApiSession } from './ws-api-session.js';

const WEIGHT_OF_CONNECTING = 2;

/** Binance's WebSocket endpoints over a venue: market and user streams, and the WebSocket API. */
export class SocketFace {
  readonly #line: RequestLine;
  readonly #credentials: VenueCredentials;
  readonly #server: SocketServer;
  readonly #endpoints: ReadonlyMap<string, Endpoint>;
  readonly #listenKeys: ListenKeys;
  readonly #counters: ServedCounters;
  readonly #streams: MarketFeeds<string>;
  readonly #canLogOn: boolean;

  constructor(parts: {
    readonly line: RequestLine;
    readonly credentials: VenueCredentials;
    readonly server: SocketServer;
    readonly endpoints: ReadonlyMap<string, Endpoint>;
    readonly listenKeys: ListenKeys;
    readonly counters: ServedCounters;
    readonly canLogOn: boolean;
  }) {
    this.#line = parts.line;
    this.#credentials = parts.credentials;
    this.#server = parts.server;
    this.#endpoints = parts.endpoints;
    this.#listenKeys = parts.listenKeys;
    this.#counters = parts.counters;
    this.#canLogOn = parts.canLogOn;
    const { core } = parts.line;
    this.#streams = new MarketFeeds(core, (name) => sourceOf(core, name), JSON.stringify);
  }

  /** Takes over a connection that asks for an upgrade, or refuses it. */
  upgrade(message: IncomingMessage, connection: Duplex, head: Buffer): void {
    const [path = '', query = ''] = (message.url ?? '').split('?', 2);
    const isApi = path === '/ws-api/v3';
    if (!isApi && path !== '/stream' && path !== '/ws' && !path.startsWith('/ws/')) {
      refuseUpgrade(connection, 404, 'Not Found');
      return;
    }
    const { core, account } = this.#line;
    const costs = core.meter.limits.flatMap(({ id, scope }) => (scope === 'ip' ? [{ limit: id, units: WEIGHT_OF_CONNECTING }] : []));
    const refusal = isApi ? core.admit(UNDISTURBED, costs, account, undefined) : undefined;
    if (refusal !== undefined) {
      const seconds = Math.ceil((refusal.retryAfterMs ?? 0) / 1_000);
      if (refusal.reason === 'banned') refuseUpgrade(connection, 418, "I'm a teapot", seconds);
      else refuseUpgrade(connection, 429, 'Too Many Requests', seconds);
      return;
    }
    this.#server.handleUpgrade(message, connection, head, (opened) => {
      const socket = gathering(opened, connection);
      keepAlive(socket, core.clock);
      const wire = wireTo<string>(core, socket, (text) => text);
      const line = this.#line;
      if (isApi) {
        const returnsRateLimits = new URLSearchParams(query).get('returnRateLimits') !== 'false';
        const [endpoints, counters, canLogOn] = [this.#endpoints, this.#counters, this.#canLogOn];
        const credentials = this.#credentials;
        new WsApiSession({ line, credentials, endpoints, counters, socket, connection, wire, canLogOn, returnsRateLimits });
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
}
