import type { Clock } from './clock.js';
import { Heap } from './heap.js';

/** What {@link DeadlineSet.add} gives, to cancel by. */
export interface Deadline<T> {
  readonly item: T | undefined;
  /** Monotonic milliseconds of the set's clock. */
  readonly at: number;
}

interface Entry<T> {
  /** Let go of with the deadline: an entry may outlive it in the heap. */
  item: T | undefined;
  readonly at: number;
  live: boolean;
}

// Below this many cancelled entries it is not worth building the heap anew.
const LEAST_SWEEP = 256;

/**
 * Many deadlines, one timer: armed for the earliest, so that what ends in time never costs a timer
 * of its own. The timer does not keep the process alive.
 *
 * For moments of any kind, in a heap. Calls that all have one of a few durations end in the order in
 * which they began; they need no heap and cost a few pointer writes in `Deadlines` of the resilience room.
 */
export class DeadlineSet<T> implements Disposable {
  readonly #clock: Clock;
  readonly #onDue: (item: T, now: number) => void;
  readonly #heap: Heap<Entry<T>> = new Heap((a, b) => a.at < b.at);
  #live = 0;
  #armedFor = Infinity;
  #timer: Disposable | undefined;

  /** @param onDue - called once for every deadline that passes before it is cancelled; must not throw. */
  constructor(clock: Clock, onDue: (item: T, now: number) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** How many have neither passed nor been cancelled. */
  get size(): number {
    return this.#live;
  }

  /** @param at - monotonic milliseconds of the clock; Infinity never comes. */
  add(item: T, at: number): Deadline<T> {
    const entry: Entry<T> = { item, at, live: true };
    if (at === Infinity) return entry;
    this.#live++;
    this.#heap.push(entry);
    if (at < this.#armedFor) this.#arm(at);
    return entry;
  }

  /** Takes a deadline back; one that has passed or was cancelled stays as it is. */
  cancel(deadline: Deadline<T>): void {
    const entry = deadline as Entry<T>;
    if (!entry.live) return;
    entry.live = false;
    entry.item = undefined;
    if (entry.at === Infinity) return;
    this.#live--;
    // Lazily: the timer may fire once for nothing, which is cheaper than one timer a deadline.
    const cancelled = this.#heap.size - this.#live;
    if (cancelled > LEAST_SWEEP && cancelled > this.#live) this.#sweep();
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#armedFor = Infinity;
    for (const entry of this.#heap) entry.live = false;
    this.#heap.clear();
    this.#live = 0;
  }

  #arm(at: number): void {
    this.#timer?.[Symbol.dispose]();
    this.#armedFor = at;
    this.#timer = this.#clock.schedule(at - this.#clock.monotonic(), () => this.#fire());
  }

  #fire(): void {
    // Nothing that onDue adds may arm a timer of its own before the rest has been looked at.
    this.#armedFor = -Infinity;
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    for (;;) {
      const next = this.#heap.peek();
      if (next === undefined) break;
      if (next.live && next.at > now) break;
      this.#heap.pop();
      if (!next.live) continue;
      next.live = false;
      this.#live--;
      this.#onDue(next.item as T, now);
    }
    this.#armedFor = Infinity;
    const next = this.#heap.peek();
    if (next !== undefined) this.#arm(next.at);
  }

  #sweep(): void {
    const live = [...this.#heap].filter((entry) => entry.live);
    this.#heap.clear();
    for (const entry of live) this.#heap.push(entry);
  }
}
