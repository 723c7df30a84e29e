import type { Clock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import { nearest } from '../core/options.js';
import type { FetchPolicy } from './fetcher-options.js';
import { type QueuedTask, runsBefore } from './queued-task.js';
import { TaskGroup } from './task-group.js';
import { TaskQueue } from './task-queue.js';

/** What the scheduler asks of the fetcher that it works for. */
export interface SchedulerHost {
  readonly clock: Clock;
  readonly logger: Logger | undefined;
  /** Ends the scheduler's timers. */
  readonly closed: AbortSignal;
  hasFreeSlot(): boolean;
  /** Something may start that could not before. */
  onOpened(): void;
  /** There is room in the queue. */
  onRoom(): void;
}

interface Pausable {
  isPaused: boolean;
  /** Counts pauses and resumptions, so that a timed pause ends only itself. */
  pauses: number;
}

/** Decides which task is next: the first by rank of all groups that may start one now. */
export class TaskScheduler {
  readonly #policy: FetchPolicy;
  readonly #host: SchedulerHost;
  readonly #byName: Map<string, TaskGroup<QueuedTask>> = new Map();
  readonly #groups: TaskGroup<QueuedTask>[] = [];
  readonly #whole: Pausable = { isPaused: false, pauses: 0 };
  // The same tasks from the other end, only where the least urgent one has to be found.
  readonly #leastFirst: TaskQueue<QueuedTask> | undefined;
  #queued = 0;

  constructor(policy: FetchPolicy, host: SchedulerHost) {
    this.#policy = policy;
    this.#host = host;
    this.#leastFirst = policy.overflow === 'drop_lowest' ? new TaskQueue((a, b) => runsBefore(b, a)) : undefined;
    for (const [name, group] of Object.entries(policy.groups)) this.#add(new TaskGroup(name, group, runsBefore, () => host.onOpened()));
  }

  /** How many tasks are in the queue. */
  get queued(): number {
    return this.#queued;
  }

  /** The least urgent task of the queue; known only with the overflow policy that needs it. */
  get lowest(): QueuedTask | undefined {
    return this.#leastFirst?.peek();
  }

  group(name: string): TaskGroup<QueuedTask> {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const near = nearest(name, Object.keys(this.#policy.groups));
    if (near !== undefined) this.#host.logger?.warn({ group: name, near }, 'a task names a group that has no limits; was another one meant?');
    return this.#add(new TaskGroup<QueuedTask>(name, {}, runsBefore, () => {}));
  }

  /** Whether the task could start at once. */
  canStart(task: QueuedTask): boolean {
    return this.#host.hasFreeSlot() && this.#isOpen(task.group, task);
  }

  enqueue(task: QueuedTask): void {
    task.stage = 'queued';
    task.entry = task.group.queue.push(task);
    if (this.#leastFirst !== undefined) task.reverseEntry = this.#leastFirst.push(task);
    this.#queued++;
  }

  /** @param task - one that is in the queue. */
  remove(task: QueuedTask): void {
    const { entry, group } = task;
    if (entry !== undefined) group.queue.remove(entry);
    if (group.queue.size === 0) group.gate?.idle();
    this.#left(task);
  }

  /** Whether a task may start as far as its group is concerned. */
  hasReady(): boolean {
    if (this.#queued === 0) return false;
    // While all slots are taken nothing will start, and no limiter should be asked.
    return !this.#host.hasFreeSlot() || this.#firstOpen() !== undefined;
  }

  /** The task that is next, out of the queue; undefined while none may start. */
  takeReady(): QueuedTask | undefined {
    const task = this.#firstOpen()?.queue.pop();
    if (task !== undefined) this.#left(task);
    return task;
  }

  pause(name: string | undefined, ms: number | undefined): void {
    const paused = this.#pausable(name);
    paused.isPaused = true;
    const pauses = ++paused.pauses;
    if (ms === undefined) return;
    this.#after(ms, () => {
      if (paused.pauses === pauses) this.resume(name);
    });
  }

  resume(name: string | undefined): void {
    const paused = this.#pausable(name);
    paused.isPaused = false;
    paused.pauses++;
    this.#host.onOpened();
  }

  #pausable(name: string | undefined): Pausable {
    return name === undefined ? this.#whole : this.group(name);
  }

  #add(group: TaskGroup<QueuedTask>): TaskGroup<QueuedTask> {
    this.#byName.set(group.name, group);
    this.#groups.push(group);
    return group;
  }

  #left(task: QueuedTask): void {
    this.#queued--;
    if (task.reverseEntry !== undefined) this.#leastFirst?.remove(task.reverseEntry);
    this.#host.onRoom();
  }

  #firstOpen(): TaskGroup<QueuedTask> | undefined {
    if (this.#whole.isPaused) return undefined;
    let best: TaskGroup<QueuedTask> | undefined;
    let first: QueuedTask | undefined;
    for (const group of this.#groups) {
      const task = group.queue.peek();
      if (task === undefined || (first !== undefined && runsBefore(first, task)) || !this.#isOpen(group, task)) continue;
      best = group;
      first = task;
    }
    return best;
  }

  #isOpen(group: TaskGroup<QueuedTask>, task: QueuedTask): boolean {
    if (group.isPaused || this.#whole.isPaused || group.running >= group.concurrency) return false;
    if (group.gate === undefined) return true;
    const now = this.#host.clock.monotonic();
    const waitMs = group.gate.waitMs(task, now);
    if (waitMs === 0) return true;
    if (waitMs !== Infinity) this.#wakeAt(group, now + waitMs, waitMs);
    return false;
  }

  #wakeAt(group: TaskGroup<QueuedTask>, at: number, inMs: number): void {
    if (at >= group.wakeAt) return;
    group.wakeAt = at;
    this.#after(inMs, () => {
      if (group.wakeAt === at) group.wakeAt = Infinity;
      this.#host.onOpened();
    });
  }

  // Somebody waits for what comes then, so the process must not end before.
  #after(ms: number, then: () => void): void {
    this.#host.clock.sleep(ms, this.#host.closed).then(then, () => {});
  }
}
