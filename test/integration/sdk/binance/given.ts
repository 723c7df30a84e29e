// @ts-expect-error -- it comes without types
import connector from '@binance/connector';
import { BadRequestError, NetworkError, ServerError, Spot } from '@binance/spot';
import { MainClient, WebsocketAPIClient } from 'binance';
import apiNode, { type BinanceRest as ApiNodeClient } from 'binance-api-node';
import { release, resilient } from '../../../../src/sdk/binance/index.js';
import type { BinanceResilientOptions } from '../../../../src/sdk/binance/resilient.js';
import { type ServedVenue, SimulatedVenue, type SimulatedVenueOptions, serveBinance } from '../../../../src/testing/index.js';

/** An order as every SDK is asked for it. */
export interface Wanted {
  readonly symbol: string;
  readonly quantity: string;
  readonly side: 'BUY' | 'SELL';
  readonly price?: string;
  /** An amount of money in place of the quantity. */
  readonly money?: string;
  readonly id?: string;
  /** As the venue calls it: how much of the order its answer tells. */
  readonly answer?: 'ACK' | 'RESULT' | 'FULL';
}

export interface Shown {
  readonly orderId: number;
  readonly clientOrderId: string;
  readonly status: string | undefined;
}

/** What a bot does with any of the SDKs, in one form: how it is called differs, not what is meant. */
export interface Driver {
  place(wanted: Wanted): Promise<Shown>;
  cancel(symbol: string, orderId: number): Promise<Shown>;
  order(symbol: string, orderId: number): Promise<Shown>;
  bid(symbol: string): Promise<number>;
  /** Whether it is an error of the SDK's own that an answer was made to. */
  isOwnError(error: unknown, code: number): boolean;
  /** The same for an answer that never came. */
  isOwnNetworkError(error: unknown): boolean;
}

type Params = Record<string, unknown>;
interface Answer {
  readonly status: number;
  readonly data: unknown;
}

/** The part of @binance/connector that tests call: it comes without types. */
export interface ConnectorClient {
  readonly apiKey: string;
  newOrder(symbol: string, side: string, type: string, options?: Params): Promise<Answer>;
  cancelOrder(symbol: string, options?: Params): Promise<Answer>;
  getOrder(symbol: string, options?: Params): Promise<Answer>;
  bookTicker(symbol?: string): Promise<Answer>;
  [method: string]: unknown;
}

/** Its sockets, which make themselves. */
interface ConnectorSocket {
  readonly wsConnection: { readonly ws: { removeAllListeners(): void; on(event: 'error', listener: () => void): void } };
}

export const {
  Spot: Connector,
  WebsocketAPI,
  WebsocketStream,
} = connector as unknown as {
  Spot: new (key?: string, secret?: string, options?: Params) => ConnectorClient;
  WebsocketAPI: new (key: string, secret: string, options: Params) => ConnectorSocket;
  WebsocketStream: new () => object;
};

export const CAPABILITIES = { visibilityLagMs: 50, fence: { maxMs: 60_000, defaultMs: 400 } };
const SYMBOLS = {
  'BTC/USDT': { price: 50_000, priceStep: '0.01', qtyStep: '0.00001', minNotional: '5' },
  'ETH/USDT': { price: 3_000, priceStep: '0.01', qtyStep: '0.0001' },
};

export function binanceVenue(options: SimulatedVenueOptions = {}): SimulatedVenue {
  return new SimulatedVenue({
    seed: 1,
    symbols: SYMBOLS,
    balances: { USDT: '100000', BTC: '2' },
    visibilityLagMs: 50,
    volatility: 0,
    ...options,
  });
}

const typeOf = ({ price }: Wanted): string => (price === undefined ? 'MARKET' : 'LIMIT');
const restOf = ({ quantity, money, price, id, answer }: Wanted): Params => ({
  ...(money === undefined ? { quantity } : { quoteOrderQty: money }),
  ...(price === undefined ? {} : { price, timeInForce: 'GTC' }),
  ...(id === undefined ? {} : { newClientOrderId: id }),
  ...(answer === undefined ? {} : { newOrderRespType: answer }),
});

function connectorDriver(sdk: ConnectorClient): Driver {
  const shown = async (answer: Promise<Answer>): Promise<Shown> => (await answer).data as Shown;
  return {
    place: (wanted) => shown(sdk.newOrder(wanted.symbol, wanted.side, typeOf(wanted), restOf(wanted))),
    cancel: (symbol, orderId) => shown(sdk.cancelOrder(symbol, { orderId })),
    order: (symbol, orderId) => shown(sdk.getOrder(symbol, { orderId })),
    bid: async (symbol) => Number(((await sdk.bookTicker(symbol)).data as { bidPrice: string }).bidPrice),
    isOwnError: (error, code) => 'isAxiosError' in (error as object) && (error as { response?: { data?: Params } }).response?.data?.code === code,
    isOwnNetworkError: (error) => 'isAxiosError' in (error as object),
  };
}

