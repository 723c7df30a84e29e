import ccxt, { type Exchange, type Order } from 'ccxt';
import { expect } from 'vitest';
import { factsOf, ready, release, resilient, toAdapter } from '../../../../src/sdk/ccxt/index.js';
import { SimulatedVenue, serveAlpaca, serveBinance, serveKraken } from '../../../../src/testing/index.js';
import { alpacaVenue } from '../alpaca/given.js';
import { WRITERS } from '../binance/composite-writers.js';
import { binanceVenue, CAPABILITIES } from '../binance/given.js';
import { ATTEMPT_MS, READY_MS, type ShownOrder, type Subject } from './subject.js';

const KINDS = { 'a market order': 'filled', 'a limit order by a helper': 'open' } as const;
const STATES: Readonly<Record<string, 'open' | 'filled' | 'canceled'>> = { open: 'open', closed: 'filled', canceled: 'canceled' };

const shown = ({ id, clientOrderId }: Order): ShownOrder => ({ venueOrderId: id as string, clientOrderId });

/** What a bot does with any exchange of ccxt. */
export function botOf(exchange: Exchange, symbol: string, amount: number, restingPrice: number) {
  return {
    place: async (kind: string) =>
      shown(
        await (kind === 'a market order'
          ? exchange.createOrder(symbol, 'market', 'buy', amount)
          : exchange.createLimitBuyOrder(symbol, amount, restingPrice)),
      ),
    ready: async () => {
      await exchange.loadMarkets();
      await ready(exchange, { deadlineMs: READY_MS });
    },
    state: async ({ venueOrderId }: ShownOrder) => STATES[(await exchange.fetchOrder(venueOrderId, symbol)).status as string] ?? 'open',
    cancel: async ({ venueOrderId }: ShownOrder) => {
      const order = await exchange.cancelOrder(venueOrderId, symbol);
      // Alpaca answers a cancel without a body, Kraken with a count, of which ccxt makes an order without anything in it.
      if (exchange.id === 'binance') expect(order).toMatchObject({ id: venueOrderId, status: 'canceled' });
    },
    quote: async () => {
      const { bid } = await exchange.fetchTicker(symbol);
      return bid as number;
    },
    factsOf,
    placeUnaffordable: async () => shown(await exchange.createOrder(symbol, 'market', 'buy', 10_000 * amount)),
    placeAs: async (clientOrderId: string) => shown(await exchange.createOrder(symbol, 'limit', 'buy', amount, restingPrice, { clientOrderId })),
  } as const;
}

/** The exchanges of ccxt that venuekit knows. */
export const CCXT_SUBJECTS: readonly Subject[] = [
  {
    name: 'ccxt binance',
    price: 50_000,
    kinds: KINDS,
    ambiguous: { when: 'after', kind: 'status', status: 503, code: -1007, times: 1 },
    bans: true,
    doublesRequests: true,
    hasComposites: true,
    open: async (policy) => {
      const venue = binanceVenue();
      const served = await serveBinance(venue);
      const raw = () => served.connect(new ccxt.binance({ timeout: ATTEMPT_MS, enableRateLimit: false }));
      const exchange = resilient(raw(), { capabilities: CAPABILITIES, ...(policy === undefined ? {} : { policy }) });
      return {
        venue,
        ...botOf(exchange, 'BTC/USDT', 0.01, 40_000),
        composites: WRITERS.ccxt!(exchange as never),
        adapter: () => ({ adapter: toAdapter(raw(), { capabilities: CAPABILITIES }), symbol: 'BTC/USDT', qty: '0.01', restingPrice: '40000' }),
        cancelElsewhere: (id) => raw().cancelOrder(id, 'BTC/USDT'),
        async [Symbol.asyncDispose]() {
          await release(exchange);
          await served.close();
        },
      };
    },
  },
  {
    name: 'ccxt alpaca',
    price: 50_000,
    kinds: KINDS,
    ambiguous: { when: 'after', kind: 'status', status: 504, times: 1 },
    bans: false,
    doublesRequests: false,
    open: async (policy) => {
      const venue = alpacaVenue();
      const served = await serveAlpaca(venue);
      const raw = () => served.connect(new ccxt.alpaca({ timeout: ATTEMPT_MS, enableRateLimit: false }));
      const capabilities = { visibilityLagMs: 50 };
      const exchange = resilient(raw(), { capabilities, ...(policy === undefined ? {} : { policy }) });
      return {
        venue,
        ...botOf(exchange, 'BTC/USD', 0.01, 40_000),
        adapter: () => ({ adapter: toAdapter(raw(), { capabilities }), symbol: 'BTC/USD', qty: '0.01', restingPrice: '40000' }),
        cancelElsewhere: (id) => raw().cancelOrder(id),
        async [Symbol.asyncDispose]() {
          await release(exchange);
          await served.close();
        },
      };
    },
  },
  {
    name: 'ccxt kraken',
    price: 50_000,
    kinds: KINDS,
    // Kraken's own errors come with HTTP 200: `EService:Timeout`.
    ambiguous: { when: 'after', kind: 'status', status: 504, times: 1 },
    bans: false,
    // Ids may come again, nonces may not.
    doublesRequests: false,
    open: async (policy) => {
      const venue = new SimulatedVenue({
        seed: 7,
        symbols: { 'BTC/USD': { price: 50_000, priceStep: '0.1', qtyStep: '0.00000001' } },
        balances: { USD: '100000', BTC: '10' },
        visibilityLagMs: 50,
        volatility: 0,
      });
      const served = await serveKraken(venue);
      const raw = () => served.connect(new ccxt.kraken({ timeout: ATTEMPT_MS, enableRateLimit: false }));
      // Kraken takes no deadline below two seconds: what is left is for the way there.
      const options = { capabilities: { visibilityLagMs: 50, fence: { maxMs: 60_000, defaultMs: 5_000 } }, krakenTier: 'pro' } as const;
      // A proof waits for the fence and for the slow counter of reads: 15 s, and more where the processor is taken.
      const exchange = resilient(raw(), { ...options, policy: { deadlineMs: 100_000, ...policy } });
      return {
        venue,
        ...botOf(exchange, 'BTC/USD', 0.01, 40_000),
        adapter: () => ({ adapter: toAdapter(raw(), options), symbol: 'BTC/USD', qty: '0.01', restingPrice: '40000' }),
        cancelElsewhere: (id) => raw().cancelOrder(id),
        async [Symbol.asyncDispose]() {
          await release(exchange);
          await served.close();
        },
      };
    },
  },
];
