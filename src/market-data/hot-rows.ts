/** Before all monotonic time: nothing is held, or nothing has happened yet. */
export const NEVER = -1;

/** Of a row: until when, since when, what. */
const SLOTS = 3;

/**
 * What the commonest read needs of each cell, side by side: until when it can be answered at once, what
 * its age counts from, and the value. Cells lie scattered among all else that is known of their keys,
 * and a read of a cold key costs what it has to fetch from memory.
 */
export class HotRows {
  // Of all rows one after the other: a row lies within one or two lines of the processor's cache. Whole milliseconds need no
  // object of their own there.
  readonly #slots: unknown[] = [];
  readonly #free: number[] = [];

  /** A row of its own for a new cell. */
  take(): number {
    return this.#free.pop() ?? (this.#slots.push(NEVER, NEVER, undefined) - SLOTS) / SLOTS;
  }

  /** The cell is gone. */
  give(row: number): void {
    this.set(row, NEVER, NEVER, undefined);
    this.#free.push(row);
  }

  /** @param until - until when a read may be answered by `value` without telling anybody; monotonic. */
  set(row: number, until: number, bornAt: number, value: unknown): void {
    const at = SLOTS * row;
    this.#slots[at] = until;
    this.#slots[at + 1] = bornAt;
    this.#slots[at + 2] = value;
  }

  until(row: number): number {
    return this.#slots[SLOTS * row] as number;
  }

  bornAt(row: number): number {
    return this.#slots[SLOTS * row + 1] as number;
  }

  value(row: number): unknown {
    return this.#slots[SLOTS * row + 2];
  }
}
