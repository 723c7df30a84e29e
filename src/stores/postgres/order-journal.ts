import type { Bus } from '../../contracts/events.js';
import type { JournalRecord, OrderJournal, WriterLease } from '../../contracts/journal.js';
import { TradingError } from '../../contracts/trading-error.js';
import { type Clock, systemClock } from '../../core/clock.js';
import { type Logger, redactingLogger } from '../../core/logger.js';
import { requireKnown, requireMethods, requireNonNegative, requirePositive, requireText } from '../../core/options.js';
import { encodeRecord } from '../shared/encoded-record.js';
import { JournalLease } from '../shared/journal-lease.js';
import { type LeaseRow, refusalOf } from '../shared/lease-row.js';
import { procTable } from '../shared/process-identity.js';
import { type Authority, CommitQueue } from './commit-queue.js';
import { PostgresDatabase } from './database.js';
import { warnOfWeakDurability } from './durability.js';
import { LeaseTable } from './lease-table.js';
import { migrate, requireSchemaName } from './migrations.js';
import { ORDER_JOURNAL_SCHEMA } from './order-journal-schema.js';
import { PostgresError, type PostgresFailure } from './postgres-error.js';
import type { PostgresPool } from './postgres-pool.js';
import { RecordTable } from './record-table.js';
import { requireStorableText } from './storable-text.js';

/** How {@link postgresOrderJournal} opens a journal. */
export interface PostgresOrderJournalOptions {
  /** Where the tables are; made when absent. @defaultValue 'venuekit' */
  readonly schema?: string;
  /** How long one statement may take, its connection included, before it counts as failed. @defaultValue 5_000 */
  readonly timeoutMs?: number;
  /**
   * How long an intent that ended keeps its final view after compaction has shrunk it: for so long
   * does its id, placed again, give the old order. @defaultValue 90 days
   */
  readonly retentionMs?: number;
  /** Hears of settings of the server with which a commit may be lost. */
  readonly bus?: Bus;
  /** @defaultValue systemClock */
  readonly clock?: Clock;
  /** @defaultValue silence */
  readonly logger?: Logger;
}

const OPTIONS = ['schema', 'timeoutMs', 'retentionMs', 'bus', 'clock', 'logger'] as const;
const NINETY_DAYS_MS = 90 * 24 * 3_600_000;
// Intents that compaction shrinks in one transaction: some milliseconds.
const COMPACTION_STEP = 200;
const MAY_SUCCEED_LATER: readonly PostgresFailure[] = ['unreachable', 'timeout', 'full'];

/**
 * Opens an order journal in PostgreSQL, on the host's own pool: an append is durable when it resolves,
 * concurrent ones share a commit, and one client of all hosts writes an account at a time. The pool
 * stays the host's to end, and needs two connections at least: one for appends, one for the lease.
 *
 * @throws TradingError JOURNAL when the server can't be reached, may not be used, or holds a journal of a newer version.
 * @example
 * const pool = new pg.Pool({ connectionString });
 * await using journal = await postgresOrderJournal(pool);
 * const client = new ResilientTradingClient({ adapter, journal });
 */
export function postgresOrderJournal(pool: PostgresPool, options: PostgresOrderJournalOptions = {}): Promise<PostgresOrderJournal> {
  return PostgresOrderJournal.open(pool, options);
}

/** See {@link postgresOrderJournal}. */
export class PostgresOrderJournal implements OrderJournal {
  readonly #database: PostgresDatabase;
  readonly #clock: Clock;
  readonly #retentionMs: number;
  readonly #records: RecordTable;
  readonly #leases: LeaseTable;
  readonly #commits: CommitQueue;
  readonly #held = new Set<JournalLease>();
  #closing: Promise<void> | undefined;

  private constructor(database: PostgresDatabase, schema: string, clock: Clock, retentionMs: number) {
    this.#database = database;
    this.#clock = clock;
    this.#retentionMs = retentionMs;
    this.#records = new RecordTable(database, schema);
    this.#leases = new LeaseTable(database, schema, procTable);
    this.#commits = new CommitQueue({ commit: (batch) => this.#records.add(batch), refusal: (records) => this.#refusal(records) });
  }

  /** @internal Use {@link postgresOrderJournal}. */
  static async open(pool: PostgresPool, options: PostgresOrderJournalOptions): Promise<PostgresOrderJournal> {
    requireKnown('postgresOrderJournal', options, OPTIONS);
    const { schema = 'venuekit', timeoutMs = 5_000, retentionMs = NINETY_DAYS_MS, bus, clock = systemClock, logger } = options;
    requireSchemaName(schema);
    requirePositive('timeoutMs', timeoutMs);
    requirePositive('retentionMs', retentionMs);
    requireMethods('clock', clock, ['now', 'monotonic', 'schedule']);
    const database = new PostgresDatabase(pool, clock, timeoutMs);
    try {
      await migrate(database, schema, ORDER_JOURNAL_SCHEMA);
      await warnOfWeakDurability(database, bus, redactingLogger(logger));
      return new PostgresOrderJournal(database, schema, clock, retentionMs);
    } catch (error) {
      database.close();
      throw toJournalError(error);
    }
  }

