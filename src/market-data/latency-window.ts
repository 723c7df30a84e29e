const SAMPLES = 256;
const LEAST_SAMPLES = 3;

/** Quantiles of the last 256 durations. */
export class LatencyWindow {
  readonly #samples: Float64Array = new Float64Array(SAMPLES);
  #count = 0;
  #sorted: Float64Array = new Float64Array(0);
  #isCurrent = true;

  record(ms: number): void {
    this.#samples[this.#count++ % SAMPLES] = ms;
    this.#isCurrent = false;
  }

  /** Undefined until there are three samples. */
  quantile(q: number): number | undefined {
    if (this.#count < LEAST_SAMPLES) return undefined;
    if (!this.#isCurrent) {
      this.#sorted = this.#samples.slice(0, Math.min(this.#count, SAMPLES)).sort();
      this.#isCurrent = true;
    }
    return this.#sorted[Math.ceil(q * this.#sorted.length) - 1];
  }
}
