import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Fault, SILENCE_MS } from '../faults.js';
import type { AnswerPort, RequestLine, Usage } from './request-line.js';
import type { WireReply } from './wire-reply.js';

/** What a gateway puts in place of an answer. */
export const GATEWAY_PAGE = '<html><head><title>Service Unavailable</title></head><body><h1>Service Unavailable</h1></body></html>';

/** The headers that a protocol adds to an answer. */
export type ReplyHeaders = (reply: WireReply, usage: Usage) => Readonly<Record<string, string>>;

/** Answers one HTTP request, or does to the connection what a fault says. */
export class HttpPort implements AnswerPort {
  readonly #line: RequestLine;
  readonly #response: ServerResponse;
  readonly #headers: ReplyHeaders;

  constructor(line: RequestLine, response: ServerResponse, headers: ReplyHeaders) {
    this.#line = line;
    this.#response = response;
    this.#headers = headers;
  }

  answer(reply: WireReply, usage: Usage): void {
    const response = this.#response;
    if (response.destroyed) return;
    const headers = this.#headers(reply, usage);
    if (reply.body === undefined) {
      response.writeHead(reply.status, headers);
      response.end();
      return;
    }
    const body = JSON.stringify(reply.body);
    response.writeHead(reply.status, { ...JSON_TYPE, 'content-length': Buffer.byteLength(body), ...headers });
    response.end(body);
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
        const whole = JSON.stringify(reply.body ?? {});
        response.writeHead(reply.body === undefined ? 200 : reply.status, { ...JSON_TYPE, 'content-length': Buffer.byteLength(whole) });
        // Cut only once the first half is out, or nothing at all would arrive.
        response.write(whole.slice(0, whole.length / 2), () => response.socket?.destroy());
        return;
      }
      default:
        this.answer(this.#line.protocol.status(fault, this.#line.core.venueClock.venueNow()), []);
    }
  }
}

const JSON_TYPE = { 'content-type': 'application/json;charset=UTF-8' } as const;

/** The whole body of a request. */
export async function bodyOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
