import PQueue from 'p-queue';
import type { CallOptions, Settled } from '../contracts/calls.js';
import type { Bus } from '../contracts/events.js';
import type { Fetcher, FetchTask } from '../contracts/fetcher.js';
import { abortReason, onAbort } from '../core/abort.js';
import { type Clock, systemClock } from '../core/clock.js';
import { DeadlineSet } from '../core/deadline-set.js';
import { asError, closedError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { requireNonNegative } from '../core/options.js';
import { systemRandom } from '../core/random.js';
import { type Backoff, fullJitter } from '../resilience/backoff.js';
import { rankOf } from '../resilience/priorities.js';
import { BusyTime } from './busy-time.js';
import { deadlineError, droppedError, isRetryable, queueFullError, retryAfterOf } from './fetch-error.js';
import { checkTask, type FetchPolicy, fetchPolicy, type ParallelFetcherOptions } from './fetcher-options.js';
import { ParseWorkers } from './parse-workers.js';
import { AttemptContext, QueuedTask, runsBefore } from './queued-task.js';
import { type StreamOptions, streamResults } from './result-stream.js';
import { type AllOptions, settleAll } from './settle-all.js';
import { type SlotQueue, slotQueueClass } from './slot-queue.js';
import { TaskQueue } from './task-queue.js';
import { TaskScheduler } from './task-scheduler.js';

/** A fetcher at one point in time. */
export interface FetcherStats {
  /** Slots in use. Never above `concurrency`: a slot is held until its function has settled. */
  readonly running: number;
  /** Tasks that wait: for a slot, for their group, for room in the queue, or for another attempt. */
  readonly queued: number;
  /** Tasks that succeeded. */
  readonly completed: number;
  /** Tasks that did not, whatever the reason. */
  readonly failed: number;
  readonly maxRunning: number;
  /** busy ÷ (concurrency × makespan), the makespan being all time in which there was work; 1 before the first. */
  readonly efficiency: number;
  /** Attempts beyond the first. */
  readonly retries: number;
  /** Functions that still run though their caller has been answered. */
  readonly overdue: number;
}

// So many turns of the microtask queue a run waits for another task: who waited for the last one often comes back with the next.
const LINGER_TURNS = 4;
/** Awaited, it lets the microtasks that wait go first. */
const NEXT_TURN = Promise.resolve();
// One class of urgency outweighs any priority within it, and any age.
const LEVELS_PER_CLASS = 1_000_000;
const READ_RANK = rankOf('read');

/**
 * Runs many requests at once, within what the venue allows.
 *
 * p-queue owns how many run; which task gets a slot is decided when it becomes free, by urgency,
 * deadline and expected duration. A slot is held until the task's function has settled, also when its caller
 * was answered before: what the venue sees never exceeds `concurrency`.
 *
 * @example
 * const fetcher = new ParallelFetcher({ concurrency: 12, groups: { bars: { ratePerSecond: 20 } } });
 * const results = await fetcher.all(symbols.map((symbol) => ({ input: symbol, group: 'bars', run: fetchBars })));
 */
export class ParallelFetcher implements Fetcher, AsyncDisposable {
  readonly #policy: FetchPolicy;
  readonly #bus: Bus | undefined;
  readonly #clock: Clock;
  readonly #logger: Logger | undefined;
  readonly #backoff: Backoff;
  readonly #slots: PQueue<SlotQueue>;
  readonly #run: () => Promise<void>;
  readonly #scheduler: TaskScheduler;
  /** Tasks that a full queue keeps out, with the overflow policy 'wait'. */
  readonly #outside: TaskQueue<QueuedTask> = new TaskQueue(runsBefore);
  readonly #deadlines: DeadlineSet<QueuedTask>;
  readonly #stuck: DeadlineSet<QueuedTask>;
  readonly #busy: BusyTime;
  readonly #parsers: ParseWorkers;
  readonly #closed: AbortController = new AbortController();
  /** Every accepted task whose function runs, or may yet be run. */
  readonly #unfinished: Set<QueuedTask> = new Set();
  #drained: (() => void)[] = [];
  #completed = 0;
  #failed = 0;
  #maxRunning = 0;
  #retries = 0;
  #overdue = 0;
  #sequence = 0;
  #isAdmitting = false;
  /** Runs that p-queue has been given, waiting or under way; and those under way. */
  #runs = 0;
  #runsUnderWay = 0;
  /** Of those, the ones that have no task and are about to look again. */
  #runsLingering = 0;
  #closing: Promise<void> | undefined;

  /** @throws RangeError or TypeError naming the option, what it must be, and what it was. */
  constructor(options: ParallelFetcherOptions = {}) {
    const policy = fetchPolicy(options);
    this.#policy = policy;
    this.#bus = options.bus;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger;
    this.#backoff = fullJitter({ baseMs: policy.retry.baseMs, capMs: policy.retry.capMs, random: options.random ?? systemRandom });
    this.#busy = new BusyTime(policy.concurrency);
    this.#parsers = new ParseWorkers({
      threads: policy.workers,
      entry: policy.workerEntry,
      logger: options.logger,
      bus: options.bus,
      clock: this.#clock,
    });
    this.#deadlines = new DeadlineSet(this.#clock, (task) => this.#giveUp(task, deadlineError(task.stage === 'running' ? 'ran' : 'waited')));
    this.#stuck = new DeadlineSet(this.#clock, (task, now) => this.#reportStuck(task, now));
    this.#scheduler = new TaskScheduler(policy, {
      clock: this.#clock,
      logger: options.logger,
      closed: this.#closed.signal,
      hasFreeSlot: () => this.#busy.running < policy.concurrency,
      onOpened: () => {
        this.#admitSoon();
        this.#fillSlots();
      },
      onRoom: () => this.#admitSoon(),
    });
    this.#slots = new PQueue({ concurrency: policy.concurrency, queueClass: slotQueueClass(() => this.#scheduler.hasReady()) });
    this.#run = () => this.#runSlot();
  }

  /**
   * Runs one task. A deadline or an abort answers the caller at once; a function that is running is
   * told by its signal and keeps its slot until it has settled.
   * @throws what the last attempt threw; VenueKitError `DEADLINE`, `FETCH_QUEUE_FULL`,
   * `FETCH_DROPPED` or `CLOSED`; or the signal's reason.
   */
  run<I, O>(task: FetchTask<I, O>, options?: CallOptions): Promise<O> {
    try {
      return this.#submit(task, options, this.#policy.overflow).promise;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Runs all tasks and gives what became of each, in their order. One that fails, or is past the
   * deadline, is a rejected entry and does not affect the others. A full queue makes this wait,
   * whatever `overflow` says.
   * @throws the signal's reason; what `tasks` throws; with failFast the first error.
   */
  all<I, O>(tasks: Iterable<FetchTask<I, O>>, options: AllOptions = {}): Promise<readonly Settled<O>[]> {
    return settleAll(tasks, options, this.#clock, {
      submit: (task, call) => this.#submit(task, call, 'wait'),
      cancel: (task, reason) => this.#giveUp(task, reason),
    });
  }

  /**
   * Runs tasks as they come and gives their results, in their order or as they settle. Takes at most
   * twice `concurrency` tasks ahead of its reader. Leaving the loop aborts what is under way.
   * @throws the signal's reason, or what the source of the tasks threw.
   */
  stream<I, O>(tasks: Iterable<FetchTask<I, O>> | AsyncIterable<FetchTask<I, O>>, options: StreamOptions = {}): AsyncIterable<Settled<O>> {
    return streamResults(tasks, options, 2 * this.#policy.concurrency, this.#clock, {
      submit: (task, call) => this.#submit(task, call, 'wait'),
      cancel: (task, reason) => this.#giveUp(task, reason),
    });
  }

  /** Starts nothing more, in a group or at all, until {@link resume}, or for `ms`. What runs goes on. */
  pause(group?: string, ms?: number): void {
    this.#scheduler.pause(group, ms === undefined ? undefined : requireNonNegative('ms', ms));
  }

  /** Ends a pause. */
  resume(group?: string): void {
    this.#scheduler.resume(group);
  }

  /** Resolves when nothing waits and nothing runs any more. */
  drain(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (options.signal?.aborted) return Promise.reject(abortReason(options.signal));
    if (this.#unfinished.size === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const subscription = onAbort(options.signal, reject);
      this.#drained.push(() => {
        subscription[Symbol.dispose]();
        resolve();
      });
    });
  }

  /** The fetcher now. */
  stats(): FetcherStats {
    const { running } = this.#busy;
    return {
      running,
      queued: this.#unfinished.size - running,
      completed: this.#completed,
      failed: this.#failed,
      maxRunning: this.#maxRunning,
      efficiency: this.#busy.efficiency(this.#clock.monotonic()),
      retries: this.#retries,
      overdue: this.#overdue,
    };
  }

  /** Answers all who wait with `CLOSED`, tells running functions by their signal, and ends the workers. To let tasks end first, {@link drain}. */
  close(): Promise<void> {
    if (this.#closing === undefined) {
      const closed = closedError('ParallelFetcher');
      this.#closing = this.#parsers.close();
      for (const task of [...this.#unfinished]) this.#giveUp(task, closed);
      this.#closed.abort(closed);
      this.#deadlines[Symbol.dispose]();
      this.#stuck[Symbol.dispose]();
    }
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // ── in ──

  #submit<I, O>(task: FetchTask<I, O>, options: CallOptions | undefined, overflow: FetchPolicy['overflow']): QueuedTask<I, O> {
    if (this.#closing !== undefined) throw closedError('ParallelFetcher');
    checkTask(task);
    const typed = this.#arrive(task, options);
    // What it takes and gives matters to its caller only.
    const queued = typed as unknown as QueuedTask;
    const { gate, name } = queued.group;
    if (gate !== undefined && queued.weight > gate.capacity) {
      throw new RangeError(`task.weight must be at most ${gate.capacity}, all that group "${name}" may use in a second, got ${queued.weight}`);
    }
    const isFull = this.#scheduler.queued >= this.#policy.maxQueue && !this.#scheduler.canStart(queued);
    const refusal = this.#refusalOf(queued, options, isFull ? overflow : undefined);
    if (refusal !== undefined) {
      this.#fail(queued, refusal);
      return typed;
    }
    this.#unfinished.add(queued);
    this.#busy.workBegins(queued.arrivedAt);
    if (queued.deadlineAt !== Infinity) queued.deadline = this.#deadlines.add(queued, queued.deadlineAt);
    if (options?.signal !== undefined) queued.abort = onAbort(options.signal, (reason) => this.#giveUp(queued, reason));
    if (isFull && overflow === 'wait') queued.entry = this.#outside.push(queued);
    else this.#dispatch(queued);
    return typed;
  }

  #arrive<I, O>(task: FetchTask<I, O>, options: CallOptions | undefined): QueuedTask<I, O> {
    const now = this.#clock.monotonic();
    const priority = options?.priority ?? 'read';
    let deadlineAt = Infinity;
    if (options?.deadlineMs !== undefined) deadlineAt = now + requireNonNegative('deadlineMs', options.deadlineMs);
    if (task.deadlineAt !== undefined) deadlineAt = Math.min(deadlineAt, now + task.deadlineAt - this.#clock.now());
    const urgency = priority === 'read' ? 0 : (READ_RANK - rankOf(priority)) * LEVELS_PER_CLASS;
    const level = urgency + (task.priority ?? 0) - Math.floor(now / this.#policy.agingMs);
    return new QueuedTask(task, { now, priority, deadlineAt, level, sequence: this.#sequence++, group: this.#scheduler.group(task.group ?? '') });
  }

  /** Why the task can't be taken; makes room for it where the policy says so. */
  #refusalOf(task: QueuedTask, options: CallOptions | undefined, overflow: FetchPolicy['overflow'] | undefined): Error | undefined {
    if (options?.signal?.aborted) return abortReason(options.signal);
    if (task.deadlineAt <= task.arrivedAt) return deadlineError('was on its way here');
    if (overflow === 'reject') return queueFullError(this.#policy.maxQueue);
    if (overflow !== 'drop_lowest') return undefined;
    const { lowest } = this.#scheduler;
    const dropped = droppedError(this.#policy.maxQueue);
    if (lowest === undefined || !runsBefore(task, lowest)) return dropped;
    this.#giveUp(lowest, dropped);
    return undefined;
  }

  #dispatch(task: QueuedTask): void {
    this.#scheduler.enqueue(task);
    if (this.#runsUnderWay < this.#policy.concurrency) this.#fillSlots();
    if (task.stage === 'queued') this.#announce();
  }

  /** Has p-queue run as many slots as there are tasks for. A run goes on from task to task, so that only the first of a burst passes through p-queue. */
  #fillSlots(): void {
    const { concurrency } = this.#policy;
    while (this.#runs < concurrency && this.#runs - this.#runsUnderWay + this.#runsLingering < this.#scheduler.queued) {
      this.#runs++;
      // Its promise says nothing that matters: what a task throws is caught inside.
      void this.#slots.add(this.#run);
    }
    // Setting its concurrency has p-queue look at its queue again.
    if (this.#runs > this.#runsUnderWay) this.#slots.concurrency = concurrency;
  }

  // Later, since the slot that this leaves is about to be filled: starting within a start would go deep.
  #admitSoon(): void {
    if (this.#outside.size === 0 || this.#isAdmitting) return;
    this.#isAdmitting = true;
    queueMicrotask(() => {
      this.#isAdmitting = false;
      for (;;) {
        const next = this.#outside.peek();
        if (next === undefined || (this.#scheduler.queued >= this.#policy.maxQueue && !this.#scheduler.canStart(next))) return;
        this.#outside.pop();
        this.#dispatch(next);
      }
    });
  }

  // ── in a slot ──

  async #runSlot(): Promise<void> {
    this.#runsUnderWay++;
    let now = this.#clock.monotonic();
    for (let task = this.#scheduler.takeReady(); task !== undefined; task = this.#scheduler.takeReady() ?? (await this.#linger())) {
      // Come while the run lingered: later than the end of the task before.
      if (now < task.arrivedAt) now = task.arrivedAt;
      this.#begin(task, now);
      let value: unknown;
      let failure: Error | undefined;
      try {
        value = await this.#call(task);
      } catch (error) {
        failure = asError(error);
      }
      now = this.#clock.monotonic();
      this.#end(task, now, value, failure);
    }
    this.#runsUnderWay--;
    this.#runs--;
    // Come when the run had just stopped looking.
    if (this.#scheduler.queued > 0) this.#fillSlots();
  }

  async #linger(): Promise<QueuedTask | undefined> {
    this.#runsLingering++;
    let task: QueuedTask | undefined;
    for (let turn = 0; turn < LINGER_TURNS && task === undefined; turn++) {
      await NEXT_TURN;
      task = this.#scheduler.takeReady();
    }
    this.#runsLingering--;
    return task;
  }

  #begin(task: QueuedTask, now: number): void {
    task.stage = 'running';
    task.attempt++;
    task.startedAt = now;
    if (task.waitedMs < 0) task.waitedMs = now - task.arrivedAt;
    task.group.running++;
    this.#busy.slotTaken(now);
    if (this.#busy.running > this.#maxRunning) this.#maxRunning = this.#busy.running;
    this.#announce();
  }

  #end(task: QueuedTask, now: number, value: unknown, failure: Error | undefined): void {
    task.stage = 'through';
    task.ranMs += now - task.startedAt;
    task.group.running--;
    this.#busy.slotFreed(now);
    if (task.isAnswered) this.#settledLate(task);
    else if (failure === undefined) this.#succeed(task, value);
    else this.#retryOrFail(task, failure, now);
    if (task.stage === 'through') this.#finish(task, now);
    this.#admitSoon();
    this.#announce();
  }

  #call(task: QueuedTask): Promise<unknown> {
    const { gate } = task.group;
    if (gate === undefined) return this.#fetchAndParse(task);
    gate.hold(task);
    try {
      return this.#fetchAndParse(task);
    } finally {
      // Counted from after the call, so that the next one is a whole window behind this one's send.
      gate.sent(task, this.#clock.monotonic());
    }
  }

  #fetchAndParse(task: QueuedTask): Promise<unknown> {
    const { input, parse } = task.task;
    const fetched = task.task.run(input, new AttemptContext(task));
    return parse === undefined ? fetched : fetched.then((bytes) => this.#parsers.parse(bytes, parse));
  }

  #retryOrFail(task: QueuedTask, failure: Error, now: number): void {
    const delayMs = this.#backoff(task.attempt, retryAfterOf(failure));
    // An attempt whose answer would come too late for the caller is not made.
    if (task.attempt > this.#policy.retry.max || !isRetryable(failure) || now + delayMs >= task.deadlineAt || this.#closing !== undefined) {
      this.#fail(task, failure);
      return;
    }
    this.#retries++;
    task.stage = 'backoff';
    task.backoff = new AbortController();
    this.#clock.sleep(delayMs, task.backoff.signal).then(
      () => this.#dispatch(task),
      () => this.#finish(task, this.#clock.monotonic()),
    );
  }

  // ── out ──

  #succeed(task: QueuedTask, value: unknown): void {
    this.#completed++;
    this.#answered(task, true);
    task.resolve(value);
  }

  #fail(task: QueuedTask, error: Error): void {
    this.#failed++;
    this.#answered(task, false);
    task.reject(error);
  }

  #answered(task: QueuedTask, ok: boolean): void {
    task.isAnswered = true;
    if (task.deadline !== undefined) this.#deadlines.cancel(task.deadline);
    task.abort?.[Symbol.dispose]();
    if (!this.#bus?.has('fetch.task')) return;
    const now = this.#clock.monotonic();
    this.#bus.emit('fetch.task', {
      group: task.group.name,
      waitMs: task.waitedMs < 0 ? now - task.arrivedAt : task.waitedMs,
      runMs: task.stage === 'running' ? task.ranMs + now - task.startedAt : task.ranMs,
      ok,
    });
  }

  /** Answers the caller before the task is through, and takes the task out of wherever it waits. */
  #giveUp(task: QueuedTask, reason: Error): void {
    if (task.isAnswered) return;
    this.#fail(task, reason);
    switch (task.stage) {
      case 'outside':
        if (task.entry !== undefined) this.#outside.remove(task.entry);
        break;
      case 'queued':
        this.#scheduler.remove(task);
        break;
      case 'backoff':
        // Its sleep ends by this, and with that the task.
        task.backoff?.abort(reason);
        return;
      default:
        this.#overdue++;
        task.stuck = this.#stuck.add(task, this.#clock.monotonic() + this.#policy.stuckAfterMs);
        task.tell(reason);
        return;
    }
    this.#finish(task, this.#clock.monotonic());
    this.#announce();
  }

  #settledLate(task: QueuedTask): void {
    this.#overdue--;
    if (task.stuck !== undefined) this.#stuck.cancel(task.stuck);
  }

  #finish(task: QueuedTask, now: number): void {
    this.#unfinished.delete(task);
    if (this.#unfinished.size > 0) return;
    this.#busy.workEnds(now);
    const drained = this.#drained;
    this.#drained = [];
    for (const resolve of drained) resolve();
  }

  // ── what others see ──

  #reportStuck(task: QueuedTask, now: number): void {
    const stuck = { group: task.group.name, heldMs: now - task.startedAt };
    this.#logger?.warn(stuck, 'a function still runs, and holds its slot, though its caller was answered long ago');
    if (this.#bus?.has('fetch.stuck')) this.#bus.emit('fetch.stuck', stuck);
  }

  #announce(): void {
    const bus = this.#bus;
    if (bus === undefined || !bus.has('fetch.state')) return;
    const { running } = this.#busy;
    bus.emit('fetch.state', { running, queued: this.#unfinished.size - running, concurrency: this.#policy.concurrency });
  }
}
