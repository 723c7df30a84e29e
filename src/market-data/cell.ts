import type { CacheEntry } from '../contracts/cache-store.js';
import type { MarketKind, MarketKinds } from '../contracts/market-data.js';
import type { AccessTracker } from './access-tracker.js';

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
  /** When the stream last said that this symbol's value holds; monotonic. */
  heardAt: number = -Infinity;
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

/** All that is known of one key: what is held, how old it is, who reads it when. */
export class Cell {
  readonly key: string;
  readonly kind: MarketKind;
  readonly request: MarketKinds[MarketKind]['request'];
  readonly params: string;
  readonly symbol: SymbolState;

  entry: CacheEntry | undefined = undefined;
  /** Until when the held value counts as fresh; monotonic, -Infinity when nothing is held. */
  freshUntil: number = -Infinity;
  /** What the age counts from: the send, or the venue's own time where that is earlier; monotonic. */
  bornAt: number = -Infinity;
  /** A prefetched value that nobody has read yet. */
  unread = false;
  /** Bars: the last close at which it was read, wall time. */
  readAtClose: number | undefined = undefined;
  /** Bars: it was read at the close before that too. */
  isAwaited = false;
  /** Bars: how often the venue had nothing new after a close. */
  retries = 0;
  /** When its store last heard of a use; monotonic. */
  usedAt: number = -Infinity;

  /** A load is on its way. */
  isLoading = false;

  /** Who reads it, when it is read without a consumer's name. */
  tracker: AccessTracker | undefined = undefined;
  trackers: Map<string, AccessTracker> | undefined = undefined;

  constructor(key: string, kind: MarketKind, request: MarketKinds[MarketKind]['request'], params: string, symbol: SymbolState) {
    this.key = key;
    this.kind = kind;
    this.request = request;
    this.params = params;
    this.symbol = symbol;
  }

  get isIdle(): boolean {
    return this.entry === undefined && !this.isLoading && this.readAtClose === undefined && this.tracker === undefined && this.trackers === undefined;
  }
}
