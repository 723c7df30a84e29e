import { CONTENT_TYPES, type ExpositionFormat } from './exposition.js';

/** What the handlers need of a `node:http` request. */
interface RequestShape {
  readonly method?: string;
  readonly headers: { readonly accept?: string };
}

/** What the handlers need of a `node:http` response. */
interface ResponseShape {
  writeHead(status: number, headers: Record<string, string>): unknown;
  end(body?: Uint8Array): unknown;
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body?: Uint8Array;
}

/** Serves an exposition over whatever HTTP the host has. */
export function metricsHandlers(exposition: (format: ExpositionFormat) => Uint8Array): {
  readonly nodeHandler: (request: unknown, response: unknown) => void;
  readonly fetchHandler: (request: Request) => Promise<Response>;
} {
  const answer = (method: string, accept: string): Answer => {
    if (method !== 'GET' && method !== 'HEAD') return { status: 405, headers: { allow: 'GET, HEAD', 'content-type': 'text/plain' } };
    const format = accept.includes('application/openmetrics-text') ? 'openmetrics' : 'text/plain';
    const headers = { 'content-type': CONTENT_TYPES[format], vary: 'accept', 'cache-control': 'no-store' };
    return method === 'HEAD' ? { status: 200, headers } : { status: 200, headers, body: exposition(format) };
  };
  return {
    nodeHandler: (request, response) => {
      const { method = 'GET', headers } = request as RequestShape;
      const { status, headers: answered, body } = answer(method, headers.accept ?? '');
      const to = response as ResponseShape;
      to.writeHead(status, answered);
      to.end(body);
    },
    fetchHandler: async (request) => {
      const { status, headers, body } = answer(request.method, request.headers.get('accept') ?? '');
      return new Response((body as Uint8Array<ArrayBuffer> | undefined) ?? null, { status, headers });
    },
  };
}
