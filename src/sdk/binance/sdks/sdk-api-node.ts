import { systemClock } from '../../../core/clock.js';
import { redactError, redactText } from '../../../core/logger.js';
import { withFacts } from '../../shared/error-facts.js';
import { type HttpFacts, readerOf } from '../../shared/http-facts.js';
import { Overrides } from '../../shared/overrides.js';
import type { Params, WireAnswer } from '../wire.js';
import { type ApiNodeSockets, keepApiNodeEvents } from './api-node-events.js';
import { keepApiNodeStreams } from './api-node-streams.js';
import { type BinanceSdk, partsOf, type SdkCall, type SdkOutcome } from './sdk-wire.js';

type Request = (method: string, path: string, payload?: object) => Promise<unknown>;
type Method = (payload?: Params) => Promise<unknown>;

/** What is asked of a client of binance-api-node, by shape; the package itself is never imported. */
export interface ApiNodeClient {
  privateRequest: Request;
  publicRequest: Request;
  order: Method;
  readonly tradesHistory?: Method;
  /** Absent in a client that was made without. */
  readonly ws?: ApiNodeSockets;
  getInfo(): Readonly<Record<string, { readonly usedWeight1m?: string; readonly orderCount10s?: string }>>;
}

/** The methods of it that say that it is new enough. */
export const API_NODE_METHODS = ['privateRequest', 'publicRequest', 'getInfo', 'order', 'cancelOrder', 'getOrder', 'exchangeInfo'] as const;

const ORDER = '/api/v3/order';
const TRADES_HISTORY = '/api/v3/historicalTrades';

/** What its methods for spot trading ask for. Source: binance-api-node 0.13, http-client. */
const ENDPOINTS: Readonly<Record<string, readonly [method: string, path: string]>> = {
  ping: ['GET', '/api/v3/ping'],
  time: ['GET', '/api/v3/time'],
  exchangeInfo: ['GET', '/api/v3/exchangeInfo'],
  book: ['GET', '/api/v3/depth'],
  aggTrades: ['GET', '/api/v3/aggTrades'],
  candles: ['GET', '/api/v3/klines'],
  trades: ['GET', '/api/v3/trades'],
  tradesHistory: ['GET', TRADES_HISTORY],
  dailyStats: ['GET', '/api/v3/ticker/24hr'],
  prices: ['GET', '/api/v3/ticker/price'],
  avgPrice: ['GET', '/api/v3/avgPrice'],
  allBookTickers: ['GET', '/api/v3/ticker/bookTicker'],
  updateOrder: ['POST', '/api/v3/order/cancelReplace'],
  orderOco: ['POST', '/api/v3/order/oco'],
  orderTest: ['POST', '/api/v3/order/test'],
  getOrder: ['GET', ORDER],
  getOrderOco: ['GET', '/api/v3/orderList'],
  cancelOrder: ['DELETE', ORDER],
  cancelOrderOco: ['DELETE', '/api/v3/orderList'],
  cancelOpenOrders: ['DELETE', '/api/v3/openOrders'],
  openOrders: ['GET', '/api/v3/openOrders'],
  allOrders: ['GET', '/api/v3/allOrders'],
  allOrdersOCO: ['GET', '/api/v3/allOrderList'],
  accountInfo: ['GET', '/api/v3/account'],
  myTrades: ['GET', '/api/v3/myTrades'],
  getDataStream: ['POST', '/api/v3/userDataStream'],
  keepDataStream: ['PUT', '/api/v3/userDataStream'],
  closeDataStream: ['DELETE', '/api/v3/userDataStream'],
};

/**
 * binance-api-node: address and keys are shut in its closures, and nothing of an answer but its JSON comes out. So requests of our
 * own are signed by it, with its own time; how the venue is held to ours all the same says {@link deadlined}.
 */
