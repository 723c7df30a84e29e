import type { Clock } from '../../core/clock.js';

/**
 * The venue's two times. `engineNow` is what its engine runs on: whole milliseconds that never run
 * backwards, whatever the host does to its wall clock. `venueNow` is what it stamps and judges
 * requests by: the same, plus its own skew and drift.
 */
export class VenueClock {
  readonly #clock: Clock;
  readonly #wallOrigin: number;
  readonly #monotonicOrigin: number;
  #skewMs = 0;
  #passingMs = 0;
  #driftPpm = 0;
  #driftSince: number;
  #largestOffsetMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#wallOrigin = clock.now();
    this.#monotonicOrigin = clock.monotonic();
    this.#driftSince = this.#wallOrigin;
  }

  engineNow(): number {
    return Math.floor(this.#wallOrigin + this.#clock.monotonic() - this.#monotonicOrigin);
  }

  venueNow(engineNow: number = this.engineNow()): number {
    if (this.#skewMs === 0 && this.#driftPpm === 0 && this.#passingMs === 0) return engineNow;
    const offset = this.#offset(engineNow) + this.#passingMs;
    this.#largestOffsetMs = Math.max(this.#largestOffsetMs, offset);
    return engineNow + offset;
  }

  /** How far ahead of the engine a stamp may ever have been. */
  get largestOffsetMs(): number {
    return this.#largestOffsetMs;
  }

  /** Steps the venue's clock: it is then this much ahead of the engine, or behind where negative. */
  setSkew(ms: number): void {
    this.#skewMs = ms;
    this.#driftSince = this.engineNow();
  }

  /** Lets it gain (or lose) so many microseconds a second from now on; what it gained before stays. */
  setDrift(ppm: number): void {
    const now = this.engineNow();
    this.#skewMs = this.#offset(now);
    this.#driftPpm = ppm;
    this.#driftSince = now;
  }

  /** Runs `work` with the clock that much further ahead. */
  ahead<T>(ms: number, work: () => T): T {
    this.#passingMs = ms;
    try {
      return work();
    } finally {
      this.#passingMs = 0;
    }
  }

  get skewMs(): number {
    return this.#offset(this.engineNow());
  }

  #offset(engineNow: number): number {
    return Math.round(this.#skewMs + ((engineNow - this.#driftSince) * this.#driftPpm) / 1e6);
  }
}
