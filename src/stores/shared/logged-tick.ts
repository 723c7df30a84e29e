import type { MetricTick } from '../../contracts/metric-store.js';
import { ByteReader, ByteWriter } from './byte-buffer.js';

/** A tick as a store's log has it: one row, with its values in the order of the host's bytes. */
export interface LoggedTick {
  readonly t: number;
  /** Ids of series, by column. */
  readonly ids: Uint32Array;
  readonly values: DataView;
  /** By column. */
  readonly sketches: ReadonlyMap<number, Uint8Array>;
}

type Sketches = ReadonlyMap<number, Uint8Array>;

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
export const NO_SKETCHES: Sketches = new Map();

/** @param row - with the columns `t`, `d` (the values) and `sketches`, as a database gives it */
export function loggedTick(row: Readonly<Record<string, unknown>>, ids: Uint32Array): LoggedTick {
  const d = row.d as Uint8Array;
  return {
    t: Number(row.t),
    ids,
    values: new DataView(d.buffer, d.byteOffset, d.byteLength),
    sketches: row.sketches === null ? NO_SKETCHES : unpackSketches(row.sketches as Uint8Array),
  };
}

/** The value of one column. */
export function valueAt(tick: LoggedTick, column: number): number {
  return tick.values.getFloat64(column * 8, LITTLE_ENDIAN);
}

/** Packs the sketches of one tick after another into the same memory. */
export class SketchPacker {
  readonly #packed = new ByteWriter();

  /** @returns null where there are none. */
  pack(sketches: MetricTick['sketches']): Uint8Array<ArrayBuffer> | null {
    if (sketches === undefined || sketches.size === 0) return null;
    this.#packed.clear();
    for (const [column, bytes] of sketches) {
      this.#packed.varint(column);
      this.#packed.varint(bytes.length);
      this.#packed.bytes(bytes);
    }
    return this.#packed.toBytes();
  }
}

function unpackSketches(bytes: Uint8Array): Sketches {
  const sketches = new Map<number, Uint8Array>();
  const reader = new ByteReader(bytes);
  while (!reader.atEnd) sketches.set(reader.varint(), reader.bytes(reader.varint()));
  return sketches;
}
