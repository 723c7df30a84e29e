import type { EncodedRecord } from '../shared/encoded-record.js';

/** What a write claims to be allowed by. */
export interface Authority {
  readonly account: string;
  readonly epoch: number;
}

/** Records to be written together or not at all. */
interface Waiting {
  readonly records: readonly EncodedRecord[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What {@link CommitQueue} needs. */
export interface CommitParts {
  /** Writes what may be written in one transaction; gives the leases that allowed it. */
  readonly commit: (batch: readonly (readonly EncodedRecord[])[]) => Promise<readonly Authority[]>;
  /** Why a group was not written. */
  readonly refusal: (records: readonly EncodedRecord[]) => Promise<Error>;
}

// Bounds one statement to some hundred kilobytes.
const MOST_RECORDS_A_COMMIT = 1_000;

/**
 * One commit at a time: what is appended meanwhile shares the next. So the records of an intent are
 * in the order in which they were appended, and a hundred concurrent appends cost two commits.
 */
export class CommitQueue {
  readonly #parts: CommitParts;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: CommitParts) {
    this.#parts = parts;
  }

  /** Resolves when they are durable. */
  submit(records: readonly EncodedRecord[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ records, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Runs another kind of write, with no commit beside it. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }

  /** Resolves when everything submitted so far has been settled. */
  async drain(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    await this.#turn;
  }

  async #run(): Promise<void> {
    do {
      // Callers that go on after the last commit get into this one.
      await new Promise((resolve) => process.nextTick(resolve));
      const batch = this.#take();
      await this.alone(() => this.#commit(batch));
    } while (this.#waiting.length > 0);
    this.#running = undefined;
  }

  #take(): readonly Waiting[] {
    let count = 0;
    let records = 0;
    while (count < this.#waiting.length && (count === 0 || records < MOST_RECORDS_A_COMMIT)) records += this.#waiting[count++]?.records.length ?? 0;
    return this.#waiting.splice(0, count);
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    try {
      const held = await this.#parts.commit(batch.map(({ records }) => records));
      const isHeld = ({ account, epoch }: Authority): boolean => held.some((lease) => lease.account === account && lease.epoch === epoch);
      for (const { records, resolve, reject } of batch) {
        if (records.every(isHeld)) resolve();
        else reject(await this.#parts.refusal(records));
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
