import { asError } from '../core/errors.js';
import type { Priority } from '../core/limits.js';
import { DecayCounter, WindowCounter } from '../resilience/unit-counter.js';
import type { FetchGroupOptions, SharedLimiter } from './fetcher-options.js';

/** Says when a group's next task may start. */
export interface RateGate {
  /** Most weight that one task may have. */
  readonly capacity: number;
  /** Milliseconds until a task of this weight may start; Infinity where the gate itself will call when it may. */
  waitMs(weight: number, priority: Priority, now: number): number;
  /** Sets the weight aside: the task is about to start. To be called only when {@link waitMs} gave 0. */
  hold(weight: number): void;
  /** The task has started: its weight counts from now. */
  sent(weight: number, now: number): void;
  /** No task waits any more: what was granted for one is not needed. */
  idle(): void;
}

/** The gate of a group, if it has a rate. `onGrant` is called when a gate that said Infinity lets somebody through. */
export function rateGate(options: FetchGroupOptions, onGrant: () => void): RateGate | undefined {
  if (options.shared !== undefined) return new SharedRate(options.shared.limiter, options.shared.limits, onGrant);
  return options.ratePerSecond === undefined ? undefined : new OwnRate(options.ratePerSecond, options.burst ?? 0);
}

/** A rate that holds in any window of one second. */
class OwnRate implements RateGate {
  readonly capacity: number;
  readonly #window: WindowCounter;
  // With a burst a window alone would let rate + burst through in every second: this holds the long run to the rate.
  readonly #longRun: DecayCounter | undefined;

  constructor(ratePerSecond: number, burst: number) {
    // Less than one a second: one task in a window that is longer by as much.
    const isSlow = ratePerSecond + burst < 1;
    this.capacity = isSlow ? 1 : ratePerSecond + burst;
    this.#window = new WindowCounter(isSlow ? 1_000 / ratePerSecond : 1_000, this.capacity);
    this.#longRun = burst > 0 ? new DecayCounter(ratePerSecond) : undefined;
  }

  waitMs(weight: number, _priority: Priority, now: number): number {
    const at = this.#window.fitsAt(weight, this.capacity, now);
    const longRunAt = this.#longRun?.fitsAt(weight, this.capacity, now) ?? now;
    return Math.max(0, at - now, longRunAt - now);
  }

  hold(weight: number): void {
    this.#window.hold(weight);
    this.#longRun?.hold(weight);
  }

  sent(weight: number, now: number): void {
    this.#window.unhold(weight);
    this.#window.add(weight, now);
    this.#longRun?.unhold(weight);
    this.#longRun?.add(weight, now);
  }

  idle(): void {
    // Weight is set aside only at the moment of a start.
  }
}

/** A rate that others spend too: asks the limiter for one task at a time, so that who is first here stays free until a slot is. */
class SharedRate implements RateGate {
  readonly capacity: number = Infinity;
  readonly #limiter: SharedLimiter;
  readonly #limits: readonly string[];
  readonly #onGrant: () => void;
  #granted = 0;
  #isAsking = false;
  #refusal: Error | undefined;

  constructor(limiter: SharedLimiter, limits: readonly string[], onGrant: () => void) {
    this.#limiter = limiter;
    this.#limits = limits;
    this.#onGrant = onGrant;
  }

  waitMs(weight: number, priority: Priority): number {
    // A limiter that was closed, or can never grant this: the task goes on and meets the refusal when it starts.
    if (this.#refusal !== undefined) return 0;
    if (this.#granted >= weight) return 0;
    if (this.#isAsking) return Infinity;
    this.idle();
    this.#isAsking = true;
    this.#limiter.acquire(this.#costs(weight), { priority, hold: true }).then(
      () => this.#answered(weight, undefined),
      (error: unknown) => this.#answered(0, asError(error)),
    );
    return Infinity;
  }

  hold(weight: number): void {
    const refusal = this.#refusal;
    this.#refusal = undefined;
    if (refusal !== undefined) throw refusal;
    // What was granted for a heavier task that is gone is not kept.
    const excess = this.#granted - weight;
    this.#granted = 0;
    if (excess > 0) this.#limiter.release(this.#costs(excess));
  }

  sent(weight: number): void {
    this.#limiter.sent(this.#costs(weight));
  }

  idle(): void {
    if (this.#granted > 0) this.#limiter.release(this.#costs(this.#granted));
    this.#granted = 0;
  }

  #answered(granted: number, refusal: Error | undefined): void {
    this.#isAsking = false;
    this.#granted = granted;
    this.#refusal = refusal;
    this.#onGrant();
  }

  #costs(units: number): { readonly limit: string; readonly units: number }[] {
    return this.#limits.map((limit) => ({ limit, units }));
  }
}
