import type { Bus } from '../contracts/events.js';
import type { JournalRecord, OrderJournal } from '../contracts/journal.js';
import { TradingError } from '../contracts/trading-error.js';
import type { Clock } from '../core/clock.js';
import { isVenueKitError } from '../core/errors.js';
import { type Logger, redactError, redactText } from '../core/logger.js';
import type { Entry } from './order-entry.js';

/** How long evidence may wait for company: a commit of its own would stand in the way of the next order's. */
const NOTE_DELAY_MS = 5;
const RETRY_MS = 1_000;

type Unwritten = Omit<JournalRecord, 'sequence'>;

/**
 * Writes entries in the order in which they are handed over.
 *
 * `append` is for what must be durable before something is done. `note` is for evidence: it may be
 * lost in a crash, since the venue can be asked again, but a full disk must not lose it, so what
 * could not be written goes before the next write.
 */
export class JournalWriter {
  readonly #journal: OrderJournal;
  readonly #account: string;
  readonly #clock: Clock;
  readonly #bus: Bus;
  readonly #logger: Logger;
  #epoch = 0;
  #owed: Unwritten[] = [];
  /** How much evidence of each intent is not durable yet, whether it waits or is on its way. */
  readonly #undurable = new Map<string, number>();
  #batch: Unwritten[] = [];
  #timer: Disposable | undefined;
  #latest: Promise<void> = Promise.resolve();

  constructor(parts: {
    readonly journal: OrderJournal;
    readonly account: string;
    readonly clock: Clock;
    readonly bus: Bus;
    readonly logger: Logger;
  }) {
    this.#journal = parts.journal;
    this.#account = parts.account;
    this.#clock = parts.clock;
    this.#bus = parts.bus;
    this.#logger = parts.logger;
  }

  /** Records from now on carry this epoch. */
  begin(epoch: number): void {
    this.#epoch = epoch;
  }

  /** How many records wait for a disk that takes them. */
  get owed(): number {
    return this.#owed.length;
  }

  /** @throws TradingError JOURNAL (or JOURNAL_LOCKED, when another writer has taken over) when they could not be made durable. */
  append(intentId: string, entries: readonly Entry[]): Promise<void> {
    const records = [...this.#takeNoted(), ...entries.map((entry) => this.#record(intentId, entry))];
    return this.#write(records, entries.length);
  }

  /** Writes soon, together with what else is noted meanwhile, and with the next append if that comes first. */
  note(intentId: string, entry: Entry): void {
    this.#batch.push(this.#record(intentId, entry));
    this.#undurable.set(intentId, (this.#undurable.get(intentId) ?? 0) + 1);
    this.#arm(NOTE_DELAY_MS);
  }

  /**
   * Resolves when all that was noted, of one intent or of all, is durable.
   * @throws TradingError JOURNAL when it can't be written.
   */
  async flush(intentId?: string): Promise<void> {
    // What is on its way may come back, and be taken along by another write, before it is durable.
    while (intentId === undefined ? this.#undurable.size > 0 : this.#undurable.has(intentId)) {
      if (this.#owed.length > 0 || this.#batch.length > 0) await this.#write(this.#takeNoted(), 0);
      else await this.#latest.catch(() => {});
    }
  }

  /** Resolves with whether all that has been noted so far is durable; what is noted meanwhile is not waited for. */
  async flushNoted(): Promise<boolean> {
    const records = this.#takeNoted();
    await (records.length > 0 ? this.#write(records, 0) : this.#latest).catch(() => {});
    // What an earlier write could not make durable is owed again.
    return this.#owed.length === 0;
  }

  #arm(ms: number): void {
    this.#timer ??= this.#clock.schedule(ms, () => {
      this.#timer = undefined;
      const records = this.#takeNoted();
      if (records.length > 0) this.#write(records, 0).catch(() => {});
    });
  }

  #takeNoted(): Unwritten[] {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    if (this.#owed.length === 0 && this.#batch.length === 0) return [];
    const records = this.#owed.length === 0 ? this.#batch : [...this.#owed, ...this.#batch];
    this.#owed = [];
    this.#batch = [];
    return records;
  }

  // Commits are made in order, so the latest one's end is the end of all.
  #write(records: Unwritten[], promised: number): Promise<void> {
    const written = this.#commit(records, promised);
    this.#latest = written;
    return written;
  }

  // The last `promised` records are the caller's; the evidence before them is kept when the write fails.
  async #commit(records: Unwritten[], promised: number): Promise<void> {
    const start = this.#clock.monotonic();
    try {
      await this.#journal.append(records);
    } catch (cause) {
      this.#owed.unshift(...records.slice(0, records.length - promised));
      this.#logger.error({ error: cause, owed: this.#owed.length }, 'the order journal could not be written');
      const error = journalError(cause);
      // A disk that is full now may not be so in a while; another writer stays.
      if (error.code === 'JOURNAL' && this.#owed.length > 0) this.#arm(RETRY_MS);
      throw error;
    }
    for (let i = 0; i < records.length - promised; i++) this.#settle((records[i] as Unwritten).intentId);
    if (this.#bus.has('journal.append')) this.#bus.emit('journal.append', { records: records.length, ms: this.#clock.monotonic() - start });
  }

  #settle(intentId: string): void {
    const left = (this.#undurable.get(intentId) ?? 0) - 1;
    if (left > 0) this.#undurable.set(intentId, left);
    else this.#undurable.delete(intentId);
  }

  #record(intentId: string, { type, at, body }: Entry): Unwritten {
    return { account: this.#account, intentId, at, epoch: this.#epoch, type, body };
  }
}

/** The journal's failure as a TradingError: its own codes are kept. */
export function journalError(cause: unknown): TradingError {
  if (isVenueKitError(cause) && (cause.code === 'JOURNAL_LOCKED' || cause.code === 'CLOSED')) {
    return new TradingError(cause.code, redactText(cause.message), { cause });
  }
  // Databases name their address in errors, credentials included.
  const why = redactText(cause instanceof Error ? redactError(cause).message : String(cause));
  return new TradingError('JOURNAL', `The order journal could not be written, so nothing was sent: ${why}`, { cause, retryable: true });
}
