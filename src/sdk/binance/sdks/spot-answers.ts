import { asError } from '../../../core/errors.js';
import { type HttpFacts, readerOf } from '../../shared/http-facts.js';
import type { WireAnswer } from '../../shared/wire-outcome.js';
import type { SdkOutcome } from './sdk-wire.js';

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

/** What its methods of REST resolve with, as far as it is read here. */
export interface SpotResponse {
  readonly status: number;
  /** As axios has them: by lower-case names. */
  readonly headers: Readonly<Record<string, unknown>>;
}

/** An answer whose text has been read, over REST or over a socket: orders that were asked for in one way may be answered in the other. */
export interface ReadAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** As the SDK had it over REST, for the call that was answered so. */
  readonly response?: SpotResponse | undefined;
  /** As the SDK had it from its socket. */
  readonly socket?: SocketAnswer | undefined;
}

/** How the SDK calls what ended without an answer. */
const NO_ANSWER = 'NetworkError';

/** What axios tells of an answer before the SDK makes its own of it. */
export class Heard {
  #body = '';
  #status: number | undefined;
  #headers: Readonly<Record<string, unknown>> = {};

  readonly hear = (data: unknown, headers: Readonly<Record<string, unknown>>, status?: number): unknown => {
    if (typeof data === 'string') this.#body = data;
    this.#headers = headers;
    this.#status = status;
    return data;
  };

  /** Without an answer, whatever axios threw is one error to the SDK; any other it has thrown itself, signing, before it sends. */
  factsOf(error: unknown): HttpFacts {
    return this.#status === undefined ? { sent: (error as Error | undefined)?.name === NO_ANSWER } : this.#facts(this.#status);
  }

  #facts(status: number): HttpFacts {
    return { sent: true, status, headers: plainHeaders(this.#headers), body: this.#body };
  }

  /** @param isRead - what is read is parsed by the SDK, where the bot asks for it: once is enough */
  outcomeOf(response: SpotResponse, isRead: boolean): SdkOutcome {
    const answer = new HeardAnswer(response, this.#body);
    // Success that can't be read proves nothing.
    const error = isRead ? notJson(this.#body) : unreadable(this.#body);
    return error === undefined
      ? { result: answer, status: response.status, header: readerOf(response.headers) }
      : { error, facts: this.#facts(response.status) };
  }
}

class HeardAnswer implements ReadAnswer, WireAnswer {
  readonly response: SpotResponse;
  readonly body: string;

  constructor(response: SpotResponse, body: string) {
    this.response = response;
    this.body = body;
  }

  get json(): unknown {
    return JSON.parse(this.body) as unknown;
  }

  get native(): this {
    return this;
  }

  get status(): number {
    return this.response.status;
  }

  get headers(): Readonly<Record<string, string>> {
    return plainHeaders(this.response.headers);
  }
}

/** What a gateway says in the venue's place is a page or nothing. */
function notJson(body: string): Error | undefined {
  return /^\s*[[{]/.test(body) ? undefined : new SyntaxError(`the answer is no JSON, but ${body === '' ? 'empty' : 'another text'}`);
}

function unreadable(body: string): Error | undefined {
  try {
    JSON.parse(body);
    return undefined;
  } catch (error) {
    return asError(error);
  }
}

/** An answer without what belongs to the one call that it came for: for others, who get a copy. */
export function keptAnswer({ status, headers, body, socket }: ReadAnswer): ReadAnswer {
  return { status, headers, body, ...(socket === undefined ? {} : { socket }) };
}

export function plainHeaders(headers: object): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
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
