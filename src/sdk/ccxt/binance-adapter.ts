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
import type { MarketDataAdapter, MarketKind, MarketKinds, StreamUpdate } from '../../contracts/market-data.js';
import type { Fill, OrderIntent } from '../../contracts/orders.js';
import type { ReportsOnBus } from '../../contracts/reports-on-bus.js';
import { isUnknownSymbol, unknownSymbolError } from '../../contracts/unknown-symbol.js';
import { abortable, throwIfAborted } from '../../core/abort.js';
import { type Clock, systemClock } from '../../core/clock.js';
import { asError, isVenueKitError, VenueKitError } from '../../core/errors.js';
import { type Logger, redactError, redactingLogger } from '../../core/logger.js';
import { requireInteger, requireKnown, requireWithin } from '../../core/options.js';
import { AccountSockets } from '../binance/account-sockets.js';
import type { ApiAnswer } from '../binance/api-session.js';
import type { SocketUrls } from '../binance/endpoints.js';
import type { BookSnapshot } from '../binance/local-book.js';
import { isStreamedKind, levelsOf, marketUpdates } from '../binance/market-stream.js';
import { fillOf, fillsOfAnswer, orderParams, venueOrderOf } from '../binance/orders.js';
import { answerError, retryAfterOf, sessionVerdict, verdictOf } from '../binance/verdict.js';
import { listOf, number, objectOf, text } from '../shared/json.js';
import type { SdkOutcome } from '../shared/order-answers.js';
import { type ResilientOptions, switchOffRetries } from '../shared/resilient-options.js';
import type { WebSocketConstructor } from '../shared/web-socket.js';
import { BinanceMarketData } from './binance-market-data.js';
import { type CallOutcome, type CallRecord, type CallWatcher, watcherOf } from './call-record.js';
import { type CcxtBinance, type CcxtMarket, requireCcxtBinance } from './exchange.js';
import { proxyOf, socketUrlsOf } from './sockets.js';
import { SpotMarkets } from './spot-markets.js';

/** What {@link toAdapter} takes beside the SDK. */
export interface CcxtAdapterOptions {
  /** Overrides what is known of the venue. */
  readonly capabilities?: Partial<VenueCapabilities>;
  readonly logger?: Logger;
  /** Where the pool of order sessions reports, beside the other pools. @defaultValue the bus of the trading client or kit that gets the adapter */
  readonly bus?: Bus;
  /**
   * How WebSockets are used: for the stream of own orders, for order calls while somebody follows that
   * stream, and for market streams. false: REST only.
   * @defaultValue the runtime's own WebSocket, else that of the package ws; false behind a proxy of ccxt's
   */
  readonly webSocket?: false | CcxtWebSocketOptions;
  /** For tests. @defaultValue systemClock */
  readonly clock?: Clock;
}

/** Whose WebSockets an adapter opens, and how many. */
export interface CcxtWebSocketOptions {
  /** In place of the runtime's own, for example one that goes through a proxy. */
  readonly WebSocket?: WebSocketConstructor;
  /** Most sessions for order calls; each carries one request at a time. @defaultValue 4 */
  readonly maxSessions?: number;
}

/** What `resilient` changes of the adapter that it puts under an SDK. */
export interface CcxtAdapterHooks {
  /** An order as it goes on the wire. @defaultValue made of the intent */
  readonly orderRequest?: (intent: OrderIntent, marketId: string, clientOrderId: string) => Record<string, unknown>;
  /** As `resilient` was told. */
  readonly ownRetries?: ResilientOptions['ownRetries'];
  /** Hears how each sending of a write over the SDK ended, with the venue's own words. */
  readonly onOutcome?: (operation: 'place' | 'cancel', clientOrderId: string, outcome: SdkOutcome, isDoubtful: boolean) => void;
}

const DAY_MS = 86_400_000;
/** The venue refuses a longer recvWindow. */
const LONGEST_FENCE_MS = 60_000;
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
const WEIGHTS: Readonly<Record<string, number>> = { place: 1, cancel: 1, find: 4, serverTime: 1 };
const WEIGHT_OF_ALL_OPEN_ORDERS = 80;
const WEIGHT_OF_OPEN_ORDERS_OF_A_SYMBOL = 6;
/** How often all symbols are listed, for orders that others placed; in between it is those that this adapter has to do with. */
const ALL_SYMBOLS_EVERY_MS = 300_000;
const WEIGHT_OF_A_SYMBOL_PAGE = 20;
const WEIGHT_OF_ALL_MARKETS = 20;

