import type { Attempt } from '../contracts/broker.js';
import { TradingError } from '../contracts/trading-error.js';
import type { Clock } from '../core/clock.js';
import { Deadlines, Timed } from '../resilience/deadlines.js';

/** An attempt that can be given up. All members are its own, so that adapters may spread it. */
export class LiveAttempt implements Attempt {
  readonly signal: AbortSignal;
  readonly number: number;
  readonly venueNow: number;
  declare readonly fenceMs?: number;
  declare readonly since?: number;
  readonly #controller = new AbortController();

  constructor(number: number, venueNow: number, fenceMs?: number, since?: number) {
    this.signal = this.#controller.signal;
    this.number = number;
    this.venueNow = venueNow;
    if (fenceMs !== undefined) this.fenceMs = fenceMs;
    if (since !== undefined) this.since = since;
  }

  abort(reason: Error): void {
    this.#controller.abort(reason);
  }
}

/** The time limit of attempts, all of one duration: {@link Deadlines} for what must not wait for its work to end. */
export class AttemptDeadlines {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #deadlines: Deadlines;

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#deadlines = new Deadlines({ clock });
  }

  /** Runs `work`, aborts `attempt` when its time is up or `signal` aborts, and rejects then without waiting for it. */
  run<T>(attempt: LiveAttempt, work: (attempt: Attempt) => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) {
      attempt.abort(signal.reason as Error);
      return Promise.reject(signal.reason as Error);
    }
    return new Promise<T>((resolve, reject) => {
      const pending = new PendingAttempt(attempt, this.#timeoutMs, reject);
      const onAbort = signal === undefined ? undefined : (): void => pending.end(signal.reason as Error);
      if (onAbort !== undefined) signal?.addEventListener('abort', onAbort, { once: true });
      this.#deadlines.add(pending, this.#timeoutMs, this.#clock.monotonic());
      const over = (): void => {
        this.#deadlines.remove(pending);
        if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
      };
      let running: Promise<T>;
      try {
        running = work(attempt);
      } catch (error) {
        over();
        reject(error);
        return;
      }
      running.then(
        (value) => {
          over();
          resolve(value);
        },
        (error: unknown) => {
          over();
          reject(error);
        },
      );
    });
  }
}

class PendingAttempt extends Timed {
  readonly #attempt: LiveAttempt;
  readonly #timeoutMs: number;
  readonly #reject: (reason: Error) => void;

  constructor(attempt: LiveAttempt, timeoutMs: number, reject: (reason: Error) => void) {
    super();
    this.#attempt = attempt;
    this.#timeoutMs = timeoutMs;
    this.#reject = reject;
  }

  expire(): void {
    this.end(timedOut(this.#timeoutMs));
  }

  end(reason: Error): void {
    this.#attempt.abort(reason);
    this.#reject(reason);
  }
}

function timedOut(ms: number): TradingError {
  return new TradingError('DEADLINE', `The venue did not answer within ${ms} ms`, { sent: 'maybe' });
}
