import type { CacheEntry } from '../contracts/cache-store.js';
import type { MarketKind, MarketKinds } from '../contracts/market-data.js';
import type { AccessTracker } from './access-tracker.js';
import { type HotRows, NEVER } from './hot-rows.js';

/** What is known of a symbol within a kind, over all its requests (the book at depth 5 and at depth 20). */
export class SymbolState {
  readonly symbol: string;
  /** The cell of the request without parameters, the one that streams feed. */
  plain: Cell | undefined = undefined;
  /** Cells of requests with parameters, by those. */
  variants: Map<string, Cell> | undefined = undefined;
  /** Goes up with each gap and disconnect; what was sent under an older one answers no later reader. */
  epoch = 0;
  /** When the epoch last went up; monotonic. */
  epochSince: number = -Infinity;
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
}

/** Who wants to know of each change of what a cell holds. */
export interface CellReader {
  changed(cell: Cell): void;
}

/**
 * All that is known of one key: what is held, how old it is, who reads it when.
 *
 * Its times are whole milliseconds, rounded to the safe side: V8 keeps small integers in the object
 * itself, and a read of a cold key costs what it has to fetch from memory.
 */
export class Cell {
  /** The held value, undefined when nothing is held. */
  value: unknown = undefined;
  /** Until when the held value counts as fresh; monotonic, NEVER when nothing is held. */
  freshUntil: number = NEVER;
  /** What the age counts from: the send, or the venue's own time where that is earlier; monotonic. */
  bornAt: number = NEVER;
  #noticeAt: number = NEVER;
  entry: CacheEntry | undefined = undefined;
  /** A prefetched value that nobody has read yet. */
  unread = false;

  readonly key: string;
  readonly kind: MarketKind;
  readonly request: MarketKinds[MarketKind]['request'];
  readonly params: string;
  readonly symbol: SymbolState;
  /** Where the commonest read finds it; undefined for requests with parameters, and once it is forgotten. */
  row: number | undefined;
  readonly #rows: HotRows;

  /** Bars: the last close at which it was read, wall time. */
  readAtClose: number | undefined = undefined;
  /** Bars: it was read at the close before that too. */
  isAwaited = false;
  /** Bars: how often the venue had nothing new after a close. */
  retries = 0;
  /** When its store last heard of a use; monotonic. */
  usedAt: number = NEVER;

  /** A load is on its way. */
  isLoading = false;

  /** Who reads it, when it is read without a consumer's name. */
  tracker: AccessTracker | undefined = undefined;
  trackers: Map<string, AccessTracker> | undefined = undefined;

  /** Weakly: a handle that its host has dropped must not be kept by what it read. */
  #readers: WeakRef<CellReader>[] | undefined = undefined;

  constructor(key: string, kind: MarketKind, request: MarketKinds[MarketKind]['request'], params: string, symbol: SymbolState, rows: HotRows) {
    this.#rows = rows;
    this.row = params === '' ? rows.take() : undefined;
    this.key = key;
    this.kind = kind;
    this.request = request;
    this.params = params;
    this.symbol = symbol;
  }

  /** Nothing is known of it that would be missed. */
  get isIdle(): boolean {
    return (
      this.entry === undefined &&
      !this.isLoading &&
      this.readAtClose === undefined &&
      this.tracker === undefined &&
      this.trackers === undefined &&
      !this.#isBound()
    );
  }

  /** Until then a read tells store and prefetch nothing new; monotonic. */
  get noticeAt(): number {
    return this.#noticeAt;
  }

  noticeFrom(at: number): void {
    this.#noticeAt = at;
    this.#writeRow();
  }

  hold(entry: CacheEntry, freshUntil: number, bornAt: number): void {
    this.entry = entry;
    this.value = entry.value;
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
    this.value = undefined;
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

  /** Its row may become another cell's: it must never write there again. */
  leaveRow(): void {
    if (this.row !== undefined) this.#rows.give(this.row);
    this.row = undefined;
  }

  #writeRow(): void {
    if (this.row !== undefined) this.#rows.set(this.row, Math.min(this.freshUntil, this.#noticeAt), this.bornAt, this.value);
  }

  #publish(): void {
    this.#writeRow();
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
