import { systemClock } from '../../core/clock.js';
import { requireTier } from '../kraken/limits.js';
import { OrderPath } from '../kraken/order-path.js';
import { requireCapabilities } from '../kraken/required-capabilities.js';
import type { SdkSession } from '../shared/sdk-session.js';
import { CcxtMarkets, KRAKEN_SPOT } from './ccxt-markets.js';
import type { EndpointCall } from './endpoint-gate.js';
import type { CcxtKraken } from './exchange.js';
import { KrakenExchangeWire } from './kraken-exchange-wire.js';
import { answerOf, PlainReads } from './plain-reads.js';
import { GRACE_MS, ONE_TRY } from './recorded-call.js';
import type { CcxtResilientOptions } from './resilient-options.js';
import { SpotMarkets } from './spot-markets.js';
import { switchOffCcxtRetries } from './to-adapter.js';

/** Every REST call of a ccxt kraken instance through the order path of Kraken. */
export class ResilientKraken implements Disposable {
  readonly session: SdkSession;
  readonly #sdk: CcxtKraken;
  readonly #wire: KrakenExchangeWire;
  readonly #path: OrderPath;
  readonly #reads: PlainReads;

  constructor(sdk: CcxtKraken, { cache: _, krakenTier, ...options }: CcxtResilientOptions) {
    requireCapabilities('resilient', options.capabilities);
    switchOffCcxtRetries(sdk, options);
    const { clock = systemClock } = options;
    this.#sdk = sdk;
    this.#wire = new KrakenExchangeWire(sdk, clock);
    const markets = new SpotMarkets(sdk);
    this.#path = new OrderPath(
      {
        wire: this.#wire,
        markets: new CcxtMarkets(sdk, KRAKEN_SPOT),
        tier: requireTier(krakenTier),
        symbolOf: (pair) => markets.symbolOf(pair),
        canSign: () => sdk.apiKey !== undefined && sdk.apiKey !== '',
        timeoutMs: Math.min(options.policy?.timeoutMs ?? Infinity, sdk.timeout + GRACE_MS),
      },
      options,
    );
    this.session = this.#path.session;
    // The limits of public calls are ccxt's own limiter's.
    this.#reads = new PlainReads(sdk, { areLimitsKept: false, answerOf });
  }

  [Symbol.dispose](): void {
    this.#reads[Symbol.dispose]();
    this.#wire[Symbol.dispose]();
  }

  /** The way of one call. */
  async route(call: EndpointCall): Promise<unknown> {
    const { api, path, params } = call;
    // The help pages, too, are an API to ccxt.
    if (api !== 'public' && api !== 'private') return call.send(this.#sdk);
    try {
      const answer = await this.#path.route({
        api,
        method: path,
        params,
        send:
          api === 'public'
            ? () => this.#reads.run(call)
            : ({ signal }, other = params) => this.#wire.run(api, (sdk) => call.send(sdk, { ...other, ...ONE_TRY }), signal),
      });
      return answer.native;
    } catch (error) {
      // What cancelOrder() throws depends on the instance's last answer, which is that of a later look-up by now.
      const body = this.#wire.bodyOf(error);
      if (body !== undefined) this.#sdk.last_http_response = body;
      throw error;
    }
  }
}
