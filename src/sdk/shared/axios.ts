import { redactError, redactText } from '../../core/logger.js';
import type { HttpFacts } from './http-facts.js';

/** What an answer looks like to an SDK that is built on axios. */
export interface AxiosAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly data: unknown;
}

const KEY_HEADER = /^(?:apca-api-(?:key-id|secret-key)|authorization|x-mbx-apikey)$/i;

/**
 * An error of axios carries its whole request, keys and signature included, and by its connection those of every other request of the
 * process: whoever logs it would log them. The same error, with what its request was in place of the request itself.
 */
export function withoutKeys<T>(error: T): T {
  const safe = redactError(error);
  if (typeof safe !== 'object' || safe === null) return safe;
  const { config, response } = safe as Requested & { response?: Requested };
  for (const one of [config, response?.config]) {
    if (one === undefined) continue;
    if (typeof one.url === 'string') one.url = redactText(one.url);
    const { headers } = one;
    for (const name of Object.keys(headers ?? {})) if (KEY_HEADER.test(name)) headers![name] = '[hidden]';
    for (const name of AGENTS) if (typeof one[name] === 'object') Object.defineProperty(one, name, { enumerable: false });
  }
  for (const one of [safe as Requested, response]) {
    if (typeof one?.request === 'object' && one.request !== null) one.request = told(one.request);
  }
  return safe;
}

/** What holds connections, and so the requests on them. */
const AGENTS = ['httpAgent', 'httpsAgent'] as const;

interface Requested {
  readonly config?: AxiosConfig;
  request?: AxiosRequest | null;
}

interface AxiosConfig {
  url?: unknown;
  readonly headers?: Record<string, unknown>;
  readonly httpAgent?: unknown;
  readonly httpsAgent?: unknown;
}

/** Of Node, or of a library that follows redirections, which has the one of Node within. */
interface AxiosRequest {
  readonly method?: unknown;
  readonly protocol?: unknown;
  readonly host?: unknown;
  readonly path?: unknown;
  readonly _currentRequest?: AxiosRequest | null;
}

function told(request: AxiosRequest): AxiosRequest {
  const { method, protocol, host, path } = request._currentRequest ?? request;
  return { method, protocol, host, path: typeof path === 'string' ? redactText(path) : path };
}

export function axiosFacts(response: AxiosAnswer | undefined): HttpFacts {
  if (response === undefined) return { sent: true };
  const { status, data } = response;
  return { sent: true, status, headers: axiosHeaders(response), body: typeof data === 'string' ? data : JSON.stringify(data ?? null) };
}

/** By lower-case names. */
export function axiosHeaders({ headers = {} }: Pick<AxiosAnswer, 'headers'>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
}
