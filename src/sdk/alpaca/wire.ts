import type { HeaderReader, HttpFacts } from '../shared/http-facts.js';
import type { Stoppable } from '../shared/stoppable.js';

/** One of Alpaca's two APIs, each with a host and limits of its own. */
export type AlpacaHost = 'trading' | 'data';

/** A request as it is, before it is signed. */
export interface WireRequest {
  readonly method: string;
  /** Such as `/v2/orders`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>>;
  /** JSON. */
  readonly body?: Readonly<Record<string, unknown>> | undefined;
}

/** What the venue answered with success: for us, and for the SDK that it goes to. */
export interface WireAnswer {
  readonly status: number;
  readonly json: unknown;
  /** What the SDK makes its own result of. */
  readonly native: unknown;
}

export type WireOutcome = { readonly result: WireAnswer } | { readonly error: unknown; readonly facts: HttpFacts };

/** Hears of every answer, whoever asked. */
export type AnswerListener = (host: AlpacaHost, status: number, header: HeaderReader) => void;

/** How requests of our own go out through the caller's SDK object: its credentials, its hosts, its transport. */
export interface AlpacaWire {
  /** Makes one request of the Trading API, once. Never rejects. */
  send(request: WireRequest, signal: AbortSignal): Promise<WireOutcome>;
  onAnswer(listener: AnswerListener): Disposable;
}

/** A call of the bot on its way, before limits and retries. */
export interface GatedCall extends WireRequest {
  readonly host: AlpacaHost;
  /** As {@link operationOf} calls its path, where that is known already. */
  readonly operation?: string;
  /** Goes on the wire as the SDK does it. @param body - instead of the call's own */
  send(attempt: Stoppable, body?: Readonly<Record<string, unknown>>): Promise<WireOutcome>;
}

/** Where a gated call goes; resolves with what the SDK makes its result of, rejects with what the SDK is to throw. */
export type Route = (call: GatedCall) => Promise<WireAnswer>;

/** Those who want to hear of answers. */
export class AnswerListeners {
  readonly #listeners = new Set<AnswerListener>();

  add(listener: AnswerListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  tell(host: AlpacaHost, status: number, header: HeaderReader): void {
    for (const listener of this.#listeners) listener(host, status, header);
  }
}

/** What stands in a path from `start` to the next thing in it: `orders` of `/v2/orders/4c3d` and of `/v2/orders:by_client_order_id`, from 4. */
export function nameAt(path: string, start: number): string {
  let end = start;
  while (end < path.length && path[end] !== '/' && path[end] !== ':') end++;
  return path.slice(start, end);
}
