import { randomUUID } from 'node:crypto';
import type { BrokerAdapter } from '../../contracts/broker.js';
import type { MarketKind } from '../../contracts/market-data.js';
import type { OrderView } from '../../contracts/orders.js';
import { systemClock } from '../../core/clock.js';
import type { Priority } from '../../core/limits.js';
import { factsOf, withFacts } from '../shared/error-facts.js';
import { type Endpoint, type FailureVerdict, GuardedEndpoints, SentEndpoint } from '../shared/guarded-endpoints.js';
import { objectOf } from '../shared/json.js';
import { OrderAnswers } from '../shared/order-answers.js';
import { OrderCalls, orderSideOf } from '../shared/order-calls.js';
import { ResultCache } from '../shared/result-cache.js';
import { SdkSession } from '../shared/sdk-session.js';
import { AlpacaAdapter, byClientId, ONE_DATA_REQUEST } from './alpaca-adapter.js';
import type { MarketSource } from './market-source.js';
import { intentOf, pathSymbol, requestOf } from './orders.js';
import { type OldTerms, oldTermsOf, Replacements, replacementIntentOf, replacementOf } from './replacements.js';
import type { AlpacaResilientOptions } from './resilient-options.js';
import { verdictOf } from './verdict.js';
import { type AlpacaHost, type AlpacaWire, type GatedCall, nameAt, type WireAnswer, type WireRequest } from './wire.js';

const NO_CONTENT = 204;
const LOOK_EVERY_MS = 250;
const ORDER = /^\/v2\/orders\/([^/]+)$/;
/** Of an attempt, where neither the SDK nor the policy has a limit. */
const ATTEMPT_MS = 10_000;
const ONE_TRADING_REQUEST = [{ limit: 'trading-1m', units: 1 }] as const;

/** What is kept of market data, by what its path or method is called. */
const KINDS: readonly (readonly [pattern: RegExp, kind: MarketKind])[] = [
  [/orderbooks/, 'book'],
  [/bars/, 'bars'],
  [/trades/, 'trades'],
  [/quotes|snapshot/, 'quote'],
  [/^\/v2\/assets/, 'instrument'],
];

/** Which kind of market data a path of either API asks for; undefined for everything else. */
export function kindOfPath(path: string): MarketKind | undefined {
  return KINDS.find(([pattern]) => pattern.test(path))?.[1];
}

/**
 * Every REST call of an Alpaca SDK, sorted: orders and cancels go through the order path, reads through limits, retries and
 * the cache, and every other write is sent once, within the limits.
 */
export class ResilientAlpaca {
  readonly session: SdkSession;
  readonly guarded: GuardedEndpoints;
  readonly cache: ResultCache;
  readonly #wire: AlpacaWire;
  readonly #orders: OrderCalls;
  readonly #maxAges: Readonly<Partial<Record<MarketKind, number>>>;
  readonly #visibilityLagMs: number;
  readonly #isCaching: boolean;
  readonly #made: (status: number) => WireAnswer;

