import { type LeaseRow, lockedError } from '../shared/lease-row.js';
import { identify, isCertainlyDead, type ProcessIdentity, type ProcessTable } from '../shared/process-identity.js';
import type { PostgresDatabase } from './database.js';
import type { PostgresRow } from './postgres-pool.js';

const COLUMNS = 'account, epoch, owner, extract(epoch FROM expires_at) * 1000 AS expires_at, holder';

/** The leases of a journal. Their time is the server's, which all hosts share. */
export class LeaseTable {
  readonly #database: PostgresDatabase;
  readonly #processes: ProcessTable;
  readonly #table: string;

  constructor(database: PostgresDatabase, schema: string, processes: ProcessTable) {
    this.#database = database;
    this.#processes = processes;
    this.#table = `${schema}.lease`;
  }

  /** @throws TradingError JOURNAL_LOCKED while somebody else holds it. */
  async take(account: string, owner: string, ttlMs: number): Promise<number> {
    const epoch = await this.#put(account, owner, ttlMs, -1);
    if (epoch !== undefined) return epoch;
    const { row, now } = await this.find(account);
    if (row?.holder !== undefined && !isCertainlyDead(row.holder, this.#processes)) throw lockedError(row, now);
    // Freed meanwhile, or of a dead process: in place of that very lease only.
    const taken = await this.#put(account, owner, ttlMs, row?.epoch ?? -1);
    if (taken !== undefined) return taken;
    const after = await this.find(account);
    throw lockedError(after.row ?? { account, epoch: 0, owner: 'another client', expiresAt: after.now }, after.now);
  }

  /** False when the lease is no longer that of `epoch`. */
  async renew(account: string, epoch: number, ttlMs: number): Promise<boolean> {
    const text = `UPDATE ${this.#table} SET expires_at = clock_timestamp() + $3 * interval '1 millisecond' WHERE account = $1 AND epoch = $2 AND holder IS NOT NULL RETURNING 1`;
    return (await this.#database.query('renew a lease', text, [account, epoch, ttlMs])).length === 1;
  }

  async release(account: string, epoch: number): Promise<void> {
    const text = `UPDATE ${this.#table} SET expires_at = '-infinity', holder = NULL WHERE account = $1 AND epoch = $2`;
    await this.#database.query('release a lease', text, [account, epoch]);
  }

  /** @returns the lease, and the server's time in epoch ms */
  async find(account: string): Promise<{ readonly row: LeaseRow | undefined; readonly now: number }> {
    const text = `SELECT now.now, lease.* FROM (SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now) AS now
      LEFT JOIN (SELECT ${COLUMNS} FROM ${this.#table} WHERE account = $1) AS lease ON true`;
    const [row] = await this.#database.query('read a lease', text, [account]);
    return { row: row === undefined || row.account === null ? undefined : toLease(row), now: Number(row?.now) };
  }

  async all(): Promise<readonly LeaseRow[]> {
    return (await this.#database.query('read the leases', `SELECT ${COLUMNS} FROM ${this.#table} ORDER BY account`)).map(toLease);
  }

  /** Takes what is free, or is the lease of `dead`. */
  async #put(account: string, owner: string, ttlMs: number, dead: number): Promise<number | undefined> {
    const text = `INSERT INTO ${this.#table} AS old (account, epoch, owner, expires_at, holder)
      VALUES ($1, 1, $2, clock_timestamp() + $3 * interval '1 millisecond', $4)
      ON CONFLICT (account) DO UPDATE SET epoch = old.epoch + 1, owner = excluded.owner, expires_at = excluded.expires_at, holder = excluded.holder, written = 0
      WHERE old.holder IS NULL OR old.expires_at <= clock_timestamp() OR old.epoch = $5
      RETURNING epoch`;
    const [row] = await this.#database.query('take a lease', text, [account, owner, ttlMs, JSON.stringify(identify(this.#processes)), dead]);
    return row === undefined ? undefined : Number(row.epoch);
  }
}

function toLease(row: PostgresRow): LeaseRow {
  return {
    account: String(row.account),
    epoch: Number(row.epoch),
    owner: String(row.owner),
    expiresAt: Number(row.expires_at),
    ...(typeof row.holder === 'string' && { holder: JSON.parse(row.holder) as ProcessIdentity }),
  };
}
