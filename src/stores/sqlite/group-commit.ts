import type { SqliteDatabase } from './driver.js';
import type { WalSync } from './wal-sync.js';

/** One thing to be written, together with others or not at all. */
export interface Work {
  /** Runs first, in the transaction: the error that refuses this work alone, if any. */
  readonly refuse: () => Error | undefined;
  /** What it throws fails the whole commit. */
  readonly write: () => void;
}

interface Waiting extends Work {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What {@link GroupCommit} needs. */
export interface GroupCommitParts {
  readonly database: SqliteDatabase;
  readonly wal: WalSync;
  /** Makes what a failed commit rejects with. */
  readonly toError: (thrown: unknown) => unknown;
  /** Runs at the start of every transaction. */
  readonly onBegin: () => void;
}

// Bounds how long one transaction holds the thread: about 10 ms.
const MOST_WORK_PER_COMMIT = 500;

/**
 * Lets writes that arrive while a commit is on its way to the disk share the next one, so that a
 * hundred concurrent appends cost two syncs and not a hundred.
 */
export class GroupCommit {
  readonly #parts: GroupCommitParts;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;

  constructor(parts: GroupCommitParts) {
    this.#parts = parts;
  }

  /** Resolves when `work` is durable. */
  submit(work: Work): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...work, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when everything submitted so far has been settled. */
  async drain(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    do {
      await everythingElse();
      await this.#commit(this.#waiting.splice(0, MOST_WORK_PER_COMMIT));
    } while (this.#waiting.length > 0);
    this.#running = undefined;
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    const { database, wal, toError, onBegin } = this.#parts;
    const refused = new Map<Waiting, Error>();
    try {
      database.write(() => {
        onBegin();
        for (const work of batch) {
          const refusal = work.refuse();
          if (refusal === undefined) work.write();
          else refused.set(work, refusal);
        }
      });
      if (refused.size < batch.length) await wal.sync();
    } catch (error) {
      const failure = toError(error);
      for (const work of batch) work.reject(refused.get(work) ?? failure);
      return;
    }
    for (const work of batch) {
      const refusal = refused.get(work);
      if (refusal === undefined) work.resolve();
      else work.reject(refusal);
    }
  }
}

/**
 * Resolves when all promise callbacks that are due have run, those that they lead to included: callers
 * that go on after the last commit, or that a loop starts now, all get into the next one. Without it
 * they split into two groups that take turns, and each append waits for the sync of the other group.
 */
function everythingElse(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
