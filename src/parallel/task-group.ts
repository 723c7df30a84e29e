import type { FetchGroupOptions } from './fetcher-options.js';
import { type RateGate, rateGate } from './rate-gate.js';
import { TaskQueue } from './task-queue.js';

/** Tasks that share limits: their queue, what they use, and whether they are paused. */
export class TaskGroup<T> {
  readonly name: string;
  readonly queue: TaskQueue<T>;
  readonly concurrency: number;
  readonly gate: RateGate | undefined;
  running = 0;
  isPaused = false;
  /** Counts pauses and resumptions, so that a timed pause ends only itself. */
  pauses = 0;
  /** Monotonic ms of the wake-up that is set for its rate. */
  wakeAt: number = Infinity;

  constructor(name: string, options: FetchGroupOptions, runsBefore: (a: T, b: T) => boolean, onGrant: () => void) {
    this.queue = new TaskQueue(runsBefore);
    this.name = name;
    this.concurrency = options.concurrency ?? Infinity;
    this.gate = rateGate(options, () => {
      if (this.queue.size === 0) this.gate?.idle();
      else onGrant();
    });
  }
}
