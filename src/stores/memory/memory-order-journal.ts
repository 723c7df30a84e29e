import type { JournalRecord, OrderJournal, WriterLease } from '../../contracts/journal.js';
import { isSettled } from '../../contracts/journal-records.js';
import { TradingError } from '../../contracts/trading-error.js';
import { type Clock, systemClock } from '../../core/clock.js';
import { requireKnown, requirePositive, requireText } from '../../core/options.js';

interface Holder {
  readonly owner: string;
  readonly epoch: number;
  readonly ttlMs: number;
  readonly lost: AbortController;
  heldUntil: number;
}

/**
 * An {@link OrderJournal} that lives and dies with the process: for tests, simulations, and the
 * first hour of a new bot. It keeps every rule of the contract but the one that a file is for.
 */
export class MemoryOrderJournal implements OrderJournal {
  readonly #clock: Clock;
  readonly #intents = new Map<string, JournalRecord[]>();
  // Per account the intents that are not over, so that a restart does not read them all.
  readonly #open = new Map<string, Set<string>>();
  readonly #settledAt = new Map<string, Map<string, number>>();
  readonly #cursors = new Map<string, number>();
  readonly #holders = new Map<string, Holder>();
  readonly #epochs = new Map<string, number>();
  #sequence = 0;
  #isClosed = false;

  constructor(options: { readonly clock?: Clock } = {}) {
    requireKnown('MemoryOrderJournal', options, ['clock']);
    this.#clock = options.clock ?? systemClock;
  }

  async acquire(account: string, owner: string, ttlMs: number): Promise<WriterLease> {
    this.#requireOpen();
    requireText('account', account);
    requirePositive('ttlMs', ttlMs);
    const current = this.#holders.get(account);
    if (current !== undefined && current.heldUntil > this.#clock.monotonic()) {
      throw new TradingError(
        'JOURNAL_LOCKED',
        `Account "${account}" is written to by "${current.owner}"; one writer at a time keeps orders single.`,
        {
          retryable: true,
          retryAfterMs: current.heldUntil - this.#clock.monotonic(),
        },
      );
    }
    current?.lost.abort(lostTo(owner, account));
    const epoch = (this.#epochs.get(account) ?? 0) + 1;
    this.#epochs.set(account, epoch);
    const holder: Holder = { owner, epoch, ttlMs, lost: new AbortController(), heldUntil: this.#clock.monotonic() + ttlMs };
    this.#holders.set(account, holder);
    return this.#lease(account, holder);
  }

  async append(records: readonly Omit<JournalRecord, 'sequence'>[]): Promise<void> {
    this.#requireOpen();
    for (const record of records) this.#requireEpoch(record.account, record.epoch);
    for (const record of records) this.#keep({ ...record, sequence: ++this.#sequence });
  }

  async byIntent(intentId: string): Promise<readonly JournalRecord[]> {
    this.#requireOpen();
    return [...(this.#intents.get(intentId) ?? [])];
  }

  async *unresolved(account: string): AsyncIterable<readonly JournalRecord[]> {
    this.#requireOpen();
    for (const intentId of [...(this.#open.get(account) ?? [])]) {
      const records = (this.#intents.get(intentId) ?? []).filter((record) => record.account === account);
      if (records.length > 0) yield records;
    }
  }

  async cursor(account: string, name: string): Promise<number | undefined> {
    this.#requireOpen();
    return this.#cursors.get(`${account}\n${name}`);
  }

  async setCursor(account: string, name: string, venueMs: number, epoch: number): Promise<void> {
    this.#requireOpen();
    this.#requireEpoch(account, epoch);
    this.#cursors.set(`${account}\n${name}`, venueMs);
  }

  async compact(account: string, before: number, epoch: number): Promise<number> {
    this.#requireOpen();
    this.#requireEpoch(account, epoch);
    const settled = this.#settledAt.get(account);
    if (settled === undefined) return 0;
    let count = 0;
    for (const [intentId, at] of settled) {
      if (at >= before) continue;
      settled.delete(intentId);
      const records = this.#intents.get(intentId);
      const last = records?.findLast((record) => record.account === account);
      if (records === undefined || last === undefined) continue;
      // In place: another account's records of the same id may lie before and after it.
      this.#intents.set(
        intentId,
        records.filter((record) => record.account !== account || record === last),
      );
      count++;
    }
    return count;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const holder of this.#holders.values()) holder.lost.abort(new TradingError('CLOSED', 'The journal has been closed.'));
    this.#holders.clear();
  }

  #keep(record: JournalRecord): void {
    const { intentId, account } = record;
    const records = this.#intents.get(intentId);
    if (records === undefined) this.#intents.set(intentId, [record]);
    else records.push(record);
    const open = setOf(this.#open, account);
    const settled = mapOf(this.#settledAt, account);
    if (isSettled([record])) {
      open.delete(intentId);
      settled.delete(intentId);
      settled.set(intentId, record.at);
    } else {
      open.add(intentId);
      settled.delete(intentId);
    }
  }

  #lease(account: string, holder: Holder): WriterLease {
    const isHeld = (): boolean => this.#holders.get(account) === holder;
    const release = async (): Promise<void> => {
      if (isHeld()) this.#holders.delete(account);
    };
    return {
      epoch: holder.epoch,
      lost: holder.lost.signal,
      renew: async () => {
        if (!isHeld()) throw new TradingError('JOURNAL_LOCKED', `The lease of account "${account}" is no longer held by "${holder.owner}".`);
        holder.heldUntil = this.#clock.monotonic() + holder.ttlMs;
      },
      release,
      [Symbol.asyncDispose]: release,
    };
  }

  #requireEpoch(account: string, epoch: number): void {
    const newest = this.#epochs.get(account) ?? 0;
    if (epoch === newest && this.#holders.get(account)?.epoch === epoch) return;
    throw new TradingError('JOURNAL_LOCKED', `Epoch ${epoch} of account "${account}" may not write: the newest is ${newest}.`);
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new TradingError('CLOSED', 'The journal is closed; open it again to read or write it.');
  }
}

function lostTo(owner: string, account: string): TradingError {
  return new TradingError('JOURNAL_LOCKED', `The lease of account "${account}" has passed to "${owner}".`);
}

function setOf(sets: Map<string, Set<string>>, key: string): Set<string> {
  const existing = sets.get(key);
  if (existing !== undefined) return existing;
  const made = new Set<string>();
  sets.set(key, made);
  return made;
}

function mapOf(maps: Map<string, Map<string, number>>, key: string): Map<string, number> {
  const existing = maps.get(key);
  if (existing !== undefined) return existing;
  const made = new Map<string, number>();
  maps.set(key, made);
  return made;
}