function mainClientDriver(sdk: MainClient): Driver {
  const shown = async (answer: Promise<unknown>): Promise<Shown> => (await answer) as Shown;
  return {
    place: (wanted) => shown(sdk.submitNewOrder({ symbol: wanted.symbol, side: wanted.side, type: typeOf(wanted), ...restOf(wanted) } as never)),
    cancel: (symbol, orderId) => shown(sdk.cancelOrder({ symbol, orderId })),
    order: (symbol, orderId) => shown(sdk.getOrder({ symbol, orderId })),
    bid: async (symbol) => Number(((await sdk.getSymbolOrderBookTicker({ symbol })) as { bidPrice: string }).bidPrice),
    isOwnError: (error, code) => Object.getPrototypeOf(error) === Object.prototype && (error as { code?: unknown }).code === code,
    isOwnNetworkError: (error) => 'isAxiosError' in (error as object),
  };
}

function spotDriver({ restAPI }: Spot): Driver {
  const shown = async (answer: Promise<{ data(): Promise<unknown> }>): Promise<Shown> => (await (await answer).data()) as Shown;
  return {
    place: (wanted) => shown(restAPI.newOrder({ symbol: wanted.symbol, side: wanted.side, type: typeOf(wanted), ...restOf(wanted) } as never)),
    cancel: (symbol, orderId) => shown(restAPI.deleteOrder({ symbol, orderId })),
    order: (symbol, orderId) => shown(restAPI.getOrder({ symbol, orderId })),
    bid: async (symbol) => Number(((await (await restAPI.tickerBookTicker({ symbol })).data()) as { bidPrice: string }).bidPrice),
    isOwnError: (error, code) => error instanceof BadRequestError && (error as { code?: unknown }).code === code,
    isOwnNetworkError: (error) => error instanceof NetworkError || error instanceof ServerError,
  };
}

// A module of CommonJS, whose default export loaders find in different places.
type ApiNodeMaker = (options?: object) => ApiNodeClient;
const ApiNode = (apiNode as unknown as { default?: ApiNodeMaker }).default ?? (apiNode as unknown as ApiNodeMaker);

function apiNodeDriver(sdk: ApiNodeClient): Driver {
  const shown = async (answer: Promise<unknown>): Promise<Shown> => (await answer) as Shown;
  return {
    place: (wanted) => shown(sdk.order({ symbol: wanted.symbol, side: wanted.side, type: typeOf(wanted), ...restOf(wanted) } as never)),
    cancel: (symbol, orderId) => shown(sdk.cancelOrder({ symbol, orderId })),
    order: (symbol, orderId) => shown(sdk.getOrder({ symbol, orderId })),
    bid: async (symbol) => Number(((await sdk.publicRequest('GET', '/api/v3/ticker/bookTicker', { symbol })) as { bidPrice: string }).bidPrice),
    isOwnError: (error, code) => error instanceof Error && (error as { code?: unknown }).code === code,
    isOwnNetworkError: (error) => error instanceof Error && error.constructor.name === 'FetchError',
  };
}

export interface SdkUnderTest {
  /** Of an SDK that is pointed elsewhere after it is made. */
  readonly make: (options?: { readonly timeoutMs?: number }) => object;
  /** Of one that is not. */
  readonly makeAt?: (served: Pick<ServedVenue, 'url' | 'credentials'>) => object;
  readonly driver: (sdk: object) => Driver;
}

export const SDKS: Readonly<Record<string, SdkUnderTest>> = {
  '@binance/connector': {
    make: ({ timeoutMs = 500 } = {}) => new Connector('key', 'secret', { timeout: timeoutMs }),
    driver: (sdk) => connectorDriver(sdk as ConnectorClient),
  },
  binance: {
    make: ({ timeoutMs = 500 } = {}) => new MainClient({ api_key: 'key', api_secret: 'secret' }, { timeout: timeoutMs }),
    driver: (sdk) => mainClientDriver(sdk as MainClient),
  },
  '@binance/spot': {
    make: ({ timeoutMs = 500 } = {}) => new Spot({ configurationRestAPI: { apiKey: 'key', apiSecret: 'secret', timeout: timeoutMs, retries: 0 } }),
    driver: (sdk) => spotDriver(sdk as Spot),
  },
  'binance-api-node': {
    make: () => ApiNode({ apiKey: 'key', apiSecret: 'secret' }),
    makeAt: ({ url, credentials: { apiKey, secret } }) =>
      ApiNode({ httpBase: url, wsApi: `${url.replace('http', 'ws')}/ws-api/v3`, apiKey, apiSecret: secret }),
    driver: (sdk) => apiNodeDriver(sdk as ApiNodeClient),
  },
};

