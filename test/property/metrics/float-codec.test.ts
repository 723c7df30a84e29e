import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter } from '../../../src/stores/shared/byte-buffer.js';
import { CODEC, decodeFloats, encodeFloats } from '../../../src/stores/shared/float-codec.js';
import { readGorilla, writeGorilla } from '../../../src/stores/shared/gorilla.js';

const anyFloat = fc.oneof(
  fc.double(),
  fc.constantFrom(Number.NaN, -0, 0, Infinity, -Infinity, 5e-324, -5e-324, 2 ** -1022, Number.MAX_VALUE, 2 ** 53, 2 ** 53 + 2, -(2 ** 51), 0.1 + 0.2),
  fc.integer(),
  fc.integer({ min: -1_000_000, max: 1_000_000 }).map((cents) => cents / 100),
);

function expectSame(got: Float64Array, wanted: Float64Array): void {
  expect(got.length).toBe(wanted.length);
  for (let i = 0; i < wanted.length; i++) expect(Object.is(got[i], wanted[i]), `at ${i}: ${got[i]} for ${wanted[i]}`).toBe(true);
}

describe('encodeFloats', () => {
  it('gives back every float as it was', () => {
    fc.assert(
      fc.property(fc.array(anyFloat, { maxLength: 300 }), (list) => {
        const values = Float64Array.from(list);
        expectSame(decodeFloats(encodeFloats(values)), values);
      }),
      { numRuns: 500 },
    );
  });

  it('gives back every float through Gorilla alone, whatever the bits', () => {
    fc.assert(
      fc.property(fc.array(anyFloat, { maxLength: 300 }), (list) => {
        const values = Float64Array.from(list);
        const out = new ByteWriter();
        writeGorilla(out, values);
        expectSame(readGorilla(new ByteReader(out.toBytes()), values.length), values);
      }),
      { numRuns: 500 },
    );
  });

  it('gives back jittered times', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 41), fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 700 }), (start, jitter) => {
        const times = Float64Array.from(jitter, (off, i) => start + 10 + i * 1000 + off);
        expectSame(decodeFloats(encodeFloats(times)), times);
      }),
    );
  });

  it('gives back counters and decimals, at any scale', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9 }), fc.array(fc.integer({ min: -1e9, max: 1e9 }), { maxLength: 300 }), (places, list) => {
        const values = Float64Array.from(list, (integer) => integer / 10 ** places);
        expectSame(decodeFloats(encodeFloats(values)), values);
      }),
    );
  });
});

describe('the codec chosen', () => {
  const codecOf = (values: readonly number[]): number => encodeFloats(Float64Array.from(values))[0] as number;
  const ramp = Array.from({ length: 600 }, (_, i) => i);

  it('is one value for constants, NaN included, and keeps 0 and -0 apart', () => {
    expect(codecOf(ramp.map(() => Number.NaN))).toBe(CODEC.constant);
    expect(codecOf([0, -0])).toBe(CODEC.gorilla);
  });

  it('takes less than two hundredths of a byte a point for the times of aligned ticks', () => {
    expect(encodeFloats(Float64Array.from(ramp, (i) => 1_704_067_200_000 + i * 1000)).length).toBeLessThan(20);
  });

  it('takes about a byte a point for a counter, and two for prices in cents', () => {
    expect(encodeFloats(Float64Array.from(ramp, (i) => i * 3 + (i % 7))).length).toBeLessThan(700);
    expect(encodeFloats(Float64Array.from(ramp, (i) => 100 + ((i * 7919) % 100) / 100)).length).toBeLessThan(1300);
  });

  it('is Gorilla for values without short decimals', () => {
    expect(codecOf(ramp.map((i) => Math.sin(i)))).toBe(CODEC.gorilla);
  });

  it('is refused when it is none', () => {
    expect(() => decodeFloats(Uint8Array.of(77, 1))).toThrow(/known codec, got 77/);
    expect(() => decodeFloats(encodeFloats(Float64Array.from(ramp, (i) => Math.sin(i))).subarray(0, 100))).toThrow(/whole/);
  });
});
