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
      return route(new BotCall(gated, send, path, api, method, params, headers, body, config));
    };
    Object.defineProperty(gated, 'fetch2', { value: fetch2, writable: true, configurable: true, enumerable: this.#own?.enumerable ?? false });
  }

  [Symbol.dispose](): void {
    if (this.#own === undefined) Reflect.deleteProperty(this.#sdk, 'fetch2');
    else Object.defineProperty(this.#sdk, 'fetch2', this.#own);
  }
}

/** A record with methods, which costs a call a third of what a record of closures does. */
class BotCall implements EndpointCall {
  readonly path: string;
  readonly method: string;
  readonly params: EndpointParams;
  private readonly sdk: Gated;
  private readonly fetch2: Fetch2;
  private readonly section: string | readonly string[];
  private readonly headers: unknown;
  private readonly body: unknown;
  private readonly config: object;

  constructor(
    sdk: Gated,
    fetch2: Fetch2,
    path: string,
    section: string | readonly string[],
    method: string,
    params: EndpointParams,
    headers: unknown,
    body: unknown,
    config: object,
  ) {
    this.sdk = sdk;
    this.fetch2 = fetch2;
    this.path = path;
    this.section = section;
    this.method = method;
    this.params = params;
    this.headers = headers;
    this.body = body;
    this.config = config;
  }

  get api(): string {
    const { section } = this;
    return typeof section === 'string' ? section : section.join('.');
  }

  cost(): number {
    return this.sdk.calculateRateLimiterCost(this.section, this.method, this.path, this.params, this.config);
  }

  send(via: CcxtExchange, params = this.params): Promise<unknown> {
    return this.fetch2.call(via, this.path, this.section, this.method, params, this.headers, this.body, this.config);
  }
}