/** Binance spot through the caller's own ccxt instance. */
export class CcxtBinanceAdapter implements BrokerAdapter, MarketDataAdapter, ReportsOnBus {
  readonly venue = 'binance';
  readonly capabilities: VenueCapabilities;
  readonly limits: readonly Limit[] = LIMITS;
  readonly #sdk: CcxtBinance;
  readonly #markets: SpotMarkets;
  readonly #watcher: CallWatcher;
  readonly #clock: Clock;
  readonly #marketData: BinanceMarketData;
  readonly #hooks: CcxtAdapterHooks;
  readonly #urls: SocketUrls | undefined;
  readonly #webSocket: CcxtWebSocketOptions | undefined;
  readonly #sockets: AccountSockets | undefined;
  /** Absent where there is no WebSocket to be had. */
  readonly events?: (signal: AbortSignal) => AsyncIterable<VenueEvent>;
  readonly stream?: (kind: MarketKind, symbols: readonly string[], signal: AbortSignal) => AsyncIterable<StreamUpdate>;
  // Binance lists history by symbol only: these are the symbols that this adapter has to do with.
  readonly #symbols = new Set<string>();
  #listedAllAt = -Infinity;
  #venueOffsetMs = 0;
  #loading: Promise<void> | undefined;

  constructor(sdk: CcxtBinance, { capabilities, logger, clock = systemClock, webSocket, bus }: CcxtAdapterOptions, hooks: CcxtAdapterHooks = {}) {
    this.#sdk = sdk;
    this.#markets = new SpotMarkets(sdk);
    this.#hooks = hooks;
    this.#clock = clock;
    this.#watcher = watcherOf(sdk);
    this.capabilities = { ...CAPABILITIES, ...capabilities };
    this.#marketData = new BinanceMarketData({
      sdk,
      market: (symbol) => this.#market(symbol),
      call: (work, { signal, limitsKept = false }) => this.#read(work, signal, limitsKept),
      venueNow: () => this.#clock.now() + this.#venueOffsetMs,
    });
    this.#urls = webSocket === false ? undefined : socketUrlsOf(sdk);
    this.#webSocket = webSocket === false ? undefined : webSocket;
    this.#sockets = this.#openable(logger, bus);
    if (this.#sockets !== undefined) {
      const sockets = this.#sockets;
      this.events = (signal) => sockets.events(signal);
      this.stream = (kind, symbols, signal) => this.#stream(kind, symbols, signal);
    }
    switchOffRetries({
      sdk: 'ccxt',
      option: 'maxRetriesOnFailure',
      count: (sdk as { options?: { maxRetriesOnFailure?: number } }).options?.maxRetriesOnFailure ?? 0,
      wayOut: '`options: { maxRetriesOnFailure: 0 }` in its constructor',
      options: { ...(logger === undefined ? {} : { logger }), ...(hooks.ownRetries === undefined ? {} : { ownRetries: hooks.ownRetries }) },
    });
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
    const toLoad = this.#markets.areLoaded ? 0 : WEIGHT_OF_ALL_MARKETS;
    return [{ limit: 'weight-1m', units: toLoad + this.#marketData.fetchWeight(kind, requests) }];
  }

  async place(intent: OrderIntent, clientOrderId: string, attempt: Attempt): Promise<Verdict> {
    const { orderRequest = orderParams } = this.#hooks;
    return this.#write('place', intent.symbol, clientOrderId, attempt, (market) => orderRequest(intent, market.id, clientOrderId));
  }

  async cancel(ref: OrderRef, attempt: Attempt): Promise<Verdict> {
    return this.#write('cancel', ref.symbol, ref.clientOrderId, attempt, (market) => ({
      symbol: market.id,
      // Two live orders can share a client id: the venue's own id says which one is meant.
      ...(ref.venueOrderId === undefined ? { origClientOrderId: ref.clientOrderId } : { orderId: ref.venueOrderId }),
    }));
  }

  async find(ref: OrderRef, attempt: Attempt): Promise<VenueOrder | 'not_found'> {
    const market = await this.#market(ref.symbol);
    this.#symbols.add(ref.symbol);
    const stamped = this.#stamped({ symbol: market.id, origClientOrderId: ref.clientOrderId }, attempt);
    const answer = await this.#sockets?.call('order.status', stamped, attempt.signal);
    if (answer?.kind === 'answered') {
      if (answer.answer.status === 200) return venueOrderOf(objectOf(answer.answer.result, 'order'), ref.symbol);
      if (isNotFound(sessionVerdict(answer))) return 'not_found';
      throw answerError(answer.answer);
    }
    if (answer !== undefined) throw answer.cause;
    const outcome = await this.#call(attempt.signal, true, () => this.#sdk.privateGetOrder({ ...stamped, ...ONE_TRY }));
    if ('result' in outcome) return venueOrderOf(objectOf(outcome.result, 'order'), ref.symbol);
    if (isNotFound(verdictOf(outcome.record, outcome.error))) return 'not_found';
    throw asError(outcome.error);
  }

  async *openOrders(attempt: Attempt): AsyncIterable<VenueOrder> {
    await this.#loadMarkets();
    const isWhole = this.#listsAllSymbols();
    const startedAt = this.#clock.monotonic();
    for (const symbol of isWhole ? [undefined] : [...this.#symbols]) {
      const params = this.#signed(symbol === undefined ? {} : { symbol: (await this.#market(symbol)).id }, attempt);
      const rows = listOf(await this.#read(() => this.#sdk.privateGetOpenOrders(params), attempt.signal, true), 'openOrders');
      for (const row of rows) {
        const json = objectOf(row, 'order');
        const known = symbol ?? this.#symbolOf(text(json, 'symbol'));
        this.#symbols.add(known);
        yield venueOrderOf(json, known);
      }
    }
    if (isWhole) this.#listedAllAt = startedAt;
  }

  async *history(sinceVenueMs: number, attempt: Attempt): AsyncIterable<VenueOrder> {
    for await (const [json, symbol] of this.#pages(sinceVenueMs, attempt, (params) => this.#sdk.privateGetAllOrders(params), 'orderId')) {
      const order = venueOrderOf(json, symbol);
      if (order.venueTime >= sinceVenueMs) yield order;
    }
  }

  async *fills(sinceVenueMs: number, attempt: Attempt): AsyncIterable<{ readonly venueOrderId: string; readonly fill: Fill }> {
    for await (const [json] of this.#pages(sinceVenueMs, attempt, (params) => this.#sdk.privateGetMyTrades(params), 'id')) {
      yield { venueOrderId: text(json, 'orderId'), fill: fillOf(json) };
    }
  }

  async serverTime(attempt: Attempt): Promise<number> {
    const sentAt = this.#clock.now();
    const time = number(objectOf(await this.#read(() => this.#sdk.publicGetTime(ONE_TRY), attempt.signal, true), 'time'), 'serverTime');
    this.#venueOffsetMs = time - (sentAt + this.#clock.now()) / 2;
    return time;
  }

  observe(listener: (seen: LimitObservation) => void): Disposable {
    const sockets = this.#sockets?.observe(listener);
    const responses = this.#watcher.onResponse((status, headers) => {
      const weight = Number(headers['x-mbx-used-weight-1m'] ?? Number.NaN);
      const orders = Number(headers['x-mbx-order-count-10s'] ?? Number.NaN);
      if (Number.isFinite(weight)) listener({ limit: 'weight-1m', used: weight });
      if (Number.isFinite(orders)) listener({ limit: 'orders-10s', used: orders });
      if (status !== 429 && status !== 418) return;
      const retryAfterMs = retryAfterOf({ headers });
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

  async *#stream(kind: MarketKind, symbols: readonly string[], signal: AbortSignal): AsyncGenerator<StreamUpdate, void, undefined> {
    if (!isStreamedKind(kind)) throw new RangeError(`kind must be one of "quote", "book", "trades" to be streamed, got ${JSON.stringify(kind)}`);
    const parts = {
      url: this.#urls?.streams ?? '',
      constructor: this.#webSocket?.WebSocket,
      clock: this.#clock,
      marketIdOf: async (symbol: string) => (await this.#market(symbol)).id,
      bookSnapshot: (symbol: string, left: AbortSignal) => this.#bookSnapshot(symbol, left),
    };
    yield* marketUpdates(parts, kind, symbols, signal);
  }

  async #bookSnapshot(symbol: string, signal: AbortSignal): Promise<BookSnapshot> {
    const { id } = await this.#market(symbol);
    const json = objectOf(await this.#read(() => this.#sdk.publicGetDepth({ symbol: id, limit: PAGE }), signal, false), 'depth');
    return { lastUpdateId: number(json, 'lastUpdateId'), bids: levelsOf(json.bids, 'bids'), asks: levelsOf(json.asks, 'asks') };
  }

  // Where one is to be had.
  #openable(logger: Logger | undefined, bus: Bus | undefined): AccountSockets | undefined {
    const sdk = this.#sdk;
    const proxy = this.#webSocket?.WebSocket === undefined ? proxyOf(sdk) : undefined;
    if (proxy !== undefined) {
      redactingLogger(logger).info({ option: proxy }, 'ccxt goes through a proxy: REST only, unless webSocket.WebSocket goes through it, too');
    }
    if (this.#urls === undefined || proxy !== undefined) return undefined;
    return new AccountSockets({
      url: this.#urls.api,
      credentials: () => ({ apiKey: sdk.apiKey ?? '', secret: sdk.secret ?? '' }),
      constructor: this.#webSocket?.WebSocket,
      maxSessions: this.#webSocket?.maxSessions,
      clock: this.#clock,
      logger,
      bus,
      symbolOf: (id) => this.#symbolOf(id),
    });
  }

  #listsAllSymbols(): boolean {
    const isDue = this.#clock.monotonic() - this.#listedAllAt >= ALL_SYMBOLS_EVERY_MS;
    return isDue || this.#symbols.size === 0 || this.#symbols.size * WEIGHT_OF_OPEN_ORDERS_OF_A_SYMBOL >= WEIGHT_OF_ALL_OPEN_ORDERS;
  }

  // Exactly the timestamp that the journal has, however long the request waited since: the venue's
  // own deadline then counts from it, and absence after that deadline is proof.
  #stamped(params: Record<string, unknown>, attempt: Attempt): Record<string, unknown> {
    const fence = attempt.fenceMs === undefined ? {} : { recvWindow: attempt.fenceMs };
    return { ...params, timestamp: attempt.venueNow, ...fence };
  }

  #signed(params: Record<string, unknown>, attempt: Attempt): Record<string, unknown> {
    return { ...this.#stamped(params, attempt), ...ONE_TRY };
  }

  async #write(
    operation: 'place' | 'cancel',
    symbol: string,
    clientOrderId: string,
    attempt: Attempt,
    prepare: (market: CcxtMarket) => Record<string, unknown>,
  ): Promise<Verdict> {
    let params: Record<string, unknown>;
    try {
      if (!this.#markets.areLoaded) await this.#loadMarkets();
      params = this.#stamped(prepare(this.#known(symbol)), attempt);
    } catch (error) {
      // What is wrong with the order itself will be wrong the next time too.
      if (isUnknownSymbol(error)) return { kind: 'rejected', code: 'UNKNOWN_SYMBOL', cause: error };
      if (isVenueKitError(error, 'INVALID')) return { kind: 'rejected', code: 'INVALID', cause: error };
      return { kind: 'not_sent', cause: error };
    }
    this.#symbols.add(symbol);
    // One way or the other, never both: REST only where a session has sent nothing.
    const answer = await this.#sockets?.call(`order.${operation}`, params, attempt.signal);
    if (answer?.kind === 'answered' && answer.answer.status === 200) return accepted(answer.answer, symbol);
    if (answer !== undefined) return sessionVerdict(answer);
    const sdk = this.#sdk;
    const once = { ...params, ...ONE_TRY };
    const outcome = await this.#call(attempt.signal, true, () => (operation === 'place' ? sdk.privatePostOrder(once) : sdk.privateDeleteOrder(once)));
    const verdict = 'error' in outcome ? verdictOf(outcome.record, outcome.error) : accepted(outcome, symbol);
    this.#hooks.onOutcome?.(operation, clientOrderId, outcome, verdict.kind === 'unknown');
    return verdict;
  }

  async #read(work: () => Promise<unknown>, signal: AbortSignal, ownLimits: boolean): Promise<unknown> {
    const outcome = await this.#call(signal, ownLimits, work);
    if ('result' in outcome) return outcome.result;
    const verdict = verdictOf(outcome.record, outcome.error);
    if (verdict.kind !== 'refused' || verdict.retryAfterMs === undefined) throw asError(outcome.error);
    throw Object.assign(new VenueKitError('RATE_LIMITED', `Binance asks to wait ${verdict.retryAfterMs} ms`, { cause: outcome.error }), {
      retryAfterMs: verdict.retryAfterMs,
    });
  }

  async #call(signal: AbortSignal, ownLimits: boolean, work: () => Promise<unknown>): Promise<CallOutcome<unknown>> {
    if (signal.aborted) return { record: { sent: false }, error: signal.reason };
    let started: CallRecord = { sent: true };
    const running = this.#watcher.run(ownLimits, work, (record) => {
      started = record;
    });
    try {
      return await abortable(running, signal);
    } catch (error) {
      // ccxt takes no signal: a request on its way goes on, and what becomes of it is not known. One
      // that has not left by now is held back, which makes "not sent" a proof.
      started.abandoned = true;
      return { record: { sent: started.sent }, error };
    }
  }

  async *#pages(
    sinceVenueMs: number,
    attempt: Attempt,
    endpoint: (params: Record<string, unknown>) => Promise<unknown>,
    idMember: string,
  ): AsyncIterable<readonly [Readonly<Record<string, unknown>>, string]> {
    const until = attempt.venueNow;
    for (const symbol of [...this.#symbols]) {
      const market = await this.#market(symbol);
      const seen = new Set<string>();
      // A range may span a day at most; within it a full page means that there is more.
      for (let from = Math.floor(sinceVenueMs); from <= until; ) {
        throwIfAborted(attempt.signal);
        const to = Math.min(from + DAY_MS - 1, until + DAY_MS);
        const params = this.#signed({ symbol: market.id, startTime: from, endTime: to, limit: PAGE }, attempt);
        const rows = listOf(await this.#read(() => endpoint(params), attempt.signal, true), 'history').map((row) => objectOf(row, 'row'));
        for (const row of rows) {
          const id = text(row, idMember);
          if (seen.has(id)) continue;
          seen.add(id);
          yield [row, symbol];
        }
        const last = rows.at(-1);
        from = rows.length < PAGE || last === undefined ? to + 1 : Math.max(from + 1, number(last, 'time'));
      }
    }
  }

  async #market(symbol: string): Promise<CcxtMarket> {
    await this.#loadMarkets();
    return this.#known(symbol);
  }

  #known(symbol: string): CcxtMarket {
    const market = this.#markets.get(symbol);
    if (market === undefined) throw unknownSymbolError(`${this.venue} spot`, symbol);
    return market;
  }

  // A failed loadMarkets() sticks in ccxt until it is asked to reload.
  async #loadMarkets(): Promise<void> {
    if (this.#markets.areLoaded) return;
    this.#loading ??= this.#sdk.loadMarkets(true).then(
      () => {},
      (error: unknown) => {
        this.#loading = undefined;
        throw asError(redactError(error));
      },
    );
    await this.#loading;
  }

  #symbolOf(marketId: string): string {
    return this.#markets.symbolOf(marketId) ?? marketId;
  }
}

