import { requireInteger, requireWithin } from '../core/options.js';

// Eight buckets an octave: neighbours differ by 9 %, so a quantile is within 5 % of the true one.
const PER_OCTAVE = 8;
const LEAST_MS = 2 ** -7;
const OCTAVES = 28;
const BUCKETS = OCTAVES * PER_OCTAVE;
// The quantile moves little in so few observations; reading it is a walk over the buckets.
const RECOMPUTE_EVERY = 32;

/**
 * A quantile of recent latencies, to within 5 %, in constant memory and without allocation: counts
 * in geometric buckets from 8 µs to 35 minutes, halved every `memory` observations so that the past
 * fades.
 */
export class LatencyQuantile {
  readonly #quantile: number;
  readonly #memory: number;
  readonly #counts = new Float64Array(BUCKETS);
  #total = 0;
  #sinceHalved = 0;
  #sinceComputed = 0;
  #seen = 0;
  #valueMs = 0;

  /** @param quantile - between 0 and 1. @param memory - observations after which one counts half. */
  constructor(quantile: number, memory = 1_000) {
    this.#quantile = requireWithin('quantile', quantile, 0, 1);
    this.#memory = requireInteger('memory', memory, 1);
  }

  /** How many latencies it has seen. */
  get seen(): number {
    return this.#seen;
  }

  /** In ms, as of at most 32 observations ago; 0 before the first. */
  get valueMs(): number {
    return this.#valueMs;
  }

  observe(ms: number): void {
    this.#counts[bucketOf(ms)]! += 1;
    this.#total++;
    this.#seen++;
    if (++this.#sinceHalved >= this.#memory) this.#halve();
    if (++this.#sinceComputed >= RECOMPUTE_EVERY || this.#seen <= RECOMPUTE_EVERY) this.#compute();
  }

  #halve(): void {
    for (let i = 0; i < BUCKETS; i++) this.#counts[i]! /= 2;
    this.#total /= 2;
    this.#sinceHalved = 0;
  }

  #compute(): void {
    this.#sinceComputed = 0;
    const rank = this.#quantile * this.#total;
    let below = 0;
    let bucket = 0;
    for (let i = 0; i < BUCKETS; i++) {
      if (this.#counts[i] === 0) continue;
      bucket = i;
      below += this.#counts[i]!;
      if (below >= rank) break;
    }
    this.#valueMs = LEAST_MS * 2 ** ((bucket + 0.5) / PER_OCTAVE);
  }
}

function bucketOf(ms: number): number {
  const bucket = Math.floor(Math.log2(ms / LEAST_MS) * PER_OCTAVE);
  // A latency of 0 has a logarithm of minus infinity, NaN fails every comparison: both go to the first bucket.
  return bucket > 0 ? Math.min(BUCKETS - 1, bucket) : 0;
}
