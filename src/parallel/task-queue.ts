import { Heap } from '../core/heap.js';

/** A task's place in a queue. */
export interface QueueEntry<T> {
  readonly task: T;
  isLive: boolean;
}

const LEAST_SWEEP = 64;

/** Tasks by rank, on a heap. Leaving from the middle is lazy: marked now, dropped when it comes up or when half are such. */
export class TaskQueue<T> {
  readonly #heap: Heap<QueueEntry<T>>;
  #live = 0;

  constructor(before: (a: T, b: T) => boolean) {
    this.#heap = new Heap((a, b) => before(a.task, b.task));
  }

  get size(): number {
    return this.#live;
  }

  push(task: T): QueueEntry<T> {
    const entry: QueueEntry<T> = { task, isLive: true };
    this.#heap.push(entry);
    this.#live++;
    return entry;
  }

  peek(): T | undefined {
    for (;;) {
      const top = this.#heap.peek();
      if (top === undefined || top.isLive) return top?.task;
      this.#heap.pop();
    }
  }

  pop(): T | undefined {
    const top = this.peek();
    if (top === undefined) return undefined;
    (this.#heap.pop() as QueueEntry<T>).isLive = false;
    this.#live--;
    return top;
  }

  remove(entry: QueueEntry<T>): void {
    if (!entry.isLive) return;
    entry.isLive = false;
    this.#live--;
    if (this.#heap.size > LEAST_SWEEP && this.#heap.size > 2 * this.#live) this.#sweep();
  }

  /** Every live task, in no particular order. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (const entry of this.#heap) if (entry.isLive) yield entry.task;
  }

  #sweep(): void {
    const live = [...this.#heap].filter((entry) => entry.isLive);
    this.#heap.clear();
    for (const entry of live) this.#heap.push(entry);
  }
}
