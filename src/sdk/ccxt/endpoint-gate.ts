import { isView } from './call-record.js';
import type { CcxtExchange } from './exchange.js';

/** Parameters of an endpoint, as ccxt or the bot made them. */
export type EndpointParams = Readonly<Record<string, unknown>>;

/** One REST call of the bot on its way: before limits, retries and signing. */
export interface EndpointCall {
  /** Such as `order`. */
  readonly path: string;
  /** Such as `private`; nested sections are joined by a point. */
  readonly api: string;
  readonly method: string;
  readonly params: EndpointParams;
  /** In ccxt's own units. */
  cost(): number;
  /** Goes on the wire as ccxt does it: limiter, signature, answer, errors. @param sdk - the instance, or a view of it. @param params - instead of the call's own */
  send(sdk: CcxtExchange, params?: EndpointParams): Promise<unknown>;
}

type Fetch2 = (
  path: string,
  api?: string | readonly string[],
  method?: string,
  params?: EndpointParams,
  headers?: unknown,
  body?: unknown,
  config?: object,
) => Promise<unknown>;

/** What every ccxt exchange sends its REST calls through, whichever method, helper or alias the bot has called. */
interface Gated extends CcxtExchange {
  fetch2: Fetch2;
  calculateRateLimiterCost(api: unknown, method: string, path: string, params: EndpointParams, config: object): number;
}

/** Where calls of the bot go on their way; what venuekit itself calls passes. */
export class EndpointGate implements Disposable {
  readonly #sdk: Gated;
  readonly #own: PropertyDescriptor | undefined;

  /** @throws TypeError when `sdk` has no `fetch2`, which ccxt has had since its first version of 2.0. */
  constructor(sdk: CcxtExchange, route: (call: EndpointCall) => Promise<unknown>) {
    const gated = sdk as Gated;
    for (const method of ['fetch2', 'calculateRateLimiterCost'] as const) {
      if (typeof gated[method] !== 'function')
        throw new TypeError(`sdk is a ccxt exchange without ${method}(); venuekit/ccxt needs ccxt 4.4 or newer`);
    }
    this.#sdk = gated;
    this.#own = Object.getOwnPropertyDescriptor(gated, 'fetch2');
    const send = gated.fetch2;
    const fetch2: Fetch2 = function (this: unknown, path, api = 'public', method = 'GET', params = {}, headers, body, config = {}) {
      if (this !== gated && isView(this)) return send.call(this, path, api, method, params, headers, body, config);
      return route({
        path,
        api: typeof api === 'string' ? api : api.join('.'),
        method,
        params,
        cost: () => gated.calculateRateLimiterCost(api, method, path, params, config),
        send: (via, other) => send.call(via, path, api, method, other ?? params, headers, body, config),
      });
    };
    Object.defineProperty(gated, 'fetch2', { value: fetch2, writable: true, configurable: true, enumerable: this.#own?.enumerable ?? false });
  }

  [Symbol.dispose](): void {
    if (this.#own === undefined) Reflect.deleteProperty(this.#sdk, 'fetch2');
    else Object.defineProperty(this.#sdk, 'fetch2', this.#own);
  }
}
