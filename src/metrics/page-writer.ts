import { numberText } from './names.js';

const encoder = new TextEncoder();
const LONGEST_NUMBER = 32;
const LARGEST_SHORT = 2 ** 31;
const [ZERO, DOT, NEWLINE] = [48, 46, 10] as const;

/** Text as it is written into a page. */
export function encodeText(text: string): Uint8Array {
  return encoder.encode(text);
}

/**
 * A page of text, written as bytes into room that is used again for the next page: what repeats is
 * copied, and the usual numbers are written without a string of their own.
 */
export class PageWriter {
  #bytes = Buffer.alloc(4_096);
  #length = 0;

  begin(): void {
    this.#length = 0;
  }

  /** What was written since `begin`, in memory of its own. */
  toBytes(): Uint8Array {
    return new Uint8Array(this.#written());
  }

  /** What was written since `begin`. */
  text(): string {
    return this.#written().toString('utf8');
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** `head`, the number as both formats spell it, and the end of the line. */
  line(head: Uint8Array, value: number): void {
    this.#reserve(head.length + LONGEST_NUMBER);
    this.#bytes.set(head, this.#length);
    this.#length += head.length;
    this.number(value);
    this.#bytes[this.#length++] = NEWLINE;
  }

  /** At most {@link LONGEST_NUMBER} bytes, with the newline: there must be room for them. */
  number(value: number): void {
    if (value >= 0 && value < LARGEST_SHORT) {
      const whole = Math.floor(value);
      const thousandths = Math.round((value - whole) * 1_000);
      // Exactly this decimal, then, and no shorter one: so few digits belong to one float alone.
      if ((whole * 1_000 + thousandths) / 1_000 === value) {
        this.#length = writeDecimal(this.#bytes, this.#length, whole | 0, thousandths | 0);
        return;
      }
    }
    const text = numberText(value);
    for (let i = 0; i < text.length; i++) this.#bytes[this.#length++] = text.charCodeAt(i);
  }

  #written(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.alloc(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** `whole` and up to three decimal places, without zeros at the end; gives where the next byte goes. */
function writeDecimal(bytes: Uint8Array, start: number, whole: number, thousandths: number): number {
  let end = start + 1;
  for (let rest = whole; rest > 9; rest = (rest / 10) | 0) end++;
  let at = end;
  let rest = whole;
  do {
    const next = (rest / 10) | 0;
    bytes[--at] = ZERO + rest - next * 10;
    rest = next;
  } while (rest > 0);
  if (thousandths === 0) return end;
  bytes[end++] = DOT;
  for (let left = thousandths, place = 100; left > 0; place = (place / 10) | 0) {
    const digit = (left / place) | 0;
    bytes[end++] = ZERO + digit;
    left -= digit * place;
  }
  return end;
}
