import { abortReason } from './abort.js';
import type { Clock } from './clock.js';
import { Heap } from './heap.js';
import { requireNonNegative } from './options.js';

interface Task {
  readonly dueAt: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/**
 * Virtual time: nothing happens until {@link ManualClock.advance}, which runs every due task in
 * order of its time, and lets the promises that it settles run before the next one.
 *
 * @example
 * const clock = new ManualClock();
 * const done = clock.sleep(60_000);
 * await clock.advance(60_000);   // a minute in microseconds
 * await done;
 */
export class ManualClock implements Clock {
  readonly #tasks = new Heap<Task>((a, b) => a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.order < b.order));
  #wallMs: number;
  #elapsedMs = 0;
  #scheduled = 0;
  #advancing: Promise<void> = Promise.resolve();

  /** @param startMs - epoch milliseconds at which virtual time begins. @defaultValue 2024-01-01T00:00Z */
  constructor(startMs = 1_704_067_200_000) {
    this.#wallMs = requireNonNegative('startMs', startMs);
  }

  now(): number {
    return this.#wallMs + this.#elapsedMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortReason(signal));
      const onAbort = (): void => {
        timer[Symbol.dispose]();
        reject(abortReason(signal as AbortSignal));
      };
      const timer = this.schedule(ms, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  schedule(ms: number, task: () => void): Disposable {
    if (Number.isNaN(ms)) throw new RangeError(`ms must be a number, got ${ms}`);
    const entry: Task = { dueAt: this.#elapsedMs + Math.max(0, ms), order: this.#scheduled++, run: task };
    this.#tasks.push(entry);
    return {
      [Symbol.dispose]: () => {
        entry.run = undefined;
      },
    };
  }

  /** How many tasks wait for their time. */
  get pending(): number {
    let count = 0;
    for (const task of this.#tasks) if (task.run !== undefined) count++;
    return count;
  }

  /** Milliseconds until the next task; undefined when none waits. */
  get nextInMs(): number | undefined {
    this.#dropDisposed();
    const next = this.#tasks.peek();
    return next === undefined ? undefined : next.dueAt - this.#elapsedMs;
  }

  /**
   * Moves time forward by `ms`, running what falls due on the way. Calls are queued behind each other.
   * @throws what a task throws, once the tasks that were due before it have run.
   */
  advance(ms: number): Promise<void> {
    requireNonNegative('ms', ms);
    const run = this.#advancing.then(() => this.#advanceTo(this.#elapsedMs + ms));
    this.#advancing = run.catch(() => {});
    return run;
  }

  /** Steps the wall clock, as a time server does, without letting time pass. */
  stepWall(ms: number): void {
    this.#wallMs += ms;
  }

  async #advanceTo(target: number): Promise<void> {
    await settlePromises();
    for (;;) {
      this.#dropDisposed();
      const next = this.#tasks.peek();
      if (next === undefined || next.dueAt > target) break;
      this.#tasks.pop();
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueAt);
      next.run?.();
      await settlePromises();
    }
    this.#elapsedMs = target;
  }

  #dropDisposed(): void {
    while (this.#tasks.size > 0 && this.#tasks.peek()?.run === undefined) this.#tasks.pop();
  }
}

// A macrotask runs only when no microtask is left, however long the chain of promises is.
const settlePromises: () => Promise<void> =
  typeof setImmediate === 'function' ? () => new Promise((resolve) => void setImmediate(resolve)) : settleThroughChannel;

function settleThroughChannel(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
