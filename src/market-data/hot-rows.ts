/** Before all monotonic time: nothing is held, or nothing has happened yet. */
export const NEVER = -1;

const FIRST_ROWS = 64;

/**
 * What the commonest read needs of each cell, side by side: until when it can be answered at once, what
 * its age counts from, and the value. Cells lie scattered among all else that is known of their keys,
 * and a read of a cold key costs what it has to fetch from memory.
 */
export class HotRows {
  #times: Float64Array = new Float64Array(2 * FIRST_ROWS);
  readonly #values: unknown[] = [];
  readonly #free: number[] = [];

  /** A row of its own for a new cell. */
  take(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const row = this.#values.push(undefined) - 1;
    if (2 * row >= this.#times.length) {
      const grown = new Float64Array(2 * this.#times.length);
      grown.set(this.#times);
      this.#times = grown;
    }
    this.#times[2 * row] = NEVER;
    return row;
  }

  /** The cell is gone. */
  give(row: number): void {
    this.set(row, NEVER, NEVER, undefined);
    this.#free.push(row);
  }

  /** @param until - until when a read may be answered by `value` without telling anybody; monotonic. */
  set(row: number, until: number, bornAt: number, value: unknown): void {
    this.#times[2 * row] = until;
    this.#times[2 * row + 1] = bornAt;
    this.#values[row] = value;
  }

  until(row: number): number {
    return this.#times[2 * row] as number;
  }

  bornAt(row: number): number {
    return this.#times[2 * row + 1] as number;
  }

  value(row: number): unknown {
    return this.#values[row];
  }
}
