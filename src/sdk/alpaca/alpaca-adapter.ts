import type {
  Attempt,
  BrokerAdapter,
  Cost,
  Limit,
  LimitObservation,
  OrderRef,
  VenueCapabilities,
  VenueEvent,
  VenueOrder,
  Verdict,
} from '../../contracts/broker.js';
import type { Settled } from '../../contracts/calls.js';
import type { FetchAttempt, MarketDataAdapter, MarketKind, MarketKinds, StreamUpdate } from '../../contracts/market-data.js';
import type { Fill, OrderIntent } from '../../contracts/orders.js';
import { throwIfAborted } from '../../core/abort.js';
import { type Clock, systemClock } from '../../core/clock.js';
import { isVenueKitError, VenueKitError } from '../../core/errors.js';
import { numberIn } from '../shared/http-facts.js';
import { type Json, listOf, objectOf, text } from '../shared/json.js';
import type { SdkOutcome } from '../shared/order-answers.js';
import { AlpacaMarketData } from './market-data.js';
import { type MarketSource, readError } from './market-source.js';
import { fillOf, orderBody, timeOf, venueOrderOf } from './orders.js';
import { isNotFound, retryAfterOf, verdictOf } from './verdict.js';
import type { AlpacaHost, AlpacaWire, WireOutcome, WireRequest } from './wire.js';

/** What an adapter is made of. */
export interface AlpacaAdapterParts {
  readonly wire: AlpacaWire;
  readonly source: MarketSource;
  readonly clock?: Clock | undefined;
  readonly capabilities?: Partial<VenueCapabilities> | undefined;
  /** Requests a minute, where the account's plan allows others than {@link PER_MINUTE}. */
  readonly requestsPerMinute?: Partial<Record<AlpacaHost, number>> | undefined;
  readonly events?: ((signal: AbortSignal) => AsyncIterable<VenueEvent>) | undefined;
  readonly stream?: ((kind: MarketKind, symbols: readonly string[], signal: AbortSignal) => AsyncIterable<StreamUpdate>) | undefined;
  /** How the order path calls a symbol of the venue. @defaultValue as the venue does */
  readonly symbolOf?: (symbol: string) => string;
  /** An order as it goes on the wire. @defaultValue made of the intent */
  readonly orderRequest?: (intent: OrderIntent, clientOrderId: string) => Record<string, unknown>;
  /** Hears how each sending of a write ended, in the SDK's own words. */
  readonly onOutcome?: (operation: 'place' | 'cancel', clientOrderId: string, outcome: SdkOutcome, verdict: Verdict['kind']) => void;
}

/** Source: docs.alpaca.markets, POST /v2/orders and usage limits. Nothing is said of for how long ids are kept, and there is no deadline for requests. */
const CAPABILITIES: VenueCapabilities = {
  clientId: { maxLength: 128, pattern: /^[\x21-\x7e]{1,128}$/, unique: 'forever' },
  visibilityLagMs: 2_000,
  lookup: 'by_client_id',
  amend: 'none',
  streamSequenced: false,
};

/** Source: docs.alpaca.markets, usage limits of the Trading API, and of market data on the free plan. */
const PER_MINUTE = 200;
const LIMIT_OF: Readonly<Record<AlpacaHost, string>> = { trading: 'trading-1m', data: 'data-1m' };
const PAGE = 500;
const FILLS_PAGE = 100;

/** Alpaca through the caller's own SDK object. */
export class AlpacaAdapter implements BrokerAdapter, MarketDataAdapter {
  readonly venue = 'alpaca';
  readonly capabilities: VenueCapabilities;
  readonly limits: readonly Limit[];
  readonly events?: (signal: AbortSignal) => AsyncIterable<VenueEvent>;
  readonly stream?: (kind: MarketKind, symbols: readonly string[], signal: AbortSignal) => AsyncIterable<StreamUpdate>;
  readonly #parts: AlpacaAdapterParts;
  readonly #wire: AlpacaWire;
  readonly #clock: Clock;
  readonly #marketData: AlpacaMarketData;
  readonly #symbolOf: (symbol: string) => string;
  #venueOffsetMs = 0;

  constructor(parts: AlpacaAdapterParts) {
    this.#parts = parts;
    this.#wire = parts.wire;
    this.#clock = parts.clock ?? systemClock;
    this.#symbolOf = parts.symbolOf ?? ((symbol) => symbol);
    this.capabilities = { ...CAPABILITIES, ...parts.capabilities };
    this.limits = (['trading', 'data'] as const).map((host) => ({
      id: LIMIT_OF[host],
      scope: 'account',
      kind: 'window',
      units: this.#perMinute(host),
      perMs: 60_000,
    }));
    const venueNow = (): number => this.#clock.now() + this.#venueOffsetMs;
    this.#marketData = new AlpacaMarketData(parts.source, (symbol, attempt) => this.#asset(symbol, attempt), venueNow);
    if (parts.events !== undefined) this.events = parts.events;
    if (parts.stream !== undefined) this.stream = parts.stream;
  }

