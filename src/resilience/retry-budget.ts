import type { Clock } from '../core/clock.js';
import { requireFraction, requireKnown, requirePositive } from '../core/options.js';

/** What a {@link RetryBudget} allows. */
export interface RetryBudgetOptions {
  /** Time source. */
  readonly clock: Clock;
  /** Retries earned by each ordinary request. @defaultValue 0.2 */
  readonly ratio?: number;
  /** Retries earned by each second, however few the requests. @defaultValue 1 */
  readonly minPerSecond?: number;
  /** How many milliseconds' worth of earnings can be saved up. @defaultValue 10_000 */
  readonly windowMs?: number;
}

/**
 * Bounds the load that retries add to a venue that is already failing.
 *
 * Requests and the passing of time earn retries; every retry or hedge spends one. One budget is
 * shared by all callers of a venue, so that a storm of failures can't multiply the traffic.
 *
 * @example
 * budget.earn();                                  // with every first attempt
 * if (!budget.trySpend()) throw lastFailure;      // before every further one
 *
 * Source: retry budgets of Twitter's Finagle (2016): a share of traffic plus a floor per second.
 */
export class RetryBudget {
  readonly #clock: Clock;
  readonly #ratio: number;
  readonly #perMs: number;
  readonly #cap: number;
  // With a first value here: a field that was once undefined would box each number.
  #balance = 0;
  #countedUntil = 0;

  /** @throws RangeError when an option is out of range; the message names option and value. */
  constructor(options: RetryBudgetOptions) {
    requireKnown('RetryBudget', options, ['clock', 'ratio', 'minPerSecond', 'windowMs']);
    const { clock, ratio = 0.2, minPerSecond = 1, windowMs = 10_000 } = options;
    this.#clock = clock;
    this.#ratio = requireFraction('ratio', ratio);
    this.#perMs = requirePositive('minPerSecond', minPerSecond) / 1000;
    this.#cap = Math.max(1, this.#perMs * requirePositive('windowMs', windowMs));
    this.#balance = this.#cap;
    this.#countedUntil = clock.monotonic();
  }

  /** Retries that could be spent at this moment; a fraction is part of one not yet earned. */
  get balance(): number {
    this.#creditElapsedTime();
    return this.#balance;
  }

  /** Counts one ordinary request. */
  earn(): void {
    this.#balance = Math.min(this.#cap, this.#balance + this.#ratio);
  }

  /** Spends one retry; false when there is none left, and then nothing is spent. */
  trySpend(): boolean {
    this.#creditElapsedTime();
    if (this.#balance < 1) return false;
    this.#balance -= 1;
    return true;
  }

  /** A retry that was spent has not been sent. */
  refund(): void {
    this.#balance = Math.min(this.#cap, this.#balance + 1);
  }

  // Lazily, at each spending: a timer would keep the host's process alive.
  #creditElapsedTime(): void {
    const now = this.#clock.monotonic();
    this.#balance = Math.min(this.#cap, this.#balance + (now - this.#countedUntil) * this.#perMs);
    this.#countedUntil = now;
  }
}
