import { type AxiosAnswer, axiosFacts, withoutKeys } from '../../shared/axios.js';
import { readerOf } from '../../shared/http-facts.js';
import { Overrides } from '../../shared/overrides.js';
import { type BinanceSdk, partsOf, type SdkCall, type SdkOutcome } from './sdk-wire.js';

type Request = (method: string, path: string, params?: unknown) => Promise<AxiosAnswer>;

/** What is asked of an instance of @binance/connector, by shape; the package itself is never imported. */
export interface Connector {
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly baseURL: string;
  readonly timeout: number;
  readonly privateKey: string;
  readonly privateKeyPassphrase: string;
  publicRequest: Request;
  signRequest: Request;
}

/** The methods of it that say that it is for spot trading, and new enough. */
export const CONNECTOR_METHODS = ['publicRequest', 'signRequest', 'newOrder', 'cancelOrder', 'getOrder', 'openOrders', 'exchangeInfo'] as const;

/** @binance/connector: all its methods call `publicRequest` or `signRequest`, which answer in axios's own form and throw axios's errors. */
export function connectorSdk(sdk: Connector): BinanceSdk {
  const [publicRequest, signRequest] = [sdk.publicRequest, sdk.signRequest] as const;
  // The object itself, but for its time limit. Made once: the SDK only reads it.
  const limited = Object.create(sdk, { timeout: { value: 0, writable: true } }) as Connector & { timeout: number };
  const send = (request: Request, timeoutMs: number, method: string, path: string, params?: unknown): Promise<SdkOutcome> => {
    limited.timeout = timeoutMs;
    return outcomeOf(() => request.call(limited, method, path, params));
  };
  return {
    name: '@binance/connector',
    get baseUrl() {
      return sdk.baseURL;
    },
    get timeoutMs() {
      return sdk.timeout;
    },
    credentials: () => {
      const { apiKey, apiSecret, privateKey, privateKeyPassphrase } = sdk;
      if (privateKey === '') return { apiKey, secret: apiSecret };
      return { apiKey, secret: privateKey, ...(privateKeyPassphrase === '' ? {} : { passphrase: privateKeyPassphrase }) };
    },
    // It sends the API key with every request.
    request: (method, path, params, timeoutMs) => send(publicRequest, timeoutMs, method, `${path}?${new URLSearchParams(params).toString()}`),
    gate: (route, timeoutMs) => {
      const overrides = new Overrides(sdk);
      for (const [name, request] of [
        ['publicRequest', publicRequest],
        ['signRequest', signRequest],
      ] as const) {
        const gated: Request = async (method, path, params) => {
          // The SDK takes out of the parameters what it reads of them.
          const call: SdkCall = { method, ...partsOf(path, params), send: () => send(request, timeoutMs, method, path, { ...(params as object) }) };
          const native = (await route(call)) as AxiosAnswer;
          return method === 'GET' ? native : ownCopyOf(native);
        };
        overrides.wrap<(...args: never[]) => unknown>(name, () => gated);
      }
      return overrides;
    },
    answered: (like, data) => ({ ...(like as AxiosAnswer), data }),
    plain: (native) => {
      const { status, statusText, headers, data } = native as AxiosAnswer & { statusText?: string };
      return { status, statusText, headers: { ...headers }, data };
    },
  };
}

// The answer to an order is kept, and given again to who asks again; every caller's is its own.
function ownCopyOf(answer: AxiosAnswer): AxiosAnswer {
  return { ...answer, data: structuredClone(answer.data) };
}

async function outcomeOf(work: () => Promise<AxiosAnswer>): Promise<SdkOutcome> {
  try {
    const native = await work();
    return { result: { json: native.data, native }, status: native.status, header: readerOf(native.headers) };
  } catch (thrown) {
    const error = withoutKeys(thrown);
    return { error, facts: axiosFacts((error as { response?: AxiosAnswer }).response) };
  }
}
