import type { IncomingMessage, ServerResponse } from 'node:http';
import { asError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import { type Answer, type EventSink, type PageRequest, refusal, SECURITY_HEADERS } from './answer.js';

/** Answers a request; never rejects but for what nobody foresaw. */
export type Answerer = (request: PageRequest) => Promise<Answer>;

/** What Express adds to a request of node:http. */
type Mounted = IncomingMessage & { readonly originalUrl?: string; readonly baseUrl?: string };

/** The handler for node:http and whatever is built on it: Express takes it as it is, Fastify after `reply.hijack()`. */
export function nodeHandlerOf(answer: Answerer, logger: Logger | undefined): (request: unknown, response: unknown) => void {
  return (given, to) => {
    const request = given as Mounted;
    const response = to as ServerResponse;
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const { host = 'localhost' } = request.headers;
    const path = request.originalUrl ?? request.url ?? '/';
    const base = `http://${host}`;
    const pageRequest: PageRequest = {
      method: request.method ?? 'GET',
      url: new URL(URL.canParse(path, base) ? path : '/', URL.canParse(base) ? base : 'http://unreadable.invalid'),
      header: (name) => {
        const value = request.headers[name];
        return Array.isArray(value) ? value.join(', ') : value;
      },
      localAddress: request.socket.localAddress,
      mountedAt: request.baseUrl,
      signal: gone.signal,
    };
    void settle(answer, pageRequest, logger).then(({ status, headers, body, stream }) => {
      if (response.destroyed) return;
      response.writeHead(status, { ...SECURITY_HEADERS, ...headers });
      if (stream === undefined || request.method === 'HEAD') {
        response.end(request.method === 'HEAD' ? undefined : body);
        return;
      }
      response.flushHeaders();
      const running = stream(new NodeSink(response));
      response.once('close', () => running[Symbol.dispose]());
    });
  };
}

class NodeSink implements EventSink {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.on('error', () => {});
  }

  get isFull(): boolean {
    return this.#response.writableNeedDrain;
  }

  write(text: string): void {
    if (!this.#response.destroyed) this.#response.write(text);
  }

  end(): void {
    // What waits for a client that does not read is thrown away with it.
    if (this.isFull) this.#response.destroy();
    else this.#response.end();
  }
}

/** The handler for the web's Request and Response: Hono, Bun, Deno, workers. */
export function fetchHandlerOf(answer: Answerer, logger: Logger | undefined): (request: Request) => Promise<Response> {
  return async (request) => {
    const url = new URL(request.url);
    const host = request.headers.get('host') ?? url.host;
    const { status, headers, body, stream } = await settle(
      answer,
      { method: request.method, url, header: (name) => (name === 'host' ? host : (request.headers.get(name) ?? undefined)), signal: request.signal },
      logger,
    );
    const all = { ...SECURITY_HEADERS, ...headers };
    if (request.method === 'HEAD' || (body === undefined && stream === undefined)) return new Response(null, { status, headers: all });
    if (stream === undefined) return new Response(body as string | Uint8Array<ArrayBuffer>, { status, headers: all });
    return new Response(streamOf(stream, request.signal), { status, headers: all });
  };
}

// Text that may wait in the stream before its reader counts as slow.
const HIGH_WATER_BYTES = 64 * 1024;

function streamOf(start: (sink: EventSink) => Disposable, signal: AbortSignal): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let running: Disposable | undefined;
  let isOver = false;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const end = (): void => {
          if (isOver) return;
          isOver = true;
          running?.[Symbol.dispose]();
          controller.close();
        };
        signal.addEventListener('abort', end, { once: true });
        running = start({
          write: (text) => {
            if (!isOver) controller.enqueue(encoder.encode(text));
          },
          get isFull() {
            return (controller.desiredSize ?? 0) <= 0;
          },
          end,
        });
      },
      cancel() {
        isOver = true;
        running?.[Symbol.dispose]();
      },
    },
    { highWaterMark: HIGH_WATER_BYTES, size: (chunk) => chunk?.byteLength ?? 0 },
  );
}

async function settle(answer: Answerer, request: PageRequest, logger: Logger | undefined): Promise<Answer> {
  try {
    return await answer(request);
  } catch (error) {
    if (request.signal.aborted) return refusal(499, 'The client has gone.');
    logger?.error({ error: asError(error), path: request.url.pathname }, 'the dashboard could not answer a request');
    return refusal(500, 'The dashboard could not answer; its log says why.');
  }
}