/** A connection of @binance/spot to the WebSocket API. */
export type SpotConnection = Awaited<ReturnType<Spot['websocketAPI']['connect']>>;

/** @binance/spot with both of its ways to the venue. */
export function newSpotWithSocket(timeoutMs: number): Spot {
  const keys = { apiKey: 'key', apiSecret: 'secret', timeout: timeoutMs };
  return new Spot({ configurationRestAPI: { ...keys, retries: 0 }, configurationWebsocketAPI: keys });
}

/** The same as the bot's other drivers, over a connection. */
export function socketDriver(socket: SpotConnection): Omit<Driver, 'isOwnError' | 'isOwnNetworkError'> {
  const shown = async (answer: Promise<{ readonly data: unknown }>): Promise<Shown> => (await answer).data as Shown;
  return {
    place: (wanted) => shown(socket.orderPlace({ symbol: wanted.symbol, side: wanted.side, type: typeOf(wanted), ...restOf(wanted) } as never)),
    cancel: (symbol, orderId) => shown(socket.orderCancel({ symbol, orderId })),
    order: (symbol, orderId) => shown(socket.orderStatus({ symbol, orderId })),
    bid: async (symbol) => Number(((await socket.tickerBook({ symbol })).data as unknown as { bidPrice: string }).bidPrice),
  };
}

/** The same over a `WebsocketAPIClient`. */
export function sieblyApiDriver(api: WebsocketAPIClient): ReturnType<typeof socketDriver> {
  const shown = async (answer: Promise<{ readonly result: unknown }>): Promise<Shown> => (await answer).result as Shown;
  const stamped = (params: object): never => ({ ...params, timestamp: Date.now() }) as never;
  return {
    place: (wanted) => shown(api.submitNewSpotOrder(stamped({ symbol: wanted.symbol, side: wanted.side, type: typeOf(wanted), ...restOf(wanted) }))),
    cancel: (symbol, orderId) => shown(api.cancelSpotOrder(stamped({ symbol, orderId }))),
    order: (symbol, orderId) => shown(api.getSpotOrderStatus(stamped({ symbol, orderId }))),
    bid: async (symbol) => Number(((await api.getSpotSymbolOrderBookTicker({ symbol })).result as unknown as { bidPrice: string }).bidPrice),
  };
}

/** The SDK's own `disconnect()` waits a second and more for what is under way. */
export function endAtOnce(socket: SpotConnection): void {
  const { websocketBase: base } = socket as unknown as {
    websocketBase: {
      connectionPool: { closeInitiated: boolean; ws: { on(event: 'error', listener: () => void): unknown; terminate(): void } }[];
      cleanup(ws: object): void;
    };
  };
  for (const connection of base.connectionPool) {
    connection.closeInitiated = true;
    base.cleanup(connection.ws);
    // One that is being made says that it was not.
    connection.ws.on('error', () => {});
    connection.ws.terminate();
  }
}

/** The one object of binance that has nothing but a connection to the WebSocket API. */
export function newSieblyApi({ wsUrl, credentials: { apiKey, secret } }: ServedVenue): WebsocketAPIClient {
  const silent = { trace() {}, info() {}, error() {} };
  return new WebsocketAPIClient({ api_key: apiKey, api_secret: secret, wsUrl, attachEventListeners: false }, silent);
}

/** An SDK object that leads to the served venue. */
export function madeAt({ make, makeAt }: SdkUnderTest, served: ServedVenue, options?: { readonly timeoutMs?: number }): object {
  return makeAt === undefined ? served.connect(make(options)) : makeAt(served);
}

/** A venue of its own and an SDK object under which venuekit is, closed together: for tests that run beside each other. */
export async function givenResilient(sdkUnderTest: SdkUnderTest, options: BinanceResilientOptions = {}, venueOptions: SimulatedVenueOptions = {}) {
  const venue = binanceVenue(venueOptions);
  const served = await serveBinance(venue);
  const raw = (): object => madeAt(sdkUnderTest, served);
  // Those without a time limit of their own get it from the policy.
  const policy = sdkUnderTest.makeAt === undefined ? options.policy : { timeoutMs: 500, ...options.policy };
  const sdk = resilient(raw(), { capabilities: CAPABILITIES, ...options, ...(policy === undefined ? {} : { policy }) });
  return {
    venue,
    served,
    raw,
    sdk,
    bot: sdkUnderTest.driver(sdk),
    async [Symbol.asyncDispose]() {
      await release(sdk);
      await served.close();
    },
  };
}

export function caught(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (value) => {
      throw new Error(`expected a rejection, got ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
}
