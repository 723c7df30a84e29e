import { abortReason, onAbort } from '../../../core/abort.js';
import { VenueKitError } from '../../../core/errors.js';
import { isOpen, openSocket, type WebSocketConstructor, type WebSocketLike } from '../../shared/streams/web-socket.js';

/** An answer of the WebSocket API. */
export interface ApiAnswer {
  /** As in HTTP. */
  readonly status: number;
  readonly result?: unknown;
  readonly error?: {
    readonly code?: number;
    readonly msg?: string;
    /** Of 429 and 418; both epoch ms by the venue's clock. */
    readonly data?: { readonly serverTime?: number; readonly retryAfter?: number };
  };
  readonly rateLimits?: readonly {
    readonly rateLimitType?: string;
    readonly interval?: string;
    readonly intervalNum?: number;
    readonly count?: number;
  }[];
}

/** How a request on a session ended. `lost`: it was sent, and nothing more is known. */
export type ApiOutcome =
  | { readonly kind: 'answered'; readonly answer: ApiAnswer }
  | { readonly kind: 'lost'; readonly cause: Error }
  | { readonly kind: 'not_sent'; readonly cause: Error };

/**
 * One connection to Binance's WebSocket API: requests, matched to their answers by id, and events.
 * When it drops, every request in flight is lost, and none is ever sent again from here.
 */
export class ApiSession {
  readonly #inFlight = new Map<number, (outcome: ApiOutcome) => void>();
  #socket: WebSocketLike | undefined;
  #requests = 0;
  #failure: Error | undefined;
  #messages = 0;
  /** Gets each event of the account. */
  onEvent: ((event: Readonly<Record<string, unknown>>) => void) | undefined;
  /** Told once that the connection is gone. */
  onClosed: ((reason: Error) => void) | undefined;

  private constructor() {
    // Opened by `open` alone.
  }

  /** @throws what kept it from opening, or the signal's reason. */
  static async open(Constructor: WebSocketConstructor, url: string, signal: AbortSignal): Promise<ApiSession> {
    const session = new ApiSession();
    session.#socket = await openSocket(Constructor, url, signal, {
      message: (text) => session.#take(text),
      closed: () => session.#fail(new VenueKitError('SESSION_LOST', 'The WebSocket session was closed.')),
    });
    return session;
  }

  get isOpen(): boolean {
    return this.#failure === undefined && this.#socket !== undefined && isOpen(this.#socket);
  }

  /** Frames received so far: a count that stands still is silence. */
  get received(): number {
    return this.#messages;
  }

  /**
   * Sends a request. Once it is on the socket only its answer ends it in certainty: a drop or an abort
   * leaves it `lost`.
   */
  request(method: string, params: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<ApiOutcome> {
    if (signal?.aborted === true) return Promise.resolve({ kind: 'not_sent', cause: abortReason(signal) });
    const socket = this.#socket;
    if (socket === undefined || !this.isOpen) {
      return Promise.resolve({ kind: 'not_sent', cause: this.#failure ?? new VenueKitError('SESSION_LOST', 'The WebSocket session is closed.') });
    }
    const id = ++this.#requests;
    return new Promise((resolve) => {
      const subscription = onAbort(signal, (cause) => settle({ kind: 'lost', cause }));
      const settle = (outcome: ApiOutcome): void => {
        this.#inFlight.delete(id);
        subscription[Symbol.dispose]();
        resolve(outcome);
      };
      this.#inFlight.set(id, settle);
      try {
        socket.send(JSON.stringify({ id, method, params }));
      } catch (error) {
        // Whether a part of it left is not known.
        settle({ kind: 'lost', cause: new VenueKitError('SESSION_LOST', 'Sending on the WebSocket session failed.', { cause: error }) });
      }
    });
  }

  /** How many requests have no answer yet. */
  get pending(): number {
    return this.#inFlight.size;
  }

  close(): void {
    this.#fail(new VenueKitError('CLOSED', 'The WebSocket session was closed by this side.'));
  }

  #take(text: string): void {
    this.#messages++;
    let message: { readonly id?: unknown; readonly status?: unknown; readonly event?: unknown };
    try {
      message = JSON.parse(text) as typeof message;
    } catch {
      // Not the venue's words: a gateway's page, or half a frame. What it stood for can't be told.
      this.#fail(new VenueKitError('BAD_ANSWER', 'The WebSocket session brought something else than JSON.'));
      return;
    }
    if (typeof message !== 'object' || message === null) return;
    if (typeof message.event === 'object' && message.event !== null) {
      const event = message.event as Readonly<Record<string, unknown>>;
      if (event.e === 'serverShutdown') this.#fail(new VenueKitError('SESSION_LOST', 'The venue is about to end the WebSocket session.'));
      else this.onEvent?.(event);
      return;
    }
    if (typeof message.id === 'number' && typeof message.status === 'number') {
      this.#inFlight.get(message.id)?.({ kind: 'answered', answer: message as unknown as ApiAnswer });
    }
  }

  #fail(reason: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    for (const settle of [...this.#inFlight.values()]) settle({ kind: 'lost', cause: reason });
    this.#socket?.close();
    this.onClosed?.(reason);
  }
}
