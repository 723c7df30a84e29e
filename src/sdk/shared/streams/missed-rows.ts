import type { RecoveryBounds } from '../resilient-options.js';
import type { RowOrder, ToldRows } from './told-rows.js';

/** Where the rows of one stream can be read again. */
export interface RowList<R> {
  /**
   * The newest rows at or behind a place, `most` of them where there are more; oldest first.
   * @param since - no need to read what happened before, ms
   */
  read(from: number, most: number, since: number): Promise<readonly R[]>;
}

/** What a list had of it. */
export interface MissedRows<R> {
  /** Everything that was read, oldest first; what was told before, too. */
  readonly rows: readonly R[];
  /** Whether nothing was left out. */
  readonly isWhole: boolean;
}

/** Reads, once and within bounds, what may not have been told. */
export async function missedRows<R>(
  told: ToldRows<R>,
  list: RowList<R>,
  order: RowOrder<R>,
  { maxAgeMs, maxRows }: RecoveryBounds,
  now: number,
): Promise<MissedRows<R>> {
  const { from } = told;
  if (from === undefined) return { rows: [], isWhole: true };
  const oldest = now - maxAgeMs;
  const { isDense, placeOf, timeOf } = order;
  const read = await list.read(isDense ? from : Math.max(from, oldest), maxRows + 1, oldest);
  const rows = read.filter((row) => timeOf(row) >= oldest && placeOf(row) >= from).slice(-maxRows);
  const first = rows[0];
  const isFirstNext = first === undefined ? read.length === 0 : told.follows(first);
  const isWhole = isDense ? isFirstNext : from >= oldest && read.length <= maxRows;
  return { rows, isWhole };
}
