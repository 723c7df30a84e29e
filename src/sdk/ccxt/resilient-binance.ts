import type { BrokerAdapter, Cost } from '../../contracts/broker.js';
import type { OrderView } from '../../contracts/orders.js';
import type { Priority } from '../../core/limits.js';
import { verdictOf } from '../binance/verdict.js';
import { type Endpoint, type EndpointOutcome, type FailureVerdict, GuardedEndpoints } from '../shared/guarded-endpoints.js';
import { OrderAnswers } from '../shared/order-answers.js';
import { OrderCalls, orderSideOf } from '../shared/order-calls.js';
import type { ResilientOptions } from '../shared/resilient-options.js';
import { SdkSession } from '../shared/sdk-session.js';
import { CcxtBinanceAdapter } from './binance-adapter.js';
import { intentOf, requestOf } from './binance-requests.js';
import { type CallWatcher, watcherOf } from './call-record.js';
import type { EndpointCall, EndpointParams } from './endpoint-gate.js';
import type { CcxtBinance } from './exchange.js';
import { SpotMarkets } from './spot-markets.js';

/** Weight of the venue in one of ccxt's units: 6,000 a minute against one unit each 50 ms. Source: ccxt binance, `rateLimit` and `api`. */
const WEIGHT_PER_UNIT = 5;
/** Whose weights count towards the limits that the adapter keeps; ccxt's own limiter keeps the others. */
const SPOT_SECTIONS = ['public', 'private', 'v1'];
/** For ccxt's own time limit to end a call first, with the error that the bot expects. */
const GRACE_MS = 250;
const UNKNOWN_ORDER = /-2011\b/;

/** Whether a write may be made twice: it only prolongs or ends what it names. */
const REPEATABLE = ['POST userDataStream', 'PUT userDataStream', 'DELETE userDataStream', 'DELETE openOrders'];

/**
 * Every REST call of a ccxt binance instance, sorted: orders and cancels go through the order path,
 * reads through limits and retries, and every other write is sent once, within the limits.
 */
export class ResilientBinance {
  readonly session: SdkSession;
  readonly #sdk: CcxtBinance;
  readonly #watcher: CallWatcher;
  readonly #markets: SpotMarkets;
  readonly #adapter: BrokerAdapter;
  readonly #guarded: GuardedEndpoints;
  readonly #orders: OrderCalls;

  constructor(sdk: CcxtBinance, options: ResilientOptions) {
    this.#sdk = sdk;
    this.#watcher = watcherOf(sdk);
    this.#markets = new SpotMarkets(sdk);
    const { capabilities, logger, clock, policy, ownRetries } = options;
    const answers = new OrderAnswers();
    const adapter = new CcxtBinanceAdapter(
      sdk,
      {
        ...(capabilities === undefined ? {} : { capabilities }),
        ...(logger === undefined ? {} : { logger }),
        ...(clock === undefined ? {} : { clock }),
      },
      {
        ...(ownRetries === undefined ? {} : { ownRetries }),
        orderRequest: (intent, _market, clientOrderId) => requestOf(intent, clientOrderId),
        onOutcome: (operation, clientOrderId, outcome, isDoubtful) => answers.note(operation, clientOrderId, outcome, isDoubtful),
      },
    );
    this.#adapter = adapter;
    const timeoutMs = Math.min(policy?.timeoutMs ?? Infinity, sdk.timeout + GRACE_MS);
    this.session = new SdkSession(orderSideOf(adapter), timeoutMs, options);
    const found = (view: OrderView): Promise<unknown> => this.#found(view);
    this.#orders = new OrderCalls(this.session, answers, { placed: found, cancelled: found });
    this.#guarded = new GuardedEndpoints(this.session);
  }

  /** The way of one call. */
  route(call: EndpointCall): Promise<unknown> {
    const { api, method, path } = call;
    if (api === 'private' && path === 'order' && this.#sdk.apiKey !== undefined && this.#sdk.apiKey !== '') {
      if (method === 'POST') return this.#place(call);
      if (method === 'DELETE') return this.#cancel(call);
    }
    if (method === 'GET' || REPEATABLE.includes(`${method} ${path}`)) return this.#repeatable(call, method === 'DELETE' ? 'cancel' : 'read');
    return this.#once(call);
  }

