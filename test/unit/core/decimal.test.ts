import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as decimal from '../../../src/core/decimal.js';

/** Decimals as exact fractions of 10^-8, with which BigInt can check the arithmetic. */
const ticks = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n });
const asDecimal = (value: bigint): string => {
  const digits = (value < 0n ? -value : value).toString().padStart(9, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -8)}.${digits.slice(-8)}`;
};

describe('decimal', () => {
  it('adds and subtracts exactly where floats do not', () => {
    expect(decimal.add('0.1', '0.2')).toBe('0.3');
    expect(decimal.subtract('0.3', '0.1')).toBe('0.2');
  });

  it('prints plainly: no exponent, no trailing zeros, no minus zero', () => {
    expect(decimal.normalize('000.00000001000')).toBe('0.00000001');
    expect(decimal.normalize('-0.000')).toBe('0');
    expect(decimal.fromNumber(1e-9)).toBe('0.000000001');
    expect(decimal.fromNumber(1e21)).toBe('1000000000000000000000');
    expect(decimal.toPlaces('1.005', 2)).toBe('1.01');
  });

  it('gives the canonical form and the sign that the long way gives, however the decimal is written', async () => {
    const digits = (least: number): fc.Arbitrary<string> => fc.string({ unit: fc.constantFrom(...'00123456789'), minLength: least, maxLength: 12 });
    const written = fc.oneof(
      fc.tuple(fc.constantFrom('', '-'), digits(1)).map((parts) => parts.join('')),
      fc.tuple(fc.constantFrom('', '-'), digits(1), digits(0)).map(([minus, whole, rest]) => `${minus}${whole}.${rest}`),
      fc.tuple(fc.constantFrom('', '-'), digits(1)).map(([minus, rest]) => `${minus}.${rest}`),
    );
    await fc.assert(
      fc.asyncProperty(written, async (value) => {
        // A sum with zero goes through big.js.
        expect(decimal.normalize(value)).toBe(decimal.add(value, '0'));
        expect(decimal.sign(value)).toBe(decimal.compare(value, '0'));
        expect(decimal.isZero(value)).toBe(decimal.compare(value, '0') === 0);
      }),
    );
  });

  it('agrees with integer arithmetic on sums, differences and order', async () => {
    await fc.assert(
      fc.asyncProperty(ticks, ticks, async (a, b) => {
        expect(decimal.add(asDecimal(a), asDecimal(b))).toBe(decimal.normalize(asDecimal(a + b)));
        expect(decimal.subtract(asDecimal(a), asDecimal(b))).toBe(decimal.normalize(asDecimal(a - b)));
        expect(decimal.compare(asDecimal(a), asDecimal(b))).toBe(a < b ? -1 : Number(a > b));
      }),
    );
  });

  it('cuts towards zero to whole steps, and knows a whole number of steps', async () => {
    expect(decimal.floorToStep('0.12345', '0.001')).toBe('0.123');
    expect(decimal.isMultipleOf('0.3', '0.1')).toBe(true);
    expect(decimal.isMultipleOf('0.35', '0.1')).toBe(false);
    await fc.assert(
      fc.asyncProperty(fc.bigInt({ min: 0n, max: 10n ** 18n }), async (value) => {
        const cut = decimal.floorToStep(asDecimal(value), '0.0001');
        expect(decimal.isMultipleOf(cut, '0.0001')).toBe(true);
        expect(decimal.compare(cut, asDecimal(value))).toBeLessThanOrEqual(0);
        expect(decimal.compare(decimal.add(cut, '0.0001'), asDecimal(value))).toBe(1);
      }),
    );
  });

  it('divides to 18 places and refuses to divide by zero', () => {
    expect(decimal.divide('1', '3')).toBe('0.333333333333333333');
    expect(() => decimal.divide('1', '0')).toThrow(/cannot divide 1 by zero/);
  });

  it('tells decimals from what only looks like one', () => {
    for (const good of ['1', '-1', '0.5', '.5', '5.', '00.10']) expect(decimal.isDecimal(good)).toBe(true);
    for (const bad of ['', ' 1', '1e5', 'NaN', 'Infinity', '1,5', '0x10', '--1', '.', 1, null, undefined]) expect(decimal.isDecimal(bad)).toBe(false);
  });

  it('names what is no decimal', () => {
    expect(() => decimal.requireDecimal('qty', 0.5)).toThrow('qty must be a decimal string such as "0.015", got 0.5 (number)');
    expect(() => decimal.requireDecimal('price', '1e5')).toThrow('price must be a decimal string such as "0.015", got "1e5"');
  });
});
