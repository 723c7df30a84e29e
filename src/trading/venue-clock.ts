import type { Clock } from '../core/clock.js';

/** A crystal's drift, at worst: parts per million that uncertainty grows by. */
const DRIFT = 100e-6;

/**
 * The venue's time, as far as it can be known from here.
 *
 * Two things are kept apart. The *estimate* is good enough to sign with: the answer of the fastest
 * exchange, carried on by the monotonic clock, so that a step of the wall clock does not move it.
 * The *lower bound* is proof: the venue itself said that it is at least so late.
 *
 * Source of the estimate: Cristian, "Probabilistic clock synchronization", 1989.
 */
export class VenueClock {
  readonly #clock: Clock;
  #offset: number | undefined;
  #uncertainty = Infinity;
  #measuredAt = 0;
  #lowerBound = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the venue has ever told its time. */
  get isSynchronized(): boolean {
    return this.#offset !== undefined;
  }

  /** Half-width of the interval around {@link now} that holds the venue's true time, ms; Infinity before the first exchange. */
  get uncertaintyMs(): number {
    return this.#uncertainty + (this.#clock.monotonic() - this.#measuredAt) * DRIFT;
  }

  /** The latest time that the venue itself has told; -Infinity before. */
  get lowerBound(): number {
    return this.#lowerBound;
  }

  /** The venue's time, epoch ms, whole; our own where it was never told. */
  now(): number {
    return Math.floor(this.#offset === undefined ? this.#clock.now() : this.#clock.monotonic() + this.#offset);
  }

  /**
   * Takes in one answer. A slow exchange does not spoil what a fast one has measured, unless the two
   * contradict each other.
   * @param venueMs - what the venue said.
   * @param sentAt - monotonic ms when it was asked; `receivedAt` when the answer came.
   */
  measured(venueMs: number, sentAt: number, receivedAt: number): void {
    if (!Number.isFinite(venueMs)) return;
    this.#lowerBound = Math.max(this.#lowerBound, venueMs);
    const offset = venueMs - (sentAt + receivedAt) / 2;
    const uncertainty = (receivedAt - sentAt) / 2 + 1;
    const isConsistent = this.#offset !== undefined && Math.abs(offset - this.#offset) <= uncertainty + this.uncertaintyMs;
    if (isConsistent && uncertainty > this.uncertaintyMs) return;
    this.#offset = offset;
    this.#uncertainty = uncertainty;
    this.#measuredAt = receivedAt;
  }

  /** Forgets the estimate: the venue has refused a timestamp, so it is wrong whatever it claims. */
  distrust(): void {
    this.#uncertainty = Infinity;
  }
}
