/** What @binance/spot resolves with for a request over its WebSocket API. */
export interface SocketAnswer {
  readonly data: unknown;
  readonly rateLimits?: readonly unknown[];
}

/** What it rejects with where the venue says no: a plain object. */
export interface SocketRefusal {
  readonly code?: number;
  readonly msg?: string;
  readonly data?: { readonly serverTime?: number; readonly retryAfter?: number };
}

/** An answer whose text has been read, over REST or over a socket: orders that were asked for in one way may be answered in the other. */
export interface ReadAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** As the SDK had it from its socket. */
  readonly socket?: SocketAnswer | undefined;
}

/** An answer that says no: the SDK makes its own error of it. */
export class RefusedAnswer extends Error {
  readonly response: { readonly status: number; readonly headers: Readonly<Record<string, string>>; data: string };
  readonly #socket: SocketRefusal | undefined;

  constructor({ status, headers, body }: ReadAnswer, socket?: SocketRefusal) {
    super(`Binance answered HTTP ${status}`);
    this.response = { status, headers, data: body };
    this.#socket = socket;
  }

  /** The same as a request over a socket is refused. */
  get socketRefusal(): SocketRefusal {
    if (this.#socket !== undefined) return this.#socket;
    try {
      return JSON.parse(this.response.data) as SocketRefusal;
    } catch {
      return { msg: `${this.message}, and nothing that can be read.` };
    }
  }
}

/** An answer as a request over a socket is answered. */
export function socketAnswerOf({ socket, body }: ReadAnswer): SocketAnswer {
  return socket === undefined ? { data: JSON.parse(body) as unknown } : structuredClone(socket);
}

/** An answer that came over a socket, as far as one over REST tells the same. */
export function readAnswerOf(socket: SocketAnswer): ReadAnswer {
  return { status: 200, headers: usageIn(socket), body: JSON.stringify(socket.data, withoutBigInts), socket };
}

/** The same of one that says no. */
export function refusedAnswerOf(status: number, refusal: SocketRefusal): RefusedAnswer {
  const { retryAfter, serverTime } = refusal.data ?? {};
  const waitMs = typeof retryAfter === 'number' && typeof serverTime === 'number' ? Math.max(0, retryAfter - serverTime) : undefined;
  const headers = waitMs === undefined ? {} : { 'retry-after': String(waitMs / 1_000) };
  return new RefusedAnswer({ status, headers, body: JSON.stringify(refusal, withoutBigInts) }, refusal);
}

interface RateLimit {
  readonly rateLimitType?: unknown;
  readonly interval?: unknown;
  readonly intervalNum?: unknown;
  readonly count?: unknown;
}

const USAGE_HEADERS: Readonly<Record<string, string>> = { REQUEST_WEIGHT: 'x-mbx-used-weight', ORDERS: 'x-mbx-order-count' };

/** What an answer says of the limits, as the headers of one over REST. */
export function usageIn({ rateLimits = [] }: Pick<SocketAnswer, 'rateLimits'>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    (rateLimits as readonly RateLimit[]).flatMap(({ rateLimitType, interval, intervalNum, count }) => {
      const name = USAGE_HEADERS[String(rateLimitType)];
      return name === undefined ? [] : [[`${name}-${String(intervalNum)}${String(interval).charAt(0).toLowerCase()}`, String(count)]];
    }),
  );
}

// The SDK reads whole numbers of 16 digits and more as such.
function withoutBigInts(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