export function apiNodeSdk(client: ApiNodeClient): BinanceSdk {
  const { privateRequest, publicRequest, tradesHistory } = client;
  const usage = (): Readonly<Record<string, string>> => usageIn(client);
  const outcomeOf = (work: () => Promise<unknown>): Promise<SdkOutcome> => outcome(work, usage);
  return {
    name: 'binance-api-node',
    baseUrl: '',
    timeoutMs: 0,
    credentials: () => undefined,
    canSign: () => hasKeys(privateRequest),
    // It keeps its key to itself, but for the one public list that asks for one.
    request: (method, path, params) =>
      outcomeOf(() => (path === TRADES_HISTORY && tradesHistory !== undefined ? tradesHistory(params) : publicRequest(method, path, { ...params }))),
    signedRequest: (method, path, params) => outcomeOf(() => privateRequest(method, path, deadlined(params))),
    gate: (route) => {
      const overrides = new Overrides(client);
      const gated = async (call: SdkCall): Promise<unknown> => {
        try {
          const native = await route(call);
          return call.method === 'GET' ? native : copied(native);
        } catch (error) {
          throw typeof error === 'object' && error !== null && itsOwn.has(error) ? withFacts(error, { code: 'REJECTED', sent: 'no' }) : error;
        }
      };
      for (const [name, [method, path]] of Object.entries(ENDPOINTS)) {
        overrides.wrap<Method>(
          name,
          (original) => (payload) => gated({ method, ...partsOf(path, withoutTime(payload)), send: () => outcomeOf(() => original(payload)) }),
        );
      }
      overrides.wrap<Method>('order', (original) => (payload = {}) => {
        const params = withDefaults(withoutTime(payload));
        // What it refuses by itself is for it to refuse.
        if (isIncomplete(params)) return original(payload);
        return gated({ method: 'POST', ...partsOf(ORDER, params), send: () => outcomeOf(() => privateRequest('POST', ORDER, params)) });
      });
      for (const name of ['privateRequest', 'publicRequest']) {
        overrides.wrap<Request>(
          name,
          (original) => (method, path, payload) =>
            gated({ method, ...partsOf(path, withoutTime(payload)), send: () => outcomeOf(() => original(method, path, payload)) }),
        );
      }
      return overrides;
    },
    answered: (_, json) => json,
    plain: (native) => native,
    keepMarkets: (keeping) => (client.ws === undefined ? { [Symbol.dispose]: () => {} } : keepApiNodeStreams(client.ws, keeping)),
    keepSockets: (parts) => (client.ws === undefined ? { [Symbol.dispose]: () => {} } : keepApiNodeEvents(client.ws, parts)),
  };
}

/** As the SDK completes an order. The client order id, which it would make up anew for each try, is the order path's to give. */
function withDefaults(payload: Params): Params {
  const { type = 'LIMIT' } = payload;
  const isTimed = typeof type === 'string' && ['LIMIT', 'STOP_LOSS_LIMIT', 'TAKE_PROFIT_LIMIT'].includes(type);
  return { ...(isTimed ? { timeInForce: 'GTC' } : {}), type, ...payload };
}

function isIncomplete({ symbol, side, type, quantity, quoteOrderQty }: Params): boolean {
  const isMissing = (value: unknown): boolean => value === undefined || value === null || value === '';
  return isMissing(symbol) || isMissing(side) || (isMissing(quantity) && (type !== 'MARKET' || isMissing(quoteOrderQty)));
}

// An order of the SDK for itself how to get its time: no parameter of the venue's.
function withoutTime(payload: object | undefined): Params {
  const { useServerTime: _, ...params } = (payload ?? {}) as Params;
  return params;
}

/** An answer with the code that Binance gives to a request that has come too late. */
class TooLate extends Error {
  readonly code = -1021;

  constructor() {
    super('Timestamp for this request is outside of the recvWindow.');
  }
}

/**
 * Parameters of a request that the venue refuses after `timestamp + recvWindow`, though the SDK puts a later time in place of
 * that timestamp: it takes the time first and reads the parameters then, so the window is what is left by that time.
 * Where nothing is left, reading it throws, and nothing is sent.
 */
function deadlined({ timestamp, recvWindow, ...params }: Readonly<Record<string, string>>): object {
  if (timestamp === undefined || recvWindow === undefined) return params;
  let left: number | undefined;
  return Object.defineProperty(params, 'recvWindow', {
    enumerable: true,
    get: () => {
      // Read once to sign, and once to send: both must be the same. Never more than was asked for, whatever the clock says.
      left ??= Math.min(Number(recvWindow), Math.floor(Number(timestamp) + Number(recvWindow) - systemClock.now()));
      if (left <= 0) throw new TooLate();
      return left;
    },
  });
}

const PROBE = new Error('This is never sent.');

/** Asks for the keys by a request that is never sent: it throws before it has a time, and at the latest when it is read to be signed. */
function hasKeys(privateRequest: Request): boolean {
  const refuse = (): never => {
    throw PROBE;
  };
  const probe = Object.defineProperties({}, { useServerTime: { enumerable: true, get: refuse }, probe: { enumerable: true, get: refuse } });
  try {
    privateRequest('GET', ORDER, probe).catch(() => {});
    return true;
  } catch (error) {
    return error === PROBE;
  }
}

/** Errors of the SDK's own, thrown before it has sent anything. */
const itsOwn = new WeakSet<object>();

async function outcome(work: () => Promise<unknown>, usage: () => Readonly<Record<string, string>>): Promise<SdkOutcome> {
  let running: Promise<unknown>;
  try {
    running = work();
  } catch (error) {
    if (typeof error === 'object' && error !== null) itsOwn.add(error);
    return { error, facts: { sent: true, status: 400, body: JSON.stringify({ code: 0 }) } };
  }
  try {
    const native = await running;
    return { result: new ApiNodeAnswer(native), status: 200, header: readerOf(usage()) };
  } catch (thrown) {
    const error = withoutSecrets(thrown);
    return { error, facts: factsIn(error) };
  }
}

