import { TradingError } from '../../contracts/trading-error.js';
import type { SqliteDatabase, SqliteStatement } from './driver.js';
import { identify, isCertainlyDead, type ProcessIdentity, type ProcessTable } from './process-identity.js';

/** Who may write for an account, as the file has it. */
export interface LeaseRow {
  readonly account: string;
  readonly epoch: number;
  readonly owner: string;
  /** Epoch ms, our clock. */
  readonly expiresAt: number;
  /** Absent when it was released. */
  readonly holder?: ProcessIdentity;
}

/** The leases in the file. Its methods run inside a transaction of the caller. */
export class LeaseTable {
  readonly #processes: ProcessTable;
  readonly #select: SqliteStatement;
  readonly #put: SqliteStatement;
  readonly #extend: SqliteStatement;
  readonly #end: SqliteStatement;
  readonly #list: SqliteStatement;

  constructor(database: SqliteDatabase, processes: ProcessTable) {
    this.#processes = processes;
    this.#select = database.prepare('SELECT account, epoch, owner, expires_at, holder FROM lease WHERE account = ?');
    this.#list = database.prepare('SELECT account, epoch, owner, expires_at, holder FROM lease ORDER BY account');
    this.#put = database.prepare(
      `INSERT INTO lease (account, epoch, owner, expires_at, holder) VALUES (?, ?, ?, ?, ?) ON CONFLICT (account)
       DO UPDATE SET epoch = excluded.epoch, owner = excluded.owner, expires_at = excluded.expires_at, holder = excluded.holder`,
    );
    this.#extend = database.prepare('UPDATE lease SET expires_at = ? WHERE account = ? AND epoch = ? AND holder IS NOT NULL');
    this.#end = database.prepare('UPDATE lease SET expires_at = 0, holder = NULL WHERE account = ? AND epoch = ?');
  }

  /** @throws TradingError JOURNAL_LOCKED while somebody else holds it. */
  take(account: string, owner: string, ttlMs: number, now: number): number {
    const row = this.find(account);
    if (row?.holder !== undefined && row.expiresAt > now && !isCertainlyDead(row.holder, this.#processes)) throw lockedError(row, now);
    const epoch = (row?.epoch ?? 0) + 1;
    this.#put.run(account, epoch, owner, Math.ceil(now + ttlMs), JSON.stringify(identify(this.#processes)));
    return epoch;
  }

  /** False when the lease is no longer that of `epoch`. */
  renew(account: string, epoch: number, expiresAt: number): boolean {
    return Number(this.#extend.run(Math.ceil(expiresAt), account, epoch).changes) === 1;
  }

  release(account: string, epoch: number): void {
    this.#end.run(account, epoch);
  }

  find(account: string): LeaseRow | undefined {
    const row = this.#select.get(account);
    return row === undefined ? undefined : toLease(row);
  }

  all(): LeaseRow[] {
    return this.#list.all().map(toLease);
  }
}

function toLease(row: Readonly<Record<string, unknown>>): LeaseRow {
  return {
    account: String(row.account),
    epoch: Number(row.epoch),
    owner: String(row.owner),
    expiresAt: Number(row.expires_at),
    ...(typeof row.holder === 'string' && { holder: JSON.parse(row.holder) as ProcessIdentity }),
  };
}

function describe({ owner, holder }: LeaseRow): string {
  return holder === undefined ? owner : `${owner} (process ${holder.pid} on ${holder.host})`;
}

function lockedError(row: LeaseRow, now: number): TradingError {
  const until = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium', timeZone: 'UTC' }).format(row.expiresAt);
  return new TradingError(
    'JOURNAL_LOCKED',
    `Account ${row.account} is being written by ${describe(row)}, whose lease ends at ${until} UTC unless it is renewed. ` +
      'One client may trade an account at a time: close that one, or wait until its lease has ended.',
    { retryable: true, retryAfterMs: row.expiresAt - now },
  );
}

/** Why a write under `epoch` is refused; undefined when it is the account's current lease. */
export function refusalOf(account: string, epoch: number, row: LeaseRow | undefined): TradingError | undefined {
  if (row?.epoch === epoch && row.holder !== undefined) return undefined;
  const why =
    row === undefined || epoch > row.epoch
      ? 'nobody has acquired it'
      : epoch < row.epoch
        ? `${describe(row)} has taken the account over with epoch ${row.epoch}`
        : 'it has been released';
  return new TradingError('JOURNAL_LOCKED', `The lease of epoch ${epoch} for account ${account} is not held: ${why}. Nothing was written.`);
}
