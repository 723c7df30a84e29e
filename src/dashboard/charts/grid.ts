import type { RangeResult } from '../../contracts/metric-store.js';

/**
 * The columns of a chart: `columns` steps of `stepMs` from `from` on. `from` is a multiple of the
 * step, so that a later reading of the same step lands in the same column.
 */
export interface Grid {
  /** Epoch ms. */
  readonly from: number;
  /** Epoch ms, inclusive: the end of the last column. */
  readonly to: number;
  readonly stepMs: number;
  readonly columns: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [1, 2, 5, 10, 15, 30]
  .map((s) => s * SECOND)
  .concat(
    [1, 2, 5, 10, 15, 30].map((m) => m * MINUTE),
    [1, 2, 3, 6, 12].map((h) => h * HOUR),
  );

/** More columns than this no screen shows apart. */
export const MOST_COLUMNS = 300;

/** The step for a range: 5 s for a quarter of an hour, 5 min for a day. */
export function stepFor(rangeMs: number): number {
  const least = rangeMs / (MOST_COLUMNS - 1);
  return STEPS.find((step) => step >= least) ?? Math.ceil(least / DAY) * DAY;
}

/**
 * The columns between `from` and `to`, epoch ms, inclusive. The last one is over at `to`: a column of
 * which a part is still to come would show a dip, or a leap, that there is not. At least one.
 */
export function gridOf(from: number, to: number, stepMs: number = stepFor(to - from)): Grid {
  const start = Math.floor(from / stepMs) * stepMs;
  const columns = Math.max(1, Math.floor((to + 1 - start) / stepMs));
  return { from: start, to: start + columns * stepMs - 1, stepMs, columns };
}

/** The same columns, from the one that `t` lies in; the last one where `t` lies behind it. */
export function gridSince(grid: Grid, t: number): Grid {
  const { from, to, stepMs, columns } = grid;
  const skip = Math.min(columns - 1, Math.max(0, Math.floor((t - from) / stepMs)));
  return { from: from + skip * stepMs, to, stepMs, columns: columns - skip };
}

/** When column `i` begins. */
export const columnTime = ({ from, stepMs }: Grid, i: number): number => from + i * stepMs;

/** A series laid onto the columns. NaN and the infinities are no values. */
export function onGrid({ t, v }: Pick<RangeResult, 't' | 'v'>, { from, stepMs, columns }: Grid): (number | null)[] {
  const values = new Array<number | null>(columns).fill(null);
  for (let i = 0; i < t.length; i++) {
    const column = Math.floor((t[i]! - from) / stepMs);
    const value = v[i]!;
    if (column >= 0 && column < columns && Number.isFinite(value)) values[column] = value;
  }
  return values;
}

/** The part of a {@link RangeQuery} that a grid decides. */
export const rangeOf = ({ from, to, stepMs }: Grid): { readonly from: number; readonly to: number; readonly stepMs: number } => ({
  from,
  to,
  stepMs,
});