/** What the SDK keeps of the headers, by host; of several hosts it is not known whose an answer was. */
function usageIn(client: ApiNodeClient): Readonly<Record<string, string>> {
  const hosts = Object.values(client.getInfo());
  if (hosts.length !== 1) return {};
  const { usedWeight1m, orderCount10s } = hosts[0] as (typeof hosts)[number];
  return {
    ...(usedWeight1m === undefined ? {} : { 'x-mbx-used-weight-1m': usedWeight1m }),
    ...(orderCount10s === undefined ? {} : { 'x-mbx-order-count-10s': orderCount10s }),
  };
}

/** What it throws where there was an answer: of JSON nothing but code and words, of anything else the response. */
interface Thrown {
  readonly code?: unknown;
  readonly message?: string;
  url?: unknown;
  readonly response?: { readonly status: number; readonly headers: Iterable<readonly [string, string]> };
  readonly responseText?: string;
}

function factsIn(thrown: unknown): HttpFacts {
  const { code, message = '', response, responseText } = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as Thrown;
  if (response !== undefined)
    return {
      sent: true,
      status: response.status,
      headers: Object.fromEntries(response.headers),
      ...(responseText === undefined ? {} : { body: responseText }),
    };
  if (typeof code !== 'number') return { sent: true };
  const until = Number(/banned until (\d{13})/.exec(message)?.[1] ?? Number.NaN);
  const seconds = Math.max(0, (until - systemClock.now()) / 1_000);
  return {
    sent: true,
    status: Number.isFinite(until) ? 418 : statusOf(code),
    ...(Number.isFinite(until) ? { headers: { 'retry-after': String(seconds) } } : {}),
    body: JSON.stringify({ code, msg: message }),
  };
}

const CODES = 'developers.binance.com, Binance spot API, error codes';

/** The status that stands in for the one which the SDK hides, by Binance's code, the first row that fits. Whatever is not here may have been executed. */
export const STATUS_OF_CODE: readonly { readonly codes: readonly [first: number, last: number]; readonly status: number; readonly source: string }[] =
  [
    { codes: [-1003, -1003], status: 429, source: `${CODES}: TOO_MANY_REQUESTS` },
    { codes: [-1015, -1015], status: 429, source: `${CODES}: TOO_MANY_ORDERS` },
    { codes: [-1002, -1002], status: 400, source: `${CODES}: UNAUTHORIZED` },
    { codes: [-1014, -1013], status: 400, source: `${CODES}: INVALID_MESSAGE and UNKNOWN_ORDER_COMPOSITION, the order is not taken` },
    { codes: [-1022, -1020], status: 400, source: `${CODES}: UNSUPPORTED_OPERATION, INVALID_TIMESTAMP and INVALID_SIGNATURE` },
    { codes: [-1199, -1100], status: 400, source: `${CODES}: 11xx, request issues` },
    { codes: [-2999, -2000], status: 400, source: `${CODES}: 2xxx, processing issues, of an order that is not taken` },
  ];
const MAY_BE_EXECUTED = 500;

function statusOf(code: number): number {
  return STATUS_OF_CODE.find(({ codes: [first, last] }) => code >= first && code <= last)?.status ?? MAY_BE_EXECUTED;
}

// Its errors have the whole signed address in them, in up to three places.
function withoutSecrets(thrown: unknown): unknown {
  const error = redactError(thrown);
  if (typeof error !== 'object' || error === null) return error;
  const { url, response } = error as Thrown;
  if (typeof url === 'string') (error as Thrown).url = redactText(url);
  if (typeof response !== 'object') return error;
  for (const symbol of Object.getOwnPropertySymbols(response)) {
    const inner = (response as unknown as Record<symbol, { url?: unknown } | undefined>)[symbol];
    if (typeof inner?.url === 'string') inner.url = redactText(inner.url);
  }
  return error;
}

/** An answer of which most calls of the bot need no JSON of ours. */
class ApiNodeAnswer implements WireAnswer {
  readonly native: unknown;

  constructor(native: unknown) {
    this.native = native;
  }

  get json(): unknown {
    return jsonOf(this.native);
  }
}

/** Numbers of 16 digits and more come as objects: as their text, for our own reading. */
function jsonOf(value: unknown): unknown {
  return mapped(value, String);
}

// The answer to an order is kept, and given again to who asks again; every caller's is its own.
function copied(value: unknown): unknown {
  return mapped(value, (big) => big);
}

function mapped(value: unknown, ofBigNumber: (big: object) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => mapped(item, ofBigNumber));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) return ofBigNumber(value);
  const copy = Object.create(prototype) as Record<string, unknown>;
  for (const [name, member] of Object.entries(value)) copy[name] = mapped(member, ofBigNumber);
  return copy;
}
