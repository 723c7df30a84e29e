import type { Attempt } from '../contracts/broker.js';
import { TradingError } from '../contracts/trading-error.js';
import type { Clock } from '../core/clock.js';

interface Pending {
  readonly dueAt: number;
  expire: (() => void) | undefined;
}

/** An attempt that can be given up. All members are its own, so that adapters may spread it. */
export class LiveAttempt implements Attempt {
  readonly signal: AbortSignal;
  readonly number: number;
  readonly venueNow: number;
  declare readonly fenceMs?: number;
  readonly #controller = new AbortController();

  constructor(number: number, venueNow: number, fenceMs?: number) {
    this.signal = this.#controller.signal;
    this.number = number;
    this.venueNow = venueNow;
    if (fenceMs !== undefined) this.fenceMs = fenceMs;
  }

  abort(reason: Error): void {
    this.#controller.abort(reason);
  }
}

/**
 * The time limit of attempts. All of one duration end in the order in which they began, so a queue
 * and one timer serve any number of them.
 */
export class AttemptDeadlines {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  #queue: Pending[] = [];
  #head = 0;
  #timer: Disposable | undefined;

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** Runs `work`, aborts `attempt` when its time is up or `signal` aborts, and rejects then without waiting for it. */
  run<T>(attempt: LiveAttempt, work: (attempt: Attempt) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const fail = (reason: Error): void => {
        pending.expire = undefined;
        attempt.abort(reason);
        reject(reason);
      };
      const pending: Pending = { dueAt: this.#clock.monotonic() + this.#timeoutMs, expire: () => fail(timedOut(this.#timeoutMs)) };
      const onAbort = (): void => fail(signal?.reason as Error);
      if (signal?.aborted) return onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
      const over = (): void => {
        pending.expire = undefined;
        signal?.removeEventListener('abort', onAbort);
      };
      this.#enqueue(pending);
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

  #enqueue(pending: Pending): void {
    this.#dropEnded();
    this.#queue.push(pending);
    this.#arm();
  }

  #arm(): void {
    const first = this.#queue[this.#head];
    if (this.#timer !== undefined || first === undefined) return;
    this.#timer = this.#clock.schedule(first.dueAt - this.#clock.monotonic(), () => {
      this.#timer = undefined;
      const now = this.#clock.monotonic();
      for (
        let next = this.#queue[this.#head];
        next !== undefined && (next.dueAt <= now || next.expire === undefined);
        next = this.#queue[this.#head]
      ) {
        this.#head++;
        next.expire?.();
      }
      this.#dropEnded();
      this.#arm();
    });
  }

  #dropEnded(): void {
    while (this.#head < this.#queue.length && this.#queue[this.#head]?.expire === undefined) this.#head++;
    if (this.#head < 1024 && this.#head < this.#queue.length) return;
    this.#queue = this.#queue.slice(this.#head);
    this.#head = 0;
  }
}

function timedOut(ms: number): TradingError {
  return new TradingError('DEADLINE', `The venue did not answer within ${ms} ms`, { sent: 'maybe' });
}
