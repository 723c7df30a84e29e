import type { CacheEntry, CacheStore } from '../contracts/cache-store.js';
import type { MarketKind, MarketKinds } from '../contracts/market-data.js';
import { cacheKey, paramsOf, requireRequest } from './cache-key.js';
import { Cell, NEVER, type SymbolState } from './cell.js';
import { isNewer } from './entry-order.js';
import type { FastReads } from './fast-reads.js';
import { HeldEntry } from './held-entry.js';
import { forEachKind, marketKinds } from './kind-policy.js';
import { SymbolTable } from './symbol-table.js';

/** Stores hear of the use of a key at most this often: their order needs no more, and reads stay cheap. */
const USE_RESOLUTION_MS = 1_000;

/** An entry with the two times that reads are judged by. */
export interface Judged {
  readonly entry: CacheEntry;
  readonly freshUntil: number;
  readonly bornAt: number;
}

/**
 * Finds the cell of a request without building its key, and keeps cells and store in step: an entry
 * that the store gives up is given up here at the same moment.
 */
export class CacheIndex {
  readonly #scope: { readonly account: string; readonly feed: string; readonly venue: string };
  readonly #store: CacheStore;
  readonly #maxBytes: number;
  /** The symbols of each kind. */
  readonly tables: Readonly<Record<MarketKind, SymbolTable>>;
  readonly #watching: Disposable | undefined;
  readonly #onGone: (cell: Cell) => void;
  /** Whether the store tells what leaves it; if not, each read has to ask. */
  readonly isWatched: boolean;
  #bytes = 0;
  #evictions = 0;

  constructor(options: {
    readonly scope: { readonly account: string; readonly feed: string; readonly venue: string };
    readonly store: CacheStore;
    readonly maxBytes: number;
    readonly counts: Readonly<Record<MarketKind, FastReads>>;
    /** A value is about to leave, unread or not. */
    readonly onGone: (cell: Cell) => void;
  }) {
    this.#scope = options.scope;
    this.#store = options.store;
    this.#maxBytes = options.maxBytes;
    this.#onGone = options.onGone;
    this.tables = forEachKind((kind) => new SymbolTable(options.counts[kind]));
    this.#watching = this.#store.watch?.((_, entry, why) => this.#onLeft(entry, why));
    this.isWatched = this.#watching !== undefined;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get evictions(): number {
    return this.#evictions;
  }

  get entries(): number {
    return this.#store.size;
  }

  /** The cell of a request, if there is one. */
  find<K extends MarketKind>(kind: K, request: MarketKinds[K]['request']): Cell | undefined {
    const state = this.symbols(kind).get((request as typeof request | null | undefined)?.symbol as string);
    if (state === undefined) return undefined;
    for (const name in request) if (name !== 'symbol') return this.#findVariant(state, request);
    return state.plain;
  }

