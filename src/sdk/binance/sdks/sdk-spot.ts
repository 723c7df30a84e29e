import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync } from 'node:fs';
import { asError } from '../../../core/errors.js';
import { withoutKeys } from '../../shared/axios.js';
import { type ErrorFacts, factsOf, withFacts } from '../../shared/error-facts.js';
import { readerOf } from '../../shared/http-facts.js';
import { Overrides } from '../../shared/overrides.js';
import type { BinanceCredentials } from '../request-signing.js';
import { type BinanceSdk, partsOf, type SdkCall, type SdkOutcome } from './sdk-wire.js';
import { socketMethodOf } from './socket-endpoints.js';
import { type ReadAnswer, RefusedAnswer } from './spot-answers.js';
import { SpotSocket, type SpotSocketBase, type SpotSocketParts } from './spot-socket.js';
import { keepSpotStreams, type SpotStreams } from './spot-streams.js';

/** What the SDK hands to axios, as far as it is read here. */
interface AxiosRequest {
  readonly url: string;
  readonly method?: string;
  readonly data?: unknown;
  readonly headers?: Readonly<Record<string, unknown>>;
}

interface Keys {
  readonly apiKey?: string;
  readonly apiSecret?: string;
  /** A PEM, or the path of a file with one. */
  readonly privateKey?: string | Uint8Array;
  readonly privateKeyPassphrase?: string;
}

interface Configuration extends Keys {
  readonly basePath: string;
  retries: number;
  baseOptions: Record<string, unknown> & { readonly timeout?: number };
}

type SendRequest = (
  endpoint: string,
  method: string,
  query: object,
  body: object,
  timeUnit?: unknown,
) => Promise<{ readonly status: number; readonly headers: unknown }>;

/** What is asked of `restAPI` of a @binance/spot client, by shape; the package itself is never imported. */
export interface SpotRestApi {
  readonly configuration: Configuration;
  sendRequest: SendRequest;
  sendSignedRequest: SendRequest;
}

/** The part of it that gives connections to the WebSocket API. */
interface SpotWebsocketApi {
  readonly configuration: Keys;
  connect: (options?: object) => Promise<{ readonly websocketBase: SpotSocketBase }>;
}

/** A client that was made with `configurationRestAPI`, and perhaps with `configurationWebsocketAPI`. */
export interface SpotClient {
  readonly restAPI: SpotRestApi;
  readonly websocketAPI?: SpotWebsocketApi;
  /** And with `configurationWebsocketStreams`. */
  readonly websocketStreams?: SpotStreams;
}

export const SPOT_METHODS = ['sendRequest', 'sendSignedRequest', 'newOrder', 'deleteOrder', 'getOrder', 'getOpenOrders', 'exchangeInfo'] as const;

/**
 * @binance/spot: its methods send by a function of their module, which nobody can replace; but it hands all of the
 * configuration's `baseOptions` to axios, and so a transport of ours (`adapter`). That one sends every request of the bot
 * again by `sendRequest`, with what sees status, headers and text of the answer, of which the SDK's errors keep nothing.
 */
export function spotSdk({ restAPI, websocketAPI, websocketStreams }: SpotClient): BinanceSdk {
  const { configuration, sendRequest, sendSignedRequest } = restAPI;
  const callers = new AsyncLocalStorage<SpotSocket>();
  // One object for all attempts, since the SDK keeps a signer for each; it reads all of it before it first waits.
  const inner = Object.create(configuration) as Configuration;
  const within = Object.create(restAPI, { configuration: { value: inner } }) as SpotRestApi;
  let own = configuration.baseOptions;
  const pemOf = pemReader();
  const credentialsIn = ({ apiKey, apiSecret, privateKey, privateKeyPassphrase: passphrase }: Keys): BinanceCredentials | undefined => {
    if (apiKey === undefined && apiSecret === undefined && privateKey === undefined) return undefined;
    if (privateKey === undefined) return { apiKey: apiKey ?? '', secret: apiSecret ?? '' };
    return { apiKey: apiKey ?? '', secret: pemOf(privateKey), ...(passphrase === undefined ? {} : { passphrase }) };
  };
  const send = async (
    request: SendRequest,
    timeoutMs: number,
    path: string,
    method: string,
    query: object,
    body: object,
    unit?: unknown,
  ): Promise<SdkOutcome> => {
    let text: unknown;
    const transformResponse = (data: unknown): unknown => (text = data);
    Object.assign(inner, {
      retries: 0,
      baseOptions: { ...own, timeout: timeoutMs, validateStatus: () => true, transformResponse: [transformResponse] },
    });
    try {
      const { status, headers } = await (unit === undefined
        ? request.call(within, path, method, query, body)
        : request.call(within, path, method, query, body, unit));
      return outcomeOf({ status, headers: plainHeaders(headers), body: typeof text === 'string' ? text : '' });
    } catch (error) {
      return { error: withoutKeys(error), facts: { sent: true } };
    }
  };
  return {
    name: '@binance/spot',
    get baseUrl() {
      return configuration.basePath;
    },
    get timeoutMs() {
      return own.timeout ?? 0;
    },
    credentials: () => credentialsIn(configuration),
    get ownRetries() {
      return { option: 'retries', count: configuration.retries, wayOut: '`retries: 0` in configurationRestAPI' };
    },
    // It sends the API key with every request.
    request: (method, path, params, timeoutMs) => send(sendRequest, timeoutMs, path, method, params, {}),
    gate: (route, timeoutMs) => {
      own = configuration.baseOptions;
      const { retries } = configuration;
      const scopes = new AsyncLocalStorage<Scope>();
      const adapter = async (request: AxiosRequest): Promise<object> => {
        const { call, isSigned, query, body, unit } = callOf(request);
        const sendAgain = (): Promise<SdkOutcome> =>
          send(isSigned ? sendSignedRequest : sendRequest, timeoutMs, call.path, call.method, query, body, unit);
        try {
          const read = (await route({ ...call, send: sendAgain })) as ReadAnswer;
          return { data: read.body, status: read.status, statusText: '', headers: { ...read.headers }, config: request, request: {} };
        } catch (error) {
          const scope = scopes.getStore();
          if (scope !== undefined) scope.facts = factsOf(error);
          throw asError(error);
        }
      };
      Object.assign(configuration, { retries: 0, baseOptions: { ...own, adapter } });
      const overrides = new Overrides(restAPI);
      // The SDK makes its errors of what the transport throws, and keeps nothing of that: the facts go around it.
      for (const name of methodsOf(restAPI))
        overrides.wrap(
          name,
          (method) =>
            (...args) =>
              scoped(scopes, () => method(...args)),
        );
      return {
        [Symbol.dispose]: () => {
          overrides[Symbol.dispose]();
          Object.assign(configuration, { retries, baseOptions: own });
        },
      };
    },
    // What the socket said was about something else.
    answered: (like, json) => ({ ...(like as ReadAnswer), body: JSON.stringify(json), socket: undefined }),
    plain: (native) => native,
    keepSockets: (parts) => {
      if (websocketAPI === undefined) return { [Symbol.dispose]: () => {} };
      if (hasKey(websocketAPI.configuration) && !hasKey(configuration))
        throw new TypeError(
          'sdk has keys in configurationWebsocketAPI and none in configurationRestAPI: give the same to both, since what became of an order is looked up over REST where the socket is gone',
        );
      const credentials = (): BinanceCredentials => credentialsIn(websocketAPI.configuration) ?? { apiKey: '', secret: '' };
      return keepSpotSockets(websocketAPI, { ...parts, credentials, within: (socket, work) => callers.run(socket, work) });
    },
    keepMarkets: (keeping) => (websocketStreams === undefined ? { [Symbol.dispose]: () => {} } : keepSpotStreams(websocketStreams, keeping)),
    overSocket: (method, path, params, timeoutMs) => {
      const socket = callers.getStore();
      const name = socket?.isUsable === true ? socketMethodOf(method, path) : undefined;
      return name === undefined ? undefined : socket?.call(name, params, timeoutMs);
    },
  };
}

