import { QuantileSketch } from '../../core/quantile-sketch.js';
import { ByteReader, ByteWriter } from './byte-buffer.js';
import { decodeFloats, encodeFloats } from './float-codec.js';

/** What is kept of one series for one minute or hour. */
export interface RollupRow {
  /** Start of the minute or hour, epoch ms. */
  readonly t: number;
  /** When the first and the last point in it were taken, and their values. */
  readonly firstT: number;
  readonly lastT: number;
  readonly first: number;
  readonly last: number;
  readonly min: number;
  readonly max: number;
  readonly sum: number;
  readonly n: number;
  /** How much a counter rose between first and last, restarts seen through. */
  readonly increase: number;
}

const COLUMNS = ['t', 'firstT', 'lastT', 'first', 'last', 'min', 'max', 'sum', 'n', 'increase'] as const satisfies readonly (keyof RollupRow)[];

/** How much a counter rose between two readings; a fall is a restart from 0. */
export function rise(before: number, after: number): number {
  return after >= before ? after - before : after;
}

type Growing = { -readonly [K in keyof RollupRow]: RollupRow[K] };

/** Rows of `bucketMs` from the points of one series, in order of time; what is no finite number is left out. */
export function rollUpPoints(t: Float64Array, v: Float64Array, bucketMs: number): RollupRow[] {
  const rows: Growing[] = [];
  let row: Growing | undefined;
  for (let i = 0; i < t.length; i++) {
    const at = t[i] as number;
    const value = v[i] as number;
    if (value - value !== 0) continue;
    if (row === undefined || at >= row.t + bucketMs) {
      row = {
        t: Math.floor(at / bucketMs) * bucketMs,
        firstT: at,
        lastT: at,
        first: value,
        last: value,
        min: value,
        max: value,
        sum: 0,
        n: 0,
        increase: 0,
      };
      rows.push(row);
    }
    row.increase += rise(row.last, value);
    row.lastT = at;
    row.last = value;
    if (value < row.min) row.min = value;
    if (value > row.max) row.max = value;
    row.sum += value;
    row.n++;
  }
  return rows;
}

/** One row of several that follow each other in time; undefined for none. */
export function mergeRows(t: number, rows: readonly RollupRow[]): RollupRow | undefined {
  const [head, ...rest] = rows;
  if (head === undefined) return undefined;
  const merged: Growing = { ...head, t };
  for (const row of rest) {
    merged.increase += rise(merged.last, row.first) + row.increase;
    merged.lastT = row.lastT;
    merged.last = row.last;
    merged.min = Math.min(merged.min, row.min);
    merged.max = Math.max(merged.max, row.max);
    merged.sum += row.sum;
    merged.n += row.n;
  }
  return merged;
}

/** For a histogram: extremes, sum and count become those of the single observations. */
export function withObservations(row: RollupRow, sketch: QuantileSketch): RollupRow {
  return { ...row, min: sketch.min, max: sketch.max, sum: sketch.sum, n: sketch.count };
}

/** `rows` with those of `added` put in their place by time; a row of the same time is replaced. */
export function putRows<R extends { readonly t: number }>(rows: readonly R[], added: readonly R[]): R[] {
  const newTimes = new Set(added.map(({ t }) => t));
  return [...rows.filter(({ t }) => !newTimes.has(t)), ...added].sort((a, b) => a.t - b.t);
}

/** Rows column by column, each with the codec that suits it. */
export function encodeRows(rows: readonly RollupRow[]): Uint8Array {
  const out = new ByteWriter();
  for (const column of COLUMNS) {
    const bytes = encodeFloats(Float64Array.from(rows, (row) => row[column]));
    out.varint(bytes.length);
    out.bytes(bytes);
  }
  return out.toBytes();
}

/** What {@link encodeRows} was given. */
export function decodeRows(bytes: Uint8Array): RollupRow[] {
  const reader = new ByteReader(bytes);
  const column = (): Float64Array => decodeFloats(reader.bytes(reader.varint()));
  const [t, firstT, lastT, first, last] = [column(), column(), column(), column(), column()];
  const [min, max, sum, n, increase] = [column(), column(), column(), column(), column()];
  const at = (values: Float64Array, i: number): number => values[i] as number;
  return Array.from(t, (start, i) => ({
    t: start,
    firstT: at(firstT, i),
    lastT: at(lastT, i),
    first: at(first, i),
    last: at(last, i),
    min: at(min, i),
    max: at(max, i),
    sum: at(sum, i),
    n: at(n, i),
    increase: at(increase, i),
  }));
}

/**
 * The same for a query, which needs few of the columns and one row at a time: each column is unpacked
 * when it is first asked for, and no row is an object of its own.
 */
export class RollupCursor implements RollupRow {
  readonly #packed: Uint8Array[] = [];
  readonly #columns: (Float64Array | undefined)[] = [];
  #row = 0;

  constructor(bytes: Uint8Array) {
    const reader = new ByteReader(bytes);
    for (let i = 0; i < COLUMNS.length; i++) this.#packed.push(reader.bytes(reader.varint()));
  }

  /** How many rows there are. */
  get length(): number {
    return this.#column(0).length;
  }

  /** Goes to row `i`: what it gave of another row before is no longer true. */
  at(i: number): this {
    this.#row = i;
    return this;
  }

  get t(): number {
    return this.#column(0)[this.#row] as number;
  }
  get firstT(): number {
    return this.#column(1)[this.#row] as number;
  }
  get lastT(): number {
    return this.#column(2)[this.#row] as number;
  }
  get first(): number {
    return this.#column(3)[this.#row] as number;
  }
  get last(): number {
    return this.#column(4)[this.#row] as number;
  }
  get min(): number {
    return this.#column(5)[this.#row] as number;
  }
  get max(): number {
    return this.#column(6)[this.#row] as number;
  }
  get sum(): number {
    return this.#column(7)[this.#row] as number;
  }
  get n(): number {
    return this.#column(8)[this.#row] as number;
  }
  get increase(): number {
    return this.#column(9)[this.#row] as number;
  }

  /** By its place in COLUMNS. */
  #column(i: number): Float64Array {
    return (this.#columns[i] ??= decodeFloats(this.#packed[i] as Uint8Array));
  }
}

/** The sketch of a minute or an hour. */
export interface SketchRow {
  readonly t: number;
  readonly bytes: Uint8Array;
}

export function encodeSketches(rows: readonly SketchRow[]): Uint8Array {
  const out = new ByteWriter();
  for (const { t, bytes } of rows) {
    out.varint(t);
    out.varint(bytes.length);
    out.bytes(bytes);
  }
  return out.toBytes();
}

export function decodeSketches(bytes: Uint8Array): SketchRow[] {
  const reader = new ByteReader(bytes);
  const rows: SketchRow[] = [];
  while (!reader.atEnd) rows.push({ t: reader.varint(), bytes: reader.bytes(reader.varint()) });
  return rows;
}

/** One sketch of many; undefined for none. */
export function mergeSketches(parts: Iterable<Uint8Array>): QuantileSketch | undefined {
  let merged: QuantileSketch | undefined;
  for (const bytes of parts) {
    merged = merged === undefined ? QuantileSketch.fromBytes(bytes) : merged.mergeBytes(bytes);
  }
  return merged;
}
