import { TradingError } from '../../contracts/trading-error.js';
import type { ProcessIdentity } from './process-identity.js';

/** Who may write for an account, as the storage has it. */
export interface LeaseRow {
  readonly account: string;
  readonly epoch: number;
  readonly owner: string;
  /** Epoch ms, our clock. */
  readonly expiresAt: number;
  /** Absent when it was released. */
  readonly holder?: ProcessIdentity;
}

function describe({ owner, holder }: LeaseRow): string {
  return holder === undefined ? owner : `${owner} (process ${holder.pid} on ${holder.host})`;
}

/** What a client is refused with while another holds the account. @param now - epoch ms, on the clock that `expiresAt` is by. */
export function lockedError(row: LeaseRow, now: number): TradingError {
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
