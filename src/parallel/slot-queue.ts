import type { Queue, QueueAddOptions } from 'p-queue';

type RunFunction = () => Promise<unknown>;

/** The queue that p-queue is given. */
export type SlotQueue = Queue<RunFunction, QueueAddOptions>;

/**
 * The `queueClass` of p-queue. What waits in it are not tasks but the runs of slots, which take their
 * tasks from the scheduler; while no task may start there is nothing to run, so p-queue sees an
 * empty queue without knowing of groups, rates or pauses.
 */
export function slotQueueClass(hasReady: () => boolean): new () => SlotQueue {
  return class implements SlotQueue {
    readonly #runs: RunFunction[] = [];

    get size(): number {
      return this.#runs.length > 0 && hasReady() ? this.#runs.length : 0;
    }

    enqueue(run: RunFunction): void {
      this.#runs.push(run);
    }

    dequeue(): RunFunction | undefined {
      return this.#runs.pop();
    }

    filter(): RunFunction[] {
      return [...this.#runs];
    }

    setPriority(): void {
      throw new TypeError('One slot is like another: order is a matter of tasks');
    }
  };
}
