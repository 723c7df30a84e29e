import type { ByteReader, ByteWriter } from './byte-buffer.js';

const scratch = new Float64Array(1);
const halves = new Uint32Array(scratch.buffer);
scratch[0] = 1;
const UPPER = halves[1] === 0 ? 0 : 1;
const LOWER = 1 - UPPER;

/** Writes bits, the highest first. */
class BitWriter {
  readonly #out: ByteWriter;
  #pending = 0;
  #room = 8;

  constructor(out: ByteWriter) {
    this.#out = out;
  }

  /** @param count - 0 to 32; only that many low bits of `value` are written. */
  write(value: number, count: number): void {
    let left = count;
    while (left > 0) {
      const taken = Math.min(left, this.#room);
      const bits = (value >>> (left - taken)) & ((1 << taken) - 1);
      this.#room -= taken;
      this.#pending |= bits << this.#room;
      left -= taken;
      if (this.#room === 0) this.flush();
    }
  }

  flush(): void {
    if (this.#room === 8) return;
    this.#out.byte(this.#pending);
    this.#pending = 0;
    this.#room = 8;
  }
}

class BitReader {
  readonly #from: ByteReader;
  #current = 0;
  #left = 0;

  constructor(from: ByteReader) {
    this.#from = from;
  }

  read(count: number): number {
    let value = 0;
    let missing = count;
    while (missing > 0) {
      if (this.#left === 0) {
        this.#current = this.#from.byte();
        this.#left = 8;
      }
      const taken = Math.min(missing, this.#left);
      this.#left -= taken;
      value = ((value << taken) | ((this.#current >>> this.#left) & ((1 << taken) - 1))) >>> 0;
      missing -= taken;
    }
    return value;
  }
}

/**
 * Writes floats by what changes from one to the next: the bits that differ, without the zeros on both
 * sides. Every bit pattern comes back, NaN, -0 and subnormals included.
 *
 * Source: Gorilla (Pelkonen et al., VLDB 2015), section 4.1.2.
 */
export function writeGorilla(out: ByteWriter, values: Float64Array): void {
  const bits = new BitWriter(out);
  let [beforeHigh, beforeLow] = [0, 0];
  let leading = -1;
  let length = 0;
  for (const value of values) {
    scratch[0] = value;
    const high = halves[UPPER] as number;
    const low = halves[LOWER] as number;
    const xorHigh = (high ^ beforeHigh) >>> 0;
    const xorLow = (low ^ beforeLow) >>> 0;
    [beforeHigh, beforeLow] = [high, low];
    if (xorHigh === 0 && xorLow === 0) {
      bits.write(0, 1);
      continue;
    }
    const zerosBefore = Math.min(31, xorHigh !== 0 ? Math.clz32(xorHigh) : 32 + Math.clz32(xorLow));
    const zerosAfter = xorLow !== 0 ? trailingZeros(xorLow) : 32 + trailingZeros(xorHigh);
    if (leading >= 0 && zerosBefore >= leading && zerosAfter >= 64 - leading - length) bits.write(0b10, 2);
    else {
      leading = zerosBefore;
      length = 64 - zerosBefore - zerosAfter;
      bits.write(0b11, 2);
      bits.write(leading, 5);
      bits.write(length - 1, 6);
    }
    writeMiddle(bits, xorHigh, xorLow, leading, length);
  }
  bits.flush();
}

export function readGorilla(from: ByteReader, count: number): Float64Array {
  const bits = new BitReader(from);
  const values = new Float64Array(count);
  let [high, low] = [0, 0];
  let leading = 0;
  let length = 0;
  for (let i = 0; i < count; i++) {
    if (bits.read(1) === 1) {
      if (bits.read(1) === 1) {
        leading = bits.read(5);
        length = bits.read(6) + 1;
      }
      const after = 64 - leading - length;
      // The middle may lie in the upper half, the lower, or across both.
      if (after >= 32) high ^= bits.read(length) << (after - 32);
      else {
        high ^= bits.read(32 - leading);
        low ^= bits.read(32 - after) << after;
      }
    }
    halves[UPPER] = high;
    halves[LOWER] = low;
    values[i] = scratch[0] as number;
  }
  return values;
}

function writeMiddle(bits: BitWriter, high: number, low: number, leading: number, length: number): void {
  const after = 64 - leading - length;
  if (after >= 32) bits.write(high >>> (after - 32), length);
  else {
    bits.write(high, 32 - leading);
    bits.write(low >>> after, 32 - after);
  }
}

function trailingZeros(value: number): number {
  return 31 - Math.clz32(value & -value);
}
