import { abortReason, onAbort } from '../core/abort.js';
import type { Priority } from '../core/limits.js';
import { PRIORITIES } from '../core/limits.js';
import { requireInteger, requireKnown } from '../core/options.js';
import { AdaptiveConcurrency } from './adaptive-concurrency.js';
import { PolicyError } from './policy-error.js';
import { rankOf } from './priorities.js';

/** How many calls a {@link Bulkhead} lets through. */
export interface BulkheadOptions {
  /** Calls in flight at once: a number, or a limit that follows what the venue bears. */
  readonly maxInFlight: number | AdaptiveConcurrency;
  /** Calls that may wait. @defaultValue 1_000 */
  readonly maxQueue?: number;
}

/** Who comes. */
export interface EnterOptions {
  readonly priority: Priority;
  readonly signal?: AbortSignal;
}

interface Waiter {
  readonly rank: number;
  readonly grant: () => void;
  readonly refuse: (error: Error) => void;
  before: Waiter | undefined;
  behind: Waiter | undefined;
  isWaiting: boolean;
}

interface Line {
  first: Waiter | undefined;
  last: Waiter | undefined;
}

const GRANTED = Promise.resolve();
// Small enough for the engine to keep it as a whole number: it is compared with every call.
const UNCAPPED = 2 ** 30;

/**
 * Bounds how many calls are in flight, so that a slow venue can't take all sockets and memory with
 * it. Waiters go in by priority, then in order; the queue is bounded, and when it is full a more
 * urgent caller takes the place of the least urgent one.
 *
 * @example
 * await bulkhead.run(() => fetchBook('BTC/USDT'), { priority: 'read' });
 */
export class Bulkhead {
  readonly #max: number | AdaptiveConcurrency;
  readonly #maxQueue: number;
  readonly #lines: readonly Line[] = PRIORITIES.map(() => ({ first: undefined, last: undefined }));
  /** What it was lowered to, by each of those who did. */
  readonly #caps = new Set<{ readonly maxInFlight: number }>();
  /** The least of them, and of a limit that is a number. */
  #cap = UNCAPPED;
  #inFlight = 0;
  #queued = 0;

  /** @throws RangeError when an option is out of range; the message names option and value. */
  constructor(options: BulkheadOptions) {
    requireKnown('Bulkhead', options, ['maxInFlight', 'maxQueue']);
    const { maxInFlight, maxQueue = 1_000 } = options;
    this.#max = maxInFlight instanceof AdaptiveConcurrency ? maxInFlight : requireInteger('maxInFlight', maxInFlight, 1);
    this.#maxQueue = requireInteger('maxQueue', maxQueue);
    this.#recap();
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get queued(): number {
    return this.#queued;
  }

  /** Calls that may be in flight at this moment. */
  get limit(): number {
    return typeof this.#max === 'number' ? this.#cap : Math.min(this.#max.limit, this.#cap);
  }

  /** What the limit would be had nobody lowered it. */
  get uncappedLimit(): number {
    return typeof this.#max === 'number' ? this.#max : this.#max.limit;
  }

  /** What the limit follows, where it is adaptive. */
  get adaptive(): AdaptiveConcurrency | undefined {
    return typeof this.#max === 'number' ? undefined : this.#max;
  }

  /** Takes a place if one is free and nobody waits for it; each place taken is given back by one {@link leave}. */
  tryEnter(): boolean {
    // Whoever waits does so because no place is free, so there is no order to keep here. The getter spelt out: this is asked with every call.
    if (this.#queued > 0 || this.#inFlight >= this.#cap) return false;
    if (typeof this.#max !== 'number' && this.#inFlight >= this.#max.limit) return false;
    this.#inFlight++;
    return true;
  }

  /** Resolves with a place taken. @throws BULKHEAD_FULL ({@link PolicyError}) where the queue is full, or the signal's reason. */
  enter(options: EnterOptions): Promise<void> {
    if (options.signal?.aborted) return Promise.reject(abortReason(options.signal));
    if (this.tryEnter()) return GRANTED;
    const rank = rankOf(options.priority);
    if (this.#queued >= this.#maxQueue) {
      const displaced = this.#leastUrgent();
      if (displaced === undefined || displaced.rank <= rank) return Promise.reject(this.#full());
      this.#remove(displaced);
      displaced.refuse(this.#full());
    }
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        rank,
        grant: () => {
          subscription[Symbol.dispose]();
          resolve();
        },
        refuse: (error) => {
          subscription[Symbol.dispose]();
          reject(error);
        },
        before: undefined,
        behind: undefined,
        isWaiting: true,
      };
      const subscription = onAbort(options.signal, (reason) => {
        if (!waiter.isWaiting) return;
        this.#remove(waiter);
        reject(reason);
      });
      this.#append(waiter);
    });
  }

  /** Gives a place back: when the work has settled, and not when its caller has stopped waiting. */
  leave(): void {
    if (this.#inFlight === 0) throw new RangeError('leave() was called more often than enter()');
    this.#inFlight--;
    if (this.#queued > 0) this.#grantFree();
  }

  /**
   * Lets no more than `maxInFlight` calls through for the time being; what is in flight goes on. Where
   * several have lowered it, the least counts. It never raises the limit.
   * @returns takes it back.
   */
  lower(maxInFlight: number): Disposable {
    const cap = { maxInFlight: requireInteger('maxInFlight', maxInFlight, 1) };
    this.#caps.add(cap);
    this.#recap();
    return {
      [Symbol.dispose]: () => {
        if (!this.#caps.delete(cap)) return;
        this.#recap();
        this.#grantFree();
      },
    };
  }

  #recap(): void {
    this.#cap = typeof this.#max === 'number' ? this.#max : UNCAPPED;
    for (const { maxInFlight } of this.#caps) this.#cap = Math.min(this.#cap, maxInFlight);
  }

  #grantFree(): void {
    while (this.#queued > 0 && this.#inFlight < this.limit) {
      const next = this.#mostUrgent();
      if (next === undefined) return;
      this.#remove(next);
      this.#inFlight++;
      next.grant();
    }
  }

  /** Runs `work` in a place of its own. */
  async run<T>(work: () => Promise<T>, options: EnterOptions): Promise<T> {
    await this.enter(options);
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  /** What callers get when the queue is full. */
  #full(): PolicyError {
    const message = `Not sent: ${this.#inFlight} calls are in flight (limit ${this.limit}) and ${this.#queued} wait (limit ${this.#maxQueue})`;
    return new PolicyError('BULKHEAD_FULL', message);
  }

  #mostUrgent(): Waiter | undefined {
    for (const line of this.#lines) if (line.first !== undefined) return line.first;
    return undefined;
  }

  #leastUrgent(): Waiter | undefined {
    for (let rank = this.#lines.length - 1; rank >= 0; rank--) {
      const { last } = this.#lines[rank] as Line;
      if (last !== undefined) return last;
    }
    return undefined;
  }

  #append(waiter: Waiter): void {
    const line = this.#lines[waiter.rank] as Line;
    waiter.before = line.last;
    if (line.last === undefined) line.first = waiter;
    else line.last.behind = waiter;
    line.last = waiter;
    this.#queued++;
  }

  #remove(waiter: Waiter): void {
    const line = this.#lines[waiter.rank] as Line;
    if (waiter.before === undefined) line.first = waiter.behind;
    else waiter.before.behind = waiter.behind;
    if (waiter.behind === undefined) line.last = waiter.before;
    else waiter.behind.before = waiter.before;
    waiter.isWaiting = false;
    this.#queued--;
  }
}
