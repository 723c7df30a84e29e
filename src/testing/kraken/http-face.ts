import type { IncomingMessage, ServerResponse } from 'node:http';
import { bodyOf, HttpPort } from '../served/http-port.js';
import type { Incoming, RequestLine } from '../served/request-line.js';
import type { ServedCounters } from '../served/served-statistics.js';
import type { Authenticator } from './authenticate.js';
import { deskOf, type Endpoint, namedOrder } from './endpoint.js';
import type { Ids } from './ids.js';
import { cancelUnits } from './protocol.js';
import { failure } from './wire-reply.js';

/** Kraken's REST protocol over a venue: the wire; what is answered comes from the endpoints. */
export class HttpFace {
  readonly #line: RequestLine;
  readonly #authenticator: Authenticator;
  readonly #endpoints: ReadonlyMap<string, Endpoint>;
  readonly #ids: Ids;
  readonly #counters: ServedCounters;

  constructor(parts: {
    readonly line: RequestLine;
    readonly authenticator: Authenticator;
    readonly endpoints: ReadonlyMap<string, Endpoint>;
    readonly ids: Ids;
    readonly counters: ServedCounters;
  }) {
    this.#line = parts.line;
    this.#authenticator = parts.authenticator;
    this.#endpoints = parts.endpoints;
    this.#ids = parts.ids;
    this.#counters = parts.counters;
  }

  /** Answers one request; resolves also when the connection has gone meanwhile. */
  async handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '', query = ''] = (message.url ?? '').split('?', 2);
    const endpoint = this.#endpoints.get(path);
    this.#counters.request(endpoint === undefined ? 'unknown' : path, message.socket);
    const body = await bodyOf(message);
    const port = new HttpPort(this.#line, response, () => ({}));
    if (endpoint === undefined || (endpoint.isPrivate && message.method !== 'POST')) return port.answer(failure('EGeneral:Unknown method'), []);
    const params = paramsOf(message, query, body);
    if (params === undefined) return port.answer(failure('EGeneral:Invalid arguments'), []);
    await this.#line.travel(this.#incoming(endpoint, params, message, path, body), port);
  }

  #incoming(endpoint: Endpoint, params: URLSearchParams, { headers }: IncomingMessage, path: string, body: string): Incoming {
    const { core, account } = this.#line;
    const ids = this.#ids;
    const operation = typeof endpoint.operation === 'string' ? endpoint.operation : endpoint.operation(params);
    const order = operation === 'cancel' ? namedOrder({ core, account, params, ids }) : undefined;
    const { market } = deskOf(core, params.get('pair') ?? '') ?? {};
    const signed = { path, body, nonce: params.get('nonce') ?? '', key: headerIn(headers['api-key']), signature: headerIn(headers['api-sign']) };
    return {
      operation,
      weight: operation === 'place' ? 1 : operation === 'cancel' ? cancelUnits(order, core.venueClock.venueNow()) : endpoint.counts,
      symbol: order?.symbol.name ?? market?.symbol.name,
      run: (context) => (endpoint.isPrivate ? this.#authenticator.check(signed) : undefined) ?? endpoint.run({ ...context, params, ids }),
    };
  }
}

/** Of the form or the JSON that a request carries; undefined where it is neither. */
function paramsOf({ headers }: IncomingMessage, query: string, body: string): URLSearchParams | undefined {
  if (headers['content-type']?.includes('json') !== true) return new URLSearchParams(body === '' ? query : body);
  try {
    const json = JSON.parse(body) as Record<string, unknown>;
    return new URLSearchParams(Object.entries(json).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]));
  } catch {
    return undefined;
  }
}

function headerIn(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
