import type { Clock } from '../core/clock.js';

const TICK_MS = 4;
/** What the time may lag behind by while the event loop turns: one tick, and one more for a late timer. */
const MARGIN_MS = 2 * TICK_MS;
/** From so many reads within a tick on, the exact clock is what a read costs most. */
const HOT_READS = 64;
/** A loop that never yields runs no timer: the time is renewed after so many reads anyway. A power of two. */
const READS_BETWEEN_RENEWALS = 256;
/** So many ticks it goes on after it was last used. */
const IDLE_TICKS = 32;

/**
 * Monotonic time for hot loops: exact while it is read now and then, a field renewed every 4 ms and
 * every 256 reads while it is read all the time.
 *
 * What it gives then is up to 8 ms late rather than early, so that nothing passes for younger than it
 * is. Only a host that, in the middle of a hot loop, blocks its event loop for longer can be ahead of
 * it: reads with maxAgeMs are always judged by the exact clock.
 */
export class CoarseClock implements Disposable {
  /** While it ticks, no earlier than the exact time as long as the event loop turns. Whole, since V8 has to look up what is not. */
  latest = 0;
  isTicking = false;
  readonly #clock: Clock;
  #reads = 0;
  #readsSince: number = -Infinity;
  #ticksLeft = 0;
  #timer: Disposable | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  read(): number {
    if (this.isTicking) {
      if ((++this.#reads & (READS_BETWEEN_RENEWALS - 1)) === 0) this.renew();
      return this.latest;
    }
    const now = this.#clock.monotonic();
    if (now - this.#readsSince > TICK_MS) {
      this.#readsSince = now;
      this.#reads = 0;
    }
    if (++this.#reads >= HOT_READS) this.use(now);
    return now;
  }

  /** For who counts by itself: a read in `count` that calls for {@link renew}. */
  static isRenewalDue(count: number): boolean {
    return (count & (READS_BETWEEN_RENEWALS - 1)) === 0;
  }

  renew(): void {
    if (!this.isTicking) return;
    this.#ticksLeft = IDLE_TICKS;
    this.latest = Math.ceil(this.#clock.monotonic()) + MARGIN_MS;
  }

  /** Keeps it ticking, or starts it, at the exact time `now`. */
  use(now: number): void {
    this.#ticksLeft = IDLE_TICKS;
    if (this.isTicking) return;
    this.isTicking = true;
    this.#tick(now);
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.isTicking = false;
  }

  #tick(now: number): void {
    this.latest = Math.ceil(now) + MARGIN_MS;
    this.#timer = this.#clock.schedule(TICK_MS, () => {
      this.#ticksLeft--;
      if (this.#ticksLeft > 0) this.#tick(this.#clock.monotonic());
      else this.isTicking = false;
    });
  }
}
