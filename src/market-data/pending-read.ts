import type { Read } from '../contracts/cache-store.js';
import type { Cell } from './cell.js';
import type { Answer, Waiter } from './load.js';

/**
 * How a read ended: with a value, judged at monotonic time `at`, or with an error; and what it counts as. `until` is the
 * monotonic time up to which it may be handed over as what it is. `askedAt` is there where it was waited for, `epoch` where
 * the value was held: once that has ended, the value is not to be handed over any more.
 */
export type ReadResult =
  | {
      readonly read: Read<unknown>;
      readonly level: 'memory' | 'shared' | 'none';
      readonly at: number;
      readonly until: number;
      readonly askedAt?: number;
      readonly epoch?: number;
    }
  | { readonly error: Error; readonly outcome: Read<unknown>['outcome'] };

/** What a waiting read asks of the client to judge an answer with. */
export interface ReadJudge {
  /** The read that `answer` makes, or undefined when it is older than `maxAgeMs`. */
  deliver(
    answer: Extract<Answer, { readonly entry: unknown }>,
    maxAgeMs: number,
    outcome: 'miss' | 'coalesced',
    now: number,
  ): Read<unknown> | undefined;
  /** What may stand in for a value that could not be had. */
  standIn(
    cell: Cell,
    maxAgeMs: number,
    allowStale: boolean | undefined,
    now: number,
  ): { readonly read: Read<unknown>; readonly until: number } | undefined;
  /** How long an answer that came at `now` may wait for others. */
  waitsUntil(cell: Cell, answer: Extract<Answer, { readonly entry: unknown }>, now: number): number;
  tooOld(cell: Cell, answer: Extract<Answer, { readonly entry: unknown }>, maxAgeMs: number, now: number): Error;
}

/** So many more loads a reader with a deadline asks for when answers take longer on their way than they may be old. */
const MOST_RELOADS = 3;

/** One caller that waits for a load. */
export class PendingRead implements Waiter {
  readonly maxAgeMs: number;
  readonly done: Promise<ReadResult>;
  outcome: 'miss' | 'coalesced' = 'miss';
  readonly #cell: Cell;
  readonly #judge: ReadJudge;
  readonly #allowStale: boolean | undefined;
  #resolve!: (result: ReadResult) => void;
  readonly #askedAt: number;
  #hasRetried = false;
  #reloadsLeft: number;

  /** @param hasDeadline - it would rather wait for another answer than fail by one that was too slow. */
  constructor(cell: Cell, judge: ReadJudge, maxAgeMs: number, allowStale: boolean | undefined, askedAt: number, hasDeadline: boolean) {
    this.#askedAt = askedAt;
    this.#cell = cell;
    this.#judge = judge;
    this.maxAgeMs = maxAgeMs;
    this.#allowStale = allowStale;
    this.#reloadsLeft = hasDeadline ? MOST_RELOADS : 0;
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  settle(answer: Answer, now: number): boolean {
    if ('error' in answer) {
      const standIn = this.#judge.standIn(this.#cell, this.maxAgeMs, this.#allowStale, now);
      this.#resolve(
        standIn === undefined
          ? { error: answer.error, outcome: this.outcome }
          : { ...standIn, level: 'memory', at: now, askedAt: this.#askedAt, epoch: this.#cell.symbol.epoch },
      );
      return true;
    }
    const read = this.#judge.deliver(answer, this.maxAgeMs, this.outcome, now);
    // What the stream had pushed meanwhile ends with its epoch, though it answers a fetch.
    const { source, epoch } = answer.entry;
    if (read !== undefined) {
      const until = this.#judge.waitsUntil(this.#cell, answer, now);
      this.#resolve({ read, level: answer.level, at: now, until, askedAt: this.#askedAt, ...(source === 'stream' ? { epoch } : undefined) });
    } else if (this.outcome === 'coalesced' && !this.#hasRetried) {
      // Joined on its way, it was too old by the time it came; a load of its own may be young enough.
      this.#hasRetried = true;
      this.outcome = 'miss';
      return false;
    } else if (this.#reloadsLeft > 0 && now - answer.entry.sentAt > this.maxAgeMs) {
      // The way took too long, which the next may not. What the venue itself calls old is not asked for again.
      this.#reloadsLeft--;
      return false;
    } else this.fail(this.#judge.tooOld(this.#cell, answer, this.maxAgeMs, now));
    return true;
  }

  fail(error: Error): void {
    this.#resolve({ error, outcome: this.outcome });
  }
}
