import { BLOCK_HEAD_BYTES, BLOCK_MARK, checksum, RECORD_BYTES } from './trace-format.js';

const RECORDS_IN_BLOCK = 2_048;
const MOST_NAMES = 0xffff;
const LONGEST_NAME = 200;

/** Collects records until a block is full. */
export class TraceBlock {
  readonly #view: DataView = new DataView(new ArrayBuffer(RECORDS_IN_BLOCK * RECORD_BYTES));
  readonly #numbers = new Map<string, number>();
  #newNames: string[] = [];
  #count = 0;

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  get isFull(): boolean {
    return this.#count === RECORDS_IN_BLOCK;
  }

  /** The number that stands for a name; 0 when there are too many. */
  numberOf(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    if (this.#numbers.size >= MOST_NAMES - 1) return 0;
    const number = this.#numbers.size + 1;
    this.#numbers.set(name, number);
    this.#newNames.push(name.slice(0, LONGEST_NAME));
    return number;
  }

  add(type: number, flags: number, name: number, whole: number, atMs: number, a: number, b: number, c: number): void {
    const at = this.#count++ * RECORD_BYTES;
    const view = this.#view;
    view.setUint8(at, type);
    view.setUint8(at + 1, flags);
    view.setUint16(at + 2, name, true);
    view.setUint32(at + 4, whole, true);
    view.setFloat64(at + 8, atMs, true);
    view.setFloat32(at + 16, a, true);
    view.setFloat32(at + 20, b, true);
    view.setFloat32(at + 24, c, true);
  }

  /** The block as bytes; what comes next goes into a new one. */
  take(): Uint8Array {
    const names = new TextEncoder().encode(this.#newNames.length === 0 ? '' : JSON.stringify(this.#newNames));
    const length = this.#count * RECORD_BYTES;
    const block = new Uint8Array(BLOCK_HEAD_BYTES + names.length + length);
    block.set(names, BLOCK_HEAD_BYTES);
    block.set(new Uint8Array(this.#view.buffer, 0, length), BLOCK_HEAD_BYTES + names.length);
    const head = new DataView(block.buffer);
    for (const [i, value] of [BLOCK_MARK, names.length, this.#count, checksum(block.subarray(BLOCK_HEAD_BYTES))].entries())
      head.setUint32(4 * i, value, true);
    this.#count = 0;
    this.#newNames = [];
    return block;
  }

  /** A file of its own begins: names are told again. */
  restart(): void {
    this.#newNames = [...this.#numbers.keys()].map((name) => name.slice(0, LONGEST_NAME));
  }
}
