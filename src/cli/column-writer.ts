import { printable } from './terminal.js';

// Rows that are looked at before the first is written; later, wider cells push their row to the right.
const ROWS_MEASURED = 200;

/** Writes rows as aligned columns without holding them all: a journal may have a million. */
export class ColumnWriter {
  readonly #write: (text: string) => void;
  readonly #head: readonly string[];
  #waiting: (readonly string[])[] | undefined = [];
  #widths: readonly number[];

  constructor(write: (text: string) => void, head: readonly string[]) {
    this.#write = write;
    this.#head = head;
    this.#widths = head.map((cell) => cell.length);
  }

  row(cells: readonly string[]): void {
    const clean = cells.map(printable);
    if (this.#waiting === undefined) this.#print(clean);
    else if (this.#waiting.push(clean) === ROWS_MEASURED) this.end();
  }

  /** Writes what is still being measured; call it after the last row. */
  end(): void {
    if (this.#waiting === undefined) return;
    const rows = this.#waiting;
    this.#waiting = undefined;
    if (rows.length === 0) return;
    this.#widths = this.#head.map((cell, column) => Math.max(cell.length, ...rows.map((row) => row[column]?.length ?? 0)));
    this.#print(this.#head);
    for (const row of rows) this.#print(row);
  }

  #print(cells: readonly string[]): void {
    this.#write(
      `${cells
        .map((cell, column) => cell.padEnd(this.#widths[column] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    );
  }
}
