import type { Deadline } from '../core/deadline-set.js';
import { PRIORITIES } from '../core/limits.js';
import type { ConnectionLease } from './lease.js';

/** A caller that waits for a connection. */
export class Waiter<T> {
  readonly since: number;
  readonly rank: number;
  readonly resolve: (lease: ConnectionLease<T>) => void;
  readonly reject: (error: Error) => void;
  /** The caller's own deadline, where it comes before the pool's limit. */
  deadline: Deadline<Waiter<T>> | undefined;
  abort: Disposable | undefined;
  before: Waiter<T> | undefined;
  after: Waiter<T> | undefined;

  constructor(since: number, rank: number, resolve: (lease: ConnectionLease<T>) => void, reject: (error: Error) => void) {
    this.since = since;
    this.rank = rank;
    this.resolve = resolve;
    this.reject = reject;
  }
}

interface Line<T> {
  first: Waiter<T> | undefined;
  last: Waiter<T> | undefined;
}

/** Waiting callers: the most urgent first, and within a priority whoever came first. Linked, so that one who leaves costs no search. */
export class WaiterRing<T> {
  readonly #lines: readonly Line<T>[] = PRIORITIES.map(() => ({ first: undefined, last: undefined }));
  size = 0;

  push(waiter: Waiter<T>): void {
    const line = this.#lines[waiter.rank] as Line<T>;
    waiter.before = line.last;
    if (line.last === undefined) line.first = waiter;
    else line.last.after = waiter;
    line.last = waiter;
    this.size++;
  }

  shift(): Waiter<T> | undefined {
    if (this.size === 0) return undefined;
    for (const line of this.#lines) {
      const { first } = line;
      if (first === undefined) continue;
      this.remove(first);
      return first;
    }
    return undefined;
  }

  /** When the one who waits longest came; Infinity when nobody waits. */
  get oldestSince(): number {
    let oldest = Infinity;
    for (const { first } of this.#lines) if (first !== undefined && first.since < oldest) oldest = first.since;
    return oldest;
  }

  /** One who came at `since` or before, if there is any: within a line they stand in order of arrival. */
  cameBy(since: number): Waiter<T> | undefined {
    for (const { first } of this.#lines) if (first !== undefined && first.since <= since) return first;
    return undefined;
  }

  /** @param waiter - one that is in the ring. */
  remove(waiter: Waiter<T>): void {
    const line = this.#lines[waiter.rank] as Line<T>;
    if (waiter.before === undefined) line.first = waiter.after;
    else waiter.before.after = waiter.after;
    if (waiter.after === undefined) line.last = waiter.before;
    else waiter.after.before = waiter.before;
    waiter.before = waiter.after = undefined;
    this.size--;
  }
}
