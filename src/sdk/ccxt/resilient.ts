import type { MarketKind } from '../../contracts/market-data.js';
import { attach, requireFree } from '../shared/attachments.js';
import { Overrides } from '../shared/overrides.js';
import { recoveryBoundsOf, requireResilientOptions } from '../shared/resilient-options.js';
import { ResultCache } from '../shared/result-cache.js';
import { StreamRecovery } from '../shared/streams/stream-recovery.js';
import { EndpointGate } from './endpoint-gate.js';
import { type CcxtExchange, type KnownExchange, requireKnownExchange, requireOwnOptions } from './exchange.js';
import { ResilientAlpacaExchange } from './resilient-alpaca-exchange.js';
import { ResilientBinance } from './resilient-binance.js';
import { ResilientKraken } from './resilient-kraken.js';
import type { CcxtResilientOptions } from './resilient-options.js';
import { watchPersistently } from './watching/watching.js';

/** How reads of ccxt are called among the kinds of market data. */
const KINDS: Readonly<Record<string, MarketKind>> = {
  fetchTicker: 'quote',
  fetchTickers: 'quote',
  fetchBidsAsks: 'quote',
  fetchOrderBook: 'book',
  fetchL2OrderBook: 'book',
  fetchTrades: 'trades',
  fetchOHLCV: 'bars',
};

/** Calls over WebSocket that have a twin over REST, where the order path is. */
const TWINS = { createOrderWs: 'createOrder', editOrderWs: 'editOrder', cancelOrderWs: 'cancelOrder', cancelAllOrdersWs: 'cancelAllOrders' } as const;

/**
 * Makes a ccxt exchange resilient where it stands: the same object, methods and error classes, with
 * orders that are never doubled and never lost, retried reads, the venue's limits kept, and metrics.
 * Returns at once; the first order waits for lease, journal and reconciliation, as {@link ready} does.
 *
 * An order call resolves with what ccxt would have given, or rejects with ccxt's own error; what is
 * known of the failure stands beside it, see {@link factsOf}. A client order id that the bot sets is
 * the key: the same call again gives the same order.
 *
 * @param sdk - the bot's own `new ccxt.binance({ apiKey, secret })` or `new ccxt.pro.binance(…)` (spot), or
 * `new ccxt.alpaca({ apiKey, secret })`, or `new ccxt.kraken({ apiKey, secret })`.
 * @throws TypeError or RangeError naming what is wrong with the SDK object or an option.
 * @example
 * const exchange = resilient(new ccxt.binance({ apiKey, secret }), { cache: { fetchTicker: 500 } });
 * await exchange.createOrder('BTC/USDT', 'limit', 'buy', 0.01, 64_000, { clientOrderId: 'open-1' });
 */
export function resilient<S extends object>(sdk: S, options: CcxtResilientOptions = {}): S {
  const known = requireKnownExchange(sdk, 'resilient');
  const exchange: CcxtExchange = known.sdk;
  requireResilientOptions(exchange, options, ['krakenTier', 'requestsPerMinute']);
  requireOwnOptions(known, options);
  requireFree(exchange);
  const path = pathOf(known, options);
  const { session } = path;
  const overrides = new Overrides(exchange);
  const gate = new EndpointGate(exchange, (call) => path.route(call));
  const closing = new AbortController();

  // A failed loadMarkets() sticks in ccxt until it is asked to reload.
  overrides.wrap('loadMarkets', (loadMarkets) => async (...args) => {
    try {
      return await loadMarkets(...args);
    } catch (error) {
      (exchange as CcxtExchange & { marketsLoading?: unknown }).marketsLoading = undefined;
      throw error;
    }
  });
  for (const [name, twin] of Object.entries(TWINS)) {
    overrides.wrap(
      name,
      () =>
        (...args) =>
          (exchange as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[twin]!(...args),
    );
  }
  const cache = new ResultCache(session.clock, session.bus);
  for (const [method, maxAgeMs] of Object.entries(options.cache ?? {})) {
    if (maxAgeMs > 0)
      overrides.wrap(
        method,
        (read) =>
          (...args) =>
            cache.read(`${method}|${JSON.stringify(args)}`, KINDS[method], maxAgeMs, () => read(...args)),
      );
  }
  watchPersistently(exchange, overrides, session, new StreamRecovery(known.id, session, recoveryBoundsOf(options), closing.signal));

  let released: Promise<void> | undefined;
  attach(exchange, {
    ready: (call) => session.ready(call),
    release: () => {
      released ??= (async () => {
        closing.abort();
        overrides[Symbol.dispose]();
        gate[Symbol.dispose]();
        cache.clear();
        try {
          await session.release();
        } finally {
          // What the last requests of the session still needed.
          path[Symbol.dispose]();
        }
      })();
      return released;
    },
  });
  return sdk;
}

function pathOf(
  known: KnownExchange,
  { krakenTier, requestsPerMinute, ...options }: CcxtResilientOptions,
): ResilientBinance | ResilientAlpacaExchange | ResilientKraken {
  switch (known.id) {
    case 'binance':
      return new ResilientBinance(known.sdk, options);
    case 'alpaca':
      return new ResilientAlpacaExchange(known.sdk, { ...options, ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }) });
    case 'kraken':
      return new ResilientKraken(known.sdk, { ...options, ...(krakenTier === undefined ? {} : { krakenTier }) });
  }
}
