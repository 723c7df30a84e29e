import type { FetchTask } from '../contracts/fetcher.js';
import type { Deadline } from '../core/deadline-set.js';
import type { Cost, Priority } from '../core/limits.js';
import type { TaskGroup } from './task-group.js';
import type { QueueEntry } from './task-queue.js';

/** Where a task is: kept out by a full queue, in the queue, in a slot, between two attempts, or through with its attempts. */
export type TaskStage = 'outside' | 'queued' | 'running' | 'backoff' | 'through';

/** A task on its way through the fetcher. */
export class QueuedTask<I = unknown, O = unknown> {
  readonly task: FetchTask<I, O>;
  readonly group: TaskGroup<QueuedTask>;
  readonly weight: number;
  readonly costs: readonly Cost[] | undefined;
  readonly costMs: number;
  /** Priority less the ages of aging that had passed on its arrival: an old task outranks a new one of a higher priority in time. */
  readonly level: number;
  /** Monotonic ms. */
  readonly deadlineAt: number;
  readonly callPriority: Priority;
  readonly arrivedAt: number;
  readonly sequence: number;
  readonly promise: Promise<O>;
  resolve!: (value: O) => void;
  reject!: (reason: Error) => void;
  stage: TaskStage = 'outside';
  /** The caller has its answer, though the function may still run. */
  isAnswered = false;
  attempt = 0;
  startedAt = 0;
  /** From its arrival to its first start; -1 before that. */
  waitedMs = -1;
  /** Over all attempts. */
  ranMs = 0;
  entry: QueueEntry<QueuedTask> | undefined;
  reverseEntry: QueueEntry<QueuedTask> | undefined;
  deadline: Deadline<QueuedTask> | undefined;
  stuck: Deadline<QueuedTask> | undefined;
  abort: Disposable | undefined;
  backoff: AbortController | undefined;
  #controller: AbortController | undefined;
  #abortedWith: Error | undefined;

  constructor(
    task: FetchTask<I, O>,
    at: {
      readonly now: number;
      readonly level: number;
      readonly deadlineAt: number;
      readonly sequence: number;
      readonly priority: Priority;
      readonly group: TaskGroup<QueuedTask>;
    },
  ) {
    this.task = task;
    this.group = at.group;
    this.weight = task.weight ?? 1;
    this.costs = task.costs;
    this.costMs = task.costHintMs ?? 0;
    this.level = at.level;
    this.deadlineAt = at.deadlineAt;
    this.callPriority = at.priority;
    this.arrivedAt = at.now;
    this.sequence = at.sequence;
    this.promise = new Promise<O>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /** Made when it is first asked for: most tasks never look at it, and it costs a microsecond. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortedWith !== undefined) this.#controller.abort(this.#abortedWith);
    }
    return this.#controller.signal;
  }

  /** Tells the running function that nobody waits for it any more. */
  tell(reason: Error): void {
    this.#abortedWith = reason;
    this.#controller?.abort(reason);
  }
}

/** What a task's function is given. */
export class AttemptContext {
  readonly attempt: number;
  readonly #task: QueuedTask;

  constructor(task: QueuedTask) {
    this.attempt = task.attempt;
    this.#task = task;
  }

  get signal(): AbortSignal {
    return this.#task.signal;
  }
}

/**
 * Who runs first: the higher level; then the earlier deadline (EDF: Liu and Layland 1973); then the
 * longer one, so that none is left to run alone at the end (LPT: Graham 1969); then who came first.
 */
export function runsBefore(a: QueuedTask, b: QueuedTask): boolean {
  if (a.level !== b.level) return a.level > b.level;
  if (a.deadlineAt !== b.deadlineAt) return a.deadlineAt < b.deadlineAt;
  if (a.costMs !== b.costMs) return a.costMs > b.costMs;
  return a.sequence < b.sequence;
}
