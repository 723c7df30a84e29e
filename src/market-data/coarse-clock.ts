import type { Clock } from '../core/clock.js';

const TICK_MS = 4;
/** What the time may lag behind by while the event loop turns: one tick, and one more for a late timer. */
const MARGIN_MS = 2 * TICK_MS;

/**
 * Monotonic time that costs a field to read: renewed by a timer while it is used, idle else.
 *
 * Gives a time that is up to 8 ms late rather than early, so that nothing passes for younger than it
 * is. A host that blocks its event loop for longer than that keeps the timer from running: reads that
 * must not be fooled by it say maxAgeMs, and are judged by the exact clock.
 */
export class CoarseClock implements Disposable {
  readonly #clock: Clock;
  #latest = 0;
  #isTicking = false;
  #isUsed = false;
  #timer: Disposable | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** No earlier than the exact time while the event loop turns. */
  read(): number {
    if (!this.#isTicking) return this.#start();
    this.#isUsed = true;
    return this.#latest;
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#isTicking = false;
  }

  #start(): number {
    const now = this.#clock.monotonic();
    this.#isTicking = true;
    this.#renew(now);
    return now;
  }

  #renew(now: number): void {
    this.#isUsed = false;
    this.#latest = now + MARGIN_MS;
    this.#timer = this.#clock.schedule(TICK_MS, () => {
      if (this.#isUsed) this.#renew(this.#clock.monotonic());
      else this.#isTicking = false;
    });
  }
}
