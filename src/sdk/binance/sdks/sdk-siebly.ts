import { redactText } from '../../../core/logger.js';
import { type AxiosAnswer, axiosFacts, axiosHeaders, withoutKeys } from '../../shared/axios.js';
import { type HttpFacts, readerOf } from '../../shared/http-facts.js';
import { Overrides } from '../../shared/overrides.js';
import { type BinanceSdk, partsOf, type SdkCall, type SdkOutcome } from './sdk-wire.js';

type Call = (method: string, endpoint: string, params?: unknown, isPrivate?: boolean, baseUrlOverride?: string) => Promise<unknown>;

/** What is asked of a `MainClient` of the package binance, by shape; the package itself is never imported. */
export interface SieblyClient {
  readonly key?: string | undefined;
  readonly secret?: string | undefined;
  readonly baseUrl: string;
  readonly options: { readonly customSignMessageFn?: (message: string, secret: string) => Promise<string> };
  readonly globalRequestOptions: { readonly timeout?: number; readonly validateStatus?: ((status: number) => boolean) | null };
  readonly beautifier?: { beautify(data: unknown, endpoint: string): unknown } | undefined;
  _call: Call;
  updateApiLimitState(headers: Readonly<Record<string, unknown>>): void;
  getBaseUrlKey(): string;
}

/** The methods of it that say that it is new enough. */
export const SIEBLY_METHODS = [
  '_call',
  'updateApiLimitState',
  'getBaseUrlKey',
  'submitNewOrder',
  'cancelOrder',
  'getOrder',
  'getExchangeInfo',
] as const;

/** What one call has seen, since the SDK's errors have no status. */
interface Seen {
  status?: number;
  headers?: Readonly<Record<string, unknown>>;
  /** The answer before the SDK has made numbers of its texts, where it is asked to. */
  raw?: unknown;
}

/** The package binance: all its methods call `_call`, which answers with the data alone and throws plain objects, or axios's errors. */
export function sieblySdk(sdk: SieblyClient): BinanceSdk {
  const original = sdk._call;
  const send = async (timeoutMs: number, own: Partial<Pick<SieblyClient, 'key'>>, ...args: Parameters<Call>): Promise<SdkOutcome> => {
    const seen: Seen = {};
    try {
      const native = await original.apply(watched(sdk, seen, timeoutMs, own), args);
      return { result: { json: 'raw' in seen ? seen.raw : native, native }, status: seen.status, header: readerOf(seen.headers) };
    } catch (thrown) {
      const error = withoutSecrets(thrown);
      return { error, facts: factsIn(error, seen) };
    }
  };
  return {
    name: 'binance',
    get baseUrl() {
      return sdk.baseUrl;
    },
    get timeoutMs() {
      return sdk.globalRequestOptions.timeout ?? 0;
    },
    credentials: () => (sdk.key === undefined && sdk.secret === undefined ? undefined : { apiKey: sdk.key ?? '', secret: sdk.secret ?? '' }),
    ...(typeof sdk.options.customSignMessageFn === 'function'
      ? { sign: (query: string) => sdk.options.customSignMessageFn!(query, sdk.secret ?? '') }
      : {}),
    // The header with the key is among the options of every request; a key at hand would have the SDK sign for nothing.
    request: (method, path, params, timeoutMs) =>
      send(timeoutMs, { key: undefined }, method, `${path.slice(1)}?${new URLSearchParams(params).toString()}`),
    gate: (route, timeoutMs) => {
      const overrides = new Overrides(sdk);
      const ids = new GivenIds();
      overrides.wrap<(...args: never[]) => unknown>('validateOrderId', (validate) => ids.around(validate as ValidateOrderId));
      const gated: Call = async (method, endpoint, params, isPrivate, baseUrlOverride) => {
        const call: SdkCall = {
          method,
          ...partsOf(endpoint, params),
          send: () => send(timeoutMs, {}, method, endpoint, params, isPrivate, baseUrlOverride),
        };
        const native = await route(call);
        if (method === 'GET') return native;
        ids.spend(params);
        // The answer to an order is kept, and given again to who asks again; every caller's is its own.
        return structuredClone(native);
      };
      overrides.wrap<(...args: never[]) => unknown>('_call', () => gated);
      return overrides;
    },
    answered: (_, json, path) => sdk.beautifier?.beautify(json, path.slice(1)) ?? json,
    plain: (native) => native,
  };
}

type ValidateOrderId = (params: Record<string, unknown>, property: string) => void;

/**
 * The client order ids that the SDK writes into the bot's own parameters where there are none: of an order, or of a list and its orders.
 * Bots keep such an object and place with it again: after an order that went well that means another one, after a failure the same.
 */
class GivenIds {
  readonly #given = new WeakMap<object, Map<string, { readonly id: unknown; isSpent: boolean }>>();

  around(validate: ValidateOrderId): ValidateOrderId {
    return (params, property) => {
      const given = this.#given.get(params) ?? new Map<string, { readonly id: unknown; isSpent: boolean }>();
      const before = given.get(property);
      if (before?.isSpent === true && before.id === params[property]) params[property] = undefined;
      const isMissing = !params[property];
      validate(params, property);
      if (isMissing) this.#given.set(params, given.set(property, { id: params[property], isSpent: false }));
    };
  }

  spend(params: unknown): void {
    if (typeof params !== 'object' || params === null) return;
    for (const one of this.#given.get(params)?.values() ?? []) one.isSpent = true;
  }
}

/** The SDK's object for one call: everything it has, and what watches the answer in place of its own. */
function watched(sdk: SieblyClient, seen: Seen, timeoutMs: number, own: Partial<Pick<SieblyClient, 'key'>>): SieblyClient {
  const { globalRequestOptions, beautifier } = sdk;
  const isOk = globalRequestOptions.validateStatus ?? ((status: number) => status >= 200 && status < 300);
  const validateStatus = (status: number): boolean => {
    seen.status = status;
    return isOk(status);
  };
  const view = Object.create(sdk) as { -readonly [K in keyof SieblyClient]: SieblyClient[K] };
  view.globalRequestOptions = { ...globalRequestOptions, timeout: timeoutMs, validateStatus };
  view.updateApiLimitState = (headers) => {
    seen.headers = headers;
    sdk.updateApiLimitState(headers);
  };
  if (beautifier !== undefined)
    view.beautifier = {
      beautify: (data, endpoint) => {
        seen.raw = structuredClone(data);
        return beautifier.beautify(data, endpoint.split('?', 1)[0] as string);
      },
    };
  return Object.assign(view, own);
}

/** What it throws where there was an answer. */
interface Thrown {
  readonly body?: unknown;
  readonly response?: AxiosAnswer;
  requestUrl?: unknown;
}

function withoutSecrets(thrown: unknown): unknown {
  const error = withoutKeys(thrown);
  if (typeof error === 'object' && error !== null && typeof (error as Thrown).requestUrl === 'string')
    (error as Thrown).requestUrl = redactText((error as Thrown).requestUrl as string);
  return error;
}

function factsIn(error: unknown, { status, headers }: Seen): HttpFacts {
  const { body, response } = (typeof error === 'object' && error !== null ? error : {}) as Thrown;
  if (response !== undefined) return axiosFacts(response);
  if (status === undefined) return { sent: true };
  return {
    sent: true,
    status,
    ...(headers === undefined ? {} : { headers: axiosHeaders({ headers }) }),
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  };
}
