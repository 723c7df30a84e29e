import type { HeaderReader } from '../shared/http-facts.js';
import type { Stoppable } from '../shared/stoppable.js';
import type { WireAnswer, WireOutcome } from '../shared/wire-outcome.js';

/** Parameters of a request, as an SDK or a bot made them. */
export type Params = Readonly<Record<string, unknown>>;

/** A request of our own. */
export interface WireRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Such as `/api/v3/order`. */
  readonly path: string;
  /** Of a signed request with its timestamp and recvWindow, which go on the wire as they are. */
  readonly params: Params;
  readonly isSigned?: true;
  /** Whether the caller has taken the venue's limits already, so that a limiter of the SDK's own is not asked, too. */
  readonly areLimitsKept?: boolean;
}

export type { WireAnswer, WireOutcome } from '../shared/wire-outcome.js';

/** Hears of every answer, whoever asked. */
export type AnswerListener = (status: number, header: HeaderReader) => void;

/** How requests of our own go out through the caller's SDK object: its credentials, its host, its transport. */
export interface BinanceWire {
  /** Makes one request, once. Never rejects. An attempt whose signal has aborted is waited for no longer. */
  send(request: WireRequest, signal: AbortSignal): Promise<WireOutcome>;
  onAnswer(listener: AnswerListener): Disposable;
}

/** Those who want to hear of answers. */
export class AnswerListeners {
  readonly #listeners = new Set<AnswerListener>();

  add(listener: AnswerListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  tell(status: number, header: HeaderReader): void {
    for (const listener of this.#listeners) listener(status, header);
  }
}

/** A call of the bot on its way, before limits and retries. */
export interface GatedCall {
  readonly method: string;
  /** Such as `/api/v3/order`. */
  readonly path: string;
  readonly params: Params;
  /** Goes on the wire as the SDK does it, signed anew. */
  send(attempt: Stoppable): Promise<WireOutcome>;
}

/** Where a gated call goes; resolves with what the SDK makes its result of, rejects with what the SDK is to throw. */
export type Route = (call: GatedCall) => Promise<WireAnswer>;
