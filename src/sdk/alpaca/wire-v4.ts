import { abortReason } from '../../core/abort.js';
import { asError } from '../../core/errors.js';
import { redactError } from '../../core/logger.js';
import { factsOf, withFacts } from '../shared/error-facts.js';
import type { HttpFacts } from '../shared/http-facts.js';
import { Overrides } from '../shared/overrides.js';
import type { Stoppable } from '../shared/stoppable.js';
import { type ReadResponse, ResponseRead, responseOf } from './read-response.js';
import type { AlpacaV4, Fetch, V4Configuration } from './sdk-shapes.js';
import {
  type AlpacaHost,
  type AlpacaWire,
  type AnswerListener,
  AnswerListeners,
  type Route,
  type WireAnswer,
  type WireOutcome,
  type WireRequest,
} from './wire.js';

/** An answer that says no: the SDK makes its own error of it. */
class RefusedResponse extends Error {
  readonly read: ReadResponse;

  constructor(read: ReadResponse) {
    super(`Alpaca answered HTTP ${read.status}`);
    this.read = read;
  }
}

/**
 * Requests through @alpacahq/alpaca-trade-api 4: at `fetch`, underneath all its methods, which read the configuration
 * that they share on every request.
 */
export class V4Wire implements AlpacaWire {
  readonly #sdk: AlpacaV4;
  readonly #listeners = new AnswerListeners();
  readonly #own: Readonly<Record<AlpacaHost, Fetch | undefined>>;

  constructor(sdk: AlpacaV4) {
    this.#sdk = sdk;
    this.#own = { trading: sdk.trading.config.configuration.fetchApi, data: sdk.marketData.config.configuration.fetchApi };
  }

  /** What the SDK gives up an attempt after, in ms; 0: never. */
  get timeoutMs(): number {
    return this.#sdk.trading.config.configuration.timeoutMs ?? 30_000;
  }

  onAnswer(listener: AnswerListener): Disposable {
    return this.#listeners.add(listener);
  }

  send(request: WireRequest, signal: AbortSignal): Promise<WireOutcome> {
    return this.request('trading', request, signal);
  }

  /** As {@link send}, of either API. */
  async request(host: AlpacaHost, { method, path, query, body }: WireRequest, signal: AbortSignal): Promise<WireOutcome> {
    const config = this.#config(host);
    const init: RequestInit = { method, redirect: config.redirect };
    try {
      init.headers = { ...(await headersOf(config)), ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) };
    } catch (error) {
      return { error, facts: { sent: false } };
    }
    if (body !== undefined) init.body = JSON.stringify(body);
    return this.#fetch(host, `${config.basePath}${path}${queryText(query)}`, init, signal);
  }

  /** Sends every call of the SDK by way of `route`, with the SDK's own retries, limiter and time limit off. */
  gate(route: Route): Disposable {
    const gates = (['trading', 'data'] as const).map((host) => this.#gate(host, route));
    return {
      [Symbol.dispose]: () => {
        for (const gate of gates) gate[Symbol.dispose]();
      },
    };
  }

  #gate(host: AlpacaHost, route: Route): Disposable {
    const config = this.#config(host);
    const { configuration } = config;
    const fetch: Fetch = async (url, init) => {
      const { pathname, searchParams } = new URL(url);
      // A stream of server-sent events has no end to wait for.
      if (isEventStream(pathname)) return (this.#own[host] ?? globalThis.fetch)(url, init);
      const call = {
        host,
        method: (init.method ?? 'GET').toUpperCase(),
        path: pathname,
        query: Object.fromEntries(searchParams),
        body: bodyOf(init),
        send: ({ signal }: Stoppable, body?: object) =>
          this.#fetch(host, url, body === undefined ? init : { ...init, body: JSON.stringify(body) }, withCaller(signal, init.signal)),
      };
      try {
        return responseOf((await route(call)).native as ReadResponse, url);
      } catch (error) {
        if (!(error instanceof RefusedResponse)) throw asError(error);
        const response = responseOf(error.read, url);
        const known = factsOf(error);
        if (known !== undefined) withFacts(response, known);
        return response;
      }
    };
    const [members, made] = [new Overrides(configuration), new Overrides(config)];
    for (const [name, value] of Object.entries({ fetchApi: fetch, timeoutMs: 0, retry: undefined, rateLimit: undefined })) members.put(name, value);
    made.put('_rateLimiter', null);
    return {
      [Symbol.dispose]: () => {
        members[Symbol.dispose]();
        made[Symbol.dispose]();
      },
    };
  }

  async #fetch(host: AlpacaHost, url: string, init: RequestInit, signal: AbortSignal): Promise<WireOutcome> {
    if (signal.aborted) return { error: abortReason(signal), facts: { sent: false } };
    let response: Response;
    let read: ReadResponse;
    try {
      response = await (this.#own[host] ?? globalThis.fetch)(url, { ...init, signal });
      const { headers } = response;
      this.#listeners.tell(host, response.status, (name) => headers.get(name) ?? undefined);
      read = new ResponseRead(response, await response.text());
    } catch (error) {
      return { error: signal.aborted ? timeoutOf(signal) : redactError(error), facts: { sent: true } };
    }
    if (!response.ok) return { error: new RefusedResponse(read), facts: factsIn(read) };
    try {
      return { result: answerOf(read) };
    } catch (error) {
      // Success that can't be read proves nothing.
      return { error, facts: factsIn(read) };
    }
  }

  #config(host: AlpacaHost): V4Configuration {
    return host === 'trading' ? this.#sdk.trading.config : this.#sdk.marketData.config;
  }
}

