import { type LeaseRow, lockedError } from '../shared/lease-row.js';
import { identify, isCertainlyDead, type ProcessIdentity, type ProcessTable } from '../shared/process-identity.js';
import type { SqliteDatabase, SqliteStatement } from './driver.js';

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