  async #place(call: EndpointCall): Promise<unknown> {
    const intent = intentOf(call.params, (id) => this.#markets.symbolOf(id));
    if (intent === undefined) return this.#once(call);
    return this.#orders.place(intent);
  }

  async #cancel(call: EndpointCall): Promise<unknown> {
    const { orderId, origClientOrderId } = call.params;
    const open = this.#orders.open({
      ...(typeof origClientOrderId === 'string' ? { clientOrderId: origClientOrderId } : {}),
      ...(typeof orderId === 'string' || typeof orderId === 'number' ? { venueOrderId: String(orderId) } : {}),
    });
    // What the order path does not know, or knows to be over, is the venue's to answer.
    return open === undefined ? this.#cancelled(call) : this.#orders.cancel(open);
  }

  /** A cancel by what the caller knows of the order. Made again after a doubtful outcome, it may find the order gone: by itself. */
  async #cancelled(call: EndpointCall): Promise<unknown> {
    let isDoubtful = false;
    try {
      return await this.#repeatable(call, 'cancel', (verdict) => {
        isDoubtful ||= verdict.kind === 'unknown';
      });
    } catch (error) {
      if (!isDoubtful || !UNKNOWN_ORDER.test(String((error as { message?: unknown }).message))) throw error;
      const order = await this.#look(call.params).catch(() => undefined);
      if ((order as { status?: unknown } | undefined)?.status === 'CANCELED') return order;
      throw error;
    }
  }

  #repeatable(call: EndpointCall, priority: Priority, onFailure?: (verdict: FailureVerdict) => void): Promise<unknown> {
    return this.#guarded.repeatable(this.#endpoint(call, priority), {
      ...(call.method === 'GET' ? {} : { hedge: false as const }),
      ...(onFailure === undefined ? {} : { onFailure }),
    });
  }

  #once(call: EndpointCall): Promise<unknown> {
    return this.#guarded.once(this.#endpoint(call, 'place'), `${call.method} ${call.path}`);
  }

  #endpoint(call: EndpointCall, priority: Priority): Endpoint {
    // What the adapter's limits count is held back by them; ccxt's own limiter keeps the others.
    const ownLimits = SPOT_SECTIONS.includes(call.api);
    return {
      operation: call.path,
      costs: this.#costs(call),
      priority,
      call: () => this.#outcome(ownLimits, () => call.send({ ...call.params, ...ONE_TRY })),
    };
  }

  async #outcome(ownLimits: boolean, send: () => Promise<unknown>): Promise<EndpointOutcome> {
    const outcome = await this.#watcher.run(ownLimits, send);
    return 'result' in outcome ? outcome : { error: outcome.error, verdict: verdictOf(outcome.record, outcome.error) };
  }

  /** The venue's own words on an order that was not adopted from the answer to its sending. */
  async #found(view: OrderView): Promise<unknown> {
    const [venueOrderId] = view.venueOrderIds;
    const market = this.#sdk.market(view.intent.symbol);
    return this.#look({ symbol: market.id, ...(venueOrderId === undefined ? { origClientOrderId: view.clientOrderId } : { orderId: venueOrderId }) });
  }

  #look({ symbol, orderId, origClientOrderId }: EndpointParams): Promise<unknown> {
    const query = { symbol, ...(orderId === undefined ? { origClientOrderId } : { orderId }), ...ONE_TRY };
    const call = (): Promise<EndpointOutcome> => this.#outcome(true, () => this.#sdk.privateGetOrder(query));
    return this.#guarded.repeatable({ operation: 'find', costs: this.#adapter.cost('find'), priority: 'reconcile', call }, { hedge: false });
  }

  #costs({ api, method, path, cost }: EndpointCall): readonly Cost[] {
    if (!SPOT_SECTIONS.includes(api)) return [];
    const weight = [{ limit: 'weight-1m', units: Math.ceil(cost * WEIGHT_PER_UNIT) }];
    return method === 'POST' && path.startsWith('order') ? [...weight, { limit: 'orders-10s', units: 1 }] : weight;
  }
}

// ccxt's own retries would be a second layer of them, and blind.
const ONE_TRY = { maxRetriesOnFailure: 0 } as const;