  /** @throws TradingError JOURNAL_LOCKED while another client holds the account, naming it. */
  async acquire(account: string, owner: string, ttlMs: number): Promise<WriterLease> {
    requireStorableText('account', account);
    requireStorableText('owner', owner);
    requirePositive('ttlMs', ttlMs);
    const epoch = await this.#try(() => this.#leases.take(account, owner, ttlMs));
    const lease = new JournalLease(account, epoch, ttlMs, this.#clock, {
      renew: () => this.#try(() => this.#leases.renew(account, epoch, ttlMs)),
      isHeld: async () => (await this.#leases.find(account)).row?.epoch === epoch,
      release: () => this.#tryClosing(() => this.#leases.release(account, epoch)),
      onOver: () => this.#held.delete(lease),
    });
    this.#held.add(lease);
    return lease;
  }

  async append(records: readonly Omit<JournalRecord, 'sequence'>[]): Promise<void> {
    this.#requireOpen();
    const encoded = records.map(encodeRecord);
    for (const { account, intentId, type } of encoded) {
      requireStorableText('account', account);
      requireStorableText('intentId', intentId);
      requireStorableText('type', type);
    }
    if (encoded.length > 0) await this.#try(() => this.#commits.submit(encoded));
  }

  async byIntent(intentId: string): Promise<readonly JournalRecord[]> {
    requireText('intentId', intentId);
    return this.#try(() => this.#records.byIntent(intentId));
  }

  async *unresolved(account: string): AsyncIterable<readonly JournalRecord[]> {
    requireText('account', account);
    yield* this.#walk(this.#records.walk({ account }));
  }

  /** The records of every intent of every account, ended ones included, an intent at a time in the order of their first records. */
  async *intents(): AsyncIterable<readonly JournalRecord[]> {
    yield* this.#walk(this.#records.walk('all'));
  }

  /** Who holds or held which account; times are the server's. */
  leases(): Promise<readonly LeaseRow[]> {
    return this.#try(() => this.#leases.all());
  }

  cursor(account: string, name: string): Promise<number | undefined> {
    return this.#try(() => this.#records.cursor(account, name));
  }

  async setCursor(account: string, name: string, venueMs: number, epoch: number): Promise<void> {
    requireText('account', account);
    requireStorableText('name', name);
    requireNonNegative('venueMs', venueMs);
    this.#requireOpen();
    const isSet = await this.#try(() => this.#commits.alone(() => this.#records.setCursor(account, name, venueMs, epoch)));
    if (!isSet) throw await this.#refusal([{ account, epoch }]);
  }

  async compact(account: string, before: number, epoch: number): Promise<number> {
    requireText('account', account);
    let shrunk = 0;
    // In steps, so that appends get their turn in between.
    for (let count = COMPACTION_STEP; count === COMPACTION_STEP; shrunk += count) {
      count = await this.#compactionStep(account, epoch, () => this.#records.shrink(account, epoch, before, COMPACTION_STEP));
    }
    for (let count = COMPACTION_STEP; count === COMPACTION_STEP; ) {
      count = await this.#compactionStep(account, epoch, () => this.#records.forget(account, epoch, before - this.#retentionMs, COMPACTION_STEP));
    }
    return shrunk;
  }

  /** Finishes what is being written and releases every lease; the pool stays open. Closing twice is fine. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#commits.drain();
    try {
      // One that can't be released because the server is away ends at its time.
      await Promise.allSettled([...this.#held].map((lease) => lease.release(closedError())));
    } finally {
      this.#database.close();
    }
  }

  async #compactionStep(account: string, epoch: number, step: () => Promise<number | undefined>): Promise<number> {
    this.#requireOpen();
    const count = await this.#try(() => this.#commits.alone(step));
    if (count === undefined) throw await this.#refusal([{ account, epoch }]);
    return count;
  }

  async *#walk(records: AsyncIterable<readonly JournalRecord[]>): AsyncIterable<readonly JournalRecord[]> {
    this.#requireOpen();
    try {
      yield* records;
    } catch (error) {
      throw toJournalError(error);
    }
  }

  /** Why nothing was written under these; ends our own leases that turn out to be gone. */
  async #refusal(under: readonly Authority[]): Promise<TradingError> {
    for (const { account, epoch } of under) {
      const refusal = refusalOf(account, epoch, (await this.#leases.find(account)).row);
      if (refusal === undefined) continue;
      for (const lease of [...this.#held]) if (lease.account === account && lease.epoch === epoch) lease.end(refusal);
      return refusal;
    }
    return new TradingError('JOURNAL', 'The order journal was written by a later commit of this process, so an earlier one was dropped.', {
      retryable: true,
    });
  }

  #try<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(closedError());
    return this.#tryClosing(work);
  }

  async #tryClosing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw toJournalError(error);
    }
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) throw closedError();
  }
}

function closedError(): TradingError {
  return new TradingError('CLOSED', 'The order journal is closed.');
}

/** As an error of the order path: with the server back, or with room on its disk, the same call may succeed. */
function toJournalError(thrown: unknown): unknown {
  if (!(thrown instanceof PostgresError)) return thrown;
  return new TradingError('JOURNAL', `Order journal: ${thrown.message}`, { cause: thrown, retryable: MAY_SUCCEED_LATER.includes(thrown.failure) });
}
