import type { Clock } from '../core/clock.js';

// One Error for all: only the fact of the abort counts, and a fresh one costs its stack.
const CLEARED = new Error('alarm cleared');

/**
 * The one timer of a policy that many callers wait in. It keeps the process alive, as somebody
 * awaits what it will do, and so must be cleared once nobody does.
 */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #at = Infinity;
  #armed: AbortController | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Rings at `at` (monotonic ms), or earlier where it was set so before. Infinity leaves it as it is. */
  setNoLaterThan(at: number): void {
    if (at >= this.#at) return;
    this.clear();
    const armed = new AbortController();
    this.#at = at;
    this.#armed = armed;
    this.#clock.sleep(at - this.#clock.monotonic(), armed.signal).then(
      () => {
        if (this.#armed !== armed) return;
        this.#armed = undefined;
        this.#at = Infinity;
        this.#ring();
      },
      () => {},
    );
  }

  clear(): void {
    this.#at = Infinity;
    this.#armed?.abort(CLEARED);
    this.#armed = undefined;
  }
}
