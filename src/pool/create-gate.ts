import type { Random } from '../core/random.js';

/**
 * Keeps a failing venue from being asked again and again: after a failure the next create waits,
 * twice as long each time up to a cap, and until one succeeds only one is tried at a time.
 *
 * The wait is half fixed and half random ("equal jitter"): there is always a pause, and the pools of
 * several processes do not come back in step.
 */
export class CreateGate {
  readonly #baseMs: number;
  readonly #capMs: number;
  readonly #random: Random;
  #failures = 0;
  #closedUntil = -Infinity;

  constructor(backoff: { readonly baseMs: number; readonly capMs: number }, random: Random) {
    this.#baseMs = backoff.baseMs;
    this.#capMs = backoff.capMs;
    this.#random = random;
  }

  /** Milliseconds until a create is allowed; 0 when it is allowed now. */
  waitMs(now: number): number {
    return Math.max(0, this.#closedUntil - now);
  }

  /** Whether the last create failed, so that the next one is a probe. */
  get isProbing(): boolean {
    return this.#failures > 0;
  }

  failed(now: number): void {
    // Creates that were started together and fail together are one failure of the venue.
    if (this.isProbing && now < this.#closedUntil) return;
    const delay = Math.min(this.#capMs, this.#baseMs * 2 ** this.#failures);
    this.#failures++;
    this.#closedUntil = now + delay / 2 + (delay / 2) * this.#random();
  }

  succeeded(): void {
    this.#failures = 0;
    this.#closedUntil = -Infinity;
  }
}
