import type { SharedLimiter } from '../contracts/fetcher.js';
import { asError } from '../core/errors.js';
import type { Cost, Priority } from '../core/limits.js';
import { PRIORITIES } from '../core/limits.js';
import { rankOf } from '../resilience/priorities.js';
import { DecayCounter, WindowCounter } from '../resilience/unit-counter.js';
import type { FetchGroupOptions } from './fetcher-options.js';

/** What a task says of its price. */
export interface Priced {
  readonly weight: number;
  readonly costs: readonly Cost[] | undefined;
  readonly callPriority: Priority;
}

/** Says when a group's next task may start. */
export interface RateGate {
  /** Most weight that one task may have. */
  readonly capacity: number;
  /** Milliseconds until the task may start; Infinity where the gate itself will call when it may. */
  waitMs(task: Priced, now: number): number;
  /** Sets its price aside: the task is about to start. To be called only when {@link waitMs} gave 0. */
  hold(task: Priced): void;
  /** The task has started: its price counts from now. */
  sent(task: Priced, now: number): void;
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

  waitMs({ weight }: Priced, now: number): number {
    const at = this.#window.fitsAt(weight, this.capacity, now);
    const longRunAt = this.#longRun?.fitsAt(weight, this.capacity, now) ?? now;
    return Math.max(0, at - now, longRunAt - now);
  }

  hold({ weight }: Priced): void {
    this.#window.hold(weight);
    this.#longRun?.hold(weight);
  }

  sent({ weight }: Priced, now: number): void {
    this.#window.unhold(weight);
    this.#window.add(weight, now);
    this.#longRun?.unhold(weight);
    this.#longRun?.add(weight, now);
  }

  idle(): void {
    // Weight is set aside only at the moment of a start.
  }
}

/**
 * A rate that others spend too: asks the limiter for one task at a time, so that who is first here stays free until a slot is.
 * Where a more urgent one comes while it waits there, it asks once more, at that one's priority.
 */
class SharedRate implements RateGate {
  readonly capacity: number = Infinity;
  readonly #limiter: SharedLimiter;
  readonly #limits: readonly string[];
  readonly #onGrant: () => void;
  #granted: readonly Cost[] | undefined;
  /** Whether the limiter has been asked at each rank, and has yet to answer. */
  readonly #asking: boolean[] = PRIORITIES.map(() => false);
  #refusal: Error | undefined;

  constructor(limiter: SharedLimiter, limits: readonly string[], onGrant: () => void) {
    this.#limiter = limiter;
    this.#limits = limits;
    this.#onGrant = onGrant;
  }

  waitMs(task: Priced): number {
    // A limiter that was closed, or can never grant this: the task goes on and meets the refusal when it starts.
    if (this.#refusal !== undefined) return 0;
    const costs = this.#costsOf(task);
    if (this.#granted !== undefined && covers(this.#granted, costs)) return 0;
    const rank = rankOf(task.callPriority);
    for (let urgent = 0; urgent <= rank; urgent++) if (this.#asking[urgent] === true) return Infinity;
    this.idle();
    this.#asking[rank] = true;
    this.#limiter.acquire(costs, { priority: task.callPriority, hold: true }).then(
      () => this.#answered(rank, costs, undefined),
      (error: unknown) => this.#answered(rank, undefined, asError(error)),
    );
    return Infinity;
  }

  hold(task: Priced): void {
    const refusal = this.#refusal;
    this.#refusal = undefined;
    if (refusal !== undefined) throw refusal;
    // What was granted for a heavier task that is gone is not kept.
    const excess = beyond(this.#granted ?? [], this.#costsOf(task));
    this.#granted = undefined;
    if (excess.length > 0) this.#limiter.release(excess);
  }

  sent(task: Priced): void {
    this.#limiter.sent(this.#costsOf(task));
  }

  idle(): void {
    if (this.#granted !== undefined) this.#limiter.release(this.#granted);
    this.#granted = undefined;
  }

  #answered(rank: number, granted: readonly Cost[] | undefined, refusal: Error | undefined): void {
    this.#asking[rank] = false;
    // One grant is kept at a time: this one was asked for before the task of the other came.
    if (this.#granted !== undefined) {
      if (granted !== undefined) this.#limiter.release(granted);
      return;
    }
    this.#granted = granted;
    this.#refusal = refusal;
    this.#onGrant();
  }

  #costsOf({ costs, weight }: Priced): readonly Cost[] {
    return costs ?? this.#limits.map((limit) => ({ limit, units: weight }));
  }
}

function unitsOf(costs: readonly Cost[], limit: string): number {
  let units = 0;
  for (const cost of costs) if (cost.limit === limit) units += cost.units;
  return units;
}

function covers(granted: readonly Cost[], asked: readonly Cost[]): boolean {
  return asked.every(({ limit }) => unitsOf(granted, limit) >= unitsOf(asked, limit));
}

/** What of `granted` is more than `asked`. */
function beyond(granted: readonly Cost[], asked: readonly Cost[]): readonly Cost[] {
  const limits = [...new Set(granted.map(({ limit }) => limit))];
  return limits.map((limit) => ({ limit, units: unitsOf(granted, limit) - unitsOf(asked, limit) })).filter(({ units }) => units > 0);
}
