import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Fault, SILENCE_MS } from '../faults.js';
import type { Endpoint } from './endpoint.js';
import { type AnswerPort, type RequestLine, statusReply, type Usage } from './request-line.js';
import type { ServedCounters } from './served-statistics.js';
import { failure, type WireReply } from './wire-reply.js';

const SIGNATURE = /&?signature=([^&]*)/;

/** Binance's REST protocol over a venue: the wire; what is answered comes from the endpoints. */
export class HttpFace {
  readonly #line: RequestLine;
  readonly #endpoints: ReadonlyMap<string, Endpoint>;
  readonly #counters: ServedCounters;

  constructor(line: RequestLine, endpoints: ReadonlyMap<string, Endpoint>, counters: ServedCounters) {
    this.#line = line;
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
    if (endpoint === undefined) return send(response, failure(-5000, `Path ${path}, Method ${message.method} is invalid`, 404), []);
    const key = message.headers['x-mbx-apikey'];
    const params = new URLSearchParams(body === '' ? query : query === '' ? body : `${query}&${body}`);
    const signed = [query.replace(SIGNATURE, '') + body.replace(SIGNATURE, '')];
    await this.#line.travel({ endpoint, params, signed, key: typeof key === 'string' ? key : undefined }, new HttpPort(this.#line, response));
  }
}

class HttpPort implements AnswerPort {
  readonly #line: RequestLine;
  readonly #response: ServerResponse;

  constructor(line: RequestLine, response: ServerResponse) {
    this.#line = line;
    this.#response = response;
  }

  answer(reply: WireReply, usage: Usage): void {
    send(this.#response, reply, usage);
  }

  async strike(fault: Fault, reply: WireReply): Promise<void> {
    const response = this.#response;
    switch (fault.kind) {
      case 'drop':
        await this.#line.wait(fault.ms ?? SILENCE_MS);
        response.socket?.destroy();
        return;
      case 'reset':
        response.socket?.resetAndDestroy();
        return;
      case 'html':
        response.writeHead(fault.status ?? 503, { 'content-type': 'text/html' });
        response.end(GATEWAY_PAGE);
        return;
      case 'half_body': {
        const whole = JSON.stringify(reply.body);
        response.writeHead(reply.status, { 'content-type': 'application/json;charset=UTF-8', 'content-length': Buffer.byteLength(whole) });
        // Cut only once the first half is out, or nothing at all would arrive.
        response.write(whole.slice(0, whole.length / 2), () => response.socket?.destroy());
        return;
      }
      default:
        send(response, statusReply(fault), []);
    }
  }
}

/** What a gateway puts in place of an answer. */
export const GATEWAY_PAGE = '<html><head><title>Service Unavailable</title></head><body><h1>Service Unavailable</h1></body></html>';

const USAGE_HEADERS: Readonly<Record<string, string>> = { weight: 'x-mbx-used-weight-1m', orders: 'x-mbx-order-count-10s' };

function send(response: ServerResponse, reply: WireReply, usage: Usage): void {
  if (response.destroyed) return;
  const body = JSON.stringify(reply.body);
  const retryAfter = reply.retryAfterMs === undefined ? undefined : { 'retry-after': String(Math.ceil(reply.retryAfterMs / 1_000)) };
  const used = Object.fromEntries(usage.map((use) => [USAGE_HEADERS[use.limit.id] ?? use.limit.id, String(use.used)]));
  response.writeHead(reply.status, {
    'content-type': 'application/json;charset=UTF-8',
    'content-length': Buffer.byteLength(body),
    ...used,
    ...retryAfter,
  });
  response.end(body);
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