  /** @param timeoutMs - of one attempt, where the SDK has one. @param made - an answer of the SDK's form that the venue has not given in these words */
  constructor(
    parts: {
      readonly wire: AlpacaWire;
      readonly source: MarketSource;
      readonly timeoutMs: number | undefined;
      readonly made: (status: number) => WireAnswer;
      /** @defaultValue it was seen to have credentials when it came */
      readonly canSign?: () => boolean;
    },
    options: AlpacaResilientOptions,
  ) {
    const { wire, source, timeoutMs, made, canSign } = parts;
    const { capabilities, clock = systemClock, requestsPerMinute, cache = {}, ...shared } = options;
    this.#wire = wire;
    this.#maxAges = cache;
    this.#isCaching = Object.values(cache).some((ageMs) => ageMs > 0);
    const answers = new OrderAnswers();
    const adapter = new AlpacaAdapter({
      wire,
      source,
      clock,
      capabilities,
      requestsPerMinute,
      symbolOf: pathSymbol,
      orderRequest: requestOf,
      onOutcome: (operation, clientOrderId, outcome, verdict) => answers.note(operation, clientOrderId, outcome, verdict),
    });
    this.#visibilityLagMs = adapter.capabilities.visibilityLagMs;
    const asked = options.policy?.timeoutMs;
    const attemptMs = timeoutMs === undefined ? (asked ?? ATTEMPT_MS) : Math.min(asked ?? Infinity, timeoutMs);
    const replacements = new Replacements({
      wire,
      find: (ref, attempt) => adapter.find(ref, attempt),
      judged: (outcome) => adapter.judged(outcome),
      onOutcome: (clientOrderId, outcome, verdict) => answers.note('place', clientOrderId, outcome, verdict),
      visibilityLagMs: this.#visibilityLagMs,
      pause: (ms) => clock.sleep(ms),
    });
    const broker: BrokerAdapter = {
      ...orderSideOf(adapter),
      place: (intent, clientOrderId, attempt) => {
        const replacement = replacementOf(intent);
        return replacement === undefined
          ? adapter.place(intent, clientOrderId, attempt)
          : replacements.place(intent, replacement, clientOrderId, attempt);
      },
    };
    this.session = new SdkSession(broker, attemptMs, { ...shared, clock }, canSign);
    this.guarded = new GuardedEndpoints(this.session, (facts, error) => verdictOf(facts, error, clock.now()));
    this.cache = new ResultCache(this.session.clock, this.session.bus);
    this.#orders = new OrderCalls(this.session, answers, {
      placed: (view) => this.#found(view),
      cancelled: () => Promise.resolve(made(NO_CONTENT)),
    });
    this.#made = made;
  }

  /** The way of one call. */
  route(call: GatedCall): Promise<WireAnswer> {
    const { host, method } = call;
    if (method === 'GET') return this.#read(call);
    const { path } = call;
    if (host === 'trading') {
      if (method === 'POST' && path === '/v2/orders') return this.#place(call);
      const id = method === 'DELETE' || method === 'PATCH' ? ORDER.exec(path)?.[1] : undefined;
      if (id !== undefined) return method === 'DELETE' ? this.#cancel(call, decodeURIComponent(id)) : this.#replace(call, decodeURIComponent(id));
      // Cancelling all that is open can be said twice.
      if (method === 'DELETE' && path === '/v2/orders') return this.#repeatable(call, 'cancel');
    }
    return this.guarded.once(this.#endpoint(call, 'place'), `${method} ${path}`) as Promise<WireAnswer>;
  }

  #read(call: GatedCall): Promise<WireAnswer> {
    if (!this.#isCaching) return this.#repeatable(call, 'read');
    const { host, path, query } = call;
    const kind = kindOfPath(path);
    const maxAgeMs = kind === undefined ? 0 : (this.#maxAges[kind] ?? 0);
    if (maxAgeMs <= 0) return this.#repeatable(call, 'read');
    const key = `${host} ${path} ${JSON.stringify(query)}`;
    return this.cache.read(key, kind, maxAgeMs, async () => plain(await this.#repeatable(call, 'read')));
  }

  async #place(call: GatedCall): Promise<WireAnswer> {
    const intent = call.body === undefined ? undefined : intentOf(call.body);
    return intent === undefined ? this.#placeUnkept(call) : ((await this.#orders.place(intent)) as WireAnswer);
  }

  async #replace(call: GatedCall, venueOrderId: string): Promise<WireAnswer> {
    const { body } = call;
    const old = body === undefined ? undefined : await this.#termsOf(venueOrderId);
    const intent = old === undefined ? undefined : replacementIntentOf(venueOrderId, body!, old);
    // Replaced once, an order can't be replaced again: the request repeated under one id makes one order.
    return intent === undefined ? this.#placeUnkept(call) : ((await this.#orders.place(intent)) as WireAnswer);
  }

  /** What a request to replace the order leaves out. @throws the SDK's error where nobody could say; undefined where there is no such order */
  async #termsOf(venueOrderId: string): Promise<OldTerms | undefined> {
    const open = this.#orders.open({ venueOrderId });
    if (open !== undefined) return open.intent;
    try {
      return oldTermsOf(objectOf(await this.read({ method: 'GET', path: `/v2/orders/${venueOrderId}` }), 'order'));
    } catch (error) {
      if (factsOf(error)?.code === 'REJECTED') return undefined;
      throw error;
    }
  }

  async #cancel(call: GatedCall, venueOrderId: string): Promise<WireAnswer> {
    const open = this.#orders.open({ venueOrderId });
    // What the order path does not know, or knows to be over, is the venue's to answer.
    const ask = (): Promise<WireAnswer> => this.#cancelUnkept(call);
    return open === undefined ? ask() : ((await this.#orders.cancel(open, ask)) as WireAnswer);
  }

  /**
   * An order, or the replacement of one, that the order path keeps no account of. Alpaca keeps a client order id for good, so the same
   * request sent again can't make a second order: it is repeated until it is answered. Refused after doubt, for its id or for what an
   * earlier sending has left of the money or of the order that is replaced, it is looked up.
   */
  async #placeUnkept(call: GatedCall): Promise<WireAnswer> {
    const given = call.body?.client_order_id;
    const clientOrderId = typeof given === 'string' && given !== '' ? given : randomUUID();
    const body = { ...call.body, client_order_id: clientOrderId };
    let isDoubtful = false;
    let last: FailureVerdict['kind'] | undefined;
    const onFailure = (verdict: FailureVerdict): void => {
      last = verdict.kind;
      isDoubtful ||= verdict.kind === 'unknown';
    };
    try {
      return await this.#repeatable(call, 'place', { onFailure, body });
    } catch (error) {
      if (isDoubtful && (last === 'duplicate' || last === 'rejected')) {
        const made = await this.#lookUntilShown(byClientId(clientOrderId));
        if (made !== undefined) return made;
      }
      const known = factsOf(error);
      if (isDoubtful && known !== undefined && last !== 'rejected')
        withFacts(error, { ...known, code: 'OUTCOME_UNKNOWN', sent: 'maybe', clientOrderId });
      throw error;
    }
  }

  /** Undefined where it has not shown within the time that an order may take to show. */
  async #lookUntilShown(request: WireRequest): Promise<WireAnswer | undefined> {
    const { clock } = this.session;
    const until = clock.monotonic() + this.#visibilityLagMs;
    for (;;) {
      const isLast = clock.monotonic() >= until;
      const shown = await this.#look(request).catch(() => undefined);
      if (shown !== undefined || isLast) return shown;
      await clock.sleep(LOOK_EVERY_MS);
    }
  }

  /** A cancel by the venue's id alone. Made again after a doubtful outcome, it may find the order gone: by itself. */
  async #cancelUnkept(call: GatedCall): Promise<WireAnswer> {
    let isDoubtful = false;
    const onFailure = (verdict: FailureVerdict): void => {
      isDoubtful ||= verdict.kind === 'unknown';
    };
    try {
      return await this.#repeatable(call, 'cancel', { onFailure });
    } catch (error) {
      if (!isDoubtful) throw error;
      const order = await this.#look({ method: 'GET', path: call.path }).catch(() => undefined);
      if (order !== undefined && objectOf(order.json, 'order').status === 'canceled') return this.#made(NO_CONTENT);
      throw error;
    }
  }

  #repeatable(
    call: GatedCall,
    priority: Priority,
    { onFailure, body }: { readonly onFailure?: (verdict: FailureVerdict) => void; readonly body?: Readonly<Record<string, unknown>> } = NO_OPTIONS,
  ): Promise<WireAnswer> {
    return this.guarded.repeatable(this.#endpoint(call, priority, body), call.method === 'GET', onFailure) as Promise<WireAnswer>;
  }

  #endpoint(call: GatedCall, priority: Priority, body?: Readonly<Record<string, unknown>>): Endpoint {
    const { host, operation = operationOf(host, call.path) } = call;
    return new SentEndpoint(call, operation, host === 'trading' ? ONE_TRADING_REQUEST : ONE_DATA_REQUEST, priority, body);
  }

  /** The venue's own words on an order that was not adopted from the answer to its sending. */
  async #found(view: OrderView): Promise<WireAnswer> {
    const [venueOrderId] = view.venueOrderIds;
    const request: WireRequest = venueOrderId === undefined ? byClientId(view.clientOrderId) : { method: 'GET', path: `/v2/orders/${venueOrderId}` };
    // What has been seen may not show on every replica yet.
    return (await this.#lookUntilShown(request)) ?? this.#look(request);
  }

  /** JSON of the Trading API, for what is read beside the bot's own calls. */
  async read(request: WireRequest): Promise<unknown> {
    return (await this.#look(request)).json;
  }

  async #look(request: WireRequest): Promise<WireAnswer> {
    const call: Endpoint['call'] = ({ signal }) => this.#wire.send(request, signal);
    const endpoint: Endpoint = { operation: 'find', costs: ONE_TRADING_REQUEST, priority: 'reconcile', call };
    return (await this.guarded.repeatable(endpoint, false)) as WireAnswer;
  }
}

const NO_OPTIONS = {};

/** For metrics and limits: few names in all, ids and symbols in a path such as `/v2/orders/4c3d` or `/v2/orders:by_client_order_id` are none of them. */
export function operationOf(host: AlpacaHost, path: string): string {
  if (host === 'data') return kindOfPath(path) ?? 'data';
  const start = path.indexOf('/', 1) + 1;
  return start === 0 ? 'trading' : nameAt(path, start);
}

// Copied by the cache, so without what belongs to one connection.
function plain({ status, json, native }: WireAnswer): WireAnswer {
  const { headers, data, body } = native as { headers?: object; data?: unknown; body?: unknown };
  return { status, json, native: body === undefined ? { status, headers: { ...headers }, data } : { status, headers: { ...headers }, body } };
}
