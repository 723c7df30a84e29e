import { redactError, redactText } from '../../core/logger.js';
import type { HttpFacts } from './http-facts.js';

/** What an answer looks like to an SDK that is built on axios. */
export interface AxiosAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly data: unknown;
}

const KEY_HEADER = /^(?:apca-api-(?:key-id|secret-key)|authorization|x-mbx-apikey)$/i;
const KEY_LINE = /^((?:apca-api-(?:key-id|secret-key)|authorization|x-mbx-apikey):\s*).*$/gim;

/** An error of axios carries its whole request, keys included: whoever logs it would log them. The same error, without them. */
export function withoutKeys<T>(error: T): T {
  const safe = redactError(error);
  if (typeof safe !== 'object' || safe === null) return safe;
  const { config, request, response } = safe as { config?: AxiosConfig; request?: AxiosRequest; response?: { config?: AxiosConfig } };
  for (const one of [config, response?.config]) {
    if (typeof one?.url === 'string') one.url = redactText(one.url);
    const headers = one?.headers;
    for (const name of Object.keys(headers ?? {})) if (KEY_HEADER.test(name)) headers![name] = '[hidden]';
  }
  // A request that was redirected has another one within.
  for (const one of [request, request?._currentRequest])
    if (typeof one?._header === 'string') one._header = one._header.replace(KEY_LINE, '$1[hidden]');
  const sent = request?._options?.headers;
  for (const name of Object.keys(sent ?? {})) if (KEY_HEADER.test(name)) sent![name] = '[hidden]';
  return safe;
}

interface AxiosConfig {
  url?: unknown;
  readonly headers?: Record<string, unknown>;
}

interface AxiosRequest {
  _header?: unknown;
  readonly _options?: { readonly headers?: Record<string, unknown> };
  readonly _currentRequest?: { _header?: unknown };
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
