/**
 * Exact arithmetic for the venue's hot path: a decimal becomes a whole number of 10^-places units.
 * Quantities and prices of one order fit a double exactly; products and balances are BigInt.
 */

/** Decimal places that balances and amounts of money are kept with. */
export const AMOUNT_PLACES = 18;

const ZERO = 48;
const DOT = 46;
const MINUS = 45;

/**
 * `value` in units of 10^-places; NaN when it is no plain decimal, is finer than that, negative, or
 * larger than a double holds exactly.
 */
export function toUnits(value: string, places: number): number {
  let units = 0;
  let digits = 0;
  let seenPlaces = -1;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code === DOT) {
      if (seenPlaces >= 0) return Number.NaN;
      seenPlaces = 0;
      continue;
    }
    const digit = code - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    digits++;
    if (seenPlaces >= 0 && ++seenPlaces > places) {
      if (digit !== 0) return Number.NaN;
      continue;
    }
    units = units * 10 + digit;
  }
  if (digits === 0) return Number.NaN;
  for (let written = Math.max(0, Math.min(seenPlaces, places)); written < places; written++) units *= 10;
  return units <= Number.MAX_SAFE_INTEGER ? units : Number.NaN;
}

/** As {@link toUnits}, of any size and sign. @throws RangeError where it is finer than `places`. */
export function toAmount(value: string, places: number = AMOUNT_PLACES): bigint {
  const negative = value.charCodeAt(0) === MINUS;
  const [whole = '', fraction = ''] = (negative ? value.slice(1) : value).split('.');
  const kept = fraction.slice(0, places).padEnd(places, '0');
  if (/[1-9]/.test(fraction.slice(places))) throw new RangeError(`${value} has more than ${places} decimal places`);
  const units = BigInt(whole + kept);
  return negative ? -units : units;
}

/** The canonical decimal of `units`: plain notation, no trailing zeros. */
export function fromUnits(units: number | bigint, places: number): string {
  if (units < 0) return `-${fromUnits(-units, places)}`;
  const text = String(units);
  if (places === 0) return text;
  const padded = text.length > places ? text : text.padStart(places + 1, '0');
  let end = padded.length;
  const point = end - places;
  while (end > point && padded.charCodeAt(end - 1) === ZERO) end--;
  return end === point ? padded.slice(0, point) : `${padded.slice(0, point)}.${padded.slice(point, end)}`;
}

/** How many decimal places a plain decimal needs: 2 for `"0.010"`. */
export function placesOf(value: string): number {
  const point = value.indexOf('.');
  return point < 0 ? 0 : value.slice(point + 1).replace(/0+$/, '').length;
}
