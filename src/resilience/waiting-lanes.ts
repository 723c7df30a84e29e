import type { Cost } from '../core/limits.js';
import type { LimitState } from './limit-state.js';
import type { UnitCounter } from './unit-counter.js';

/** One caller that waits for room. */
export interface Waiter {
  readonly lane: Lane;
  /** Order of arrival. */
  readonly arrival: number;
  /** Monotonic ms; Infinity where it waits however long it takes. */
  readonly deadlineAt: number;
  readonly hold: boolean;
  grant(): void;
  refuse(error: Error): void;
  before: Waiter | undefined;
  behind: Waiter | undefined;
  isWaiting: boolean;
}

/** What a lane's callers cost of one limit, costs of the same limit added up. */
export interface Share {
  readonly state: LimitState;
  readonly counter: UnitCounter;
  readonly units: number;
}

/**
 * Waiters of the same priority that cost the same: where the first does not fit, none does, so that
 * a pass over all waiters looks at one of each kind, however many wait.
 */
export class Lane {
  readonly key: string;
  readonly rank: number;
  readonly urgent: boolean;
  readonly shares: readonly Share[];
  first: Waiter | undefined;
  #last: Waiter | undefined;

  constructor(key: string, rank: number, urgent: boolean, shares: readonly Share[]) {
    this.key = key;
    this.rank = rank;
    this.urgent = urgent;
    this.shares = shares;
  }

  append(waiter: Waiter): void {
    waiter.before = this.#last;
    if (this.#last === undefined) this.first = waiter;
    else this.#last.behind = waiter;
    this.#last = waiter;
  }

  remove(waiter: Waiter): void {
    if (waiter.before === undefined) this.first = waiter.behind;
    else waiter.before.behind = waiter.behind;
    if (waiter.behind === undefined) this.#last = waiter.before;
    else waiter.behind.before = waiter.before;
    waiter.before = undefined;
    waiter.behind = undefined;
    waiter.isWaiting = false;
  }
}

/** Most urgent first, then by arrival. Only for lanes in which somebody waits. */
export function laneBefore(a: Lane, b: Lane): boolean {
  return a.rank < b.rank || (a.rank === b.rank && (a.first as Waiter).arrival < (b.first as Waiter).arrival);
}

/** Tells lanes apart: priority, costs in the order given, and symbol. */
export function laneKey(rank: number, costs: readonly Cost[], symbol: string | undefined): string {
  let key = `${rank}`;
  for (const { limit, units } of costs) key += `|${units}:${limit}`;
  return symbol === undefined ? key : `${key}@${symbol}`;
}