  /** The cell of a request, made where it is missing. */
  obtain<K extends MarketKind>(kind: K, request: MarketKinds[K]['request']): Cell {
    const found = this.find(kind, request);
    if (found !== undefined) return found;
    requireRequest(kind, request);
    const state = this.symbols(kind).obtain(request.symbol);
    const params = paramsOf(request);
    const cell = new Cell(cacheKey(this.#scope, kind, request.symbol, params), kind, state, params, request);
    if (params === '') state.plain = cell;
    else (state.variants ??= new Map()).set(params, cell);
    return cell;
  }

  /** @throws RangeError when there is no such kind. */
  symbols(kind: MarketKind): SymbolTable {
    if (!Object.hasOwn(this.tables, kind)) throw unknownKind(kind);
    return this.tables[kind];
  }

  keyOf(kind: MarketKind, request: MarketKinds[MarketKind]['request']): string {
    return this.find(kind, request)?.key ?? cacheKey(this.#scope, kind, request.symbol, paramsOf(request));
  }

  /** All cells there are: slow, for what happens rarely. */
  *cells(): Iterable<Cell> {
    for (const kind of marketKinds) for (const state of this.tables[kind].values()) yield* state.cells();
  }

  /** What is held for a cell. */
  held(cell: Cell): CacheEntry | undefined {
    if (!this.isWatched && cell.entry !== undefined && this.#store.peek(cell.key) !== cell.entry) this.#empty(cell);
    return cell.entry;
  }

  /** Lets the store know that a key is used. */
  touch(cell: Cell, now: number): void {
    if (cell.usedAt !== NEVER && now - cell.usedAt < USE_RESOLUTION_MS) return;
    cell.usedAt = Math.floor(now);
    this.#store.get(cell.key);
  }

  /**
   * Keeps `entry` unless something newer is held or its epoch is over. `mayEvict` false: only where nothing
   * has to leave for it.
   */
  write(cell: Cell, { entry, freshUntil, bornAt }: Judged, mayEvict = true): boolean {
    const held = this.held(cell);
    if (entry.epoch !== cell.symbol.epoch) return false;
    if (held !== undefined && !isNewer(entry, held)) return false;
    const isNew = held === undefined;
    if (entry.weight > this.#maxBytes) {
      if (!isNew) this.drop(cell);
      return true;
    }
    if (isNew && !mayEvict && !this.#hasRoom(entry.weight)) return true;
    const before = this.#store.size;
    if (!isNew) this.#onGone(cell);
    const kept = new HeldEntry(cell, entry);
    this.#store.set(cell.key, kept);
    cell.hold(kept, freshUntil, bornAt);
    if (this.isWatched) this.#bytes += entry.weight;
    else this.#accountUnwatched(before + Number(isNew), entry.weight, held?.weight ?? 0);
    while (this.#bytes > this.#maxBytes && this.#store.evict?.() === true);
    return true;
  }

  /** Gives up what is held for a cell; true when there was something. */
  drop(cell: Cell): boolean {
    const held = this.held(cell);
    if (held === undefined) return false;
    this.#store.delete(cell.key);
    if (!this.isWatched) {
      this.#bytes -= held.weight;
      this.#empty(cell);
    }
    this.#forgetIfIdle(cell);
    return true;
  }

  /** Everything of a symbol becomes unservable, loads that are on their way included. Gives the number of entries dropped. */
  bump(state: SymbolState, now: number): number {
    state.epoch++;
    state.epochSince = Math.ceil(now);
    state.seq = undefined;
    let dropped = 0;
    for (const cell of [...state.cells()]) dropped += Number(this.drop(cell));
    return dropped;
  }

  /** Lets go of a cell of which nothing is known any more. */
  release(cell: Cell): void {
    this.#forgetIfIdle(cell);
  }

  clear(): void {
    for (const cell of [...this.cells()]) {
      this.drop(cell);
      cell.symbol.forget(cell);
    }
    for (const kind of marketKinds) this.tables[kind].clear();
    this.#watching?.[Symbol.dispose]();
  }

  #findVariant(state: SymbolState, request: { readonly symbol: string }): Cell | undefined {
    const params = paramsOf(request);
    return params === '' ? state.plain : state.variants?.get(params);
  }

  #hasRoom(weight: number): boolean {
    return this.#store.size < this.#store.capacity - 1 && this.#bytes + weight <= this.#maxBytes;
  }

  #onLeft(entry: CacheEntry, why: 'evicted' | 'replaced' | 'deleted'): void {
    const cell = HeldEntry.cellOf(entry);
    if (cell === undefined || cell.entry !== entry) return;
    // Another client's, where several share one store.
    if (this.tables[cell.kind].get(cell.symbol.symbol) !== cell.symbol) return;
    this.#bytes -= entry.weight;
    if (why === 'evicted') this.#evictions++;
    this.#empty(cell);
    if (why === 'evicted') this.#forgetIfIdle(cell);
  }

  #empty(cell: Cell): void {
    this.#onGone(cell);
    cell.empty();
  }

  #accountUnwatched(expectedSize: number, weight: number, replacedWeight: number): void {
    this.#bytes += weight - replacedWeight;
    const left = expectedSize - this.#store.size;
    if (left <= 0) return;
    this.#evictions += left;
    // Which ones left is not known; their weight is taken to be the average one.
    this.#bytes -= (this.#bytes / expectedSize) * left;
  }

  #forgetIfIdle(cell: Cell): void {
    if (!cell.isIdle) return;
    const { symbol: state } = cell;
    state.forget(cell);
    if (state.isSpent) this.tables[cell.kind].forget(state);
  }
}

function unknownKind(kind: unknown): RangeError {
  return new RangeError(`kind must be one of ${marketKinds.join(', ')}, got ${JSON.stringify(kind)}`);
}
