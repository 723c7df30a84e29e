import type { JournalRecord, OrderJournal, WriterLease } from '../../contracts/journal.js';
import { TradingError } from '../../contracts/trading-error.js';
import { type Clock, systemClock } from '../../core/clock.js';
import { requireKnown, requireMethods, requireNonNegative, requireOneOf, requirePositive, requireText } from '../../core/options.js';
import { encodeRecord } from '../shared/encoded-record.js';
import { JournalLease } from '../shared/journal-lease.js';
import { type LeaseRow, refusalOf } from '../shared/lease-row.js';
import { procTable } from '../shared/process-identity.js';
import { openSqlite, type SqliteDatabase, type SqliteError, type SqliteStatement } from './driver.js';
import { findDamage } from './find-damage.js';
import { GroupCommit } from './group-commit.js';
import { closedError, journalError } from './journal-error.js';
import { LeaseTable } from './lease-table.js';
import { ORDER_JOURNAL_SCHEMA } from './order-journal-schema.js';
import { RecordTable } from './record-table.js';
import { WalSync } from './wal-sync.js';

/** How a {@link SqliteOrderJournal} is opened. */
export interface SqliteOrderJournalOptions {
  /** The file, on a local disk; made when absent, unless `readOnly`. */
  readonly path: string;
  /** For looking at the journal of a running bot: writes nothing and takes no lease. @defaultValue false */
  readonly readOnly?: boolean;
  /**
   * `full`: an append is on the disk when it resolves. `normal`: it survives a crash or kill of the
   * process, and a power loss may take the newest ones. @defaultValue 'full'
   */
  readonly synchronous?: 'full' | 'normal';
  /**
   * How long an intent that ended keeps its final view after compaction has shrunk it: for so long
   * does its id, placed again, give the old order. @defaultValue 90 days
   */
  readonly retentionMs?: number;
  /** @defaultValue systemClock */
  readonly clock?: Clock;
}

const OPTIONS = ['path', 'readOnly', 'synchronous', 'retentionMs', 'clock'] as const;
const NINETY_DAYS_MS = 90 * 24 * 3_600_000;
// Intents that compaction shrinks in one transaction: about 5 ms.
const COMPACTION_STEP = 200;

/** What a write claims to be allowed by. */
interface Authority {
  readonly account: string;
  readonly epoch: number;
}

/**
 * An order journal in one SQLite file: an append is durable when it resolves, concurrent ones share a
 * commit, and one client writes an account at a time.
 *
 * @example
 * await using journal = await SqliteOrderJournal.open({ path: 'orders.db' });
 * const client = new ResilientTradingClient({ adapter, journal });
 */
export class SqliteOrderJournal implements OrderJournal {
  readonly #database: SqliteDatabase;
  readonly #clock: Clock;
  readonly #retentionMs: number;
  readonly #records: RecordTable;
  readonly #leases: LeaseTable;
  readonly #wal: WalSync;
  readonly #commits: GroupCommit;
  readonly #held = new Set<JournalLease>();
  readonly #getCursor: SqliteStatement;
  readonly #putCursor: SqliteStatement;
  /** Leases as the running transaction sees them. */
  readonly #leasesSeen = new Map<string, LeaseRow | undefined>();
  #closing: Promise<void> | undefined;