// Answered with success, but not with an order: whatever it is, it proves nothing.
function accepted({ result }: Pick<ApiAnswer, 'result'>, symbol: string): Verdict {
  try {
    const json = objectOf(result, 'order');
    const fills = fillsOfAnswer(json);
    return { kind: 'accepted', order: venueOrderOf(json, symbol), ...(fills.length > 0 && { fills }) };
  } catch (error) {
    return { kind: 'unknown', cause: error };
  }
}

// -2013 ORDER_DOES_NOT_EXIST; the resolver knows that this alone proves nothing.
function isNotFound(verdict: Verdict): boolean {
  return verdict.kind === 'rejected' && verdict.code === '-2013';
}

// ccxt's own retries re-sign and so move the fence.
const ONE_TRY = { maxRetriesOnFailure: 0 } as const;

/**
 * The normalised shape of a ccxt exchange: for the trading and market-data clients, and for new
 * strategies. The instance stays usable as it is. Calls of the order path do not pass ccxt's own
 * rate limiter, since the trading client keeps the venue's limits; market-data calls do.
 *
 * @param sdk - the caller's own `new ccxt.binance({ apiKey, secret })` (spot).
 * @throws TypeError when `sdk` is no such exchange, is too old or has no credentials.
 * @example
 * const adapter = toAdapter(new ccxt.binance({ apiKey, secret }));
 */
export function toAdapter(sdk: object, options: CcxtAdapterOptions = {}): BrokerAdapter & MarketDataAdapter {
  requireKnown('toAdapter', options, ['capabilities', 'logger', 'bus', 'clock', 'webSocket']);
  if (options.webSocket !== undefined && options.webSocket !== false) {
    requireKnown('toAdapter webSocket', options.webSocket, ['WebSocket', 'maxSessions']);
    if (options.webSocket.maxSessions !== undefined) requireInteger('webSocket.maxSessions', options.webSocket.maxSessions, 1);
  }
  requireKnown('toAdapter capabilities', options.capabilities ?? {}, Object.keys(CAPABILITIES));
  const { fence } = options.capabilities ?? {};
  if (fence !== undefined) {
    requireWithin('capabilities.fence.maxMs', fence.maxMs, 1, LONGEST_FENCE_MS);
    requireWithin('capabilities.fence.defaultMs', fence.defaultMs, 1, fence.maxMs);
  }
  return new CcxtBinanceAdapter(requireCcxtBinance(sdk), options);
}
