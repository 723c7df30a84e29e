/** How rows of one stream are told apart, and what order they have. */
export interface RowOrder<R> {
  /** The same for the same row, whether a stream told it or a list has it. */
  readonly keyOf: (row: R) => string;
  /** Where it stands: its time in ms, or its number. */
  readonly placeOf: (row: R) => number;
  /** When it happened, ms. */
  readonly timeOf: (row: R) => number;
  /**
   * How far back, in places, a row may come late. 0: the stream tells rows in their order, so that one which is not behind the last
   * was told before.
   */
  readonly overlap: number;
  /** Whether places are numbers without holes: then one that is missing shows by itself. */
  readonly isDense: boolean;
}

/** Which rows of one stream have been told to the bot. */
export class ToldRows<R> {
  readonly #order: RowOrder<R>;
  #start: number | undefined;
  #last: number | undefined;
  // What was told of late, in two generations, each at least an overlap long.
  #young = new Set<string>();
  #old = new Set<string>();
  #bornAt = -Infinity;

  /** @param start - the place from which on rows are the bot's. undefined: with the first that it is told. */
  constructor(order: RowOrder<R>, start: number | undefined) {
    this.#order = order;
    this.#start = start;
  }

  /** From where on lists have to be read so that nothing is missed. undefined: nothing can be missing yet. */
  get from(): number | undefined {
    if (this.#last === undefined) return this.#start;
    const { overlap, isDense } = this.#order;
    return isDense ? this.#last + 1 : Math.max(this.#start ?? -Infinity, this.#last - overlap);
  }

  isNews(row: R): boolean {
    const { overlap, placeOf, keyOf } = this.#order;
    if (this.#last === undefined) return true;
    if (overlap === 0) return placeOf(row) > this.#last;
    const key = keyOf(row);
    return !this.#young.has(key) && !this.#old.has(key);
  }

  /** Whether nothing is missing before it, as far as places show that. */
  follows(row: R): boolean {
    const { isDense, placeOf } = this.#order;
    return !isDense || this.#last === undefined || placeOf(row) <= this.#last + 1;
  }

  note(row: R): void {
    const { overlap, placeOf, keyOf } = this.#order;
    const place = placeOf(row);
    // Told by the stream, it is the bot's, whatever time a clock on this side showed.
    if (this.#last === undefined) this.#start = Math.min(this.#start ?? place, place);
    this.#last = Math.max(this.#last ?? place, place);
    if (overlap === 0) return;
    if (this.#last > this.#bornAt + overlap) {
      this.#old = this.#young;
      this.#young = new Set();
      this.#bornAt = this.#last;
    }
    this.#young.add(keyOf(row));
  }
}
