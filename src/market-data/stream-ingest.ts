import type { CacheEntry } from '../contracts/cache-store.js';
import type { MarketKind, OrderBook, StreamUpdate, Trade } from '../contracts/market-data.js';
import type { Clock } from '../core/clock.js';
import { requireText } from '../core/options.js';
import type { CacheIndex } from './cache-index.js';
import type { Cell, SymbolState } from './cell.js';
import { deepFreeze } from './deep-freeze.js';
import { type EntryAges, marksOf } from './entry-ages.js';
import { cutBook, joinTrades, requestOf } from './streamed-values.js';
import { weigh } from './value-weight.js';

/** A heartbeat for this symbol speaks for all symbols of its kind. */
const EVERY_SYMBOL = '*';

export interface StreamIngestOptions {
  readonly clock: Clock;
  readonly index: CacheIndex;
  readonly ages: EntryAges;
  readonly onKept: (cell: Cell, now: number) => void;
  readonly onGap: (cell: Cell) => void;
  /** A streamed symbol has a gap: a snapshot is due. */
  readonly onSnapshotDue: (cell: Cell) => void;
}

/**
 * Feeds the cache from a stream. A value is kept only if it is newer than what is held; where the
 * chain of sequence numbers breaks, everything held of the symbol is dropped before the call returns.
 */
export class StreamIngest {
  readonly #options: StreamIngestOptions;
  /** The symbols that a stream has spoken of. */
  readonly #streamed = new Map<MarketKind, Set<string>>();

  constructor(options: StreamIngestOptions) {
    this.#options = options;
  }

  ingest(update: StreamUpdate): 'applied' | 'older' | 'gap' {
    const { index, clock } = this.#options;
    const now = clock.monotonic();
    requireText('update.symbol', update.symbol);
    index.symbols(update.kind);
    if (update.heartbeat === true && update.value === undefined && update.symbol === EVERY_SYMBOL) return this.#hearAll(update, now);
    const cell = index.obtain(update.kind, requestOf(update));
    const { symbol } = cell;
    this.#streamedOf(update.kind).add(symbol.symbol);
    const seq = update.seq ?? (update.value === undefined ? undefined : marksOf(update.kind, update.value).seq);
    if (update.gap === true || this.#isBroken(symbol, update.previousSeq)) return this.#onGap(cell, now);
    if (update.heartbeat === true && update.value === undefined) return this.#hear(cell, update, now);
    if (seq !== undefined && symbol.seq !== undefined && seq <= symbol.seq) return 'older';
    if (seq !== undefined) symbol.seq = seq;
    return update.value === undefined ? 'applied' : this.#keep(cell, update, seq, now);
  }

  /** The stream of these symbols has ended: nothing that it sent may be served any more. */
  disconnected(kind: MarketKind, symbols: readonly string[]): void {
    const { index, clock } = this.#options;
    const now = clock.monotonic();
    for (const name of symbols) {
      const wasStreamed = this.#streamedOf(kind).delete(name);
      const state = index.symbols(kind).get(name);
      if (!wasStreamed || state === undefined) continue;
      state.needsSnapshot = false;
      index.bump(state, now);
    }
  }

  #keep(cell: Cell, update: StreamUpdate, seq: number | undefined, now: number): 'applied' | 'older' {
    const { index, ages, onKept } = this.#options;
    const { kind } = update;
    const eventTime = update.eventTime ?? marksOf(kind, update.value).eventTime;
    const held = index.held(cell);
    const value =
      kind === 'trades' && held !== undefined ? joinTrades(held.value as readonly Trade[], update.value as readonly Trade[]) : update.value;
    const entry: CacheEntry = {
      value: deepFreeze(value),
      sentAt: now,
      receivedAt: now,
      ...(eventTime === undefined ? {} : { eventTime }),
      epoch: cell.symbol.epoch,
      ...(seq === undefined ? {} : { seq }),
      source: 'stream',
      weight: weigh(kind, value),
    };
    if (!index.write(cell, ages.judge(kind, cell.request, entry))) return 'older';
    if (update.previousSeq === undefined) cell.symbol.needsSnapshot = false;
    if (kind === 'book') this.#feedDepths(cell, entry);
    onKept(cell, now);
    return 'applied';
  }

