import type { StreamWire } from '../broker/stream-wire.js';
import { type Fault, SILENCE_MS } from '../faults.js';
import { GATEWAY_PAGE } from '../served/http-port.js';
import type { AnswerPort, Incoming, RequestLine, Usage } from '../served/request-line.js';
import type { ServedCounters } from '../served/served-statistics.js';
import type { ServerSocket } from '../served/socket.js';
import { ok, type WireReply } from '../served/wire-reply.js';
import { followAccount } from './account-stream.js';
import type { VenueCredentials } from './authenticate.js';
import type { Endpoint } from './endpoint.js';
import { incomingOf } from './protocol.js';
import { failure, statusReply } from './wire-reply.js';

/** The methods of the WebSocket API that have a REST endpoint of the same meaning. */
const METHODS: Readonly<Record<string, string>> = {
  ping: 'GET /api/v3/ping',
  time: 'GET /api/v3/time',
  exchangeInfo: 'GET /api/v3/exchangeInfo',
  depth: 'GET /api/v3/depth',
  'trades.recent': 'GET /api/v3/trades',
  'trades.aggregate': 'GET /api/v3/aggTrades',
  klines: 'GET /api/v3/klines',
  'ticker.24hr': 'GET /api/v3/ticker/24hr',
  'ticker.price': 'GET /api/v3/ticker/price',
  'ticker.book': 'GET /api/v3/ticker/bookTicker',
  'order.place': 'POST /api/v3/order',
  'order.cancel': 'DELETE /api/v3/order',
  'order.status': 'GET /api/v3/order',
  'order.cancelReplace': 'POST /api/v3/order/cancelReplace',
  'order.amend.keepPriority': 'PUT /api/v3/order/amend/keepPriority',
  'orderList.place': 'POST /api/v3/order/oco',
  'orderList.place.oco': 'POST /api/v3/orderList/oco',
  'orderList.place.oto': 'POST /api/v3/orderList/oto',
  'orderList.place.otoco': 'POST /api/v3/orderList/otoco',
  'orderList.cancel': 'DELETE /api/v3/orderList',
  'orderList.status': 'GET /api/v3/orderList',
  'openOrderLists.status': 'GET /api/v3/openOrderList',
  allOrderLists: 'GET /api/v3/allOrderList',
  'openOrders.status': 'GET /api/v3/openOrders',
  allOrders: 'GET /api/v3/allOrders',
  myTrades: 'GET /api/v3/myTrades',
  'account.status': 'GET /api/v3/account',
  'userDataStream.start': 'POST /api/v3/userDataStream',
  'userDataStream.ping': 'PUT /api/v3/userDataStream',
  'userDataStream.stop': 'DELETE /api/v3/userDataStream',
};

/** What a session is made of. */
export interface WsApiParts {
  readonly line: RequestLine;
  readonly credentials: VenueCredentials;
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  readonly counters: ServedCounters;
  readonly socket: ServerSocket;
  /** The connection underneath, for the count of its requests. */
  readonly connection: object;
  /** Where events of the account travel. */
  readonly wire: StreamWire<string>;
  /** Only an Ed25519 key can log on. */
  readonly canLogOn: boolean;
  readonly returnsRateLimits: boolean;
}

type Params = Readonly<Record<string, unknown>>;

/**
 * One connection to `/ws-api/v3`: requests and answers matched by id, and the account's events once
 * they are subscribed to. Source: binance-spot-api-docs, web-socket-api.md.
 */
export class WsApiSession {
  readonly #parts: WsApiParts;
  readonly #own: Readonly<Record<string, Endpoint>>;
  readonly #subscriptions = new Map<number, Disposable>();
  readonly #connectedAt: number;
  #subscribed = 0;
  #loggedOn: { readonly key: string; readonly at: number } | undefined;

  constructor(parts: WsApiParts) {
    this.#parts = parts;
    this.#connectedAt = parts.line.core.venueClock.venueNow();
    this.#own = this.#ownMethods();
    parts.socket.on('message', (data) => this.#take(data.toString()));
    parts.socket.on('close', () => this.#end());
  }

  #take(text: string): void {
    let request: { readonly id?: unknown; readonly method?: unknown; readonly params?: unknown };
    try {
      request = JSON.parse(text) as typeof request;
      if (typeof request !== 'object' || request === null) throw new TypeError('no object');
    } catch {
      this.#parts.socket.send(JSON.stringify({ id: null, status: 400, error: { code: -1100, msg: 'Invalid JSON in request.' } }));
      return;
    }
    const { line, counters, connection } = this.#parts;
    const method = String(request.method).replace(/^v3\//, '');
    const endpoint = this.#own[method] ?? this.#parts.endpoints.get(METHODS[method] ?? '');
    counters.request(endpoint === undefined ? 'unknown' : `WS ${method}`, connection);
    const params = (typeof request.params === 'object' && request.params !== null ? request.params : {}) as Params;
    const returnsRateLimits = params.returnRateLimits ?? this.#parts.returnsRateLimits;
    const port = new SocketPort(this.#parts, request.id, returnsRateLimits !== false);
    if (endpoint === undefined) port.answer(failure(-5000, `Method ${method} is invalid`), []);
    // A client that hangs up in the middle of its own request is its own affair.
    else line.travel(this.#incoming(endpoint, params), port).catch(() => this.#parts.socket.terminate());
  }

  #incoming(endpoint: Endpoint, params: Params): Incoming {
    const entries = Object.entries(params).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)] as const);
    const sorted = entries.filter(([name]) => name !== 'signature').sort(([a], [b]) => (a < b ? -1 : 1));
    const plain = sorted.map(([name, value]) => `${name}=${value}`).join('&');
    const encoded = sorted.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
    const key = typeof params.apiKey === 'string' ? params.apiKey : undefined;
    return incomingOf(this.#parts.credentials, {
      endpoint,
      params: new URLSearchParams(entries.map(([name, value]) => [name, value])),
      key: key ?? (endpoint.needsKey === true ? this.#loggedOn?.key : undefined),
      signed: [plain, encoded],
      isLoggedOn: this.#loggedOn !== undefined,
    });
  }

