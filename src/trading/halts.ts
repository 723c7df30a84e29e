import type { Bus } from '../contracts/events.js';
import type { JournalRecord, OrderJournal } from '../contracts/journal.js';
import type { OrderIntent } from '../contracts/orders.js';
import { TradingError } from '../contracts/trading-error.js';
import type { Clock } from '../core/clock.js';
import type { JournalWriter } from './journal-writer.js';
import { type EntryBodies, entry, type HaltMode } from './order-entry.js';

const STRICTNESS = { active: 0, reduce_only: 1, halted: 2 } as const satisfies Record<HaltMode, number>;

/** Under which id the halts of an account are journalled; callers' ids may not begin so. */
export function haltKey(account: string): string {
  return `@halt/${account}`;
}

/** What may be placed, for the account and by symbol. Durable: a restart finds it as it was. */
export class Halts {
  readonly #account: string;
  readonly #clock: Clock;
  readonly #bus: Bus;
  readonly #writer: JournalWriter;
  readonly #bySymbol = new Map<string, EntryBodies['halt']>();
  #all: EntryBodies['halt'] = { number: 0, mode: 'active', reason: '' };
  #count = 0;

  constructor(parts: { readonly account: string; readonly clock: Clock; readonly bus: Bus; readonly writer: JournalWriter }) {
    this.#account = parts.account;
    this.#clock = parts.clock;
    this.#bus = parts.bus;
    this.#writer = parts.writer;
  }

  async replay(journal: OrderJournal): Promise<void> {
    const records: readonly JournalRecord[] = await journal.byIntent(haltKey(this.#account));
    for (const record of records) if (record.type === 'halt') this.#apply(record.body as EntryBodies['halt']);
  }

  /** Why the intent may not be placed; undefined where it may. */
  refusalOf(intent: OrderIntent): string | undefined {
    const halt = this.#strictest(intent.symbol);
    if (halt.mode === 'active' || (halt.mode === 'reduce_only' && intent.reduceOnly === true)) return undefined;
    const where = halt.symbol === undefined ? 'Trading' : `Trading of ${halt.symbol}`;
    return `${where} is ${halt.mode === 'halted' ? 'halted' : 'limited to reduce-only orders'}: ${halt.reason}`;
  }

  modeOf(symbol: string): HaltMode {
    return this.#strictest(symbol).mode;
  }

  /** Tightening holds at once, loosening once it is durable. @throws TradingError JOURNAL */
  async set(mode: HaltMode, reason: string, symbol?: string): Promise<void> {
    const halt = { number: ++this.#count, mode, reason, ...(symbol === undefined ? undefined : { symbol }) };
    const before = symbol === undefined ? this.#all.mode : (this.#bySymbol.get(symbol)?.mode ?? 'active');
    const isTighter = STRICTNESS[mode] >= STRICTNESS[before];
    if (isTighter) this.#apply(halt);
    if (this.#bus.has('halt')) this.#bus.emit('halt', { mode, reason: symbol === undefined ? reason : `${symbol}: ${reason}` });
    await this.#writer.append(haltKey(this.#account), [entry('halt', this.#clock.now(), halt)]);
    if (!isTighter) this.#apply(halt);
  }

  /** As {@link set}, for trouble that the client itself has found: holds even where it can't be written yet. */
  impose(mode: HaltMode, reason: string, symbol?: string): void {
    const current = symbol === undefined ? this.#all.mode : this.#strictest(symbol).mode;
    if (STRICTNESS[current] >= STRICTNESS[mode]) return;
    const halt = { number: ++this.#count, mode, reason, ...(symbol === undefined ? undefined : { symbol }) };
    this.#apply(halt);
    if (this.#bus.has('halt')) this.#bus.emit('halt', { mode, reason: symbol === undefined ? reason : `${symbol}: ${reason}` });
    this.#writer.note(haltKey(this.#account), entry('halt', this.#clock.now(), halt));
    // Noted, so that a full disk can't lose it; and written at once, since money is at risk.
    this.#writer.flush().catch(() => {});
  }

  #strictest(symbol: string): EntryBodies['halt'] {
    const own = this.#bySymbol.get(symbol);
    return own !== undefined && STRICTNESS[own.mode] > STRICTNESS[this.#all.mode] ? own : this.#all;
  }

  #apply(halt: EntryBodies['halt']): void {
    this.#count = Math.max(this.#count, halt.number);
    const current = halt.symbol === undefined ? this.#all : this.#bySymbol.get(halt.symbol);
    if (current !== undefined && current.number > halt.number) return;
    if (halt.symbol === undefined) this.#all = halt;
    else this.#bySymbol.set(halt.symbol, halt);
  }
}

/** TradingError HALTED. */
export function haltedError(reason: string, intentId?: string): TradingError {
  return new TradingError('HALTED', reason, intentId === undefined ? {} : { intentId });
}
