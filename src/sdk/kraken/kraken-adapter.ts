import type {
  Attempt,
  BrokerAdapter,
  Cost,
  Limit,
  LimitObservation,
  OrderRef,
  VenueCapabilities,
  VenueOrder,
  Verdict,
} from '../../contracts/broker.js';
import type { Settled } from '../../contracts/calls.js';
import type { FetchAttempt, MarketDataAdapter, MarketKind, MarketKinds } from '../../contracts/market-data.js';
import type { Fill, OrderIntent } from '../../contracts/orders.js';
import { isUnknownSymbol } from '../../contracts/unknown-symbol.js';
import { throwIfAborted } from '../../core/abort.js';
import { type Clock, systemClock } from '../../core/clock.js';
import { asError, isVenueKitError, VenueKitError } from '../../core/errors.js';
import type { FailureVerdict } from '../shared/guarded-endpoints.js';
import { type Json, listOf, number, objectOf, text } from '../shared/json.js';
import type { FenceRange } from '../shared/required-capabilities.js';
import { costOfOperation, type KrakenTier, limitsOf } from './limits.js';
import { KrakenMarketData } from './market-data.js';
import type { KrakenMarkets } from './markets.js';
import { type AmendTarget, amendParams, fillOf, orderParams, venueOrderOf } from './orders.js';
import { isNotFound, type KrakenVerdict, verdictOf } from './verdict.js';
import type { KrakenWire, Params, WireOutcome, WireRequest } from './wire.js';

/** What an adapter is made of. */
export interface KrakenAdapterParts {
  readonly wire: KrakenWire;
  readonly markets: KrakenMarkets;
  readonly tier: KrakenTier;
  /** Overrides what is known of the venue. */
  readonly capabilities?: Partial<VenueCapabilities> | undefined;
  readonly clock?: Clock | undefined;
  /** An order as it goes on the wire. @defaultValue made of the intent */
  readonly orderRequest?: (intent: OrderIntent, marketId: string, clientOrderId: string) => Record<string, unknown>;
  /** How an order goes out, with the outcome of AddOrder. @defaultValue by AddOrder */
  readonly sendOrder?: (intent: OrderIntent, params: Params, attempt: Attempt) => Promise<WireOutcome>;
  /** An amendment as it goes on the wire. @defaultValue made of what is to be changed */
  readonly amendRequest?: (ref: OrderRef, to: AmendTarget) => Params;
  /** Hears how each sending of a write ended, in the SDK's own words. */
  readonly onOutcome?: (operation: 'place' | 'cancel' | 'amend', clientOrderId: string, outcome: WireOutcome, verdict: Verdict['kind']) => void;
}

/** Source: docs.kraken.com, Add order: a deadline is at least 2 and at most 60 seconds ahead. */
export const FENCE: FenceRange = { shortestMs: 2_001, longestMs: 60_000 };

/**
 * Source: docs.kraken.com, Add order and Spot client order identifiers: a UUID, or up to 18 characters; unique among open
 * orders. An order keeps its ids when it is amended (Amend order). The deadline is the matching engine's own. Five seconds leave three for the way there. How long an order takes to show
 * is not documented, only that it takes a while (krakenfx/kraken-api-sdk, wire quirks): five seconds are an assumption.
 */
