import type { Queue, QueueAddOptions } from 'p-queue';
import type { QueuedTask } from './queued-task.js';

/** What p-queue hands over with each function. */
export type DispatchOptions = QueueAddOptions & { readonly task?: QueuedTask };

type RunFunction = () => Promise<unknown>;

/** The queue that p-queue is given. */
export type DispatchQueue = Queue<RunFunction, DispatchOptions>;

/** Who is next: decided anew whenever a slot is free. */
export interface Dispatcher {
  /** Whether a task may start now, as far as its group is concerned. */
  hasReady(): boolean;
  takeReady(): QueuedTask | undefined;
  enqueue(task: QueuedTask): void;
}

/**
 * The `queueClass` of p-queue: it asks for the size, and starts what is dequeued. Tasks that their
 * group holds back are not part of that size, so p-queue passes them over without knowing of groups.
 */
export function dispatchQueueClass(dispatcher: Dispatcher): new () => DispatchQueue {
  return class implements DispatchQueue {
    get size(): number {
      return dispatcher.hasReady() ? 1 : 0;
    }

    enqueue(run: RunFunction, options?: DispatchOptions): void {
      const task = options?.task as QueuedTask;
      task.start = run;
      dispatcher.enqueue(task);
    }

    dequeue(): RunFunction | undefined {
      return dispatcher.takeReady()?.start;
    }

    filter(): RunFunction[] {
      return [];
    }

    setPriority(): void {
      throw new TypeError('The order of queued tasks is fixed when they arrive');
    }
  };
}