function factsIn({ status, headers, body }: ReadResponse): HttpFacts {
  return { sent: true, status, headers, body };
}

function answerOf(read: ReadResponse): WireAnswer {
  return { status: read.status, json: read.body === '' ? undefined : JSON.parse(read.body), native: read };
}

/** An answer that the venue has not given in these words. */
export function v4Answer(status: number, json?: unknown): WireAnswer {
  const body = json === undefined ? '' : JSON.stringify(json);
  return { status, json, native: { status, headers: { 'content-type': 'application/json' }, body } satisfies ReadResponse };
}

async function headersOf(config: V4Configuration): Promise<Record<string, string>> {
  const { apiKey, accessToken, headers, userAgent } = config;
  const agent = userAgent === undefined || userAgent === '' ? {} : { 'User-Agent': userAgent };
  if (accessToken !== undefined) return { ...agent, ...headers, Authorization: `Bearer ${await accessToken()}` };
  if (apiKey === undefined) return { ...agent, ...headers };
  const keys = { 'APCA-API-KEY-ID': await apiKey('APCA-API-KEY-ID'), 'APCA-API-SECRET-KEY': await apiKey('APCA-API-SECRET-KEY') };
  return { ...agent, ...headers, ...keys };
}

function queryText(query: Readonly<Record<string, unknown>> | undefined): string {
  if (query === undefined) return '';
  const params = new URLSearchParams(
    Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value as string | number | boolean)]])),
  );
  return params.size === 0 ? '' : `?${params.toString()}`;
}

function bodyOf({ body }: RequestInit): Record<string, unknown> | undefined {
  if (typeof body !== 'string') return undefined;
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

// The caller's own signal ends an attempt, too; most calls have none.
function withCaller(signal: AbortSignal, caller: AbortSignal | null | undefined): AbortSignal {
  return caller === null || caller === undefined ? signal : AbortSignal.any([signal, caller]);
}

// As the SDK itself says that its time limit is over.
function timeoutOf(signal: AbortSignal): unknown {
  return Object.assign(new DOMException('The request timed out', 'TimeoutError'), { cause: abortReason(signal) });
}

function isEventStream(path: string): boolean {
  return path.includes('/events/');
}
