import type { VenueEvent } from '../../../contracts/broker.js';
import type { Bus } from '../../../contracts/events.js';
import { onAbort } from '../../../core/abort.js';
import type { Clock } from '../../../core/clock.js';
import type { LimitObservation } from '../../../core/limits.js';
import type { Logger } from '../../../core/logger.js';
import type { WebSocketConstructor } from '../../shared/streams/web-socket.js';
import type { ApiAnswer } from '../orders/api-session.js';
import { BinanceOrderSessions, limitsSeen, type SessionOutcome } from '../orders/order-sessions.js';
import type { BinanceCredentials } from '../request-signing.js';
import { userEvents } from './user-stream.js';

/** What the sockets of one account are opened with. */
export interface AccountSocketOptions {
  /** Of the WebSocket API. */
  readonly url: string;
  readonly credentials: () => BinanceCredentials;
  readonly constructor?: WebSocketConstructor | undefined;
  readonly maxSessions?: number | undefined;
  readonly clock: Clock;
  readonly symbolOf: (marketId: string) => string;
  readonly bus?: Bus | undefined;
  readonly logger?: Logger | undefined;
}

/**
 * Order sessions and the stream of own orders of one account. The sessions live as long as somebody
 * follows the stream, which a trading client does from start to close: who never does has no socket,
 * and nothing has to be closed by hand.
 */
export class AccountSockets {
  readonly #options: AccountSocketOptions;
  readonly #followers = new Set<AbortSignal>();
  readonly #listeners = new Set<(seen: LimitObservation) => void>();
  #sessions: BinanceOrderSessions | undefined;
  #bus: Bus | undefined;

  constructor(options: AccountSocketOptions) {
    this.#options = options;
    this.#bus = options.bus;
  }

  /** Where the next sessions report, unless they were given a bus from the start. */
  reportTo(bus: Bus): void {
    this.#bus = this.#options.bus ?? bus;
  }

  events(signal: AbortSignal): AsyncIterable<VenueEvent> {
    this.#keepSessions(signal);
    const { url, credentials, constructor: given, clock, symbolOf } = this.#options;
    const onAnswer = (answer: ApiAnswer): void => this.#observed(answer);
    return userEvents({ url, credentials, constructor: given, clock, symbolOf, onAnswer }, signal);
  }

  /** Undefined where no session is open or free: nothing was sent. */
  async call(method: string, params: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<SessionOutcome | undefined> {
    const outcome = await this.#sessions?.call(method, params, signal);
    if (outcome === undefined || outcome.kind === 'unavailable') return undefined;
    return outcome.kind === 'not_sent' && !signal.aborted ? undefined : outcome;
  }

  observe(listener: (seen: LimitObservation) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  // A stream that drops is opened again by its follower; the sessions stay until the follower itself leaves.
  #keepSessions(signal: AbortSignal): void {
    if (signal.aborted || this.#followers.has(signal)) return;
    this.#followers.add(signal);
    if (this.#sessions === undefined) {
      const { url, credentials, constructor: given, maxSessions, clock, logger } = this.#options;
      const max = maxSessions === undefined ? {} : { max: maxSessions };
      this.#sessions = new BinanceOrderSessions({ url, credentials, constructor: given, ...max, clock, bus: this.#bus, logger });
      this.#sessions.onAnswer((answer) => this.#observed(answer));
    }
    onAbort(signal, () => {
      this.#followers.delete(signal);
      if (this.#followers.size > 0) return;
      const sessions = this.#sessions;
      this.#sessions = undefined;
      void sessions?.close();
    });
  }

  #observed(answer: ApiAnswer): void {
    if (this.#listeners.size === 0) return;
    for (const seen of limitsSeen(answer, this.#options.clock.now())) for (const listener of this.#listeners) listener(seen);
  }
}
