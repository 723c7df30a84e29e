import { abortReason } from './abort.js';

/**
 * The only source of time. Injected everywhere, so that a test, a simulation or a replay can own it.
 *
 * `now` follows the wall clock and may step; `monotonic` never runs backwards and is what ages,
 * deadlines and timeouts are measured with.
 */
export interface Clock {
  /** Epoch milliseconds, UTC. */
  now(): number;
  /** Milliseconds from an arbitrary origin; never decreases. */
  monotonic(): number;
  /**
   * Resolves after `ms`. Keeps the process alive: somebody is waiting for it.
   * @throws the signal's reason when aborted.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /**
   * Runs `task` once after `ms` unless disposed before.
   * @param keepsAlive - whether the process stays for it, because somebody waits for what it does. @defaultValue false
   */
  schedule(ms: number, task: () => void, keepsAlive?: boolean): Disposable;
}

// setTimeout turns anything longer than this into 1 ms; longer waits go in legs.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** One timer that may be longer than the platform's longest. */
class LongTimer implements Disposable {
  readonly #task: () => void;
  readonly #keepsAlive: boolean;
  #remainingMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ms: number, task: () => void, keepsAlive: boolean) {
    this.#task = task;
    this.#keepsAlive = keepsAlive;
    this.#remainingMs = Math.max(0, ms);
    this.#arm();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    const leg = Math.min(this.#remainingMs, LONGEST_TIMER_MS);
    this.#remainingMs -= leg;
    this.#timer = setTimeout(() => {
      if (this.#remainingMs > 0) this.#arm();
      else this.#task();
    }, leg);
    // A number in a browser, where nothing needs to be unref'd.
    if (!this.#keepsAlive && typeof this.#timer === 'object') this.#timer.unref();
  }
}

// The global is a getter in Node, which costs a quarter of a read.
const { performance } = globalThis;

/** The machine's time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortReason(signal));
      const onAbort = (): void => {
        timer[Symbol.dispose]();
        reject(abortReason(signal as AbortSignal));
      };
      const timer = new LongTimer(
        ms,
        () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
        true,
      );
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  },
  schedule: (ms: number, task: () => void, keepsAlive = false): Disposable => new LongTimer(ms, task, keepsAlive),
};
