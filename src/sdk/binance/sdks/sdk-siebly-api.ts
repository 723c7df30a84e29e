import { randomBytes } from 'node:crypto';
import { systemClock } from '../../../core/clock.js';
import type { HttpFacts } from '../../shared/http-facts.js';
import { type Json, objectOf } from '../../shared/json.js';
import { Overrides } from '../../shared/overrides.js';
import { RequestSigner } from '../request-signing.js';
import { KeptReports } from '../streams/kept-reports.js';
import type { Params } from '../wire.js';
import { type BinanceSdk, partsOf, type SdkCall, type SdkOutcome, type SocketKeeping } from './sdk-wire.js';
import { endpointOf, socketMethodOf } from './socket-endpoints.js';
import { usageIn } from './spot-answers.js';

type SendRequest = (wsKey: string, method: string, params?: Params, flags?: object) => Promise<unknown>;
type HearMessage = (event: { readonly data?: unknown }, wsKey: string, ws: unknown) => void;

/** The `WebsocketClient` under a `WebsocketAPIClient` of the package binance, by shape; the package itself is never imported. */
interface SocketClient {
  readonly options: { readonly api_key?: string; readonly api_secret?: string; readonly testnet?: boolean; readonly customSignMessageFn?: unknown };
  sendWSAPIRequest: SendRequest;
  onWsMessage: HearMessage;
  isConnected(wsKey: string): boolean;
  assertIsConnected(wsKey: string): Promise<unknown>;
  getNewRequestId(): number;
  tryWsSend(wsKey: string, message: string, throwsExceptions: true): void;
  getWsStore(): {
    createDeferredPromise(wsKey: string, name: string, throwsExisting: false): { readonly promise: Promise<unknown> };
  };
  on(event: 'reconnecting' | 'close', listener: (event: { readonly wsKey: string }) => void): unknown;
  off(event: 'reconnecting' | 'close', listener: (event: { readonly wsKey: string }) => void): unknown;
}

/** What is asked of a `WebsocketAPIClient`. */
export interface SieblyApiClient {
  getWSClient(): SocketClient;
}

/** The methods of it that say that it is new enough. */
export const SIEBLY_API_METHODS = ['getWSClient', 'submitNewSpotOrder', 'cancelSpotOrder', 'getSpotOrderStatus', 'subscribeUserDataStream'] as const;

/** An answer, as it resolves with or rejects with it. */
interface Response {
  readonly status?: number;
  readonly result?: unknown;
  readonly error?: { readonly code?: number; readonly msg?: string; readonly data?: { readonly serverTime?: number; readonly retryAfter?: number } };
  readonly rateLimits?: readonly unknown[];
  readonly request?: { params?: Record<string, unknown> };
}

/** Its connections to the WebSocket API of spot trading. */
const SPOT = ['mainWSAPI', 'mainWSAPI2', 'mainWSAPITestnet'];
/** What it puts before the client order ids that it makes. Source: binance 3.6, requestUtils. */
const ID_PREFIX = 'x-U5D79M5B';

/**
 * `WebsocketAPIClient` of the package binance, which knows no REST: everything goes over its own connection. Requests that are signed
 * here go past its `sendWSAPIRequest`, which would wait for a connection and put a later time into them.
 */
