const SAMPLES = 64;
const LEAST_SAMPLES = 3;

/** The 95th percentile of the last 64 durations. */
export class LatencyWindow {
  readonly #samples = new Float64Array(SAMPLES);
  #count = 0;
  #p95: number | undefined;
  #isCurrent = true;

  record(ms: number): void {
    this.#samples[this.#count++ % SAMPLES] = ms;
    this.#isCurrent = false;
  }

  /** Undefined until there are three samples. */
  get p95Ms(): number | undefined {
    if (!this.#isCurrent) {
      const filled = Math.min(this.#count, SAMPLES);
      const sorted = this.#samples.slice(0, filled).sort();
      this.#p95 = filled < LEAST_SAMPLES ? undefined : sorted[Math.ceil(0.95 * filled) - 1];
      this.#isCurrent = true;
    }
    return this.#p95;
  }
}
