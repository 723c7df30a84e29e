import Big from 'big.js';

/**
 * Exact decimal arithmetic on strings such as `"0.00012300"`, on big.js. Money and quantities of
 * orders are never binary floats: 0.1 + 0.2 is 0.3 here. Results come in plain notation without
 * trailing zeros, so that equal values are equal strings.
 */
export type Decimal = string;

// Its own constructor: the precision of divisions must not depend on what a host sets on big.js.
const D = Big();
D.DP = 18;
D.RM = 1; // half up

const PLAIN = /^-?(?:\d+(?:\.\d*)?|\.\d+)$/;
// As venues write them, but for zeros at the end: nearly all, and worth no Big.
const TIDY = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;
const NOT_ZERO = /[1-9]/;
const ZERO = 48;
const POINT = 46;

/** Whether `value` is a decimal in plain notation: no exponent, no blank, no NaN, no Infinity. */
export function isDecimal(value: unknown): value is Decimal {
  return typeof value === 'string' && PLAIN.test(value);
}

/** @throws TypeError that names `name` and what was given, unless `value` is a decimal string. */
export function requireDecimal(name: string, value: unknown): Decimal {
  if (isDecimal(value)) return value;
  const shown = typeof value === 'string' ? JSON.stringify(value) : `${String(value)} (${typeof value})`;
  throw new TypeError(`${name} must be a decimal string such as "0.015", got ${shown}`);
}

/** The canonical form: plain notation, no leading or trailing zeros, no minus zero. */
export function normalize(value: Decimal): Decimal {
  if (!TIDY.test(value)) return plain(new D(value));
  if (!NOT_ZERO.test(value)) return '0';
  if (!value.includes('.')) return value;
  let end = value.length;
  while (value.charCodeAt(end - 1) === ZERO) end--;
  if (value.charCodeAt(end - 1) === POINT) end--;
  return end === value.length ? value : value.slice(0, end);
}

/** The decimal of a float as it prints, e.g. `1e-7` becomes `"0.0000001"`. @throws RangeError on NaN or Infinity. */
export function fromNumber(value: number): Decimal {
  if (!Number.isFinite(value)) throw new RangeError(`a decimal must be finite, got ${value}`);
  return plain(new D(value));
}

export function add(a: Decimal, b: Decimal): Decimal {
  return plain(new D(a).plus(b));
}

export function subtract(a: Decimal, b: Decimal): Decimal {
  return plain(new D(a).minus(b));
}

export function multiply(a: Decimal, b: Decimal): Decimal {
  return plain(new D(a).times(b));
}

/** To 18 decimal places, half up. @throws RangeError on division by zero. */
export function divide(a: Decimal, b: Decimal): Decimal {
  const divisor = new D(b);
  if (divisor.eq(0)) throw new RangeError(`cannot divide ${a} by zero`);
  return plain(new D(a).div(divisor));
}

/** Negative, 0 or positive, as sort wants it. `"1.0"` and `"1"` are equal. */
export function compare(a: Decimal, b: Decimal): -1 | 0 | 1 {
  return new D(a).cmp(b);
}

export function isZero(value: Decimal): boolean {
  return sign(value) === 0;
}

/** -1, 0 or 1. */
export function sign(value: Decimal): -1 | 0 | 1 {
  if (!PLAIN.test(value)) return new D(value).cmp(0);
  if (!NOT_ZERO.test(value)) return 0;
  return value.startsWith('-') ? -1 : 1;
}

/** Whether `value` is a whole number of `step`s: what LOT_SIZE and PRICE_FILTER ask. */
export function isMultipleOf(value: Decimal, step: Decimal): boolean {
  return new D(value).mod(step).eq(0);
}

/** `value` cut towards zero to a whole number of `step`s. */
export function floorToStep(value: Decimal, step: Decimal): Decimal {
  const big = new D(value);
  return plain(big.minus(big.mod(step)));
}

/** With exactly `places` decimal places, half up, as venues print numbers: `"0.10000000"`. */
export function toPlaces(value: Decimal, places: number): string {
  return new D(value).toFixed(places);
}

function plain(value: Big): Decimal {
  return value.eq(0) ? '0' : value.toFixed();
}
