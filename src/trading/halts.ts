import type { Bus } from '../contracts/events.js';
import type { JournalRecord } from '../contracts/journal.js';
import type { OrderIntent } from '../contracts/orders.js';
import { TradingError } from '../contracts/trading-error.js';
import type { Clock } from '../core/clock.js';
import type { JournalWriter } from './journal-writer.js';
import { type EntryBodies, entry, type HaltMode } from './order-entry.js';

const STRICTNESS = { active: 0, reduce_only: 1, halted: 2 } as const satisfies Record<HaltMode, number>;

/** Records under one id before those that still hold are carried over to a fresh one, so that the journal can let go of the others. */
const MOST_RECORDS = 64;

/** Under which id the halts of an account are journalled, and below it further ones; callers' ids may not begin so. */
function haltKey(account: string): string {
  return `@halt/${account}`;
}

/** Whether that is an id under which halts of the account are journalled. */
export function isHaltKey(intentId: string, account: string): boolean {
  const first = haltKey(account);
  return intentId === first || (intentId.startsWith(`${first}/`) && /^\d+$/.test(intentId.slice(first.length + 1)));
}

/**
 * What may be placed, for the account and by symbol. Durable: a restart finds it as it was, under
 * whichever ids are open; of two records of one scope the one with the higher number counts.
 */
export class Halts {
  readonly #account: string;
  readonly #clock: Clock;
  readonly #bus: Bus;
  readonly #writer: JournalWriter;
  readonly #bySymbol = new Map<string, EntryBodies['halt']>();
  #all: EntryBodies['halt'] = { number: 0, mode: 'active', reason: '' };
  #newest: EntryBodies['halt'] = this.#all;
  #count = 0;
  /** Ids that the journal lists as open; the last one is written to. */
  #open: string[];
  #written = 0;
  #underWay = 0;

  constructor(parts: { readonly account: string; readonly clock: Clock; readonly bus: Bus; readonly writer: JournalWriter }) {
    this.#account = parts.account;
    this.#clock = parts.clock;
    this.#bus = parts.bus;
    this.#writer = parts.writer;
    this.#open = [haltKey(parts.account)];
  }

  /** Takes in what an open id holds. */
  restore(records: readonly JournalRecord[]): void {
    const [first] = records;
    if (first === undefined) return;
    for (const record of records) if (record.type === 'halt') this.#apply(record.body as EntryBodies['halt']);
    this.#written += records.length;
    // A kill while they were carried over leaves both open.
    const others = this.#open.filter((key) => key !== first.intentId);
    this.#open = [...others, first.intentId].sort((a, b) => generation(a) - generation(b));
  }

  /** Why the intent may not be placed; undefined where it may. */
  refusalOf(intent: OrderIntent): string | undefined {
    const halt = this.#strictest(intent.symbol);
    if (halt.mode === 'active' || (halt.mode === 'reduce_only' && intent.reduceOnly === true)) return undefined;
    const where = halt.symbol === undefined ? 'Trading' : `Trading of ${halt.symbol}`;
    return `${where} is ${halt.mode === 'halted' ? 'halted' : 'limited to reduce-only orders'}: ${halt.reason}`;
  }

  modeOf(symbol: string | undefined): HaltMode {
    return symbol === undefined ? this.#all.mode : this.#strictest(symbol).mode;
  }

  /** Tightening holds at once, loosening once it is durable. @throws TradingError JOURNAL */
  async set(mode: HaltMode, reason: string, symbol?: string): Promise<void> {
    const halt = { number: ++this.#count, mode, reason, ...(symbol === undefined ? undefined : { symbol }) };
    const before = symbol === undefined ? this.#all.mode : (this.#bySymbol.get(symbol)?.mode ?? 'active');
    const isTighter = STRICTNESS[mode] >= STRICTNESS[before];
    if (isTighter) this.#apply(halt);
    if (this.#bus.has('halt')) this.#bus.emit('halt', { mode, reason: symbol === undefined ? reason : `${symbol}: ${reason}` });
    this.#underWay++;
    try {
      await this.#writer.append(this.#key, [entry('halt', this.#clock.now(), halt)]);
      if (!isTighter) this.#apply(halt);
    } finally {
      this.#underWay--;
    }
    this.#wrote();
  }

  /** As {@link set}, for trouble that the client itself has found: holds even where it can't be written yet. */
  impose(mode: HaltMode, reason: string, symbol?: string): void {
    const current = symbol === undefined ? this.#all.mode : this.#strictest(symbol).mode;
    if (STRICTNESS[current] >= STRICTNESS[mode]) return;
    const halt = { number: ++this.#count, mode, reason, ...(symbol === undefined ? undefined : { symbol }) };
    this.#apply(halt);
    if (this.#bus.has('halt')) this.#bus.emit('halt', { mode, reason: symbol === undefined ? reason : `${symbol}: ${reason}` });
    this.#writer.note(this.#key, entry('halt', this.#clock.now(), halt));
    // Noted, so that a full disk can't lose it; and written at once, since money is at risk.
    this.#writer.flush().catch(() => {});
    this.#wrote();
  }

  get #key(): string {
    return this.#open.at(-1) as string;
  }

  #wrote(): void {
    this.#written++;
    // What is being written and does not hold yet would be left behind.
    if (this.#written < MOST_RECORDS || this.#underWay > 0) return;
    const left = this.#open;
    const key = `${haltKey(this.#account)}/${this.#count}`;
    const held = [this.#all, ...this.#bySymbol.values()].filter(({ mode }) => mode !== 'active');
    // The newest one keeps the count going, whatever it says.
    if (!held.includes(this.#newest)) held.push(this.#newest);
    this.#open = [...left, key];
    this.#written = held.length;
    const at = this.#clock.now();
    const carried = held.map((halt) => entry('halt', at, halt));
    this.#writer.append(key, carried).then(
      () => {
        for (const old of left) this.#writer.note(old, entry('settled', this.#clock.now(), { aliasOf: key }));
        this.#open = this.#open.filter((open) => !left.includes(open));
      },
      // The old ones stay open, and hold; the next time carries them over.
      () => {},
    );
  }

  #strictest(symbol: string): EntryBodies['halt'] {
    const own = this.#bySymbol.get(symbol);
    return own !== undefined && STRICTNESS[own.mode] > STRICTNESS[this.#all.mode] ? own : this.#all;
  }

  #apply(halt: EntryBodies['halt']): void {
    this.#count = Math.max(this.#count, halt.number);
    if (halt.number >= this.#newest.number) this.#newest = halt;
    const current = halt.symbol === undefined ? this.#all : this.#bySymbol.get(halt.symbol);
    if (current !== undefined && current.number > halt.number) return;
    if (halt.symbol === undefined) this.#all = halt;
    else this.#bySymbol.set(halt.symbol, halt);
  }
}

function generation(key: string): number {
  return Number(/\/(\d+)$/.exec(key)?.[1] ?? 0);
}

/** TradingError HALTED. */
export function haltedError(reason: string, intentId?: string): TradingError {
  return new TradingError('HALTED', reason, intentId === undefined ? {} : { intentId });
}
