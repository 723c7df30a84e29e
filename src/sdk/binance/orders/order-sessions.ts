import type { Bus } from '../../../contracts/events.js';
import { type Clock, systemClock } from '../../../core/clock.js';
import { asError } from '../../../core/errors.js';
import type { LimitObservation } from '../../../core/limits.js';
import { type Logger, redactingLogger } from '../../../core/logger.js';
import { requireInteger, requireKnown, requireNonNegative, requireText } from '../../../core/options.js';
import { ConnectionPool, type Lease, type PoolStats } from '../../../pool/index.js';
import { type WebSocketConstructor, webSocketConstructor } from '../../shared/streams/web-socket.js';
import { type BinanceCredentials, RequestSigner } from '../request-signing.js';
import { type ApiAnswer, type ApiOutcome, ApiSession } from './api-session.js';

/** How {@link BinanceOrderSessions} are made. */
export interface OrderSessionOptions {
  /** Of the WebSocket API, such as `wss://ws-api.binance.com:443/ws-api/v3`. */
  readonly url: string;
  /** Read for each request. */
  readonly credentials: () => BinanceCredentials;
  /** @defaultValue the runtime's own WebSocket, else that of the package ws */
  readonly constructor?: WebSocketConstructor | undefined;
  /** Most sessions; one request travels on each at a time. @defaultValue 4 */
  readonly max?: number;
  /** Sessions kept ready. @defaultValue 1 */
  readonly min?: number;
  /** How long a request waits for a session before it goes another way. @defaultValue 5 */
  readonly patienceMs?: number;
  readonly clock?: Clock | undefined;
  readonly bus?: Bus | undefined;
  readonly logger?: Logger | undefined;
}

/** `unavailable`: no session was free in time, and nothing was sent. */
export type SessionOutcome = ApiOutcome | { readonly kind: 'unavailable'; readonly cause: Error };

// A session ends after 24 hours at the venue; ours are replaced before.
const LONGEST_LIFE_MS = 23 * 3_600_000;
// The pong that keeps a session alive is the socket's; one that has gone unused this long is asked before it is trusted.
const TRUSTED_IDLE_MS = 60_000;
const TOO_MANY_ORDERS = -1015;
const OPTIONS = ['url', 'credentials', 'constructor', 'max', 'min', 'patienceMs', 'clock', 'bus', 'logger'] as const;

/**
 * Requests over pooled sessions of Binance's WebSocket API, each signed by itself: the key type that
 * allows a session to log on once (Ed25519) is not the one that most hosts hold. A session carries one
 * request at a time, so that its loss leaves one outcome unknown and no more.
 */
export class BinanceOrderSessions implements AsyncDisposable {
  readonly #pool: ConnectionPool<ApiSession>;
  readonly #signer: RequestSigner;
  readonly #clock: Clock;
  readonly #patienceMs: number;
  readonly #listeners = new Set<(answer: ApiAnswer) => void>();

  /** @throws RangeError or TypeError that names the option. */
  constructor(options: OrderSessionOptions) {
    requireKnown('BinanceOrderSessions', options, OPTIONS);
    const url = requireText('url', options.url);
    const max = requireInteger('max', options.max ?? 4, 1);
    const { bus, constructor: given } = options;
    this.#clock = options.clock ?? systemClock;
    this.#patienceMs = requireNonNegative('patienceMs', options.patienceMs ?? 5);
    this.#signer = new RequestSigner(options.credentials);
    this.#pool = new ConnectionPool<ApiSession>({
      name: 'binance-orders',
      create: async (signal) => ApiSession.open(await webSocketConstructor(given), url, signal),
      destroy: (session) => session.close(),
      validate: async (session) => session.isOpen && (await session.request('ping', {})).kind === 'answered',
      validateAfterIdleMs: TRUSTED_IDLE_MS,
      max,
      min: Math.min(max, requireInteger('min', options.min ?? 1)),
      maxLifetimeMs: LONGEST_LIFE_MS,
      createTimeoutMs: 10_000,
      clock: this.#clock,
      logger: redactingLogger(options.logger),
      ...(bus !== undefined && { bus }),
    });
  }

  /**
   * Sends one signed request. `not_sent` and `unavailable` prove that the venue has not seen it;
   * `lost` proves nothing.
   */
  async call(method: string, params: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<SessionOutcome> {
    const lease = this.#idle() ?? (await this.#session(signal));
    if (lease instanceof Error) return { kind: 'unavailable', cause: lease };
    let signed: Readonly<Record<string, unknown>>;
    try {
      signed = this.#signer.sign(params);
    } catch (error) {
      lease.release();
      return { kind: 'not_sent', cause: asError(error) };
    }
    const outcome = await lease.resource.request(method, signed, signal);
    this.#giveBack(lease, outcome);
    if (outcome.kind === 'answered') for (const listener of this.#listeners) listener(outcome.answer);
    return outcome;
  }

  /** Sees the answer to each request. */
  onAnswer(listener: (answer: ApiAnswer) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  stats(): PoolStats {
    return this.#pool.stats();
  }

  close(): Promise<void> {
    return this.#pool.close({ drainMs: 1_000 });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // One that closed while it lay idle is thrown away, and the next is asked for.
  #idle(): Lease<ApiSession> | undefined {
    for (let lease = this.#pool.tryAcquire(); lease !== undefined; lease = this.#pool.tryAcquire()) {
      if (lease.resource.isOpen) return lease;
      void lease.destroy();
    }
    return undefined;
  }

  async #session(signal: AbortSignal): Promise<Lease<ApiSession> | Error> {
    for (;;) {
      try {
        const lease = await this.#pool.acquire({ signal, deadlineMs: this.#patienceMs });
        if (lease.resource.isOpen) return lease;
        void lease.destroy();
      } catch (error) {
        return asError(error);
      }
    }
  }

  #giveBack(lease: Lease<ApiSession>, outcome: ApiOutcome): void {
    if (outcome.kind === 'answered') lease.release();
    else void lease.destroy();
  }
}

/** What an answer says of the limits, in the terms of the adapter. */
export function limitsSeen(answer: ApiAnswer, now: number): readonly LimitObservation[] {
  const seen: LimitObservation[] = [];
  for (const { rateLimitType, interval, intervalNum, count } of answer.rateLimits ?? []) {
    if (typeof count !== 'number') continue;
    if (rateLimitType === 'REQUEST_WEIGHT' && interval === 'MINUTE' && intervalNum === 1) seen.push({ limit: 'weight-1m', used: count });
    if (rateLimitType === 'ORDERS' && interval === 'SECOND' && intervalNum === 10) seen.push({ limit: 'orders-10s', used: count });
  }
  const retryAfterMs = retryAfterOf(answer);
  if (retryAfterMs !== undefined)
    seen.push({ limit: answer.error?.code === TOO_MANY_ORDERS ? 'orders-10s' : 'weight-1m', blockedUntil: now + retryAfterMs });
  return seen;
}

/** How long a 429 or 418 asks to wait, by the venue's own clock. */
export function retryAfterOf({ status, error }: ApiAnswer): number | undefined {
  if (status !== 429 && status !== 418) return undefined;
  const { retryAfter, serverTime } = error?.data ?? {};
  if (typeof retryAfter !== 'number' || typeof serverTime !== 'number') return undefined;
  return Math.max(0, retryAfter - serverTime);
}
