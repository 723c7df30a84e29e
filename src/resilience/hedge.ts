import { requireFraction, requireInteger, requireKnown, requirePositive, requireWithin } from '../core/options.js';
import { LatencyQuantile } from './latency-quantile.js';
import type { RetryBudget } from './retry-budget.js';

/** When a {@link Hedge} sends a second copy. */
export interface HedgeOptions {
  /** Quantile of recent latencies after which an unanswered call gets a second copy. @defaultValue 0.95 */
  readonly quantile?: number;
  /** Hedges per call, at most. @defaultValue 0.05 */
  readonly maxRatio?: number;
  /** Latencies that must have been seen before the first hedge. @defaultValue 20 */
  readonly minSamples?: number;
  /** Never hedges sooner: a copy of a call that has been under way for less mostly answers a pause of this process, not of the venue. @defaultValue 10 */
  readonly minDelayMs?: number;
  /** Shared with retries: a hedge spends from it as a retry does. @defaultValue none */
  readonly budget?: RetryBudget;
}

// Twenty times 0.05 is a little less than 1.
const ROUNDING = 1e-9;
// Saved up hedges: a burst of slow calls may hedge some at once, but not all.
const SAVED_HEDGES = 10;
// The delay in use moves only when the estimate has moved by so much: calls of the same delay share a timer.
const STEP = 1.1;

/**
 * Decides when a read that takes unusually long gets a second copy. Only for reads: a second order
 * is a second order. The {@link Pipeline} runs the race and aborts the loser.
 *
 * Source: J. Dean, L. A. Barroso, "The Tail at Scale", CACM 2013.
 */
export class Hedge {
  readonly #latencies: LatencyQuantile;
  readonly #maxRatio: number;
  readonly #minSamples: number;
  readonly #minDelayMs: number;
  readonly #budget: RetryBudget | undefined;
  #credit = 0;
  #delayMs = 0;

  /** @throws RangeError when an option is out of range; the message names option and value. */
  constructor(options: HedgeOptions = {}) {
    requireKnown('Hedge', options, ['quantile', 'maxRatio', 'minSamples', 'minDelayMs', 'budget']);
    const { quantile = 0.95, maxRatio = 0.05, minSamples = 20, minDelayMs = 10, budget } = options;
    this.#latencies = new LatencyQuantile(requireWithin('quantile', quantile, 0.5, 1));
    this.#maxRatio = requireFraction('maxRatio', maxRatio);
    this.#minSamples = requireInteger('minSamples', minSamples, 1);
    this.#minDelayMs = requirePositive('minDelayMs', minDelayMs);
    this.#budget = budget;
  }

  /** Milliseconds after which a call is hedged; undefined until enough latencies have been seen. */
  get delayMs(): number | undefined {
    return this.#delayMs === 0 ? undefined : this.#delayMs;
  }

  /** Counts a call, which earns a share of a hedge. */
  earn(): void {
    this.#credit = Math.min(SAVED_HEDGES, this.#credit + this.#maxRatio);
  }

  /** Counts the latency of a call that was answered. */
  observe(ms: number): void {
    this.#latencies.observe(ms);
    if (this.#latencies.seen < this.#minSamples) return;
    const wantedMs = Math.max(this.#minDelayMs, this.#latencies.valueMs);
    if (this.#delayMs === 0 || wantedMs > this.#delayMs * STEP || wantedMs < this.#delayMs / STEP) this.#delayMs = wantedMs;
  }

  /** Spends one hedge; false where the ratio or the budget is used up, and then nothing is spent. */
  trySpend(): boolean {
    if (this.#credit < 1 - ROUNDING) return false;
    if (this.#budget !== undefined && !this.#budget.trySpend()) return false;
    this.#credit -= 1;
    return true;
  }

  /** A hedge that was spent has not been sent. */
  refund(): void {
    this.#credit += 1;
    this.#budget?.refund();
  }
}
