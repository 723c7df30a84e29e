import type { IncomingMessage, ServerResponse } from 'node:http';
import { bodyOf, HttpPort, type ReplyHeaders } from '../served/http-port.js';
import type { RequestLine } from '../served/request-line.js';
import type { ServedCounters } from '../served/served-statistics.js';
import type { VenueCredentials } from './authenticate.js';
import type { Endpoint } from './endpoint.js';
import { incomingOf } from './protocol.js';
import { failure } from './wire-reply.js';

const SIGNATURE = /&?signature=([^&]*)/;

/** Binance's REST protocol over a venue: the wire; what is answered comes from the endpoints. */
export class HttpFace {
  readonly #line: RequestLine;
  readonly #credentials: VenueCredentials;
  readonly #endpoints: ReadonlyMap<string, Endpoint>;
  readonly #counters: ServedCounters;

  constructor(line: RequestLine, credentials: VenueCredentials, endpoints: ReadonlyMap<string, Endpoint>, counters: ServedCounters) {
    this.#line = line;
    this.#credentials = credentials;
    this.#endpoints = endpoints;
    this.#counters = counters;
  }

  /** Answers one request; resolves also when the connection has gone meanwhile. */
  async handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '', query = ''] = (message.url ?? '').split('?', 2);
    const name = `${message.method} ${path}`;
    const endpoint = this.#endpoints.get(name);
    this.#counters.request(endpoint === undefined ? 'unknown' : name, message.socket);
    const body = await bodyOf(message);
    const port = new HttpPort(this.#line, response, replyHeaders);
    if (endpoint === undefined) return port.answer(failure(-5000, `Path ${path}, Method ${message.method} is invalid`, 404), []);
    const key = message.headers['x-mbx-apikey'];
    const params = new URLSearchParams(body === '' ? query : query === '' ? body : `${query}&${body}`);
    const signed = [query.replace(SIGNATURE, '') + body.replace(SIGNATURE, '')];
    const request = { endpoint, params, signed, key: typeof key === 'string' ? key : undefined };
    await this.#line.travel(incomingOf(this.#credentials, request), port);
  }
}

const USAGE_HEADERS: Readonly<Record<string, string>> = { weight: 'x-mbx-used-weight-1m', orders: 'x-mbx-order-count-10s' };

const replyHeaders: ReplyHeaders = (reply, usage) => ({
  ...Object.fromEntries(usage.map((use) => [USAGE_HEADERS[use.limit.id] ?? use.limit.id, String(use.used)])),
  ...(reply.retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(reply.retryAfterMs / 1_000)) }),
});