  #ownMethods(): Readonly<Record<string, Endpoint>> {
    const { core, account } = this.#parts.line;
    const subscribe = (): WireReply => {
      const id = this.#subscribed++;
      const follow = followAccount(core, account, (event) => this.#parts.wire.push(JSON.stringify({ subscriptionId: id, event }), 'events'));
      this.#subscriptions.set(id, follow);
      return ok({ subscriptionId: id });
    };
    return {
      'session.logon': {
        operation: 'subscribe',
        signed: true,
        weight: 2,
        run: ({ params }) => {
          if (!this.#parts.canLogOn) return failure(-4056, 'HMAC_SHA256 API key is not supported.');
          this.#loggedOn = { key: params.get('apiKey') ?? '', at: core.venueClock.venueNow() };
          return ok(this.#status());
        },
      },
      'session.status': { operation: 'ping', signed: false, weight: 2, run: () => ok(this.#status()) },
      'session.logout': {
        operation: 'ping',
        signed: false,
        weight: 2,
        run: () => {
          this.#loggedOn = undefined;
          return ok(this.#status());
        },
      },
      'session.subscriptions': {
        operation: 'ping',
        signed: false,
        weight: 2,
        run: () => ok([...this.#subscriptions.keys()].map((subscriptionId) => ({ subscriptionId }))),
      },
      'userDataStream.subscribe.signature': { operation: 'subscribe', signed: true, weight: 2, run: subscribe },
      'userDataStream.subscribe': {
        operation: 'subscribe',
        signed: false,
        weight: 2,
        run: () => (this.#loggedOn === undefined ? failure(-2015, 'Invalid API-key, IP, or permissions for action.', 401) : subscribe()),
      },
      'userDataStream.unsubscribe': {
        operation: 'ping',
        signed: false,
        weight: 2,
        run: ({ params }) => {
          const id = params.get('subscriptionId');
          const ended = id === null ? [...this.#subscriptions.keys()] : [Number(id)];
          if (ended.some((one) => !this.#subscriptions.has(one))) return failure(-2043, 'Subscription not active.');
          for (const one of ended) {
            this.#subscriptions.get(one)?.[Symbol.dispose]();
            this.#subscriptions.delete(one);
          }
          return ok({});
        },
      },
    };
  }

  #status(): object {
    const { venueClock } = this.#parts.line.core;
    return {
      apiKey: this.#loggedOn?.key ?? null,
      authorizedSince: this.#loggedOn?.at ?? null,
      connectedSince: this.#connectedAt,
      returnRateLimits: this.#parts.returnsRateLimits,
      serverTime: venueClock.venueNow(),
      userDataStream: this.#subscriptions.size > 0,
    };
  }

  #end(): void {
    for (const subscription of this.#subscriptions.values()) subscription[Symbol.dispose]();
    this.#subscriptions.clear();
  }
}

class SocketPort implements AnswerPort {
  readonly #parts: WsApiParts;
  readonly #id: unknown;
  readonly #returnsRateLimits: boolean;

  constructor(parts: WsApiParts, id: unknown, returnsRateLimits: boolean) {
    this.#parts = parts;
    this.#id = id ?? null;
    this.#returnsRateLimits = returnsRateLimits;
  }

  answer(reply: WireReply, usage: Usage): void {
    const { socket } = this.#parts;
    socket.send(this.#frame(reply, usage));
    // Who is banned is also disconnected.
    if (reply.status === 418) socket.close(1008, 'Disconnected: IP banned.');
  }

  async strike(fault: Fault, reply: WireReply): Promise<void> {
    const { line, socket } = this.#parts;
    switch (fault.kind) {
      case 'drop':
        await line.wait(fault.ms ?? SILENCE_MS);
        socket.terminate();
        return;
      case 'reset':
        socket.terminate();
        return;
      case 'html':
        socket.send(GATEWAY_PAGE);
        return;
      case 'half_body': {
        const whole = this.#frame(reply, []);
        socket.send(whole.slice(0, whole.length / 2));
        socket.close(1011);
        return;
      }
      default:
        this.answer(statusReply(fault, line.core.venueClock.venueNow()), []);
    }
  }

  #frame(reply: WireReply, usage: Usage): string {
    const { id, status } = { id: this.#id, status: reply.status };
    const limits = this.#returnsRateLimits ? { rateLimits: usage.map(({ limit, used }) => this.#rateLimit(limit.id, used)) } : undefined;
    if (status === 200) return JSON.stringify({ id, status, result: reply.body, ...limits });
    const { venueClock } = this.#parts.line.core;
    const serverTime = venueClock.venueNow();
    const data = reply.retryAfterMs === undefined ? undefined : { data: { serverTime, retryAfter: Math.ceil(serverTime + reply.retryAfterMs) } };
    return JSON.stringify({ id, status, error: { ...(reply.body as object), ...data }, ...limits });
  }

  #rateLimit(id: string, count: number): object {
    const { limits } = this.#parts.line.core.meter;
    const kept = limits.find(({ scope, kind }) => kind === 'window' && scope === (id === 'weight' ? 'ip' : 'account'));
    const limit = kept !== undefined && kept.kind === 'window' ? kept.units : id === 'weight' ? 6_000 : 100;
    return id === 'weight'
      ? { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit, count }
      : { rateLimitType: 'ORDERS', interval: 'SECOND', intervalNum: 10, limit, count };
  }
}
