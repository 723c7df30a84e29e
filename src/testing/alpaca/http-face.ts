import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Credentials } from '../served/credentials.js';
import { bodyOf, HttpPort, type ReplyHeaders } from '../served/http-port.js';
import type { Incoming, RequestLine } from '../served/request-line.js';
import type { ServedCounters } from '../served/served-statistics.js';
import { deskOf, type Endpoint, type Request, type Router } from './endpoint.js';
import type { Ids } from './ids.js';
import { failure, notFound } from './wire-reply.js';

/** Alpaca's REST protocol over a venue: the wire; what is answered comes from the endpoints. */
export class HttpFace {
  readonly #line: RequestLine;
  readonly #credentials: Credentials;
  readonly #router: Router;
  readonly #ids: Ids;
  readonly #headers: ReplyHeaders;
  readonly #counters: ServedCounters;

  constructor(parts: {
    readonly line: RequestLine;
    readonly credentials: Credentials;
    readonly router: Router;
    readonly ids: Ids;
    readonly headers: ReplyHeaders;
    readonly counters: ServedCounters;
  }) {
    this.#line = parts.line;
    this.#credentials = parts.credentials;
    this.#router = parts.router;
    this.#ids = parts.ids;
    this.#headers = parts.headers;
    this.#counters = parts.counters;
  }

  /** Answers one request; resolves also when the connection has gone meanwhile. */
  async handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '', query = ''] = (message.url ?? '').split('?', 2);
    const method = message.method ?? 'GET';
    const route = this.#router.find(method, path);
    this.#counters.request(route === undefined ? 'unknown' : `${method} ${route.endpoint.path}`, message.socket);
    const text = await bodyOf(message);
    const port = new HttpPort(this.#line, response, this.#headers);
    if (route === undefined) return port.answer(notFound(`endpoint not found: ${method} ${path}`), []);
    const { endpoint, at } = route;
    const params = new URLSearchParams(query);
    const body = parsed(text);
    if (body === undefined) return port.answer(failure(40_010_000, 'request body format is invalid'), []);
    const isKnown = this.#isKnown(message);
    const named = typeof body.symbol === 'string' ? body.symbol : (params.get('symbols') ?? undefined);
    await this.#line.travel(this.#incoming(endpoint, { at, params, body, ids: this.#ids }, isKnown, named), port);
  }

  #incoming(endpoint: Endpoint, request: Pick<Request, 'at' | 'params' | 'body' | 'ids'>, isKnown: boolean, symbol: string | undefined): Incoming {
    return {
      operation: operationOf(endpoint, request.params),
      weight: 1,
      symbol: symbol === undefined ? undefined : deskOf(this.#line.core, symbol)?.market.symbol.name,
      // Latest and historical crypto data is open to all.
      run: (context) =>
        isKnown || endpoint.path.startsWith('/v1beta3/crypto/')
          ? endpoint.run({ ...context, ...request })
          : failure(40_110_000, 'request is not authorized'),
    };
  }

  #isKnown({ headers }: IncomingMessage): boolean {
    const { apiKey, secret } = this.#credentials;
    if (headers.authorization !== undefined) return headers.authorization === `Bearer ${secret}`;
    return headers['apca-api-key-id'] === apiKey && headers['apca-api-secret-key'] === secret;
  }
}

// One path lists what is open and what is over, which faults tell apart.
function operationOf({ operation }: Endpoint, params: URLSearchParams): Incoming['operation'] {
  return operation === 'openOrders' && (params.get('status') ?? 'open') !== 'open' ? 'history' : operation;
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  if (text === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
