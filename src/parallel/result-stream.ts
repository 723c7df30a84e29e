import type { CallOptions, Settled } from '../contracts/calls.js';
import type { FetchTask } from '../contracts/fetcher.js';
import { abortReason, onAbort } from '../core/abort.js';
import type { Clock } from '../core/clock.js';
import { asError } from '../core/errors.js';
import { requireKnown, requireOneOf } from '../core/options.js';
import type { QueuedTask } from './queued-task.js';
import { type TaskRunner, withoutSignal } from './settle-all.js';

/** How tasks are run as a stream. */
export interface StreamOptions extends CallOptions {
  /** Results as the tasks came, or as they settle. @defaultValue 'input' */
  readonly order?: 'input' | 'completion';
}

interface Slot<O> {
  readonly task: QueuedTask<unknown, O>;
  result: Settled<O> | undefined;
}

type Source<T> = Iterable<T> | AsyncIterable<T>;

/**
 * The results of `tasks`, taking at most `window` of them ahead of the reader. `deadlineMs` counts
 * from the start of the reading, for all tasks together.
 */
export function streamResults<I, O>(
  tasks: Source<FetchTask<I, O>>,
  options: StreamOptions,
  window: number,
  clock: Clock,
  runner: TaskRunner,
): AsyncIterable<Settled<O>> {
  requireKnown('stream', options, ['signal', 'deadlineMs', 'priority', 'order']);
  requireOneOf('order', options.order ?? 'input', ['input', 'completion']);
  return { [Symbol.asyncIterator]: () => read(new TaskFeed(tasks, options, window, clock, runner), options) };
}

async function* read<I, O>(feed: TaskFeed<I, O>, { signal }: StreamOptions): AsyncGenerator<Settled<O>, void, undefined> {
  let aborted: Error | undefined;
  const subscription = onAbort(signal, (reason) => {
    aborted = reason;
    feed.wake();
  });
  try {
    for (;;) {
      if (aborted !== undefined) throw aborted;
      feed.fill();
      const result = feed.take();
      if (result !== undefined) {
        yield result;
        continue;
      }
      if (feed.isEmpty) {
        if (feed.failure !== undefined) throw feed.failure;
        return;
      }
      await feed.changed();
    }
  } finally {
    subscription[Symbol.dispose]();
    feed.end(signal?.aborted ? abortReason(signal) : new DOMException('The reader of the stream has left', 'AbortError'));
  }
}

/** Takes tasks from their source into the fetcher, and keeps what came of them until it is read. */
class TaskFeed<I, O> {
  readonly #iterator: Iterator<FetchTask<I, O>> | AsyncIterator<FetchTask<I, O>>;
  readonly #call: CallOptions;
  readonly #deadlineAt: number;
  readonly #inOrder: boolean;
  readonly #window: number;
  readonly #clock: Clock;
  readonly #runner: TaskRunner;
  readonly #slots = new Set<Slot<O>>();
  readonly #settled: Slot<O>[] = [];
  #isPulling = false;
  #isExhausted = false;
  #wake: (() => void) | undefined;
  /** What the source threw. */
  failure: Error | undefined;

  constructor(tasks: Source<FetchTask<I, O>>, options: StreamOptions, window: number, clock: Clock, runner: TaskRunner) {
    this.#iterator = Symbol.asyncIterator in tasks ? tasks[Symbol.asyncIterator]() : tasks[Symbol.iterator]();
    this.#call = withoutSignal(options);
    this.#deadlineAt = options.deadlineMs === undefined ? Infinity : clock.monotonic() + options.deadlineMs;
    this.#inOrder = options.order !== 'completion';
    this.#window = window;
    this.#clock = clock;
    this.#runner = runner;
  }

  get isEmpty(): boolean {
    return this.#isExhausted && this.#slots.size === 0;
  }

  /** Takes tasks while there is room; a source that answers later goes on by itself. */
  fill(): void {
    while (!this.#isExhausted && !this.#isPulling && this.#slots.size < this.#window) {
      try {
        const next = this.#iterator.next();
        if ('then' in next) void this.#later(next);
        else this.#accept(next);
      } catch (error) {
        this.#fail(error);
      }
    }
  }

  take(): Settled<O> | undefined {
    const slot = this.#inOrder ? this.#slots.values().next().value : this.#settled.shift();
    if (slot?.result === undefined) return undefined;
    this.#slots.delete(slot);
    return slot.result;
  }

  changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  wake(): void {
    this.#wake?.();
  }

  end(reason: Error): void {
    for (const { task, result } of this.#slots) {
      if (result === undefined) this.#runner.cancel(task as unknown as QueuedTask, reason);
    }
    this.#slots.clear();
    if (this.#isExhausted) return;
    this.#isExhausted = true;
    // Nobody is left to whom a source that can't even be left could complain.
    try {
      void Promise.resolve(this.#iterator.return?.()).catch(() => {});
    } catch {}
  }

  async #later(next: PromiseLike<IteratorResult<FetchTask<I, O>>>): Promise<void> {
    this.#isPulling = true;
    try {
      const result = await next;
      this.#isPulling = false;
      if (!this.#isExhausted) {
        this.#accept(result);
        this.fill();
      }
    } catch (error) {
      this.#isPulling = false;
      this.#fail(error);
    }
    this.wake();
  }

  #accept(next: IteratorResult<FetchTask<I, O>>): void {
    if (next.done === true) {
      this.#isExhausted = true;
      return;
    }
    const call = this.#deadlineAt === Infinity ? this.#call : { ...this.#call, deadlineMs: Math.max(0, this.#deadlineAt - this.#clock.monotonic()) };
    const slot: Slot<O> = { task: this.#runner.submit(next.value, call), result: undefined };
    this.#slots.add(slot);
    slot.task.promise.then(
      (value) => this.#settle(slot, { status: 'fulfilled', value }),
      (reason: unknown) => this.#settle(slot, { status: 'rejected', reason: asError(reason) }),
    );
  }

  #settle(slot: Slot<O>, result: Settled<O>): void {
    slot.result = result;
    if (!this.#inOrder) this.#settled.push(slot);
    this.wake();
  }

  #fail(error: unknown): void {
    this.failure ??= asError(error);
    this.#isExhausted = true;
  }
}
