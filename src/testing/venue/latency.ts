import { requireKnown, requireNonNegative } from '../../core/options.js';
import type { Random } from '../../core/random.js';

/** How long a call and its answer take together. */
export interface LatencyOptions {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/**
 * Draws round trips with the given median and 99th percentile. The quantile function is straight
 * between knots, and is made of sums and products alone, so that every runtime draws the same.
 */
export class Latency {
  readonly #knots: readonly (readonly [quantile: number, ms: number])[];
  readonly #random: Random;

  constructor(options: LatencyOptions, random: Random) {
    requireKnown('latency', options, ['p50Ms', 'p99Ms']);
    const { p50Ms, p99Ms } = options;
    requireNonNegative('latency.p50Ms', p50Ms);
    requireNonNegative('latency.p99Ms', p99Ms);
    if (p99Ms < p50Ms) throw new RangeError(`latency.p99Ms must be at least latency.p50Ms, ${p50Ms}, got ${p99Ms}`);
    const tail = p99Ms - p50Ms;
    this.#random = random;
    this.#knots = [
      [0, p50Ms * 0.6],
      [0.5, p50Ms],
      [0.9, p50Ms + tail * 0.3],
      [0.99, p99Ms],
      [1, p99Ms + tail],
    ];
  }

  draw(): number {
    const u = this.#random();
    let i = 1;
    while (u >= this.#knots[i]![0]) i++;
    const [fromQ, fromMs] = this.#knots[i - 1]!;
    const [toQ, toMs] = this.#knots[i]!;
    return fromMs + ((u - fromQ) / (toQ - fromQ)) * (toMs - fromMs);
  }
}