function keepSpotSockets(websocketAPI: SpotWebsocketApi, parts: SpotSocketParts): Disposable {
  const overrides = new Overrides(websocketAPI);
  const sockets = new Set<SpotSocket>();
  overrides.wrap<SpotWebsocketApi['connect']>('connect', (connect) => async (options) => {
    const connection = await connect(options);
    const socket = new SpotSocket(connection.websocketBase, parts, () => sockets.delete(socket));
    sockets.add(socket);
    return connection;
  });
  return {
    [Symbol.dispose]: () => {
      overrides[Symbol.dispose]();
      for (const socket of sockets) socket[Symbol.dispose]();
    },
  };
}

/** Reads each once: the SDK does, too. */
function pemReader(): (from: string | Uint8Array) => string {
  const read = new Map<string | Uint8Array, string>();
  return (from) => {
    let pem = read.get(from);
    if (pem === undefined) read.set(from, (pem = readPem(from)));
    return pem;
  };
}

function hasKey({ apiKey = '' }: Keys): boolean {
  return apiKey !== '';
}

function readPem(from: string | Uint8Array): string {
  if (typeof from !== 'string') return new TextDecoder().decode(from);
  return from.includes('PRIVATE KEY') ? from : readFileSync(from, 'utf8');
}

interface Scope {
  facts?: ErrorFacts | undefined;
}

async function scoped(scopes: AsyncLocalStorage<Scope>, work: () => Promise<unknown>): Promise<unknown> {
  const scope: Scope = {};
  try {
    return await scopes.run(scope, work);
  } catch (error) {
    throw scope.facts === undefined ? error : withFacts(error, scope.facts);
  }
}

function methodsOf(restAPI: object): readonly string[] {
  return Object.getOwnPropertyNames(Object.getPrototypeOf(restAPI)).filter((name) => name !== 'constructor');
}

function outcomeOf(read: ReadAnswer): SdkOutcome {
  const { status, headers, body } = read;
  if (status < 200 || status >= 300) return { error: new RefusedAnswer(read), facts: { sent: true, status, headers, body } };
  try {
    return { result: { json: JSON.parse(body), native: read }, status, header: readerOf(headers) };
  } catch (error) {
    // Success that can't be read proves nothing.
    return { error, facts: { sent: true, status, headers, body } };
  }
}

/** A request as the SDK has signed it, taken apart so that it can be signed anew for each attempt. */
function callOf({ url, method = 'GET', data, headers = {} }: AxiosRequest): {
  readonly call: Pick<SdkCall, 'method' | 'path' | 'params'>;
  readonly isSigned: boolean;
  readonly query: Record<string, string>;
  readonly body: Record<string, string>;
  readonly unit: unknown;
} {
  const { pathname, searchParams } = new URL(url);
  const { timestamp: _, signature, ...query } = Object.fromEntries(searchParams);
  const body = typeof data === 'string' ? Object.fromEntries(new URLSearchParams(data)) : {};
  return {
    call: { method: method.toUpperCase(), ...partsOf(pathname, { ...query, ...body }) },
    isSigned: signature !== undefined,
    query,
    body,
    unit: headers['X-MBX-TIME-UNIT'],
  };
}

function plainHeaders(headers: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers as object).map(([name, value]) => [name.toLowerCase(), String(value)]));
}
