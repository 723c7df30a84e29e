/** A series of measurements: `t` epoch ms, strictly ascending; `v` the value at each. */
export interface Series {
  readonly t: ArrayLike<number>;
  readonly v: ArrayLike<number>;
}

/** Beyond this, squares and their sums would leave the range of numbers, and answers would be NaN. */
export const LARGEST = 1e150;

/** Copies values, refusing what is no finite number, or too large to be squared. @throws RangeError naming the index */
export function finiteValues(name: string, values: ArrayLike<number>): Float64Array {
  if (typeof values !== 'object' || values === null || !Number.isSafeInteger(values.length))
    throw new TypeError(`${name} must be an array of numbers, got ${values === null ? 'null' : typeof values}`);
  const copy = new Float64Array(values.length);
  for (let i = 0; i < copy.length; i++) {
    const value = values[i]!;
    if (typeof value !== 'number' || !Number.isFinite(value)) throw new RangeError(`${name}[${i}] must be a finite number, got ${String(value)}`);
    if (Math.abs(value) > LARGEST) throw new RangeError(`${name}[${i}] must lie within ±${LARGEST}, got ${value}`);
    copy[i] = value;
  }
  return copy;
}

/** Copies and checks a series. @throws RangeError naming the index of what is NaN, infinite, unsorted or repeated */
export function checkSeries(series: Series): { readonly t: Float64Array; readonly v: Float64Array } {
  if (typeof series !== 'object' || series === null) throw new TypeError('series must be an object { t, v }');
  const t = finiteValues('series.t', series.t);
  const v = finiteValues('series.v', series.v);
  if (t.length !== v.length) throw new RangeError(`series.t and series.v must be of one length, got ${t.length} and ${v.length}`);
  for (let i = 1; i < t.length; i++) {
    if (t[i]! > t[i - 1]!) continue;
    throw new RangeError(
      `series.t must ascend strictly: t[${i}] = ${t[i]} ${t[i] === t[i - 1] ? 'repeats' : 'lies before'} t[${i - 1}] = ${t[i - 1]}`,
    );
  }
  return { t, v };
}