  private constructor(database: SqliteDatabase, { synchronous = 'full', retentionMs, clock = systemClock }: SqliteOrderJournalOptions) {
    this.#database = database;
    this.#clock = clock;
    this.#retentionMs = retentionMs ?? NINETY_DAYS_MS;
    this.#records = new RecordTable(database);
    this.#leases = new LeaseTable(database, procTable);
    this.#getCursor = database.prepare('SELECT venue_ms FROM cursor WHERE account = ? AND name = ?');
    this.#putCursor = database.prepare('INSERT INTO cursor VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET venue_ms = excluded.venue_ms');
    this.#wal = new WalSync(database.path, synchronous === 'full');
    this.#commits = new GroupCommit({
      database,
      wal: this.#wal,
      toError: journalError,
      onBegin: () => this.#leasesSeen.clear(),
    });
  }

  /**
   * @throws TradingError JOURNAL when the file can't be opened, is no journal, is damaged, or is of a
   * newer version; VenueKitError MISSING_PEER where there is no SQLite.
   */
  static async open(options: SqliteOrderJournalOptions): Promise<SqliteOrderJournal> {
    requireKnown('SqliteOrderJournal.open', options, OPTIONS);
    requireOneOf('synchronous', options.synchronous ?? 'full', ['full', 'normal']);
    if (options.retentionMs !== undefined) requirePositive('retentionMs', options.retentionMs);
    if (options.clock !== undefined) requireMethods('clock', options.clock, ['now', 'monotonic', 'schedule']);
    const { path, readOnly = false } = options;
    try {
      // `normal`, for `full` is kept by WalSync, off this thread.
      const database = await openSqlite({ path, schema: ORDER_JOURNAL_SCHEMA, readOnly, synchronous: 'normal' });
      return new SqliteOrderJournal(database, options);
    } catch (error) {
      throw journalError(error);
    }
  }

  get path(): string {
    return this.#database.path;
  }

  /** @throws TradingError JOURNAL_LOCKED while another client holds the account, naming it. */
  async acquire(account: string, owner: string, ttlMs: number): Promise<WriterLease> {
    requireText('account', account);
    requireText('owner', owner);
    requirePositive('ttlMs', ttlMs);
    const epoch = this.#write(() => this.#leases.take(account, owner, ttlMs, this.#clock.now()));
    const lease = new JournalLease(account, epoch, ttlMs, this.#clock, {
      renew: () => this.#write(() => this.#leases.renew(account, epoch, this.#clock.now() + ttlMs)),
      isHeld: () => this.#read(() => this.#leases.find(account)?.epoch === epoch),
      release: () => this.#write(() => this.#leases.release(account, epoch)),
      onOver: () => this.#held.delete(lease),
    });
    this.#held.add(lease);
    try {
      // The epoch must not be given again after a power loss.
      await this.#wal.sync();
    } catch (error) {
      await lease.release();
      throw journalError(error);
    }
    return lease;
  }

  async append(records: readonly Omit<JournalRecord, 'sequence'>[]): Promise<void> {
    this.#requireOpen();
    const encoded = records.map(encodeRecord);
    if (encoded.length === 0) return;
    await this.#commit(encoded, () => this.#records.add(encoded));
  }

  async byIntent(intentId: string): Promise<readonly JournalRecord[]> {
    requireText('intentId', intentId);
    return this.#read(() => this.#records.byIntent(intentId));
  }

  async *unresolved(account: string): AsyncIterable<readonly JournalRecord[]> {
    requireText('account', account);
    const newest = this.#read(() => this.#records.newest());
    yield* this.#walk((after) => this.#records.nextUnresolved(account, after, newest));
  }

  /** The records of every intent of every account, ended ones included, an intent at a time in the order of their first records. */
  async *intents(): AsyncIterable<readonly JournalRecord[]> {
    const newest = this.#read(() => this.#records.newest());
    yield* this.#walk((after) => this.#records.next(after, newest));
  }

  /** Who holds or held which account. */
  async leases(): Promise<readonly LeaseRow[]> {
    return this.#read(() => this.#leases.all());
  }

  async cursor(account: string, name: string): Promise<number | undefined> {
    const row = this.#read(() => this.#getCursor.get(account, name));
    return row === undefined ? undefined : Number(row.venue_ms);
  }

  async setCursor(account: string, name: string, venueMs: number, epoch: number): Promise<void> {
    requireText('account', account);
    requireText('name', name);
    requireNonNegative('venueMs', venueMs);
    this.#requireOpen();
    await this.#commit([{ account, epoch }], () => this.#putCursor.run(account, name, venueMs));
  }

  async compact(account: string, before: number, epoch: number): Promise<number> {
    requireText('account', account);
    this.#requireOpen();
    const step = (work: () => number): Promise<number> => this.#compactionStep(account, epoch, work);
    let shrunk = 0;
    // In steps, so that appends get their turn in between.
    for (let count = COMPACTION_STEP; count === COMPACTION_STEP; shrunk += count) {
      count = await step(() => this.#records.shrink(account, before, COMPACTION_STEP));
    }
    for (let count = COMPACTION_STEP; count === COMPACTION_STEP; ) {
      count = await step(() => this.#records.forget(account, before - this.#retentionMs, COMPACTION_STEP));
    }
    return shrunk;
  }

  async #compactionStep(account: string, epoch: number, work: () => number): Promise<number> {
    let count = 0;
    await this.#commit([{ account, epoch }], () => {
      count = work();
    });
    return count;
  }

  /**
   * Looks the whole file over, which takes about a second for each gigabyte.
   * @returns what is wrong with it; empty when it is sound
   */
  async integrity(): Promise<readonly string[]> {
    try {
      return this.#read(() => findDamage(this.#database));
    } catch (error) {
      // Too damaged even to be looked over.
      if (((error as Error).cause as SqliteError | undefined)?.failure === 'corrupt') return [(error as Error).message];
      throw error;
    }
  }

  /** Finishes what is being written, releases every lease and closes the file. Closing twice is fine. */
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
      for (const lease of [...this.#held]) await lease.release(closedError(this.path));
    } finally {
      this.#wal.close();
      this.#database.close();
    }
  }

  async *#walk(next: (after: number) => number | undefined): AsyncIterable<readonly JournalRecord[]> {
    for (let id = this.#read(() => next(0)); id !== undefined; ) {
      const row = id;
      const records = this.#read(() => this.#records.ofRow(row));
      // Empty when it was forgotten since.
      if (records.length > 0) yield records;
      id = this.#read(() => next(row));
    }
  }

  async #commit(under: readonly Authority[], write: () => void): Promise<void> {
    try {
      await this.#commits.submit({ refuse: () => this.#refusal(under), write });
    } catch (error) {
      if (error instanceof TradingError && error.code === 'JOURNAL_LOCKED') this.#endLeases(under, error);
      throw error;
    }
  }

  // In the transaction that writes: nobody can take the account over between the check and the commit.
  #refusal(under: readonly Authority[]): TradingError | undefined {
    for (const { account, epoch } of under) {
      if (!this.#leasesSeen.has(account)) this.#leasesSeen.set(account, this.#leases.find(account));
      const refusal = refusalOf(account, epoch, this.#leasesSeen.get(account));
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  #endLeases(under: readonly Authority[], reason: TradingError): void {
    for (const lease of [...this.#held]) {
      if (under.some(({ account, epoch }) => lease.account === account && lease.epoch === epoch)) lease.end(reason);
    }
  }

  #write<T>(work: () => T): T {
    this.#requireUsable();
    try {
      return this.#database.write(work);
    } catch (error) {
      throw journalError(error);
    }
  }

  #read<T>(work: () => T): T {
    this.#requireUsable();
    try {
      return this.#database.read(work);
    } catch (error) {
      throw journalError(error);
    }
  }

  // While it is closing, leases are still released.
  #requireUsable(): void {
    if (this.#database.isClosed) throw closedError(this.path);
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) throw closedError(this.path);
  }
}
