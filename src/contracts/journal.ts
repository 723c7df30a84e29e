/** One line of an order's history. */
export interface JournalRecord {
  readonly sequence: number;
  readonly account: string;
  readonly intentId: string;
  /** Epoch ms, our clock. */
  readonly at: number;
  /** Of the writer's lease. */
  readonly epoch: number;
  readonly type: string;
  /** JSON-serialisable. */
  readonly body: unknown;
}

/** The right to write for one account, for as long as it is renewed. */
export interface WriterLease extends AsyncDisposable {
  /** Higher than that of every earlier lease of the account: the storage refuses lower ones. */
  readonly epoch: number;
  renew(): Promise<void>;
  release(): Promise<void>;
  /** Aborts when the lease is no longer held. */
  readonly lost: AbortSignal;
}

/** Where intents, attempts and evidence are kept, so that a crash forgets nothing. */
export interface OrderJournal extends AsyncDisposable {
  /** The file that it is kept in, where it is one. */
  readonly path?: string;
  /**
   * One writer per account. The holder renews within `ttlMs` (the client uses 5 s); a lease ends
   * with close or dispose, at its ttl, or at once when its holder is a dead process of this host.
   * @throws TradingError JOURNAL_LOCKED while another holds it (a kit's own second client included).
   */
  acquire(account: string, owner: string, ttlMs: number): Promise<WriterLease>;
  /**
   * Resolves only when durable; concurrent appends share a commit; rejects a stale epoch. Every send
   * has its own durable record before it; `prepared` and the first `sending` may share one append.
   */
  append(records: readonly Omit<JournalRecord, 'sequence'>[]): Promise<void>;
  /** The records of an intent in any account, oldest first; a compacted one has its `settled` record alone. */
  byIntent(intentId: string): Promise<readonly JournalRecord[]>;
  /** The records of every intent that is not over (see `SETTLED` in journal-records.ts), an intent at a time, oldest record first. */
  unresolved(account: string): AsyncIterable<readonly JournalRecord[]>;
  cursor(account: string, name: string): Promise<number | undefined>;
  setCursor(account: string, name: string, venueMs: number, epoch: number): Promise<void>;
  /** Shrinks what ended before that time (our clock) to its `settled` record: id, payload hash and final view; gives the number of intents. */
  compact(account: string, before: number, epoch: number): Promise<number>;
}
