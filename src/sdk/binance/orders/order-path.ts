import type { BrokerAdapter, Cost, OrderRef } from '../../../contracts/broker.js';
import type { MarketKind } from '../../../contracts/market-data.js';
import type { OrderView } from '../../../contracts/orders.js';
import { compare } from '../../../core/decimal.js';
import type { Priority } from '../../../core/limits.js';
import { withFacts } from '../../shared/error-facts.js';
import { type Endpoint, type FailureVerdict, GuardedEndpoints, SentEndpoint } from '../../shared/guarded-endpoints.js';
import { listOf, objectOf, text } from '../../shared/json.js';
import { OrderAnswers } from '../../shared/order-answers.js';
import { OrderCalls, orderSideOf } from '../../shared/order-calls.js';
import type { ResilientOptions } from '../../shared/resilient-options.js';
import { ResultCache } from '../../shared/result-cache.js';
import { SdkSession } from '../../shared/sdk-session.js';
import { BinanceAdapter, type BinanceAdapterParts } from '../binance-adapter.js';
import { verdictOf } from '../verdict.js';
import { costsOf, kindOfPath } from '../weights.js';
import type { BinanceWire, GatedCall, Params, WireAnswer } from '../wire.js';
import { AMEND, Amendments } from './amendments.js';
import { CANCELLED, CompositeOrders, LOOK_EVERY_MS, OVER_BY_ITSELF } from './composite-orders.js';
import { compositeIntentOf, compositeOf, isReplacementOf } from './composite-requests.js';
import { intentOf, requestOf } from './order-requests.js';

const ORDER = '/api/v3/order';
/** Who has cancelled an order that no replacement has. */
const BOT = 'the bot';
const ORDER_LIST = '/api/v3/orderList';
/** What the venue may say where it was done before: -2011 CANCEL_REJECTED, -2038 ORDER_AMEND_REJECTED. Source: binance-spot-api-docs, errors.md. */
const DONE_ALREADY = ['-2011', '-2038'];
/** What a path has before the name of its endpoint: of the spot API, and of any. */
const SPOT = '/api/v3/';
const VERSION = /^.*\/v\d+\//;

/** Whether a write may be made twice: it only tries, prolongs or ends what it names. */
const REPEATABLE = [
  `POST ${ORDER}/test`,
  'POST /api/v3/userDataStream',
  'PUT /api/v3/userDataStream',
  'DELETE /api/v3/userDataStream',
  'DELETE /api/v3/openOrders',
];

/** What {@link OrderPath} is made of. */
export interface OrderPathParts extends Pick<BinanceAdapterParts, 'wire' | 'markets'> {
  /** How the order path calls a symbol of the venue; undefined where it knows none of that name. */
  readonly symbolOf: (marketId: string) => string | undefined;
  /** The venue's own name of a symbol that {@link symbolOf} gave. */
  readonly marketIdOf: (symbol: string) => string;
  /** Whether the SDK has what it needs to sign. Without, its own error is the answer. */
  readonly canSign: () => boolean;
  /** Of one attempt: somewhat longer than the SDK's own, for that to end first with the error that the bot expects. */
  readonly timeoutMs: number;
  /** What a call of the bot costs. @defaultValue by the weights of the spot API */
  readonly costs?: (call: GatedCall) => readonly Cost[];
  /** An answer in the SDK's own form that the venue has not given in these words. @param like - one that it has given */
  readonly answered: (like: WireAnswer, json: object, path: string) => WireAnswer;
  /** An answer as it can be kept and copied. */
  readonly plain: (answer: WireAnswer) => WireAnswer;
  /** Age in ms that a cached answer may have. */
  readonly cache?: Readonly<Partial<Record<MarketKind, number>>>;
}

/**
 * Every REST call of an SDK for Binance, sorted: orders and cancels go through the order path, reads
 * through limits, retries and the cache, and every other write is sent once, within the limits.
 */
export class OrderPath {
  readonly session: SdkSession;
  readonly cache: ResultCache;
  readonly #parts: OrderPathParts;
  readonly #isCaching: boolean;
  readonly #visibilityLagMs: number;
  readonly #wire: BinanceWire;
  readonly #guarded: GuardedEndpoints;
  readonly #orders: OrderCalls;
  readonly #composites: CompositeOrders;
  readonly #amendments: Amendments;

