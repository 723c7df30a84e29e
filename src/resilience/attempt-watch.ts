import { Timed } from './deadlines.js';

/** The attempt that a watch is for. */
interface Watched<T> {
  succeeded(value: T): void;
  failed(thrown: unknown): void;
  expire(now: number): void;
}

const MOST_IDLE = 1024;
// Linked through themselves: a few pointer writes, where an array checks its bounds and grows.
let idle: AttemptWatch | undefined;
let idleCount = 0;
// The intrinsic one calls back once, whatever a promise has been given in its place.
const { then } = Promise.prototype;

/**
 * What an attempt needs only while it is under way: its entry in the deadlines, its times, and the
 * two callbacks that hear how its work ends. A watch goes from attempt to attempt, so that none of
 * this is made per call. Long-lived, it also costs the garbage collector nothing to link into the
 * list of deadlines, where a record made per call would have to be noted with each link.
 *
 * The attempt itself is never used again: the work may have kept it.
 *
 * @internal
 */
export class AttemptWatch extends Timed {
  /** Monotonic ms. */
  sentAt = 0;
  /** Monotonic ms; of the call, on the watch of its first attempt. */
  deadlineAt: number = Infinity;
  /** Whether the work has been begun and has not settled. */
  isWorking = false;
  private attempt: Watched<unknown> | undefined = undefined;
  private nextIdle: AttemptWatch | undefined = undefined;

  readonly #onValue = (value: unknown): void => {
    this.isWorking = false;
    this.attempt?.succeeded(value);
  };
  readonly #onError = (thrown: unknown): void => {
    this.isWorking = false;
    this.attempt?.failed(thrown);
  };

  static of<T>(attempt: Watched<T>): AttemptWatch {
    let watch = idle;
    if (watch === undefined) {
      watch = new AttemptWatch();
    } else {
      idle = watch.nextIdle;
      idleCount--;
      watch.nextIdle = undefined;
    }
    watch.attempt = attempt;
    return watch;
  }

  private static keep(watch: AttemptWatch): void {
    if (idleCount >= MOST_IDLE) return;
    watch.nextIdle = idle;
    idle = watch;
    idleCount++;
  }

  /** Tells the attempt how `answer` ends. */
  observe(answer: PromiseLike<unknown>): void {
    // A native promise by its own name, which the engine knows best; what only looks like one might call back twice, and is wrapped.
    if (answer instanceof Promise && answer.constructor === Promise && answer.then === then) void answer.then(this.#onValue, this.#onError);
    else void then.call(Promise.resolve(answer), this.#onValue, this.#onError);
  }

  expire(now: number): void {
    this.attempt?.expire(now);
  }

  /** Free for another attempt. It is in no list, and its work has settled. */
  release(): void {
    this.attempt = undefined;
    AttemptWatch.keep(this);
  }
}

/** In the place of a watch that has been given back. @internal */
export const RELEASED: AttemptWatch = new AttemptWatch();
