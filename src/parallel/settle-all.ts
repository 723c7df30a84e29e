import type { CallOptions, Settled } from '../contracts/calls.js';
import type { FetchProgress, FetchTask } from '../contracts/fetcher.js';
import { onAbort, throwIfAborted } from '../core/abort.js';
import type { Clock } from '../core/clock.js';
import { asError } from '../core/errors.js';
import { requireFunction, requireKnown } from '../core/options.js';
import type { QueuedTask } from './queued-task.js';

/** How several tasks are run together. */
export interface AllOptions extends CallOptions {
  /** Rejects with the first error and aborts the rest. @defaultValue false */
  readonly failFast?: boolean;
  /** Called whenever a task has settled. */
  readonly onProgress?: (progress: FetchProgress) => void;
}

/** What a batch asks of the fetcher. */
export interface TaskRunner {
  submit<I, O>(task: FetchTask<I, O>, options: CallOptions): QueuedTask<I, O>;
  cancel(task: QueuedTask, reason: Error): void;
}

/** Runs all `tasks` and resolves to what became of each, in their order. */
export async function settleAll<I, O>(
  tasks: Iterable<FetchTask<I, O>>,
  options: AllOptions,
  clock: Clock,
  runner: TaskRunner,
): Promise<readonly Settled<O>[]> {
  requireKnown('all', options, ['signal', 'deadlineMs', 'priority', 'failFast', 'onProgress']);
  const { signal, failFast = false, onProgress } = options;
  if (onProgress !== undefined) requireFunction('onProgress', onProgress);
  throwIfAborted(signal);
  const call = withoutSignal(options);
  const submitted: QueuedTask<I, O>[] = [];
  try {
    // One subscription for the batch rather than one a task.
    for (const task of tasks) submitted.push(runner.submit(task, call));
    throwIfAborted(signal);
  } catch (error) {
    cancelAll(submitted, asError(error), runner);
    throw error;
  }
  const startedAt = clock.monotonic();
  const results = new Array<Settled<O>>(submitted.length);
  let done = 0;
  let failed = 0;
  if (submitted.length === 0) return results;
  return new Promise((resolve, reject) => {
    let isStopped = false;
    const stop = (reason: Error): void => {
      isStopped = true;
      subscription[Symbol.dispose]();
      reject(reason);
      cancelAll(submitted, reason, runner);
    };
    const subscription = onAbort(signal, stop);
    const settled = (index: number, result: Settled<O>): void => {
      if (isStopped) return;
      results[index] = result;
      done++;
      if (result.status === 'rejected') failed++;
      try {
        onProgress?.(progressOf(done, failed, submitted.length, clock.monotonic() - startedAt));
      } catch (error) {
        stop(asError(error));
      }
      if (failFast && result.status === 'rejected') stop(result.reason);
      if (done < submitted.length) return;
      subscription[Symbol.dispose]();
      resolve(results);
    };
    submitted.forEach((task, index) => {
      task.promise.then(
        (value) => settled(index, { status: 'fulfilled', value }),
        (reason: unknown) => settled(index, { status: 'rejected', reason: asError(reason) }),
      );
    });
  });
}

/** The same for each task of a batch, whose signal is watched once for all. */
export function withoutSignal({ deadlineMs, priority }: CallOptions): CallOptions {
  return { ...(deadlineMs === undefined ? {} : { deadlineMs }), ...(priority === undefined ? {} : { priority }) };
}

function cancelAll<I, O>(tasks: readonly QueuedTask<I, O>[], reason: Error, runner: TaskRunner): void {
  for (const task of tasks) {
    task.promise.catch(() => {});
    runner.cancel(task as unknown as QueuedTask, reason);
  }
}

function progressOf(done: number, failed: number, total: number, elapsedMs: number): FetchProgress {
  // Before the clock has moved nothing is known of the rate.
  if (elapsedMs <= 0) return { done, failed, total, ratePerSecond: 0 };
  return { done, failed, total, ratePerSecond: (done / elapsedMs) * 1_000, etaMs: ((total - done) * elapsedMs) / done };
}
