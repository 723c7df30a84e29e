import type { Cost } from '../../contracts/broker.js';
import { OrderPath } from '../binance/orders/order-path.js';
import { requireCapabilities } from '../binance/required-capabilities.js';
import type { GatedCall, WireAnswer } from '../binance/wire.js';
import type { ResilientOptions } from '../shared/resilient-options.js';
import type { SdkSession } from '../shared/sdk-session.js';
import { BINANCE_SPOT, CcxtMarkets } from './ccxt-markets.js';
import { CcxtWire } from './ccxt-wire.js';
import type { EndpointCall } from './endpoint-gate.js';
import type { CcxtBinance } from './exchange.js';
import { answerOf, PlainReads } from './plain-reads.js';
import { GRACE_MS, ONE_TRY } from './recorded-call.js';
import { SpotMarkets } from './spot-markets.js';
import { switchOffCcxtRetries } from './to-adapter.js';

/** Weight of the venue in one of ccxt's units: 6,000 a minute against one unit each 50 ms. Source: ccxt binance, `rateLimit` and `api`. */
const WEIGHT_PER_UNIT = 5;
/** Whose weights count towards the limits that the adapter keeps; ccxt's own limiter keeps the others. */
const SPOT_SECTIONS = ['public', 'private', 'v1'];
const SPOT = '/api/v3/';
const ONE_ORDER: Cost = { limit: 'orders-10s', units: 1 };

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
        answered: (_, json) => ({ json, native: json }),
        plain: (answer) => answer,
      },
      options,
    );
    this.session = this.#path.session;
    this.#reads = new PlainReads(sdk, { areLimitsKept: true, answerOf });
  }

  [Symbol.dispose](): void {
    this.#reads[Symbol.dispose]();
  }

  /** The way of one call. */
  route(call: EndpointCall): Promise<unknown> {
    return this.#path.route(this.#gated(call)).then(nativeOf);
  }

  // What the limits of the spot API count is held back by them; ccxt's own limiter keeps the others.
  #gated(call: EndpointCall): CcxtCall {
    const { api, method, path, params } = call;
    const isSpot = SPOT_SECTIONS.includes(api);
    if (isSpot && method === 'GET') return { method, path: SPOT + path, params, costs: [weightOf(call.cost())], send: () => this.#reads.run(call) };
    const sendOnce: CcxtCall['send'] = ({ signal }) => this.#wire.run(isSpot, (sdk) => call.send(sdk, { ...params, ...ONE_TRY }), signal);
    if (!isSpot) return { method, path: `/${api}/v1/${path}`, params, costs: [], send: sendOnce };
    const costs = method === 'POST' && path.startsWith('order') ? [weightOf(call.cost()), ONE_ORDER] : [weightOf(call.cost())];
    return { method, path: SPOT + path, params, costs, send: sendOnce };
  }
}

function weightOf(cost: number): Cost {
  return { limit: 'weight-1m', units: Math.ceil(cost * WEIGHT_PER_UNIT) };
}

function nativeOf({ native }: WireAnswer): unknown {
  return native;
}
