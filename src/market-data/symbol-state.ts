import type { Cell } from './cell.js';

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
