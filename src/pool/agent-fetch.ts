import type http from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';

/** Answers that have no body; a Response refuses one. */
const BODILESS = new Set([101, 204, 205, 304]);
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * `fetch` over a pair of agents: what Node's own fetch, which takes no agent, can't be given. Requests and responses are the standard
 * ones. A redirect is not followed but given to the caller (refused with `redirect: 'error'`), and no compression is asked for.
 */
export function agentFetch(agents: { readonly http: http.Agent; readonly https: http.Agent }): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    const isSecure = url.protocol === 'https:';
    if (!isSecure && url.protocol !== 'http:') throw new TypeError(`fetch needs an http: or https: URL, got ${url.protocol}`);
    request.signal.throwIfAborted();
    // Whole: its length stands in the head then, and a server that answers early loses nothing.
    const body = request.body === null ? undefined : new Uint8Array(await request.arrayBuffer());
    const send = isSecure ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const outgoing = send(url, {
        method: request.method,
        headers: { ...Object.fromEntries(request.headers), ...(body === undefined ? {} : { 'content-length': String(body.byteLength) }) },
        agent: isSecure ? agents.https : agents.http,
        signal: request.signal,
      });
      outgoing.on('error', (error) => reject(request.signal.aborted ? (request.signal.reason as Error) : error));
      outgoing.on('response', (incoming) => {
        try {
          if (request.redirect === 'error' && REDIRECTS.has(incoming.statusCode ?? 0)) throw new TypeError(`${url.origin} answered with a redirect`);
          resolve(responseOf(incoming));
        } catch (error) {
          incoming.destroy();
          reject(error);
        }
      });
      outgoing.end(body);
    });
  };
}

function responseOf(incoming: http.IncomingMessage): Response {
  const { statusCode = 0, statusMessage = '' } = incoming;
  const headers = new Headers();
  for (let i = 0; i < incoming.rawHeaders.length; i += 2) headers.append(incoming.rawHeaders[i] as string, incoming.rawHeaders[i + 1] as string);
  const isBodiless = BODILESS.has(statusCode);
  // Read to its end, so that the socket is free again.
  if (isBodiless) incoming.resume();
  const body = isBodiless ? null : (Readable.toWeb(incoming) as NodeReadableStream<Uint8Array> as unknown as ReadableStream<Uint8Array>);
  return new Response(body, { status: statusCode, statusText: statusMessage, headers });
}
