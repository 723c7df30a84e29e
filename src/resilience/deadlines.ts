import { abortReason, onAbort } from '../core/abort.js';
import type { Clock } from '../core/clock.js';
import { requireKnown, requireMethods, requirePositive } from '../core/options.js';
import { PolicyError } from './policy-error.js';

// Beyond so many different durations, a list goes as soon as nothing is in it: odd durations must not pile up timers.
const LISTS_KEPT = 64;

/**
 * Something that ends when its time is up. The link to its neighbours is part of it, so that to time
 * a call allocates nothing. The fields belong to {@link Deadlines}.
 *
 * Here and in what derives from it, fields are real class fields: with `declare` and assignments alone,
 * a bundler that keeps class names (esbuild's keepNames, tsx) made construction ten times slower. And a
 * number has its first value where it is declared: a field that was once undefined would box each number.
 */
export abstract class Timed {
  list: DeadlineList | undefined = undefined;
  earlier: Timed | undefined = undefined;
  later: Timed | undefined = undefined;
  /** Monotonic ms. */
  expiresAt: number = Infinity;

  /** Its time is up; it is in no list any more. */
  abstract expire(now: number): void;
}

/** Entries of one duration: whoever comes last ends last, so that one timer for the first serves all. */
interface DeadlineList {
  readonly durationMs: number;
  first: Timed | undefined;
  last: Timed | undefined;
  timer: Disposable | undefined;
  readonly ring: () => void;
}

/** What a {@link Deadlines} needs. */
export interface DeadlinesOptions {
  readonly clock: Clock;
}

/**
 * Ends what takes too long. Calls of the same duration stand in one line with one timer for the
 * first of them: starting and ending a call is a few pointer writes, where a timer for each would
 * cost more than the rest of the call. For moments of any kind there is `DeadlineSet` in core.
 *
 * Its timers don't keep the process alive; what is being timed does.
 *
 * @example
 * const deadlines = new Deadlines({ clock });
 * const book = await deadlines.run(2_000, (call) => fetchBook({ signal: call.signal }));
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #lists = new Map<number, DeadlineList>();
  // Most programs use one or two durations; the last one asked for saves the look-up.
  #recent: DeadlineList | undefined;
  #hasManyLists = false;

  constructor(options: DeadlinesOptions) {
    requireKnown('Deadlines', options, ['clock']);
    this.#clock = requireMethods('clock', options.clock, ['monotonic', 'schedule']);
  }

  /** `entry` ends `durationMs` after `now` (monotonic ms) unless removed before. */
  add(entry: Timed, durationMs: number, now: number): void {
    const recent = this.#recent;
    const list = recent?.durationMs === durationMs ? recent : this.#listOf(durationMs);
    entry.list = list;
    entry.expiresAt = now + durationMs;
    const { last } = list;
    entry.earlier = last;
    if (last === undefined) list.first = entry;
    else last.later = entry;
    list.last = entry;
    if (list.timer === undefined) this.#arm(list, durationMs);
  }

  /** Does nothing for an entry that is not timed, or no longer. */
  remove(entry: Timed): void {
    const { list, earlier, later } = entry;
    if (list === undefined) return;
    if (earlier === undefined) list.first = later;
    else earlier.later = later;
    if (later === undefined) list.last = earlier;
    else later.earlier = earlier;
    entry.list = undefined;
    entry.earlier = undefined;
    entry.later = undefined;
    if (this.#hasManyLists && list.first === undefined) this.#drop(list);
  }

  /**
   * Runs `work` for no longer than `durationMs`. Its `signal` is made when it is first read.
   * @throws DEADLINE ({@link PolicyError}), or the reason of `options.signal`; either aborts `work`'s signal.
   */
  run<T>(
    durationMs: number,
    work: (call: { readonly signal: AbortSignal }) => Promise<T>,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<T> {
    requirePositive('durationMs', durationMs);
    if (options.signal?.aborted) return Promise.reject(abortReason(options.signal));
    return new Promise<T>((resolve, reject) => {
      const call = new TimedCall(durationMs, reject);
      this.add(call, durationMs, this.#clock.monotonic());
      const subscription = onAbort(options.signal, (reason) => call.end(reason));
      const settle = (): void => {
        this.remove(call);
        subscription[Symbol.dispose]();
      };
      Promise.resolve()
        .then(() => work(call))
        .finally(settle)
        .then(resolve, reject);
    });
  }

  #listOf(durationMs: number): DeadlineList {
    let list = this.#lists.get(durationMs);
    if (list === undefined) {
      requirePositive('durationMs', durationMs);
      const fresh: DeadlineList = { durationMs, first: undefined, last: undefined, timer: undefined, ring: () => this.#ring(fresh) };
      this.#lists.set(durationMs, fresh);
      this.#hasManyLists = this.#lists.size > LISTS_KEPT;
      list = fresh;
    }
    this.#recent = list;
    return list;
  }

  // Not cancelled when the last call ends in time: the next one would have to make it anew.
  #ring(list: DeadlineList): void {
    list.timer = undefined;
    const now = this.#clock.monotonic();
    for (let entry = list.first; entry !== undefined && entry.expiresAt <= now; entry = list.first) {
      this.remove(entry);
      entry.expire(now);
    }
    if (list.timer !== undefined) return;
    if (list.first !== undefined) this.#arm(list, list.first.expiresAt - now);
    else this.#drop(list);
  }

  #arm(list: DeadlineList, ms: number): void {
    list.timer = this.#clock.schedule(ms, list.ring);
  }

  #drop(list: DeadlineList): void {
    list.timer?.[Symbol.dispose]();
    list.timer = undefined;
    if (this.#lists.get(list.durationMs) === list) this.#lists.delete(list.durationMs);
    this.#hasManyLists = this.#lists.size > LISTS_KEPT;
    if (this.#recent === list) this.#recent = undefined;
  }
}

class TimedCall extends Timed {
  readonly #durationMs: number;
  readonly #reject: (error: Error) => void;
  #controller: AbortController | undefined;
  #ended: Error | undefined;

  constructor(durationMs: number, reject: (error: Error) => void) {
    super();
    this.#durationMs = durationMs;
    this.#reject = reject;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#ended !== undefined && !this.#controller.signal.aborted) this.#controller.abort(this.#ended);
    return this.#controller.signal;
  }

  expire(): void {
    this.end(new PolicyError('DEADLINE', `Given up: no answer within ${this.#durationMs} ms`));
  }

  end(reason: Error): void {
    this.#ended = reason;
    this.#controller?.abort(reason);
    this.#reject(reason);
  }
}
