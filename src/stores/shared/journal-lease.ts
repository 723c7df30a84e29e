import type { WriterLease } from '../../contracts/journal.js';
import { TradingError } from '../../contracts/trading-error.js';
import type { Clock } from '../../core/clock.js';

/** What a {@link JournalLease} asks of its journal. */
export interface LeaseActions {
  /** For its whole time from now on; false when another client has taken the account. */
  readonly renew: () => boolean | Promise<boolean>;
  readonly isHeld: () => boolean | Promise<boolean>;
  readonly release: () => void | Promise<void>;
  /** Hears once that it is over, lost or released. */
  readonly onOver: () => void;
}

/**
 * A held account. Past its time it can be taken by another client, and until one does it can still be
 * renewed: a bot that was held up for some seconds, with no standby, goes on.
 */
export class JournalLease implements WriterLease {
  readonly account: string;
  readonly epoch: number;
  readonly #ttlMs: number;
  readonly #clock: Clock;
  readonly #actions: LeaseActions;
  readonly #lost = new AbortController();
  #watch: Disposable;
  #isOver = false;

  constructor(account: string, epoch: number, ttlMs: number, clock: Clock, actions: LeaseActions) {
    this.account = account;
    this.epoch = epoch;
    this.#ttlMs = ttlMs;
    this.#clock = clock;
    this.#actions = actions;
    this.#watch = this.#watchForTakeover();
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async renew(): Promise<void> {
    if (this.#lost.signal.aborted) throw this.#lost.signal.reason;
    if (this.#isOver) throw this.#error('it has been released');
    if (!(await this.#actions.renew())) {
      this.end(this.#error('another client has taken the account over'));
      throw this.#lost.signal.reason;
    }
    // It may have ended while the storage was asked.
    if (this.#isOver) return;
    this.#watch[Symbol.dispose]();
    this.#watch = this.#watchForTakeover();
  }

  /** Lets the next client in at once; `lost` does not abort then, unless the journal gives a reason why it had to be let go. */
  async release(reason?: TradingError): Promise<void> {
    if (this.#isOver) return;
    this.end(reason);
    await this.#actions.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  /** Ends it on this side: with a reason it was lost. */
  end(reason?: TradingError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#watch[Symbol.dispose]();
    this.#actions.onOver();
    if (reason !== undefined) this.#lost.abort(reason);
  }

  // Nobody can have taken it before its time is up, so there is nothing to look for earlier.
  #watchForTakeover(): Disposable {
    return this.#clock.schedule(this.#ttlMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const isHeld = await this.#isHeldOrUnknown();
    if (this.#isOver) return;
    if (!isHeld) this.end(this.#error('another client has taken the account over'));
    else this.#watch = this.#watchForTakeover();
  }

  async #isHeldOrUnknown(): Promise<boolean> {
    try {
      return await this.#actions.isHeld();
    } catch {
      // A storage that can't be read proves nothing; and nothing can be written under a lease that is gone.
      return true;
    }
  }

  #error(why: string): TradingError {
    return new TradingError('JOURNAL_LOCKED', `The lease of epoch ${this.epoch} for account ${this.account} is lost: ${why}.`);
  }
}