  // The book at a depth that somebody reads is cut from the streamed one; where that does not reach so deep, it is older now.
  #feedDepths(cell: Cell, entry: CacheEntry): void {
    const { index, ages } = this.#options;
    for (const variant of [...(cell.symbol.variants?.values() ?? [])]) {
      const value = cutBook(entry.value as OrderBook, Number((variant.request as { readonly depth?: unknown }).depth));
      if (value === undefined) index.drop(variant);
      else index.write(variant, ages.judge('book', variant.request, { ...entry, value: deepFreeze(value), weight: weigh('book', value) }));
    }
  }

  #isBroken(symbol: SymbolState, previousSeq: number | undefined): boolean {
    if (previousSeq === undefined) return false;
    // An update that begins before the snapshot and ends after it joins on; one that begins later does not.
    return symbol.needsSnapshot || (symbol.seq !== undefined && previousSeq > symbol.seq);
  }

  #onGap(cell: Cell, now: number): 'gap' {
    const { index, onGap, onSnapshotDue } = this.#options;
    const { symbol } = cell;
    const wasWhole = !symbol.needsSnapshot;
    index.bump(symbol, now);
    symbol.needsSnapshot = true;
    if (wasWhole) onGap(cell);
    // The cell itself may be gone with what it held.
    if (wasWhole && symbol.streams > 0) onSnapshotDue(index.obtain(cell.kind, cell.request));
    return 'gap';
  }

  #hearAll({ kind, eventTime }: StreamUpdate, now: number): 'applied' {
    const symbols = this.#options.index.symbols(kind);
    for (const name of this.#streamedOf(kind)) {
      const symbol = symbols.get(name);
      if (symbol !== undefined) this.#attest(symbol, eventTime, now);
    }
    return 'applied';
  }

  #hear(cell: Cell, { seq, previousSeq, eventTime }: StreamUpdate, now: number): 'applied' {
    const { index } = this.#options;
    const { symbol } = cell;
    // It has counted further than we have seen, and does not say from where: what was missed is not known, so nothing is confirmed.
    const isAhead = seq !== undefined && symbol.seq !== undefined && seq > symbol.seq && previousSeq === undefined;
    if (isAhead) return 'applied';
    if (seq !== undefined && previousSeq !== undefined && (symbol.seq === undefined || seq > symbol.seq)) symbol.seq = seq;
    this.#attest(symbol, eventTime, now);
    index.release(cell);
    return 'applied';
  }

  // What the stream sent last still holds: fresh from now on. Its event age goes on unless the heartbeat carries a time of its own.
  #attest(symbol: SymbolState, eventTime: number | undefined, now: number): void {
    for (const cell of symbol.cells()) this.#attestCell(cell, eventTime, now);
  }

  #attestCell(cell: Cell, eventTime: number | undefined, now: number): void {
    const { index, ages } = this.#options;
    const entry = index.held(cell);
    if (entry === undefined || entry.source !== 'stream') return;
    const attested: CacheEntry = { ...entry, sentAt: now, receivedAt: now };
    if (eventTime !== undefined && (entry.eventTime === undefined || eventTime > entry.eventTime)) {
      index.write(cell, ages.judge(cell.kind, cell.request, { ...attested, eventTime }));
      return;
    }
    const judged = ages.judge(cell.kind, cell.request, attested);
    cell.renew(judged.freshUntil, entry.eventTime === undefined ? judged.bornAt : cell.bornAt);
  }

  #streamedOf(kind: MarketKind): Set<string> {
    let streamed = this.#streamed.get(kind);
    if (streamed === undefined) this.#streamed.set(kind, (streamed = new Set()));
    return streamed;
  }
}
