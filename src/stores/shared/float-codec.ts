import { ByteReader, ByteWriter } from './byte-buffer.js';
import { readGorilla, writeGorilla } from './gorilla.js';

/** How a column of floats was written: its first byte. */
export const CODEC = { constant: 1, integers: 2, gorilla: 3 } as const;

// Decimal places that are tried: prices, ratios and milliseconds seldom have more.
const MOST_PLACES = 6;
// Differences of differences of such integers still fit a float after the zigzag.
const LARGEST = 2 ** 50;
const writer = new ByteWriter();
const other = new ByteWriter();

/**
 * A column of floats in as few bytes as one of three ways gives: one value; integers after scaling by
 * a power of ten, by their differences; or the bits that change (Gorilla). Every float comes back as
 * it was, NaN, -0, infinities and subnormals included.
 */
export function encodeFloats(values: Float64Array): Uint8Array<ArrayBuffer> {
  writer.clear();
  if (isConstant(values)) {
    writer.byte(CODEC.constant);
    writer.varint(values.length);
    if (values.length > 0) writer.float(values[0] as number);
    return writer.toBytes();
  }
  const scaled = asIntegers(values);
  if (scaled !== undefined) {
    writeIntegers(writer, scaled.integers, scaled.places);
    // Small differences can't be beaten; wide ones may be.
    if (writer.length <= values.length * 2) return writer.toBytes();
  }
  other.clear();
  other.byte(CODEC.gorilla);
  other.varint(values.length);
  writeGorilla(other, values);
  return scaled !== undefined && writer.length <= other.length ? writer.toBytes() : other.toBytes();
}

/** What {@link encodeFloats} was given. @throws RangeError when `bytes` are something else. */
export function decodeFloats(bytes: Uint8Array): Float64Array {
  const reader = new ByteReader(bytes);
  const codec = reader.byte();
  const count = reader.varint();
  if (codec === CODEC.constant) return new Float64Array(count).fill(count > 0 ? reader.float() : 0);
  if (codec === CODEC.integers) return readIntegers(reader, count);
  if (codec === CODEC.gorilla) return readGorilla(reader, count);
  throw new RangeError(`a column must start with a known codec, got ${codec}`);
}

function isConstant(values: Float64Array): boolean {
  for (let i = 1; i < values.length; i++) if (!Object.is(values[i], values[0])) return false;
  return true;
}

function asIntegers(values: Float64Array): { readonly integers: Float64Array; readonly places: number } | undefined {
  let places = 0;
  for (const value of values) {
    while (!isWhole(value, 10 ** places)) if (++places > MOST_PLACES) return undefined;
  }
  const scale = 10 ** places;
  const integers = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    // With more places than it needs, a value must still come back exactly.
    if (!isWhole(values[i] as number, scale)) return undefined;
    integers[i] = Math.round((values[i] as number) * scale);
  }
  return { integers, places };
}

function isWhole(value: number, scale: number): boolean {
  const integer = Math.round(value * scale);
  return Math.abs(integer) <= LARGEST && integer / scale === value && !(integer === 0 && Object.is(value, -0));
}

function writeIntegers(out: ByteWriter, integers: Float64Array, places: number): void {
  // A clock's ticks and steady counters have equal differences; others grow noisier by a second one.
  let [first, second, before] = [0, 0, 0];
  for (let i = 1; i < integers.length; i++) {
    const difference = (integers[i] as number) - (integers[i - 1] as number);
    first += Math.abs(difference);
    second += Math.abs(difference - before);
    before = difference;
  }
  const order = second < first ? 2 : 1;
  out.byte(CODEC.integers);
  out.varint(integers.length);
  out.byte(places | (order << 4));
  let previous = 0;
  let slope = 0;
  let zeros = 0;
  for (const integer of integers) {
    const difference = integer - previous;
    const token = zigzag(order === 2 ? difference - slope : difference);
    previous = integer;
    slope = difference;
    if (token === 0) {
      zeros++;
      continue;
    }
    if (zeros > 0) writeZeros(out, zeros);
    zeros = 0;
    out.varint(token);
  }
  if (zeros > 0) writeZeros(out, zeros);
}

// A run of zeros is a zero and how many.
function writeZeros(out: ByteWriter, zeros: number): void {
  out.byte(0);
  out.varint(zeros);
}

function readIntegers(reader: ByteReader, count: number): Float64Array {
  const head = reader.byte();
  const scale = 10 ** (head & 15);
  const order = head >> 4;
  const values = new Float64Array(count);
  let previous = 0;
  let slope = 0;
  let zeros = 0;
  for (let i = 0; i < count; i++) {
    let step = 0;
    if (zeros > 0) zeros--;
    else {
      const token = reader.varint();
      if (token === 0) zeros = reader.varint() - 1;
      else step = token % 2 === 0 ? token / 2 : -(token + 1) / 2;
    }
    slope = order === 2 ? slope + step : step;
    previous += slope;
    values[i] = previous / scale;
  }
  return values;
}

function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}