export function sieblyApiSdk(api: SieblyApiClient): BinanceSdk {
  const client = api.getWSClient();
  const { options } = client;
  if (options.customSignMessageFn !== undefined)
    throw new TypeError(
      'sdk is a WebsocketAPIClient with customSignMessageFn, which is not known here: send its orders through `resilient(new MainClient(…))`',
    );
  const signer = new RequestSigner(() => ({ apiKey: options.api_key ?? '', secret: options.api_secret ?? '' }));
  const original = client.sendWSAPIRequest.bind(client);
  let wsKey = options.testnet === true ? 'mainWSAPITestnet' : 'mainWSAPI';
  const send = async (method: string, params: Params): Promise<SdkOutcome> => {
    if (!client.isConnected(wsKey)) {
      client.assertIsConnected(wsKey).catch(() => {});
      return { error: new Error(`${wsKey} socket not connected yet`), facts: { sent: false } };
    }
    try {
      const id = client.getNewRequestId();
      const { promise } = client.getWsStore().createDeferredPromise(wsKey, `${wsKey}_${id}`, false);
      // Where sending fails, nobody waits for it, and the end of the connection rejects it all the same.
      promise.catch(() => {});
      client.tryWsSend(wsKey, JSON.stringify({ id, method, params }), true);
      return answered(await promise);
    } catch (error) {
      return failed(error);
    }
  };
  return {
    name: 'binance',
    isSocketOnly: true,
    baseUrl: '',
    timeoutMs: 0,
    credentials: () =>
      options.api_key === undefined && options.api_secret === undefined
        ? undefined
        : { apiKey: options.api_key ?? '', secret: options.api_secret ?? '' },
    request: async (method, path, params) => {
      const name = socketMethodOf(method, path);
      return name === undefined ? { error: new Error(`${path} is not to be had over a socket`), facts: { sent: false } } : send(name, params);
    },
    overSocket: (method, path, params) => {
      const name = socketMethodOf(method, path);
      return name === undefined ? undefined : send(name, signer.sign(params));
    },
    gate: (route) => {
      const overrides = new Overrides(client);
      overrides.put('sendWSAPIRequest', async (key: string, method: string, params: Params = {}, flags?: object): Promise<unknown> => {
        const endpoint = SPOT.includes(key) ? endpointOf(method) : undefined;
        if (endpoint === undefined) return original(key, method, params, flags);
        wsKey = options.testnet === true ? 'mainWSAPITestnet' : key;
        const { signRequest: _, timestamp: __, ...asked } = params as Record<string, unknown>;
        if (method === 'order.place') asked.newClientOrderId ??= `${ID_PREFIX}${randomBytes(13).toString('hex')}`;
        const attempt = (): Promise<SdkOutcome> => {
          const stamped = params.timestamp === undefined ? params : { ...params, timestamp: systemClock.now() };
          return original(key, method, stamped, flags).then(answered, failed);
        };
        const call: SdkCall = { method: endpoint.method, ...partsOf(endpoint.path, asked), send: attempt };
        return structuredClone(await route(call));
      });
      return overrides;
    },
    answered: (like, result) => ({ ...(like as Response), result }),
    keepSockets: (parts) => keepEvents(client, parts),
    plain: (native) => native,
  };
}

/** The account's events: the SDK pings, connects anew and subscribes again by itself, but knows nothing of what it has missed. */
function keepEvents(client: SocketClient, { path, closing }: SocketKeeping): Disposable {
  const feeds = new Map<string, KeptReports>();
  const overrides = new Overrides(client);
  overrides.wrap<HearMessage>('onWsMessage', (hear) => (event, wsKey, ws) => {
    const frame = SPOT.includes(wsKey) ? frameOf(event.data) : undefined;
    const reports = feeds.get(wsKey);
    if (reports !== undefined && typeof frame?.event === 'object' && frame.event !== null) {
      reports.take(frame.event as Json);
      return;
    }
    hear(event, wsKey, ws);
    const { subscriptionId } = (frame?.result ?? {}) as { readonly subscriptionId?: unknown };
    if (typeof subscriptionId !== 'number') return;
    const deliver = (own: Json): void => hear({ ...MESSAGE, data: JSON.stringify({ event: own }) }, wsKey, ws);
    if (reports === undefined) feeds.set(wsKey, new KeptReports(path, closing, deliver));
    feeds.get(wsKey)?.subscribed();
  });
  const lost = ({ wsKey }: { readonly wsKey: string }): void => feeds.get(wsKey)?.lost();
  const left = ({ wsKey }: { readonly wsKey: string }): void => void feeds.delete(wsKey);
  client.on('reconnecting', lost);
  client.on('close', left);
  return {
    [Symbol.dispose]: () => {
      overrides[Symbol.dispose]();
      client.off('reconnecting', lost);
      client.off('close', left);
    },
  };
}

const MESSAGE = { type: 'message' } as const;

function frameOf(data: unknown): Json | undefined {
  try {
    return objectOf(JSON.parse(String(data)), 'frame');
  } catch {
    return undefined;
  }
}

function answered(response: unknown): SdkOutcome {
  const { status = 200, result } = withoutKeys(response as Response);
  const usage = usageIn(response as Response);
  return { result: { json: result, native: response }, status, header: (name) => usage[name] };
}

function failed(error: unknown): SdkOutcome {
  if (typeof error !== 'object' || error === null) return { error, facts: { sent: true } };
  return { error, facts: factsIn(withoutKeys(error)) };
}

function factsIn({ status, error }: Response): HttpFacts {
  if (typeof status !== 'number' || error === undefined) return { sent: true };
  const { retryAfter, serverTime } = error.data ?? {};
  const waitMs = retryAfter === undefined || serverTime === undefined ? undefined : Math.max(0, retryAfter - serverTime);
  const headers = waitMs === undefined ? {} : { headers: { 'retry-after': String(waitMs / 1_000) } };
  return { sent: true, status, ...headers, body: JSON.stringify(error) };
}

// It shows the whole request beside the answer.
function withoutKeys(response: Response): Response {
  const params = response.request?.params;
  for (const name of ['apiKey', 'signature']) if (params?.[name] !== undefined) params[name] = '[hidden]';
  return response;
}
