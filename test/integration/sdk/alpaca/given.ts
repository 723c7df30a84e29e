import { Alpaca as AlpacaV4 } from '@alpacahq/alpaca-trade-api';
import AlpacaV3Class from 'alpaca-v3';
import { release, resilient } from '../../../../src/sdk/alpaca/index.js';
import type { AlpacaResilientOptions } from '../../../../src/sdk/alpaca/resilient-options.js';
import { SimulatedVenue, type SimulatedVenueOptions, serveAlpaca } from '../../../../src/testing/index.js';

/** An order as both versions are asked for it. */
export interface Wanted {
  readonly symbol: string;
  readonly qty: string;
  readonly side: 'buy' | 'sell';
  readonly limit?: string;
  readonly id?: string;
  readonly notional?: string;
}

export interface Shown {
  readonly id: string;
  readonly status: string;
  readonly symbol: string;
  readonly clientOrderId: string;
}

/** What a bot does with either version, in one form: how it is called differs, not what is meant. */
export interface Driver {
  readonly version: 3 | 4;
  readonly sdk: object;
  place(wanted: Wanted): Promise<Shown>;
  cancel(id: string): Promise<unknown>;
  quote(symbol: string): Promise<number>;
  order(id: string): Promise<Shown>;
  positions(): Promise<unknown[]>;
}

/** The part of version 3 that tests call; its own types are those of a class without any. */
export interface V3 {
  readonly configuration: Record<string, unknown>;
  createOrder(order: object): Promise<Record<string, string>>;
  cancelOrder(id: string): Promise<unknown>;
  getOrder(id: string): Promise<Record<string, string>>;
  getPositions(): Promise<unknown[]>;
  getLatestQuote(symbol: string): Promise<Record<string, unknown>>;
  [name: string]: unknown;
}

export type V4 = AlpacaV4;

export const SYMBOLS = {
  AAPL: { price: 200, priceStep: '0.01', qtyStep: '0.0001' },
  MSFT: { price: 400, priceStep: '0.01', qtyStep: '0.0001' },
  'BTC/USD': { price: 50_000, priceStep: '0.01', qtyStep: '0.00001' },
};

export const CAPABILITIES = { visibilityLagMs: 50 };

export function alpacaVenue(options: SimulatedVenueOptions = {}): SimulatedVenue {
  return new SimulatedVenue({
    seed: 1,
    symbols: SYMBOLS,
    balances: { USD: '100000', BTC: '2' },
    visibilityLagMs: 50,
    volatility: 0,
    fence: false,
    clientIdUniqueness: 'forever',
    clientIdMaxLength: 128,
    ...options,
  });
}

// As a bot of CommonJS gets it.
const V3Constructor = AlpacaV3Class as unknown as new (options: object) => V3;

export function newV3(): V3 {
  return new V3Constructor({ keyId: 'any', secretKey: 'any', paper: true });
}

export function newV4(options: object = {}): V4 {
  return new AlpacaV4({ keyId: 'any', secret: 'any', timeoutMs: 500, ...options });
}

export function v3Driver(sdk: V3): Driver {
  const shown = (order: Record<string, string>): Shown => ({
    id: order.id!,
    status: order.status!,
    symbol: order.symbol!,
    clientOrderId: order.client_order_id!,
  });
  return {
    version: 3,
    sdk,
    place: async ({ symbol, qty, side, limit, id, notional }) =>
      shown(
        await sdk.createOrder({
          symbol,
          side,
          ...(notional === undefined ? { qty } : { notional }),
          type: limit === undefined ? 'market' : 'limit',
          time_in_force: 'day',
          ...(limit === undefined ? {} : { limit_price: limit }),
          ...(id === undefined ? {} : { client_order_id: id }),
        }),
      ),
    cancel: (id) => sdk.cancelOrder(id),
    quote: async (symbol) => Number((await sdk.getLatestQuote(symbol)).BidPrice),
    order: async (id) => shown(await sdk.getOrder(id)),
    positions: () => sdk.getPositions(),
  };
}

export function v4Driver(sdk: V4): Driver {
  const { orders, positions } = sdk.trading;
  const shown = (order: { id?: string; status?: string; symbol?: string; clientOrderId?: string }): Shown => ({
    id: order.id!,
    status: order.status!,
    symbol: order.symbol!,
    clientOrderId: order.clientOrderId!,
  });
  return {
    version: 4,
    sdk,
    place: async ({ symbol, qty, side, limit, id, notional }) => {
      const common = { symbol, side, ...(id === undefined ? {} : { clientOrderId: id }) };
      if (notional !== undefined) return shown(await orders.market({ ...common, notional }));
      return shown(await (limit === undefined ? orders.market({ ...common, qty }) : orders.limit({ ...common, qty, limitPrice: limit })));
    },
    cancel: (orderId) => orders.deleteOrderByOrderID({ orderId }),
    quote: async (symbol) => (await sdk.marketData.stocks.stockLatestQuotes({ symbols: symbol })).quotes[symbol]!.bp,
    order: async (orderId) => shown(await orders.getOrderByOrderID({ orderId })),
    positions: () => positions.getAllOpenPositions(),
  };
}

export const VERSIONS = { 'version 3': () => newV3(), 'version 4': () => newV4() } as const;

export function driverOf(sdk: object): Driver {
  return 'trading' in sdk ? v4Driver(sdk as V4) : v3Driver(sdk as V3);
}

/** A venue of its own and an SDK object under which venuekit is, closed together: for tests that run beside each other. */
export async function givenResilient(make: () => object, options: AlpacaResilientOptions = {}, venueOptions: SimulatedVenueOptions = {}) {
  const venue = alpacaVenue(venueOptions);
  const served = await serveAlpaca(venue);
  const raw = (): object => served.connect(make());
  const sdk = resilient(raw(), { capabilities: CAPABILITIES, policy: { timeoutMs: 500 }, ...options });
  return {
    venue,
    served,
    raw,
    sdk,
    bot: driverOf(sdk),
    async [Symbol.asyncDispose]() {
      await release(sdk);
      await served.close();
    },
  };
}

export function caught(call: Promise<unknown>): Promise<Error> {
  return call.then(
    (value) => {
      throw new Error(`expected a rejection, got ${JSON.stringify(value)}`);
    },
    (error: Error) => error,
  );
}