  constructor(parts: OrderPathParts, options: Omit<ResilientOptions, 'cache'>) {
    this.#parts = parts;
    this.#isCaching = Object.values(parts.cache ?? {}).some((ageMs) => ageMs > 0);
    this.#wire = parts.wire;
    const { capabilities, logger, clock } = options;
    const answers = new OrderAnswers();
    const adapter = new BinanceAdapter({
      wire: parts.wire,
      markets: parts.markets,
      capabilities,
      logger,
      clock,
      orderRequest: (intent, _id, clientOrderId) => requestOf(intent, clientOrderId),
      onOutcome: (operation, clientOrderId, outcome, verdict) => answers.note(operation, clientOrderId, outcome, verdict),
    });
    this.#visibilityLagMs = adapter.capabilities.visibilityLagMs;
    this.#composites = new CompositeOrders({
      wire: parts.wire,
      find: (ref, attempt) => adapter.find(ref, attempt),
      ask: async (path, query) => (await this.#ask(path, query, 'find')).answer,
      answered: parts.answered,
      onOutcome: (clientOrderId, outcome, verdict) => answers.note('place', clientOrderId, outcome, verdict),
      isReplaced: (old, clientOrderId) => this.session.client.orders().some((view) => isReplacementOf(view, old, clientOrderId)),
      handleOf: (intentId) => this.session.client.order(intentId),
      visibilityLagMs: this.#visibilityLagMs,
      pause: (ms) => this.session.clock.sleep(ms),
    });
    this.#amendments = new Amendments({
      wire: parts.wire,
      replace: async (intentId, qty) => {
        await this.session.ready();
        return this.session.client.replace(intentId, { qty }, { deadlineMs: this.session.deadlineMs });
      },
      handleOf: (intentId) => this.session.client.order(intentId),
      done: (call) => this.#amended(call),
      shown: (call) => this.#shown(() => this.#amended(call)),
    });
    const broker: BrokerAdapter = {
      ...orderSideOf(adapter),
      // Its quantity alone, and smaller: what else is asked for goes another way.
      capabilities: { ...adapter.capabilities, amend: 'in_place' },
      amend: this.#amendments.send,
      // An amended order has another id, and what is said of its cancel is kept under the one that it was placed with.
      cancel: (ref, attempt) => adapter.cancel({ ...ref, clientOrderId: this.#placedAs(ref) }, attempt),
      place: (intent, clientOrderId, attempt) => {
        const composite = compositeOf(intent);
        if (composite === undefined) return adapter.place(intent, clientOrderId, attempt);
        adapter.follow(intent.symbol);
        return this.#composites.place(intent, composite, clientOrderId, attempt);
      },
    };
    this.session = new SdkSession(broker, parts.timeoutMs, options, () => parts.canSign());
    this.cache = new ResultCache(this.session.clock, this.session.bus);
    const found = (view: OrderView): Promise<WireAnswer> => this.#found(view);
    this.#orders = new OrderCalls(this.session, answers, { placed: found, cancelled: found });
    this.#guarded = new GuardedEndpoints(this.session, verdictOf);
  }

  /** The way of one call. */
  route(call: GatedCall): Promise<WireAnswer> {
    const { method, path } = call;
    if (method === 'GET') return this.#read(call);
    if (path === ORDER && this.#parts.canSign()) {
      if (method === 'POST') return this.#place(call);
      if (method === 'DELETE') return this.#cancel(call);
    }
    if (method === 'POST' && this.#parts.canSign()) {
      const intent = compositeIntentOf(path, call.params, this.#parts.symbolOf);
      if (intent !== undefined) return this.#orders.place(intent) as Promise<WireAnswer>;
    }
    if (method === 'DELETE' && path === ORDER_LIST) return this.#cancelList(call);
    if (method === 'PUT' && path === AMEND) return this.#amend(call);
    if (!REPEATABLE.includes(`${method} ${path}`)) return this.#once(call);
    return method === 'DELETE' ? this.#settled(call, 'cancel', () => Promise.resolve(undefined)) : this.#repeatable(call, 'read');
  }

  /** JSON of a signed GET of our own, and the venue's time when it was asked for. */
  async ask(path: string, params: Params): Promise<{ readonly json: unknown; readonly at: number }> {
    const { answer, at } = await this.#ask(path, params, path.replace(VERSION, ''));
    return { json: answer.json, at };
  }

  /** JSON of a public GET of our own. */
  async readMarket(path: string, params: Params): Promise<unknown> {
    const call: Endpoint['call'] = ({ signal }) => this.#wire.send({ method: 'GET', path, params, areLimitsKept: true }, signal);
    const endpoint: Endpoint = { operation: path.replace(VERSION, ''), costs: costsOf('GET', path, params), priority: 'reconcile', call };
    return ((await this.#guarded.repeatable(endpoint, false)) as WireAnswer).json;
  }

  /** The venue's names of the symbols that orders of the order path are for. */
  markets(): ReadonlySet<string> {
    return new Set(this.session.client.orders().map(({ intent }) => this.#parts.marketIdOf(intent.symbol)));
  }

  #read(call: GatedCall): Promise<WireAnswer> {
    const { path, params } = call;
    const kind = this.#isCaching ? kindOfPath(path) : undefined;
    const maxAgeMs = kind === undefined ? 0 : (this.#parts.cache?.[kind] ?? 0);
    if (maxAgeMs <= 0) return this.#repeatable(call, 'read');
    const load = async (): Promise<WireAnswer> => this.#parts.plain(await this.#repeatable(call, 'read'));
    return this.cache.read(`${path} ${JSON.stringify(params)}`, kind, maxAgeMs, load);
  }

  async #place(call: GatedCall): Promise<WireAnswer> {
    const intent = intentOf(call.params, this.#parts.symbolOf);
    return intent === undefined ? this.#once(call) : ((await this.#orders.place(intent)) as WireAnswer);
  }

  #placedAs({ symbol, venueOrderId, clientOrderId }: OrderRef): string {
    if (venueOrderId === undefined) return clientOrderId;
    const isIt = (view: OrderView): boolean => view.intent.symbol === symbol && view.venueOrderIds.includes(venueOrderId);
    return this.session.client.orders().find(isIt)?.clientOrderId ?? clientOrderId;
  }

  /** An order of the order path that is not over, as a call names it. */
  #open({ orderId, origClientOrderId, symbol: marketId }: Params): OrderView | undefined {
    const symbol = typeof marketId === 'string' ? this.#parts.symbolOf(marketId) : undefined;
    return this.#orders.open({
      // The venue counts its orders by symbol.
      ...(symbol === undefined ? {} : { symbol }),
      ...(typeof origClientOrderId === 'string' ? { clientOrderId: origClientOrderId } : {}),
      ...(typeof orderId === 'string' || typeof orderId === 'number' || typeof orderId === 'bigint' ? { venueOrderId: String(orderId) } : {}),
    });
  }

  async #cancel(call: GatedCall): Promise<WireAnswer> {
    const open = this.#open(call.params);
    this.#composites.noteCancelled(call.params, BOT);
    if (open !== undefined) {
      const { symbol } = call.params;
      this.#composites.noteCancelled({ symbol, orderId: open.venueOrderIds[0], origClientOrderId: open.clientOrderId }, BOT);
    }
    // What the order path does not know, or knows to be over, is the venue's to answer.
    const ask = (): Promise<WireAnswer> => this.#cancelUnkept(call);
    return open === undefined ? ask() : ((await this.#orders.cancel(open, ask)) as WireAnswer);
  }

  /** A cancel by what the caller knows of the order. Made again after a doubtful outcome, it may find the order gone: by itself. */
  #cancelUnkept(call: GatedCall): Promise<WireAnswer> {
    return this.#settled(call, 'cancel', async () => {
      const order = await this.#look(call.params);
      const { status } = objectOf(order.json, 'order');
      return status === CANCELLED ? order : OVER_BY_ITSELF.includes(String(status)) ? 'otherwise' : undefined;
    });
  }

  /** The same for a list. That its orders are over is not enough: one of them may have filled. */
  #cancelList(call: GatedCall): Promise<WireAnswer> {
    const { orderListId, listClientOrderId } = call.params;
    return this.#settled(call, 'cancel', async () => {
      const query = orderListId === undefined ? { origClientOrderId: listClientOrderId } : { orderListId };
      const answer = await this.#composites.list(query);
      const { listOrderStatus, orderReports } = objectOf(answer.json, 'order list');
      if (listOrderStatus !== 'ALL_DONE') return undefined;
      return listOf(orderReports, 'orderReports').some((row) => objectOf(row, 'order').status === CANCELLED) ? answer : 'otherwise';
    });
  }

  /** Makes an order smaller: one of the journal as the journal has it; any other by saying so until it is answered, since to the same quantity twice is once. */
  async #amend(call: GatedCall): Promise<WireAnswer> {
    const open = this.#parts.canSign() ? this.#open(call.params) : undefined;
    const answer = open === undefined ? undefined : await this.#amendments.amend(call, open);
    const isDoubtful = open !== undefined && this.#amendments.isUnheard(call.params, open);
    return answer ?? this.#settled(call, 'place', () => this.#amended(call), isDoubtful);
  }

  /** The answer to an amendment that the order shows as done. */
  async #amended({ params, path }: GatedCall): Promise<WireAnswer | undefined> {
    const { symbol, orderId, origClientOrderId, newClientOrderId, newQty } = params;
    // By its old id it may not be found any more.
    const names = orderId === undefined ? [{ origClientOrderId }, { origClientOrderId: newClientOrderId ?? origClientOrderId }] : [{ orderId }];
    for (const name of names) {
      const order = await this.#look({ symbol, ...name }).catch(() => undefined);
      if (order === undefined) continue;
      const json = objectOf(order.json, 'order');
      if (compare(text(json, 'origQty'), String(newQty)) !== 0) continue;
      const { origQty: qty, cummulativeQuoteQty: cumulativeQuoteQty, updateTime: transactTime, ...rest } = json;
      const amendedOrder = { ...rest, qty, cumulativeQuoteQty, ...(origClientOrderId === undefined ? {} : { origClientOrderId }) };
      return this.#parts.answered(order, { transactTime, amendedOrder }, path);
    }
    return undefined;
  }

  /** What may be said twice. @param look - the answer where an earlier sending, of which none was heard, has done it already; undefined where that does not show @param mayBeDone - by another process */
  async #settled(
    call: GatedCall,
    priority: Priority,
    look: () => Promise<WireAnswer | 'otherwise' | undefined>,
    mayBeDone = false,
  ): Promise<WireAnswer> {
    let isDoubtful = false;
    let last: FailureVerdict | undefined;
    try {
      return await this.#repeatable(call, priority, (verdict) => {
        last = verdict;
        isDoubtful ||= verdict.kind === 'unknown';
      });
    } catch (error) {
      if (last?.kind !== 'rejected') throw isDoubtful ? withFacts(error, { code: 'OUTCOME_UNKNOWN', sent: 'maybe' }) : error;
      if (!isDoubtful && !mayBeDone) throw error;
      if (!DONE_ALREADY.includes(last.code)) throw error;
      const answer = await this.#shown(look);
      if (answer === undefined) throw error;
      return answer;
    }
  }

  /** What was done may not show on every replica yet. */
  async #shown(look: () => Promise<WireAnswer | 'otherwise' | undefined>): Promise<WireAnswer | undefined> {
    for (let waitedMs = 0; waitedMs <= this.#visibilityLagMs; waitedMs += LOOK_EVERY_MS) {
      if (waitedMs > 0) await this.session.clock.sleep(LOOK_EVERY_MS);
      const answer = await look().catch(() => undefined);
      if (answer !== undefined) return answer === 'otherwise' ? undefined : answer;
    }
    return undefined;
  }

  #repeatable(call: GatedCall, priority: Priority, onFailure?: (verdict: FailureVerdict) => void): Promise<WireAnswer> {
    return this.#guarded.repeatable(this.#endpoint(call, priority), call.method === 'GET', onFailure) as Promise<WireAnswer>;
  }

  #once(call: GatedCall): Promise<WireAnswer> {
    return this.#guarded.once(this.#endpoint(call, 'place'), `${call.method} ${call.path}`) as Promise<WireAnswer>;
  }

  #endpoint(call: GatedCall, priority: Priority): Endpoint {
    const { method, path, params } = call;
    const operation = path.startsWith(SPOT) ? path.slice(SPOT.length) : path.replace(VERSION, '');
    return new SentEndpoint(call, operation, this.#parts.costs?.(call) ?? costsOf(method, path, params), priority);
  }

  /** The venue's own words on an order that was not adopted from the answer to its sending. */
  async #found(view: OrderView): Promise<WireAnswer> {
    const composite = compositeOf(view.intent);
    if (composite !== undefined) return this.#composites.found(view, composite);
    const [venueOrderId] = view.venueOrderIds;
    return this.#look({
      symbol: this.#parts.marketIdOf(view.intent.symbol),
      ...(venueOrderId === undefined ? { origClientOrderId: view.clientOrderId } : { orderId: venueOrderId }),
    });
  }

  async #look({ symbol, orderId, origClientOrderId }: Params): Promise<WireAnswer> {
    return (await this.#ask(ORDER, { symbol, ...(orderId === undefined ? { origClientOrderId } : { orderId }) }, 'find')).answer;
  }

  async #ask(path: string, params: Params, operation: string): Promise<{ readonly answer: WireAnswer; readonly at: number }> {
    let at = 0;
    const call: Endpoint['call'] = ({ signal, venueNow }) => {
      at = venueNow;
      return this.#wire.send({ method: 'GET', path, params: { ...params, timestamp: at }, isSigned: true, areLimitsKept: true }, signal);
    };
    const endpoint: Endpoint = { operation, costs: costsOf('GET', path, params), priority: 'reconcile', call };
    return { answer: (await this.#guarded.repeatable(endpoint, false)) as WireAnswer, at };
  }
}
