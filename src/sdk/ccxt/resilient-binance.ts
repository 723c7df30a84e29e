import type { Cost } from '../../contracts/broker.js';
import { OrderPath } from '../binance/order-path.js';
import { requireCapabilities } from '../binance/required-capabilities.js';
import type { GatedCall } from '../binance/wire.js';
import type { ResilientOptions } from '../shared/resilient-options.js';
import type { SdkSession } from '../shared/sdk-session.js';
import { BINANCE_SPOT, CcxtMarkets } from './ccxt-markets.js';
import { CcxtWire } from './ccxt-wire.js';
import type { EndpointCall } from './endpoint-gate.js';
import type { CcxtBinance, CcxtExchange } from './exchange.js';
import { PlainReads } from './plain-reads.js';
import { GRACE_MS, ONE_TRY } from './recorded-call.js';
import { SpotMarkets } from './spot-markets.js';
import { switchOffCcxtRetries } from './to-adapter.js';

/** Weight of the venue in one of ccxt's units: 6,000 a minute against one unit each 50 ms. Source: ccxt binance, `rateLimit` and `api`. */
const WEIGHT_PER_UNIT = 5;
/** Whose weights count towards the limits that the adapter keeps; ccxt's own limiter keeps the others. */
const SPOT_SECTIONS = ['public', 'private', 'v1'];

interface CcxtCall extends GatedCall {
  readonly costs: readonly Cost[];
}

/** Every REST call of a ccxt binance instance through the order path of Binance. */
export class ResilientBinance implements Disposable {
  readonly session: SdkSession;
  readonly #wire: CcxtWire;
  readonly #reads: PlainReads;
  readonly #path: OrderPath;

  constructor(sdk: CcxtBinance, { cache: _, ...options }: ResilientOptions) {
    requireCapabilities('resilient', options.capabilities);
    switchOffCcxtRetries(sdk, options);
    this.#wire = new CcxtWire(sdk);
    const markets = new SpotMarkets(sdk);
    this.#path = new OrderPath(
      {
        wire: this.#wire,
        markets: () => new CcxtMarkets(sdk, BINANCE_SPOT),
        symbolOf: (id) => markets.symbolOf(id),
        marketIdOf: (symbol) => sdk.market(symbol).id,
        canSign: () => sdk.apiKey !== undefined && sdk.apiKey !== '',
        timeoutMs: Math.min(options.policy?.timeoutMs ?? Infinity, sdk.timeout + GRACE_MS),
        costs: (call) => (call as CcxtCall).costs,
        plain: (answer) => answer,
      },
      options,
    );
    this.session = this.#path.session;
    this.#reads = new PlainReads(sdk);
  }

  [Symbol.dispose](): void {
    this.#reads[Symbol.dispose]();
  }

  /** The way of one call. */
  async route({ api, method, path, params, cost, send }: EndpointCall): Promise<unknown> {
    // What the limits of the spot API count is held back by them; ccxt's own limiter keeps the others.
    const isSpot = SPOT_SECTIONS.includes(api);
    const weight = [{ limit: 'weight-1m', units: Math.ceil(cost * WEIGHT_PER_UNIT) }];
    const costs = method === 'POST' && path.startsWith('order') ? [...weight, { limit: 'orders-10s', units: 1 }] : weight;
    const call: CcxtCall = {
      method,
      path: isSpot ? `/api/v3/${path}` : `/${api}/v1/${path}`,
      params,
      costs: isSpot ? costs : [],
      send: (attempt) => {
        const work = (sdk: CcxtExchange): Promise<unknown> => send(sdk, { ...params, ...ONE_TRY });
        return isSpot && method === 'GET' ? this.#reads.run(work) : this.#wire.run(isSpot, work, attempt.signal);
      },
    };
    return (await this.#path.route(call)).native;
  }
}
