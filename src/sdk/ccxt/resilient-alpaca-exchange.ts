import { systemClock } from '../../core/clock.js';
import { RequestedSource } from '../alpaca/market-source.js';
import { requireCapabilities } from '../alpaca/required-capabilities.js';
import { ResilientAlpaca } from '../alpaca/resilient-alpaca.js';
import { requireRates } from '../alpaca/resilient-options.js';
import type { AlpacaHost } from '../alpaca/wire.js';
import type { SdkSession } from '../shared/sdk-session.js';
import { AlpacaExchangeWire } from './alpaca-exchange-wire.js';
import type { EndpointCall, EndpointParams } from './endpoint-gate.js';
import type { CcxtAlpaca } from './exchange.js';
import { GRACE_MS, ONE_TRY } from './recorded-call.js';
import type { CcxtResilientOptions } from './resilient-options.js';
import { switchOffCcxtRetries } from './to-adapter.js';

const HOSTS: Readonly<Record<string, AlpacaHost>> = { trader: 'trading', market: 'data' };

/** Every REST call of a ccxt alpaca instance through the order path of Alpaca. */
export class ResilientAlpacaExchange {
  readonly session: SdkSession;
  readonly #sdk: CcxtAlpaca;
  readonly #wire: AlpacaExchangeWire;
  readonly #path: ResilientAlpaca;

  constructor(sdk: CcxtAlpaca, { cache: _, ...options }: CcxtResilientOptions) {
    requireCapabilities('resilient', options.capabilities);
    requireRates(options.requestsPerMinute);
    switchOffCcxtRetries(sdk, options);
    this.#sdk = sdk;
    const { clock = systemClock } = options;
    this.#wire = new AlpacaExchangeWire(sdk);
    this.#path = new ResilientAlpaca(
      {
        wire: this.#wire,
        source: new RequestedSource(this.#wire, () => clock.now()),
        timeoutMs: sdk.timeout + GRACE_MS,
        // What ccxt makes of an answer without a body.
        made: (status) => ({ status, json: '', native: '' }),
        canSign: () => this.#canSign,
      },
      options,
    );
    this.session = this.#path.session;
  }

  get #canSign(): boolean {
    return this.#sdk.apiKey !== undefined && this.#sdk.apiKey !== '';
  }

  /** The way of one call. */
  async route({ api, method, path, params, send }: EndpointCall): Promise<unknown> {
    const host = HOSTS[api.split('.')[0] as string];
    // The broker's own API is left to the bot; of an account without keys ccxt itself says what is missing.
    if (host === undefined || (host === 'trading' && !this.#canSign)) return send(this.#sdk);
    const [filled, rest] = filledIn(path, params);
    const isBody = method !== 'GET' && method !== 'DELETE';
    const answer = await this.#path.route({
      host,
      method,
      path: `/${filled}`,
      ...(isBody ? { body: rest } : { query: rest }),
      send: ({ signal }, body) => this.#wire.run(host, (sdk) => send(sdk, { ...params, ...body, ...ONE_TRY }), signal),
    });
    return answer.native;
  }
}

/** Such as `v2/orders/{order_id}` with what stands in its place, and the other parameters. */
function filledIn(path: string, params: EndpointParams): readonly [path: string, rest: EndpointParams] {
  const used: string[] = [];
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    used.push(name);
    return encodeURIComponent(String(params[name]));
  });
  return [filled, Object.fromEntries(Object.entries(params).filter(([name]) => !used.includes(name)))];
}
