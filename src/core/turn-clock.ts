import type { Clock } from './clock.js';

const TURN = Promise.resolve();

/**
 * Monotonic time that is read once a turn: from the first question until the microtasks that were queued
 * before it have run, all is taken to happen at one time, as the event loop's own timers take it. For
 * statistics on paths where reading the clock is what costs most; ages and deadlines count from {@link exact}.
 */
export class TurnClock {
  readonly #clock: Clock;
  readonly #forget: () => void;
  #isKnown = false;
  #now = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#forget = () => {
      this.#isKnown = false;
    };
  }

  /** No later than the exact time, and never before what it gave last. */
  monotonic(): number {
    return this.#isKnown ? this.#now : this.exact();
  }

  /** The exact time, for what a deadline counts from; and what {@link monotonic} gives for the rest of the turn. */
  exact(): number {
    if (!this.#isKnown) {
      this.#isKnown = true;
      void TURN.then(this.#forget);
    }
    this.#now = this.#clock.monotonic();
    return this.#now;
  }
}
