import type { CacheEntry } from '../contracts/cache-store.js';
import type { MarketKind, MarketKinds } from '../contracts/market-data.js';
import type { AccessTracker } from './access-tracker.js';

/** Before all monotonic time: nothing is held, or nothing has happened yet. */
export const NEVER = -1;

/** What is known of a symbol within a kind, over all its requests (the book at depth 5 and at depth 20). */
export class SymbolState {
  // What the commonest read needs of the request without parameters, put here by its cell at each change: a read of a cold key costs
  // what it has to fetch from memory.
  /** Until when that request may be answered at once, without telling anybody; monotonic, whole ms. */
  until: number = NEVER;
  /** What the value's age counts from; monotonic, whole ms. */
  bornAt: number = NEVER;
  value: unknown = undefined;

  readonly symbol: string;
  /** The cell of the request without parameters, the one that streams feed. */
  plain: Cell | undefined = undefined;
  /** Cells of requests with parameters, by those. */
  variants: Map<string, Cell> | undefined = undefined;
  /** Goes up with each gap and disconnect; what was sent under an older one answers no later reader. */
  epoch = 0;
  /** When the epoch last went up; monotonic, whole ms. */
  epochSince: number = NEVER;
  /** The last sequence number seen of the stream, while its chain is whole. */
  seq: number | undefined = undefined;
  /** The stream's chain is broken: its updates can't be trusted before a snapshot. */
  needsSnapshot = false;
  /** How many subscriptions stream it. */
  streams = 0;

  constructor(symbol: string) {
    this.symbol = symbol;
  }

  *cells(): Iterable<Cell> {
    if (this.plain !== undefined) yield this.plain;
    if (this.variants !== undefined) yield* this.variants.values();
  }

  /** Of `cell`, as long as that is the one of the request without parameters: a loader or a handle may hold a cell for longer than that. */
  show(cell: Cell, until: number, bornAt: number, value: unknown): void {
    if (this.plain !== cell) return;
    this.until = until;
    this.bornAt = bornAt;
    this.value = value;
  }

  /** Lets go of `cell`, of which nothing is known any more. */
  forget(cell: Cell): void {
    this.show(cell, NEVER, NEVER, undefined);
    if (this.plain === cell) this.plain = undefined;
    else if (this.variants?.get(cell.params) === cell) {
      this.variants.delete(cell.params);
      if (this.variants.size === 0) this.variants = undefined;
    }
  }

  /** Nothing is known of it that would be missed. */
  get isSpent(): boolean {
    return this.plain === undefined && this.variants === undefined && this.streams === 0 && !this.needsSnapshot && this.epoch === 0;
  }
}

/** Who wants to know of each change of what a cell holds. */
export interface CellReader {
  changed(cell: Cell): void;
}

/** Of bars: whether they are read when they have closed. */
export interface CloseReads {
  /** The last close at which they were read; wall time. */
  lastAt: number;
  /** They were read at the close before that too. */
  isHabit: boolean;
}

/**
 * All that is known of one key: what is held, how old it is, who reads it when.
 *
 * Its times are whole milliseconds, rounded to the safe side: V8 keeps small integers in the object itself. It is held for each key,
 * so what few keys need lies in objects of its own.
 */
export class Cell {
  entry: CacheEntry | undefined = undefined;
  /** Until when the held value counts as fresh; monotonic, NEVER when nothing is held. */
  freshUntil: number = NEVER;
  /** What the age counts from: the send, or the venue's own time where that is earlier; monotonic. */
  bornAt: number = NEVER;
  #noticeAt: number = NEVER;
  /** When its store last heard of a use; monotonic. */
  usedAt: number = NEVER;

  readonly key: string;
  readonly kind: MarketKind;
  readonly symbol: SymbolState;
  /** What is asked for beside the symbol, as part of the key; empty for the request without parameters. */
  readonly params: string;
  readonly #variant: MarketKinds[MarketKind]['request'] | undefined;

  /** A prefetched value that nobody has read yet. */
  unread = false;
  /** A load is on its way. */
  isLoading = false;
  /** How often the venue had nothing new after a close. */
  retries = 0;
  closes: CloseReads | undefined = undefined;
  /** The first of those who read it, each with its rhythm. */
  tracked: AccessTracker | undefined = undefined;
  /** Weakly: a handle that its host has dropped must not be kept by what it read. */
  #readers: WeakRef<CellReader>[] | undefined = undefined;

  /** @param params - of `request`; empty where it names nothing but the symbol. */
  constructor(key: string, kind: MarketKind, symbol: SymbolState, params: string, request: MarketKinds[MarketKind]['request']) {
    this.key = key;
    this.kind = kind;
    this.symbol = symbol;
    this.params = params;
    this.#variant = params === '' ? undefined : Object.freeze({ ...request });
  }

  get request(): MarketKinds[MarketKind]['request'] {
    return this.#variant ?? Object.freeze({ symbol: this.symbol.symbol });
  }

  /** Nothing is known of it that would be missed. */
  get isIdle(): boolean {
    return this.entry === undefined && !this.isLoading && this.closes === undefined && this.tracked === undefined && !this.#isBound();
  }

  /** Until then a read tells store and prefetch nothing new; monotonic. */
  get noticeAt(): number {
    return this.#noticeAt;
  }

  noticeFrom(at: number): void {
    this.#noticeAt = at;
    this.#show();
  }

  hold(entry: CacheEntry, freshUntil: number, bornAt: number): void {
    this.entry = entry;
    this.renew(freshUntil, bornAt);
  }

  /** The held value was confirmed. */
  renew(freshUntil: number, bornAt: number): void {
    this.freshUntil = Math.floor(freshUntil);
    this.bornAt = Math.floor(bornAt);
    this.#publish();
  }

  empty(): void {
    this.entry = undefined;
    this.freshUntil = NEVER;
    this.bornAt = NEVER;
    this.#publish();
  }

  /** Whether what is held was prefetched and waits for its first reader. */
  markUnread(isUnread: boolean): void {
    this.unread = isUnread;
    if (isUnread) this.#noticeAt = NEVER;
    this.#publish();
  }

  /** Keeps `reader` up to date for as long as somebody holds it. */
  bind(reader: CellReader): void {
    (this.#readers ??= []).push(new WeakRef(reader));
  }

  #show(): void {
    this.symbol.show(this, Math.min(this.freshUntil, this.#noticeAt), this.bornAt, this.entry?.value);
  }

  #publish(): void {
    this.#show();
    if (this.#readers === undefined) return;
    let isAnyGone = false;
    for (const reference of this.#readers) {
      const reader = reference.deref();
      if (reader === undefined) isAnyGone = true;
      else reader.changed(this);
    }
    if (isAnyGone) this.#readers = this.#readers.filter((reference) => reference.deref() !== undefined);
  }

  #isBound(): boolean {
    return this.#readers?.some((reference) => reference.deref() !== undefined) === true;
  }
}
