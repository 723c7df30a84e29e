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
import type { Bus } from '../../contracts/events.js';
import type { FetchAttempt, MarketDataAdapter, MarketKind, MarketKinds, StreamUpdate } from '../../contracts/market-data.js';
import type { Fill, OrderIntent } from '../../contracts/orders.js';
import type { ReportsOnBus } from '../../contracts/reports-on-bus.js';
import { isUnknownSymbol, unknownSymbolError } from '../../contracts/unknown-symbol.js';
import { throwIfAborted } from '../../core/abort.js';
import { type Clock, systemClock } from '../../core/clock.js';
import { asError, isVenueKitError, VenueKitError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import { numberIn } from '../shared/http-facts.js';
import { type Json, listOf, number, objectOf, text } from '../shared/json.js';
import type { WebSocketConstructor } from '../shared/streams/web-socket.js';
import type { SocketUrls } from './endpoints.js';
import { BinanceMarketData } from './market-data.js';
import type { BinanceMarkets } from './markets.js';
import { acceptedOrder, fillOf, millis, orderParams, stamped, venueOrderOf } from './orders/orders.js';
import type { BinanceCredentials } from './request-signing.js';
import { AccountSockets } from './streams/account-sockets.js';
import type { BookSnapshot } from './streams/local-book.js';
import { isStreamedKind, levelsOf, marketUpdates } from './streams/market-stream.js';
import { answerError, retryAfterOf, sessionVerdict, verdictOf } from './verdict.js';
import type { BinanceWire, Params, WireOutcome, WireRequest } from './wire.js';

/** Sockets that an adapter may open, beside the SDK's own transport. */
export interface SocketParts {
  readonly urls: SocketUrls;
  readonly credentials: () => BinanceCredentials;
  readonly constructor?: WebSocketConstructor | undefined;
  readonly maxSessions?: number | undefined;
}

/** What an adapter is made of. */
export interface BinanceAdapterParts {
  readonly wire: BinanceWire;
  /** @param read - JSON of a public endpoint */
  readonly markets: (read: (path: string, params: Params, attempt: FetchAttempt) => Promise<unknown>) => BinanceMarkets;
  /** Overrides what is known of the venue. */
  readonly capabilities?: Partial<VenueCapabilities> | undefined;
  /** undefined: REST only. */
  readonly sockets?: SocketParts | undefined;
  readonly clock?: Clock | undefined;
  readonly logger?: Logger | undefined;
  readonly bus?: Bus | undefined;
  /** An order as it goes on the wire. @defaultValue made of the intent */
  readonly orderRequest?: (intent: OrderIntent, marketId: string, clientOrderId: string) => Record<string, unknown>;
  /** Hears how each sending of a write over the SDK ended, in the SDK's own words. */
  readonly onOutcome?: (operation: 'place' | 'cancel', clientOrderId: string, outcome: WireOutcome, verdict: Verdict['kind']) => void;
}

const DAY_MS = 86_400_000;
/** The venue refuses a longer recvWindow. */
export const LONGEST_FENCE_MS = 60_000;
const PAGE = 1_000;

/** Source: Binance spot API, filters and general information, and design facts measured on it. */
const CAPABILITIES: VenueCapabilities = {
  clientId: { maxLength: 36, pattern: /^[.A-Z:/a-z0-9_-]{1,36}$/, unique: 'open_orders' },
  fence: { maxMs: LONGEST_FENCE_MS, defaultMs: 2_000 },
  visibilityLagMs: 5_000,
  lookup: 'by_client_id',
  amend: 'none',
  streamSequenced: false,
};

/** Source: Binance spot `exchangeInfo.rateLimits`. */
const LIMITS: readonly Limit[] = [
  { id: 'weight-1m', scope: 'ip', kind: 'window', units: 6_000, perMs: 60_000 },
  { id: 'orders-10s', scope: 'account', kind: 'window', units: 100, perMs: 10_000 },
];

/** Weights of the endpoints behind each operation. Source: Binance spot API reference. */
const WEIGHTS: Readonly<Record<string, number>> = { place: 1, cancel: 1, amend: 4, find: 4, serverTime: 1 };
const WEIGHT_OF_ALL_OPEN_ORDERS = 80;
const WEIGHT_OF_OPEN_ORDERS_OF_A_SYMBOL = 6;
/** How often all symbols are listed, for orders that others placed; in between it is those that this adapter has to do with. */
const ALL_SYMBOLS_EVERY_MS = 300_000;
const WEIGHT_OF_A_SYMBOL_PAGE = 20;

/** The members of the capabilities, for the check of options. */
export const CAPABILITY_NAMES: readonly string[] = Object.keys(CAPABILITIES);

/** Binance spot through the caller's own SDK object. */
export class BinanceAdapter implements BrokerAdapter, MarketDataAdapter, ReportsOnBus {
  readonly venue = 'binance';
  readonly capabilities: VenueCapabilities;
  readonly limits: readonly Limit[] = LIMITS;
  readonly #wire: BinanceWire;
  readonly #markets: BinanceMarkets;
  readonly #clock: Clock;
  readonly #marketData: BinanceMarketData;
  readonly #parts: BinanceAdapterParts;
  readonly #sockets: AccountSockets | undefined;
  /** Absent where there is no WebSocket to be had. */
  readonly events?: (signal: AbortSignal) => AsyncIterable<VenueEvent>;
  readonly stream?: (kind: MarketKind, symbols: readonly string[], signal: AbortSignal) => AsyncIterable<StreamUpdate>;
  // Binance lists history by symbol only: these are the symbols that this adapter has to do with.
  readonly #symbols = new Set<string>();
  #listedAllAt = -Infinity;
  #venueOffsetMs = 0;

  constructor(parts: BinanceAdapterParts) {
    const { wire, clock = systemClock, sockets, logger, bus } = parts;
    this.#parts = parts;
    this.#wire = wire;
    this.#clock = clock;
    this.capabilities = { ...CAPABILITIES, ...parts.capabilities };
    const read = (path: string, params: Params, { signal, limitsKept = false }: FetchAttempt): Promise<unknown> =>
      this.#read({ method: 'GET', path, params, areLimitsKept: limitsKept }, signal);
    this.#markets = parts.markets(read);
    this.#marketData = new BinanceMarketData({ markets: this.#markets, read, venueNow: () => this.#clock.now() + this.#venueOffsetMs });
    if (sockets === undefined) return;
    const { urls, credentials, constructor: given, maxSessions } = sockets;
    const symbolOf = (id: string): string => this.#markets.symbolOf(id);
    const account = new AccountSockets({ url: urls.api, credentials, constructor: given, maxSessions, clock, logger, bus, symbolOf });
    this.#sockets = account;
    this.events = (signal) => account.events(signal);
    this.stream = (kind, symbols, signal) => this.#stream(sockets, kind, symbols, signal);
  }

  cost(operation: string): readonly Cost[] {
    if (operation === 'history' || operation === 'fills')
      return [{ limit: 'weight-1m', units: WEIGHT_OF_A_SYMBOL_PAGE * Math.max(1, this.#symbols.size) }];
    if (operation === 'openOrders') {
      const units = this.#listsAllSymbols() ? WEIGHT_OF_ALL_OPEN_ORDERS : WEIGHT_OF_OPEN_ORDERS_OF_A_SYMBOL * this.#symbols.size;
      return [{ limit: 'weight-1m', units }];
    }
    const weight = [{ limit: 'weight-1m', units: WEIGHTS[operation] ?? 2 }];
    return operation === 'place' ? [...weight, { limit: 'orders-10s', units: 1 }] : weight;
  }

  fetchCost<K extends MarketKind>(kind: K, requests: readonly MarketKinds[K]['request'][]): readonly Cost[] {
    return [{ limit: 'weight-1m', units: this.#markets.loadWeight + this.#marketData.fetchWeight(kind, requests) }];
  }

  async place(intent: OrderIntent, clientOrderId: string, attempt: Attempt): Promise<Verdict> {
    const { orderRequest = orderParams } = this.#parts;
    return this.#write('place', intent, clientOrderId, attempt, (id) => orderRequest(intent, id, clientOrderId));
  }

  /** Lists this symbol, too, from now on: an order of it goes out by another way. */
  follow(symbol: string): void {
    this.#symbols.add(symbol);
  }

  async cancel(ref: OrderRef, attempt: Attempt): Promise<Verdict> {
    return this.#write('cancel', ref, ref.clientOrderId, attempt, (id) => ({
      symbol: id,
      // Two live orders can share a client id: the venue's own id says which one is meant.
      ...(ref.venueOrderId === undefined ? { origClientOrderId: ref.clientOrderId } : { orderId: ref.venueOrderId }),
    }));
  }

  async find(ref: OrderRef, attempt: Attempt): Promise<VenueOrder | 'not_found'> {
    const symbol = await this.#markets.marketId(ref.symbol);
    this.#symbols.add(ref.symbol);
    // An amendment gives an order another client id; the venue's own stays.
    const name = ref.venueOrderId === undefined ? { origClientOrderId: ref.clientOrderId } : { orderId: ref.venueOrderId };
    const params = stamped({ symbol, ...name }, attempt);
    const answer = await this.#sockets?.call('order.status', params, attempt.signal);
    if (answer?.kind === 'answered') {
      if (answer.answer.status === 200) return venueOrderOf(objectOf(answer.answer.result, 'order'), ref.symbol);
      if (isNotFound(sessionVerdict(answer))) return 'not_found';
      throw answerError(answer.answer);
    }
    if (answer !== undefined) throw answer.cause;
    const outcome = await this.#wire.send({ method: 'GET', path: ORDER, params, isSigned: true, areLimitsKept: true }, attempt.signal);
    if ('result' in outcome) return venueOrderOf(objectOf(outcome.result.json, 'order'), ref.symbol);
    if (isNotFound(verdictOf(outcome.facts, outcome.error))) return 'not_found';
    throw asError(outcome.error);
  }

  async *openOrders(attempt: Attempt): AsyncIterable<VenueOrder> {
    await this.#markets.load();
    const isWhole = this.#listsAllSymbols();
    const startedAt = this.#clock.monotonic();
    for (const symbol of isWhole ? [undefined] : [...this.#symbols]) {
      const params = symbol === undefined ? {} : { symbol: await this.#markets.marketId(symbol) };
      const rows = listOf(await this.#readSigned('/api/v3/openOrders', params, attempt), 'openOrders');
      for (const row of rows) {
        const json = objectOf(row, 'order');
        const known = symbol ?? this.#markets.symbolOf(text(json, 'symbol'));
        this.#symbols.add(known);
        yield venueOrderOf(json, known);
      }
    }
    if (isWhole) this.#listedAllAt = startedAt;
  }

  async *history(sinceVenueMs: number, attempt: Attempt): AsyncIterable<VenueOrder> {
    for await (const [json, symbol] of this.#pages('/api/v3/allOrders', 'orderId', sinceVenueMs, attempt)) {
      const order = venueOrderOf(json, symbol);
      if (order.venueTime >= sinceVenueMs) yield order;
    }
  }

  async *fills(
    sinceVenueMs: number,
    attempt: Attempt,
  ): AsyncIterable<{ readonly venueOrderId: string; readonly symbol: string; readonly fill: Fill }> {
    for await (const [json, symbol] of this.#pages('/api/v3/myTrades', 'id', sinceVenueMs, attempt)) {
      // The venue counts its orders by symbol.
      yield { venueOrderId: text(json, 'orderId'), symbol, fill: fillOf(json) };
    }
  }

  async serverTime({ signal }: Attempt): Promise<number> {
    const sentAt = this.#clock.now();
    const time = millis(
      objectOf(await this.#read({ method: 'GET', path: '/api/v3/time', params: {}, areLimitsKept: true }, signal), 'time'),
      'serverTime',
    );
    this.#venueOffsetMs = time - (sentAt + this.#clock.now()) / 2;
    return time;
  }

  observe(listener: (seen: LimitObservation) => void): Disposable {
    const sockets = this.#sockets?.observe(listener);
    const responses = this.#wire.onAnswer((status, header) => {
      const weight = numberIn(header, 'x-mbx-used-weight-1m');
      const orders = numberIn(header, 'x-mbx-order-count-10s');
      if (Number.isFinite(weight)) listener({ limit: 'weight-1m', used: weight });
      if (Number.isFinite(orders)) listener({ limit: 'orders-10s', used: orders });
      if (status !== 429 && status !== 418) return;
      const retryAfterMs = retryAfterOf(header);
      if (retryAfterMs !== undefined) listener({ limit: 'weight-1m', blockedUntil: this.#clock.now() + retryAfterMs });
    });
    return {
      [Symbol.dispose]: () => {
        responses[Symbol.dispose]();
        sockets?.[Symbol.dispose]();
      },
    };
  }

  batchLimit(kind: MarketKind): number {
    return this.#marketData.batchLimit(kind);
  }

  fetch<K extends MarketKind>(
    kind: K,
    requests: readonly MarketKinds[K]['request'][],
    attempt: Pick<Attempt, 'signal' | 'number'>,
  ): Promise<readonly Settled<MarketKinds[K]['value']>[]> {
    return this.#marketData.fetch(kind, requests, attempt);
  }

  reportTo(bus: Bus): void {
    this.#sockets?.reportTo(bus);
  }

  async *#stream(
    sockets: SocketParts,
    kind: MarketKind,
    symbols: readonly string[],
    signal: AbortSignal,
  ): AsyncGenerator<StreamUpdate, void, undefined> {
    if (!isStreamedKind(kind)) throw new RangeError(`kind must be one of "quote", "book", "trades" to be streamed, got ${JSON.stringify(kind)}`);
    const parts = {
      url: sockets.urls.streams,
      constructor: sockets.constructor,
      clock: this.#clock,
      marketIdOf: (symbol: string) => this.#markets.marketId(symbol),
      bookSnapshot: (symbol: string, left: AbortSignal) => this.#bookSnapshot(symbol, left),
    };
    yield* marketUpdates(parts, kind, symbols, signal);
  }

  async #bookSnapshot(symbol: string, signal: AbortSignal): Promise<BookSnapshot> {
    const params = { symbol: await this.#markets.marketId(symbol), limit: PAGE };
    const json = objectOf(await this.#read({ method: 'GET', path: '/api/v3/depth', params }, signal), 'depth');
    return { lastUpdateId: number(json, 'lastUpdateId'), bids: levelsOf(json.bids, 'bids'), asks: levelsOf(json.asks, 'asks') };
  }

  #listsAllSymbols(): boolean {
    const isDue = this.#clock.monotonic() - this.#listedAllAt >= ALL_SYMBOLS_EVERY_MS;
    return isDue || this.#symbols.size === 0 || this.#symbols.size * WEIGHT_OF_OPEN_ORDERS_OF_A_SYMBOL >= WEIGHT_OF_ALL_OPEN_ORDERS;
  }

  async #write(
    operation: 'place' | 'cancel',
    { symbol, side, qty, quoteQty, price }: Pick<OrderIntent, 'symbol'> & Partial<OrderIntent>,
    clientOrderId: string,
    attempt: Attempt,
    prepare: (marketId: string) => Record<string, unknown>,
  ): Promise<Verdict> {
    let params: Record<string, unknown>;
    try {
      params = stamped(prepare(await this.#markets.marketId(symbol)), attempt);
    } catch (error) {
      // What is wrong with the order itself will be wrong the next time too.
      if (isUnknownSymbol(error)) return { kind: 'rejected', code: 'UNKNOWN_SYMBOL', cause: error };
      if (isVenueKitError(error, 'INVALID')) return { kind: 'rejected', code: 'INVALID', cause: error };
      return { kind: 'not_sent', cause: error };
    }
    this.#symbols.add(symbol);
    const accepted = (json: unknown): Verdict =>
      acceptedOrder(json, { symbol, side, qty: quoteQty === undefined ? qty : undefined, price, clientOrderId });
    // One way or the other, never both: REST only where a session has sent nothing.
    const answer = await this.#sockets?.call(`order.${operation}`, params, attempt.signal);
    if (answer?.kind === 'answered' && answer.answer.status === 200) return accepted(answer.answer.result);
    if (answer !== undefined) return sessionVerdict(answer);
    const method = operation === 'place' ? 'POST' : 'DELETE';
    const outcome = await this.#wire.send({ method, path: ORDER, params, isSigned: true, areLimitsKept: true }, attempt.signal);
    const verdict = 'error' in outcome ? verdictOf(outcome.facts, outcome.error) : accepted(outcome.result.json);
    this.#parts.onOutcome?.(operation, clientOrderId, outcome, verdict.kind);
    return verdict;
  }

  #readSigned(path: string, params: Params, attempt: Attempt): Promise<unknown> {
    return this.#read({ method: 'GET', path, params: stamped(params, attempt), isSigned: true, areLimitsKept: true }, attempt.signal);
  }

  async #read(request: WireRequest, signal: AbortSignal): Promise<unknown> {
    const outcome = await this.#wire.send(request, signal);
    if ('result' in outcome) return outcome.result.json;
    const verdict = verdictOf(outcome.facts, outcome.error);
    if (verdict.kind === 'rejected' && verdict.code === INVALID_SYMBOL)
      throw unknownSymbolError('binance spot', String(request.params.symbol ?? request.params.symbols), outcome.error);
    if (verdict.kind !== 'refused' || verdict.retryAfterMs === undefined) throw asError(outcome.error);
    throw Object.assign(new VenueKitError('RATE_LIMITED', `Binance asks to wait ${verdict.retryAfterMs} ms`, { cause: outcome.error }), {
      retryAfterMs: verdict.retryAfterMs,
    });
  }

  async *#pages(path: string, idMember: string, sinceVenueMs: number, attempt: Attempt): AsyncIterable<readonly [Json, string]> {
    const until = attempt.venueNow;
    for (const symbol of [...this.#symbols]) {
      const marketId = await this.#markets.marketId(symbol);
      const seen = new Set<string>();
      // A range may span a day at most; within it a full page means that there is more.
      for (let from = Math.floor(sinceVenueMs); from <= until; ) {
        throwIfAborted(attempt.signal);
        const to = Math.min(from + DAY_MS - 1, until + DAY_MS);
        const params = { symbol: marketId, startTime: from, endTime: to, limit: PAGE };
        const rows = listOf(await this.#readSigned(path, params, attempt), 'history').map((row) => objectOf(row, 'row'));
        for (const row of rows) {
          const id = text(row, idMember);
          if (seen.has(id)) continue;
          seen.add(id);
          yield [row, symbol];
        }
        const last = rows.at(-1);
        from = rows.length < PAGE || last === undefined ? to + 1 : Math.max(from + 1, millis(last, 'time'));
      }
    }
  }
}

const ORDER = '/api/v3/order';
/** Source: Binance spot API, error codes: -1121 BAD_SYMBOL. */
const INVALID_SYMBOL = '-1121';

// -2013 ORDER_DOES_NOT_EXIST; the resolver knows that this alone proves nothing.
function isNotFound(verdict: Verdict): boolean {
  return verdict.kind === 'rejected' && verdict.code === '-2013';
}
