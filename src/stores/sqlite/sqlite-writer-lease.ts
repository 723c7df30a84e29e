import type { WriterLease } from '../../contracts/journal.js';
import { TradingError } from '../../contracts/trading-error.js';
import type { Clock } from '../../core/clock.js';

/** What a {@link SqliteWriterLease} asks of its journal. */
export interface LeaseActions {
  /** False when another holder has the account. */
  readonly renew: (expiresAt: number) => boolean;
  readonly release: () => void;
  /** Hears once that it is over, lost or released. */
  readonly onOver: () => void;
}

/** A held account. */
export class SqliteWriterLease implements WriterLease {
  readonly account: string;
  readonly epoch: number;
  readonly #ttlMs: number;
  readonly #clock: Clock;
  readonly #actions: LeaseActions;
  readonly #lost = new AbortController();
  #renewedAt: { readonly wall: number; readonly monotonic: number };
  #expiry: Disposable;
  #isOver = false;

  constructor(account: string, epoch: number, ttlMs: number, clock: Clock, actions: LeaseActions) {
    this.account = account;
    this.epoch = epoch;
    this.#ttlMs = ttlMs;
    this.#clock = clock;
    this.#actions = actions;
    this.#renewedAt = { wall: clock.now(), monotonic: clock.monotonic() };
    this.#expiry = this.#watch(ttlMs);
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async renew(): Promise<void> {
    if (this.#elapsedMs() >= this.#ttlMs) this.end(this.#error('it was not renewed in time'));
    if (this.#lost.signal.aborted) throw this.#lost.signal.reason;
    if (this.#isOver) throw this.#error('it has been released');
    const renewedAt = { wall: this.#clock.now(), monotonic: this.#clock.monotonic() };
    if (!this.#actions.renew(renewedAt.wall + this.#ttlMs)) {
      this.end(this.#error('another client has taken the account over'));
      throw this.#lost.signal.reason;
    }
    this.#renewedAt = renewedAt;
    this.#expiry[Symbol.dispose]();
    this.#expiry = this.#watch(this.#ttlMs);
  }

  /** Lets the next client in at once; `lost` does not abort then, unless the journal gives a reason why it had to be let go. */
  async release(reason?: TradingError): Promise<void> {
    if (this.#isOver) return;
    this.end(reason);
    this.#actions.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  /** Ends it on this side: with a reason it was lost. */
  end(reason?: TradingError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#expiry[Symbol.dispose]();
    this.#actions.onOver();
    if (reason !== undefined) this.#lost.abort(reason);
  }

  // A suspended machine stops the monotonic clock, a stepped wall clock the other: the larger decides.
  #elapsedMs(): number {
    const { wall, monotonic } = this.#renewedAt;
    return Math.max(this.#clock.now() - wall, this.#clock.monotonic() - monotonic);
  }

  #watch(ms: number): Disposable {
    return this.#clock.schedule(ms, () => {
      const remaining = this.#ttlMs - this.#elapsedMs();
      if (remaining > 0) this.#expiry = this.#watch(remaining);
      else this.end(this.#error('it was not renewed in time'));
    });
  }

  #error(why: string): TradingError {
    return new TradingError('JOURNAL_LOCKED', `The lease of epoch ${this.epoch} for account ${this.account} is lost: ${why}.`);
  }
}
