import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync } from 'node:fs';
import { withoutKeys } from '../../shared/axios.js';
import { readerOf } from '../../shared/http-facts.js';
import { Overrides } from '../../shared/overrides.js';
import type { BinanceCredentials } from '../request-signing.js';
import type { BinanceSdk, SdkOutcome } from './sdk-wire.js';
import { socketMethodOf } from './socket-endpoints.js';
import { keptAnswer, plainHeaders, type ReadAnswer, RefusedAnswer } from './spot-answers.js';
import { keepSpotCalls } from './spot-calls.js';
import { SpotSocket, type SpotSocketBase, type SpotSocketParts } from './spot-socket.js';
import { keepSpotStreams, type SpotStreams } from './spot-streams.js';

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
  body?: object,
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

/** @binance/spot. Requests of our own go by its `sendRequest`, calls of the bot as {@link keepSpotCalls} says. */
export function spotSdk({ restAPI, websocketAPI, websocketStreams }: SpotClient): BinanceSdk {
  const { configuration, sendRequest } = restAPI;
  const callers = new AsyncLocalStorage<SpotSocket>();
  // One object for all that is sent, since the SDK keeps a signer for each; it reads all of it before it first waits.
  const inner = Object.create(configuration) as Configuration;
  const within = Object.create(restAPI, { configuration: { value: inner } }) as SpotRestApi;
  const configured = (baseOptions: object): Configuration => Object.assign(inner, { retries: 0, baseOptions });
  const pemOf = pemReader();
  const credentialsIn = ({ apiKey, apiSecret, privateKey, privateKeyPassphrase: passphrase }: Keys): BinanceCredentials | undefined => {
    if (apiKey === undefined && apiSecret === undefined && privateKey === undefined) return undefined;
    if (privateKey === undefined) return { apiKey: apiKey ?? '', secret: apiSecret ?? '' };
    return { apiKey: apiKey ?? '', secret: pemOf(privateKey), ...(passphrase === undefined ? {} : { passphrase }) };
  };
  const send = async (method: string, path: string, params: object, timeoutMs: number): Promise<SdkOutcome> => {
    let text: unknown;
    const transformResponse = (data: unknown): unknown => (text = data);
    configured({ ...configuration.baseOptions, timeout: timeoutMs, validateStatus: () => true, transformResponse: [transformResponse] });
    try {
      const { status, headers } = await sendRequest.call(within, path, method, params);
      return outcomeOf({ status, headers: plainHeaders(headers as object), body: typeof text === 'string' ? text : '' });
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
      return configuration.baseOptions.timeout ?? 0;
    },
    credentials: () => credentialsIn(configuration),
    get ownRetries() {
      return { option: 'retries', count: configuration.retries, wayOut: '`retries: 0` in configurationRestAPI' };
    },
    // It sends the API key with every request.
    request: send,
    gate: (route, timeoutMs) => {
      const calls = keepSpotCalls(restAPI, { route, timeoutMs, own: () => configuration.baseOptions, configured });
      const { retries } = configuration;
      configuration.retries = 0;
      return {
        [Symbol.dispose]: () => {
          calls[Symbol.dispose]();
          configuration.retries = retries;
        },
      };
    },
    // What the socket said was about something else.
    answered: (like, json) => ({ ...keptAnswer(like as ReadAnswer), body: JSON.stringify(json), socket: undefined }),
    plain: (native) => keptAnswer(native as ReadAnswer),
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