  /** Every request counts one, whatever it asks for. A cancel looks at the order afterwards: its answer is empty. */
  cost(operation: string): readonly Cost[] {
    return operation === 'cancel' ? TWO_REQUESTS : ONE_REQUEST;
  }

  fetchCost(kind: MarketKind): readonly Cost[] {
    return kind === 'instrument' ? ONE_REQUEST : ONE_DATA_REQUEST;
  }

  async place(intent: OrderIntent, clientOrderId: string, attempt: Attempt): Promise<Verdict> {
    const { orderRequest = orderBody, onOutcome } = this.#parts;
    let body: Record<string, unknown>;
    try {
      body = orderRequest(intent, clientOrderId);
    } catch (error) {
      // What is wrong with the order itself will be wrong the next time too.
      if (isVenueKitError(error, 'INVALID')) return { kind: 'rejected', code: 'INVALID', cause: error };
      return { kind: 'not_sent', cause: error };
    }
    const outcome = await this.#wire.send({ method: 'POST', path: '/v2/orders', body }, attempt.signal);
    const verdict = this.judged(outcome);
    onOutcome?.('place', clientOrderId, outcome, verdict.kind);
    return verdict;
  }

  /** What the answer to a request that makes an order proved, whoever sent it. */
  judged(outcome: WireOutcome): Verdict {
    if ('error' in outcome) return verdictOf(outcome.facts, outcome.error, this.#clock.now());
    try {
      return { kind: 'accepted', order: this.#order(outcome.result.json) };
    } catch (error) {
      // Answered with success, but not with an order: whatever it is, it proves nothing.
      return { kind: 'unknown', cause: error };
    }
  }

  async cancel(ref: OrderRef, attempt: Attempt): Promise<Verdict> {
    let { venueOrderId } = ref;
    if (venueOrderId === undefined) {
      const found = await this.#wire.send(byClientId(ref.clientOrderId), attempt.signal);
      if ('error' in found) return verdictOf(found.facts, found.error, this.#clock.now());
      venueOrderId = text(objectOf(found.result.json, 'order'), 'id');
    }
    const path = `/v2/orders/${venueOrderId}`;
    const outcome = await this.#wire.send({ method: 'DELETE', path }, attempt.signal);
    const failure = 'error' in outcome ? verdictOf(outcome.facts, outcome.error, this.#clock.now()) : undefined;
    this.#parts.onOutcome?.('cancel', ref.clientOrderId, outcome, failure?.kind ?? 'accepted');
    if (failure !== undefined) return failure;
    // The answer says that the cancel was taken in, not what became of the order.
    const shown = await this.#wire.send({ method: 'GET', path }, attempt.signal);
    return 'error' in shown ? { kind: 'unknown', cause: shown.error } : this.judged(shown);
  }

  async find(ref: OrderRef, attempt: Attempt): Promise<VenueOrder | 'not_found'> {
    const request: WireRequest =
      ref.venueOrderId === undefined ? byClientId(ref.clientOrderId) : { method: 'GET', path: `/v2/orders/${ref.venueOrderId}` };
    const outcome = await this.#wire.send(request, attempt.signal);
    if ('result' in outcome) return this.#order(outcome.result.json);
    if (isNotFound(outcome.facts)) return 'not_found';
    throw readError(outcome.error, outcome.facts, this.#clock.now());
  }

  openOrders(attempt: Attempt): AsyncIterable<VenueOrder> {
    return this.#orders({ status: 'open' }, undefined, attempt);
  }

  // Listed by when they were taken in: one that was taken in before and has changed since is looked up by whoever waits for it.
  async *history(sinceVenueMs: number, attempt: Attempt): AsyncIterable<VenueOrder> {
    for await (const order of this.#orders({ status: 'all' }, sinceVenueMs, attempt)) if (order.venueTime >= sinceVenueMs) yield order;
  }

  async *fills(sinceVenueMs: number, attempt: Attempt): AsyncIterable<{ readonly venueOrderId: string; readonly fill: Fill }> {
    const after = isoTime(sinceVenueMs - 1);
    for (let token: string | undefined; ; ) {
      throwIfAborted(attempt.signal);
      const query = { after, direction: 'asc', page_size: FILLS_PAGE, page_token: token };
      const rows = listOf(await this.#read({ method: 'GET', path: '/v2/account/activities/FILL', query }, attempt), 'activities');
      for (const row of rows) {
        const json = objectOf(row, 'activity');
        const fill = fillOf(json);
        if (fill.at >= sinceVenueMs) yield { venueOrderId: text(json, 'order_id'), fill };
      }
      if (rows.length < FILLS_PAGE) return;
      token = text(objectOf(rows.at(-1), 'activity'), 'id');
    }
  }

  async serverTime(attempt: Attempt): Promise<number> {
    const sentAt = this.#clock.now();
    const time = timeOf(objectOf(await this.#read({ method: 'GET', path: '/v2/clock' }, attempt), 'clock').timestamp);
    this.#venueOffsetMs = time - (sentAt + this.#clock.now()) / 2;
    return time;
  }

  observe(listener: (seen: LimitObservation) => void): Disposable {
    return this.#wire.onAnswer((host, status, header) => {
      const limit = LIMIT_OF[host];
      const allowed = numberIn(header, 'x-ratelimit-limit');
      const remaining = numberIn(header, 'x-ratelimit-remaining');
      // A plan may allow more than is configured here, or less: what counts is the share that is used up.
      if (allowed > 0 && remaining >= 0) {
        const used = this.#perMinute(host) * (1 - remaining / allowed);
        const reset = numberIn(header, 'x-ratelimit-reset');
        listener(Number.isFinite(reset) ? { limit, used, resetAt: reset * 1_000 } : { limit, used });
      }
      if (status !== 429) return;
      const retryAfterMs = retryAfterOf(header, this.#clock.now());
      if (retryAfterMs !== undefined) listener({ limit, blockedUntil: this.#clock.now() + retryAfterMs });
    });
  }

  batchLimit(kind: MarketKind): number {
    return this.#marketData.batchLimit(kind);
  }

  fetch<K extends MarketKind>(
    kind: K,
    requests: readonly MarketKinds[K]['request'][],
    attempt: FetchAttempt,
  ): Promise<readonly Settled<MarketKinds[K]['value']>[]> {
    return this.#marketData.fetch(kind, requests, attempt);
  }

  #perMinute(host: AlpacaHost): number {
    return this.#parts.requestsPerMinute?.[host] ?? PER_MINUTE;
  }

  async *#orders(query: Readonly<Record<string, unknown>>, since: number | undefined, attempt: Attempt): AsyncGenerator<VenueOrder, void, undefined> {
    const seen = new Set<string>();
    for (let after = since === undefined ? undefined : since - 1; ; ) {
      throwIfAborted(attempt.signal);
      const page = { ...query, limit: PAGE, direction: 'asc', ...(after === undefined ? {} : { after: isoTime(after) }) };
      const rows = listOf(await this.#read({ method: 'GET', path: '/v2/orders', query: page }, attempt), 'orders').map((row) =>
        objectOf(row, 'order'),
      );
      const before = seen.size;
      for (const row of rows) {
        const id = text(row, 'id');
        if (seen.has(id)) continue;
        seen.add(id);
        yield venueOrderOf(row, this.#symbolOf);
      }
      const last = rows.at(-1);
      if (rows.length < PAGE || last === undefined) return;
      if (seen.size === before) throw new VenueKitError('BAD_ANSWER', `${PAGE} orders of one millisecond: the list can't be read past them`);
      // Several may share the millisecond that a page ends in.
      after = timeOf(last.submitted_at) - 1;
    }
  }

  async #asset(symbol: string, { signal }: FetchAttempt): Promise<Json | undefined> {
    const outcome = await this.#wire.send({ method: 'GET', path: `/v2/assets/${encodeURIComponent(symbol)}` }, signal);
    if ('result' in outcome) return objectOf(outcome.result.json, 'asset');
    if (isNotFound(outcome.facts)) return undefined;
    throw readError(outcome.error, outcome.facts, this.#clock.now());
  }

  async #read(request: WireRequest, { signal }: Pick<Attempt, 'signal'>): Promise<unknown> {
    const outcome = await this.#wire.send(request, signal);
    if ('result' in outcome) return outcome.result.json;
    throw readError(outcome.error, outcome.facts, this.#clock.now());
  }

  #order(json: unknown): VenueOrder {
    return venueOrderOf(objectOf(json, 'order'), this.#symbolOf);
  }
}

const ONE_REQUEST: readonly Cost[] = [{ limit: LIMIT_OF.trading, units: 1 }];
const TWO_REQUESTS: readonly Cost[] = [{ limit: LIMIT_OF.trading, units: 2 }];
export const ONE_DATA_REQUEST: readonly Cost[] = [{ limit: LIMIT_OF.data, units: 1 }];

/** The members of the capabilities, for the check of options. */
export const CAPABILITY_NAMES: readonly string[] = Object.keys(CAPABILITIES);

export function byClientId(clientOrderId: string): WireRequest {
  return { method: 'GET', path: '/v2/orders:by_client_order_id', query: { client_order_id: clientOrderId } };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