const CAPABILITIES: VenueCapabilities = {
  clientId: {
    maxLength: 36,
    pattern: /^(?:[.A-Z:/a-z0-9_-]{1,18}|[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/,
    unique: 'open_orders',
  },
  fence: { maxMs: FENCE.longestMs, defaultMs: 5_000 },
  visibilityLagMs: 5_000,
  lookup: 'by_client_id',
  amend: 'in_place',
  streamSequenced: false,
};

/** The members of the capabilities, for the check of options. */
export const CAPABILITY_NAMES: readonly string[] = Object.keys(CAPABILITIES);

const PAGE = 50;

/** Kraken spot through the caller's own SDK object, over REST. */
export class KrakenAdapter implements BrokerAdapter, MarketDataAdapter {
  readonly venue = 'kraken';
  readonly capabilities: VenueCapabilities;
  readonly limits: readonly Limit[];
  readonly #parts: KrakenAdapterParts;
  readonly #wire: KrakenWire;
  readonly #markets: KrakenMarkets;
  readonly #clock: Clock;
  readonly #marketData: KrakenMarketData;
  readonly #listeners = new Set<(seen: LimitObservation) => void>();
  #venueOffsetMs = 0;

  constructor(parts: KrakenAdapterParts) {
    const { wire, markets, clock = systemClock, capabilities, tier } = parts;
    this.#parts = parts;
    this.#wire = wire;
    this.#markets = markets;
    this.#clock = clock;
    this.capabilities = { ...CAPABILITIES, ...capabilities };
    this.limits = limitsOf(tier);
    const read = (method: string, params: Params, { signal }: FetchAttempt): Promise<unknown> =>
      this.#read({ api: 'public', method, params }, signal);
    this.#marketData = new KrakenMarketData({ markets, read, venueNow: () => clock.now() + this.#venueOffsetMs });
  }

  cost(operation: string): readonly Cost[] {
    return costOfOperation(operation);
  }

  async place(intent: OrderIntent, clientOrderId: string, attempt: Attempt): Promise<Verdict> {
    const { orderRequest = orderParams, sendOrder, onOutcome } = this.#parts;
    let params: Params;
    try {
      params = {
        ...orderRequest(intent, await this.#markets.marketId(intent.symbol), clientOrderId),
        ...deadlineOf(attempt.venueNow, attempt.fenceMs),
      };
    } catch (error) {
      // What is wrong with the order itself will be wrong the next time too.
      if (isUnknownSymbol(error)) return { kind: 'rejected', code: 'UNKNOWN_SYMBOL', cause: error };
      if (isVenueKitError(error, 'INVALID')) return { kind: 'rejected', code: 'INVALID', cause: error };
      return { kind: 'not_sent', cause: error };
    }
    const outcome = await (sendOrder?.(intent, params, attempt) ?? this.#wire.send({ api: 'private', method: 'AddOrder', params }, attempt.signal));
    const verdict = 'error' in outcome ? this.failure(outcome) : accepted(outcome.result.json, intent, clientOrderId, attempt);
    onOutcome?.('place', clientOrderId, outcome, verdict.kind);
    return verdict;
  }

  async cancel(ref: OrderRef, attempt: Attempt): Promise<Verdict> {
    // Two live orders can share a client id: the venue's own id says which one is meant.
    const params = ref.venueOrderId === undefined ? { cl_ord_id: ref.clientOrderId } : { txid: ref.venueOrderId };
    const outcome = await this.#wire.send({ api: 'private', method: 'CancelOrder', params }, attempt.signal);
    const failure = 'error' in outcome ? this.failure(outcome) : undefined;
    this.#parts.onOutcome?.('cancel', ref.clientOrderId, outcome, failure?.kind ?? 'accepted');
    // The answer counts what was cancelled; it does not show the order.
    return failure ?? this.#shown(ref, attempt);
  }

  async amend(ref: OrderRef, to: AmendTarget, attempt: Attempt): Promise<Verdict> {
    const { amendRequest = amendParams, onOutcome } = this.#parts;
    const params = { ...amendRequest(ref, to), ...deadlineOf(attempt.venueNow, attempt.fenceMs) };
    const outcome = await this.#wire.send({ api: 'private', method: 'AmendOrder', params }, attempt.signal);
    const failure = 'error' in outcome ? this.failure(outcome) : undefined;
    onOutcome?.('amend', ref.clientOrderId, outcome, failure?.kind ?? 'accepted');
    return failure ?? this.#shown(ref, attempt);
  }

  /** An order whose write was answered without it. */
  async #shown(ref: OrderRef, attempt: Attempt): Promise<Verdict> {
    try {
      const order = await this.find(ref, attempt);
      return order === 'not_found'
        ? { kind: 'unknown', cause: new VenueKitError('BAD_ANSWER', 'the order was changed, and is not shown') }
        : { kind: 'accepted', order };
    } catch (error) {
      return { kind: 'unknown', cause: error };
    }
  }

  async find(ref: OrderRef, attempt: Attempt): Promise<VenueOrder | 'not_found'> {
    await this.#markets.load();
    if (ref.venueOrderId !== undefined) return this.#findById(ref.venueOrderId, attempt);
    const filter = { cl_ord_id: ref.clientOrderId };
    // The open ones first: an order that ends between the two reads is then in one of them.
    const [open] = this.#ordersIn(objectOf(await this.#readPrivate('OpenOrders', filter, attempt), 'OpenOrders').open);
    if (open !== undefined) return open;
    const over = this.#ordersIn(objectOf(await this.#readPrivate('ClosedOrders', filter, attempt), 'ClosedOrders').closed);
    return (
      over.reduce<VenueOrder | undefined>((newest, one) => (newest === undefined || one.venueTime > newest.venueTime ? one : newest), undefined) ??
      'not_found'
    );
  }

  async *openOrders(attempt: Attempt): AsyncIterable<VenueOrder> {
    await this.#markets.load();
    yield* this.#ordersIn(objectOf(await this.#readPrivate('OpenOrders', {}, attempt), 'OpenOrders').open);
  }

  // An open order is listed by when it was opened: one that has filled in part since is looked up by whoever waits for it.
  async *history(sinceVenueMs: number, attempt: Attempt): AsyncIterable<VenueOrder> {
    for await (const order of this.openOrders(attempt)) if (order.venueTime >= sinceVenueMs) yield order;
    const closed = this.#pages('ClosedOrders', { closetime: 'close', without_count: 'true' }, 'closed', sinceVenueMs, attempt);
    for await (const [id, row] of closed) {
      const order = this.#order(id, row);
      if (order.venueTime >= sinceVenueMs) yield order;
    }
  }

  async *fills(
    sinceVenueMs: number,
    attempt: Attempt,
  ): AsyncIterable<{ readonly venueOrderId: string; readonly symbol: string; readonly fill: Fill }> {
    await this.#markets.load();
    // Each match by an id of its own: consolidated, they would change theirs.
    for await (const [id, row] of this.#pages('TradesHistory', { consolidate_taker: 'false' }, 'trades', sinceVenueMs, attempt)) {
      const symbol = this.#markets.symbolOf(text(row, 'pair'));
      const fill = fillOf(id, row, this.#markets.quoteAsset(symbol));
      if (fill.at >= sinceVenueMs) yield { venueOrderId: text(row, 'ordertxid'), symbol, fill };
    }
  }

  /** In whole seconds, rounded down: never later than the venue's own time. */
  async serverTime({ signal }: Attempt): Promise<number> {
    const sentAt = this.#clock.now();
    const time = number(objectOf(await this.#read({ api: 'public', method: 'Time', params: {} }, signal), 'Time'), 'unixtime') * 1_000;
    this.#venueOffsetMs = time - (sentAt + this.#clock.now()) / 2;
    return time;
  }

  /** Answers tell of no counter; one that refuses is full. */
  observe(listener: (seen: LimitObservation) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** What a call that failed proved, whoever made it. */
  failure(outcome: Extract<WireOutcome, { error: unknown }>): FailureVerdict {
    return this.#verdict(outcome).verdict;
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

  async #findById(venueOrderId: string, { signal }: Attempt): Promise<VenueOrder | 'not_found'> {
    const outcome = await this.#wire.send({ api: 'private', method: 'QueryOrders', params: { txid: venueOrderId } }, signal);
    if ('error' in outcome) {
      if (isNotFound(this.#verdict(outcome))) return 'not_found';
      throw asError(outcome.error);
    }
    const row = objectOf(outcome.result.json, 'QueryOrders')[venueOrderId];
    return row === undefined ? 'not_found' : this.#order(venueOrderId, objectOf(row, 'order'));
  }

  #verdict({ facts, error }: Extract<WireOutcome, { error: unknown }>): KrakenVerdict {
    const seen = verdictOf(facts, error, this.#clock.now());
    const limit = this.limits.find(({ id }) => id === seen.limit);
    if (limit?.kind === 'decay' && limit.scope === 'account') for (const listener of this.#listeners) listener({ limit: limit.id, used: limit.max });
    return seen;
  }

  #order(venueOrderId: string, row: Json): VenueOrder {
    return venueOrderOf(venueOrderId, row, (name) => this.#markets.symbolOf(name));
  }

  #ordersIn(rows: unknown): readonly VenueOrder[] {
    return Object.entries(objectOf(rows, 'orders')).map(([id, row]) => this.#order(id, objectOf(row, 'order')));
  }

  /** The newest first: what comes in meanwhile moves the pages on, so that rows come twice, but none is left out. */
  async *#pages(
    method: string,
    params: Params,
    member: string,
    sinceVenueMs: number,
    attempt: Attempt,
  ): AsyncGenerator<readonly [id: string, row: Json], void, undefined> {
    // Exclusive, in whole seconds.
    const start = Math.max(0, Math.floor(sinceVenueMs / 1_000) - 1);
    const seen = new Set<string>();
    for (let ofs = 0; ; ofs += PAGE) {
      throwIfAborted(attempt.signal);
      const page = objectOf(await this.#readPrivate(method, { ...params, start, ofs }, attempt), method);
      const rows = Object.entries(objectOf(page[member], member));
      for (const [id, row] of rows) {
        if (seen.has(id)) continue;
        seen.add(id);
        yield [id, objectOf(row, 'row')];
      }
      if (rows.length < PAGE) return;
    }
  }

  #readPrivate(method: string, params: Params, { signal }: Attempt): Promise<unknown> {
    return this.#read({ api: 'private', method, params }, signal);
  }

  async #read(request: WireRequest, signal: AbortSignal): Promise<unknown> {
    const outcome = await this.#wire.send(request, signal);
    if ('result' in outcome) return outcome.result.json;
    const verdict = this.failure(outcome);
    if (verdict.kind !== 'refused' || verdict.retryAfterMs === undefined) throw asError(outcome.error);
    throw Object.assign(new VenueKitError('RATE_LIMITED', `Kraken asks to wait ${verdict.retryAfterMs} ms`, { cause: outcome.error }), {
      retryAfterMs: verdict.retryAfterMs,
    });
  }
}

// Exactly what the journal has, however long the request waited since: absence after it is proof.
export function deadlineOf(venueNow: number, fenceMs: number | undefined): Params {
  return fenceMs === undefined ? {} : { deadline: new Date(venueNow + fenceMs).toISOString() };
}

/** The answer says that the venue has the order, and nothing of what has become of it yet. */
function accepted(answer: unknown, { symbol, side, qty, price }: OrderIntent, clientOrderId: string, { venueNow }: Attempt): Verdict {
  try {
    const [venueOrderId] = listOf(objectOf(answer, 'AddOrder').txid, 'txid');
    if (typeof venueOrderId !== 'string' || venueOrderId === '')
      throw new VenueKitError('BAD_ANSWER', 'AddOrder answered without the id of an order');
    const order = { clientOrderId, venueOrderId, state: 'working', symbol, side, qty, filledQty: '0', venueTime: venueNow } as const;
    return { kind: 'accepted', order: price === undefined ? order : { ...order, price } };
  } catch (error) {
    // Answered with success, but not with an order: whatever it is, it proves nothing.
    return { kind: 'unknown', cause: error };
  }
}
