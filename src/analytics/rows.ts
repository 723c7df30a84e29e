/** Rows of numbers: one array a row, or one flat array with the rows behind each other. */
export type Rows = readonly ArrayLike<number>[] | { readonly data: Float64Array; readonly columns: number };

/** Rows in one flat array, row by row. */
export interface FlatRows {
  readonly data: Float64Array;
  readonly columns: number;
  readonly count: number;
}

/**
 * Flattens and checks rows.
 * @param columns - how many numbers a row must have, where that is known already
 * @throws RangeError naming the row (and column) that is missing, ragged, NaN or infinite; TypeError when it is no table at all
 */
export function flatRows(rows: Rows, columns?: number): FlatRows {
  if (typeof rows !== 'object' || rows === null) throw new TypeError(`rows must be an array of rows or { data, columns }, got ${String(rows)}`);
  return 'data' in rows ? checkFlat(rows.data, rows.columns, columns) : flatten(rows, columns);
}

function checkFlat(data: Float64Array, width: number, columns: number | undefined): FlatRows {
  if (!(data instanceof Float64Array)) throw new TypeError('rows.data must be a Float64Array');
  if (!Number.isSafeInteger(width) || width < 1) throw new RangeError(`rows.columns must be a whole number of 1 or more, got ${width}`);
  if (columns !== undefined && width !== columns) throw new RangeError(`rows.columns must be ${columns}, as it was fitted, got ${width}`);
  if (data.length === 0) throw new RangeError('rows must have at least one row, got none');
  if (data.length % width !== 0) throw new RangeError(`rows.data must hold whole rows of ${width}, got ${data.length} numbers`);
  for (let i = 0; i < data.length; i++) requireFiniteCell(data[i]!, Math.floor(i / width), i % width);
  return { data, columns: width, count: data.length / width };
}

function flatten(rows: readonly ArrayLike<number>[], columns: number | undefined): FlatRows {
  const isArray: boolean = Array.isArray(rows);
  if (!isArray) throw new TypeError('rows must be an array of rows or { data, columns }');
  if (rows.length === 0) throw new RangeError('rows must have at least one row, got none');
  const width = columns ?? rows[0]?.length ?? 0;
  if (width < 1) throw new RangeError('rows must have at least one column; row 0 has none');
  const data = new Float64Array(rows.length * width);
  for (let r = 0; r < rows.length; r++) {
    const row = rows[r] as ArrayLike<number>;
    if (row?.length !== width) throw new RangeError(`row ${r} must have ${width} columns, got ${row?.length ?? 'no row'}`);
    for (let c = 0; c < width; c++) data[r * width + c] = requireFiniteCell(row[c]!, r, c);
  }
  return { data, columns: width, count: rows.length };
}

function requireFiniteCell(value: number, row: number, column: number): number {
  if (typeof value !== 'number') throw new TypeError(`row ${row}, column ${column} must be a number, got ${typeof value}`);
  if (!Number.isFinite(value)) throw new RangeError(`row ${row}, column ${column} must be a finite number, got ${value}`);
  return value;
}
