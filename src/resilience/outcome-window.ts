import { requirePositive } from '../core/options.js';

const SLICES = 10;

/**
 * Successes and failures of about the last `windowMs`, in ten slices: old ones leave a slice at a
 * time, so what is counted is between 90 and 100 % of the window. No allocation after construction.
 */
export class OutcomeWindow {
  readonly #sliceMs: number;
  readonly #succeeded = new Float64Array(SLICES);
  readonly #failed = new Float64Array(SLICES);
  #slice = 0;
  #at = 0;
  #started = false;
  #sliceEndsAt = -Infinity;
  #successes = 0;
  #failures = 0;

  constructor(windowMs: number) {
    this.#sliceMs = requirePositive('windowMs', windowMs) / SLICES;
  }

  get failures(): number {
    return this.#failures;
  }

  get calls(): number {
    return this.#successes + this.#failures;
  }

  /** Share of failures among the calls counted; 0 where there are none. */
  get failureRate(): number {
    return this.calls === 0 ? 0 : this.#failures / this.calls;
  }

  succeeded(nowMs: number): void {
    this.forgetOld(nowMs);
    this.#succeeded[this.#at]! += 1;
    this.#successes++;
  }

  failed(nowMs: number): void {
    this.forgetOld(nowMs);
    this.#failed[this.#at]! += 1;
    this.#failures++;
  }

  clear(): void {
    this.#succeeded.fill(0);
    this.#failed.fill(0);
    this.#successes = 0;
    this.#failures = 0;
  }

  /** Drops the slices that lie outside the window that ends at `nowMs`; a moment of the past drops nothing. */
  forgetOld(nowMs: number): void {
    if (nowMs >= this.#sliceEndsAt) this.#advance(nowMs);
  }

  #advance(nowMs: number): void {
    const slice = Math.floor(nowMs / this.#sliceMs);
    if (!this.#started || slice - this.#slice >= SLICES) {
      this.clear();
    } else {
      for (let past = this.#slice + 1; past <= slice; past++) {
        const at = past % SLICES;
        this.#successes -= this.#succeeded[at]!;
        this.#failures -= this.#failed[at]!;
        this.#succeeded[at] = 0;
        this.#failed[at] = 0;
      }
    }
    this.#started = true;
    this.#slice = slice;
    this.#at = slice % SLICES;
    this.#sliceEndsAt = (slice + 1) * this.#sliceMs;
  }
}
