import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isMultipleOf, normalize } from '../../../src/core/decimal.js';
import { fromUnits, placesOf, toAmount, toUnits } from '../../../src/testing/venue/units.js';

const decimal = fc.tuple(fc.nat(999_999), fc.nat(6), fc.nat(999_999)).map(([whole, places, fraction]) => {
  const digits = String(fraction).padStart(6, '0').slice(0, places);
  return digits === '' ? String(whole) : `${whole}.${digits}`;
});

describe('units', () => {
  it('come back as the same decimal', () => {
    fc.assert(
      fc.property(decimal, (value) => {
        expect(fromUnits(toUnits(value, 6), 6)).toBe(normalize(value));
        expect(fromUnits(toAmount(`-${value}`), 18)).toBe(normalize(`-${value}`));
      }),
    );
  });

  it('refuse exactly what is finer than their places', () => {
    fc.assert(
      fc.property(decimal, fc.nat(6), (value, places) => {
        const fits = isMultipleOf(value, fromUnits(1, places));
        expect(Number.isNaN(toUnits(value, places))).toBe(!fits);
        expect(placesOf(value) <= places).toBe(fits);
      }),
    );
  });

  it.each(['', '.', '-1', '1e3', 'NaN', '1.2.3', ' 1', '0x1', '99999999999999999999'])('refuse %j', (value) => {
    expect(toUnits(value, 8)).toBeNaN();
  });
});
