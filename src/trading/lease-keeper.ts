import type { OrderJournal, WriterLease } from '../contracts/journal.js';
import { TradingError } from '../contracts/trading-error.js';
import type { Clock } from '../core/clock.js';
import { asError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';

/**
 * Holds the right to write for one account. Time is counted from before the renewal was asked for,
 * and by the larger of monotonic and wall clock: a suspended machine stops the first, a stepped
 * clock cheats the second.
 */
export class LeaseKeeper {
  readonly #journal: OrderJournal;
  readonly #leaseMs: number;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #onLost: (error: TradingError) => void;
  #lease: WriterLease | undefined;
  #timer: Disposable | undefined;
  #renewing: Promise<void> | undefined;
  #isReleased = false;
  #wallAt = 0;
  #monotonicAt = 0;

  constructor(parts: {
    readonly journal: OrderJournal;
    /** How long a lease lasts unless renewed. */
    readonly leaseMs: number;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly onLost: (error: TradingError) => void;
  }) {
    this.#journal = parts.journal;
    this.#leaseMs = parts.leaseMs;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
    this.#onLost = parts.onLost;
  }

  get epoch(): number {
    return this.#lease?.epoch ?? 0;
  }

  /** @throws TradingError JOURNAL_LOCKED while another holds it, CLOSED when it was released before it was had. */
  async acquire(account: string, owner: string): Promise<void> {
    const [wallAt, monotonicAt] = [this.#clock.now(), this.#clock.monotonic()];
    const lease = await this.#journal.acquire(account, owner, this.#leaseMs);
    if (this.#isReleased) {
      await lease.release();
      throw new TradingError('CLOSED', 'The trading client was closed while it took the writer lease, and has given it back.');
    }
    this.#lease = lease;
    this.#wallAt = wallAt;
    this.#monotonicAt = monotonicAt;
    lease.lost.addEventListener('abort', () => this.#lose(lease, lease.lost.reason), { once: true });
    this.#arm();
  }

  /** Whether it certainly holds at this moment. */
  get isHeld(): boolean {
    if (this.#lease === undefined) return false;
    const elapsed = Math.max(this.#clock.now() - this.#wallAt, this.#clock.monotonic() - this.#monotonicAt);
    return elapsed < this.#leaseMs;
  }

  /** Makes sure that it holds, renewing it where its time may be up. @throws TradingError JOURNAL_LOCKED when it is gone. */
  async ensure(): Promise<void> {
    if (this.isHeld) return;
    await this.#renew();
    if (!this.isHeld)
      throw new TradingError('JOURNAL_LOCKED', 'The writer lease could not be renewed in time, so nothing was sent.', { retryable: true });
  }

  async release(): Promise<void> {
    const lease = this.#lease;
    this.#lease = undefined;
    this.#isReleased = true;
    this.#timer?.[Symbol.dispose]();
    await lease?.release();
  }

  #arm(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = this.#clock.schedule(this.#leaseMs / 3, () => {
      this.#renew().then(
        () => this.#lease !== undefined && this.#arm(),
        () => this.#lease !== undefined && this.#arm(),
      );
    });
  }

  #renew(): Promise<void> {
    this.#renewing ??= this.#renewNow().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renewNow(): Promise<void> {
    const lease = this.#lease;
    if (lease === undefined) throw new TradingError('JOURNAL_LOCKED', 'The writer lease is not held.');
    const [wallAt, monotonicAt] = [this.#clock.now(), this.#clock.monotonic()];
    try {
      await lease.renew();
    } catch (error) {
      if ((error as { code?: unknown }).code === 'JOURNAL_LOCKED') this.#lose(lease, error);
      else this.#logger.warn({ error }, 'the writer lease could not be renewed; nothing is sent once its time is up');
      throw error;
    }
    this.#wallAt = wallAt;
    this.#monotonicAt = monotonicAt;
  }

  #lose(lease: WriterLease, reason: unknown): void {
    if (this.#lease !== lease) return;
    this.#lease = undefined;
    this.#timer?.[Symbol.dispose]();
    this.#onLost(
      new TradingError('JOURNAL_LOCKED', `The writer lease is lost, so nothing more is sent: ${asError(reason).message}`, { cause: reason }),
    );
  }
}
