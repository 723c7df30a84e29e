import type { QuantileSketch } from '../../core/quantile-sketch.js';
import { ByteReader, ByteWriter } from './byte-buffer.js';
import { decodeFloats, encodeFloats } from './float-codec.js';
import { mergeSketches, type RollupRow, rollUpPoints, type SketchRow, withObservations } from './rollup.js';

const MINUTE_MS = 60_000;

/** The points of one series in one slot. */
export interface SlotPoints {
  readonly t: Float64Array;
  readonly v: Float64Array;
  /** Of the observations, where it is a histogram. */
  readonly sketches: readonly SketchRow[];
}

const chunk = new ByteWriter();

/** Times and values as one blob; `codec` says how the values were written. */
export function encodeChunk(t: Float64Array, v: Float64Array): { readonly bytes: Uint8Array; readonly codec: number } {
  const values = encodeFloats(v);
  chunk.clear();
  for (const column of [encodeFloats(t), values]) {
    chunk.varint(column.length);
    chunk.bytes(column);
  }
  return { bytes: chunk.toBytes(), codec: values[0] as number };
}

/** What {@link encodeChunk} was given. */
export function decodeChunk(bytes: Uint8Array): { readonly t: Float64Array; readonly v: Float64Array } {
  const reader = new ByteReader(bytes);
  return { t: decodeFloats(reader.bytes(reader.varint())), v: decodeFloats(reader.bytes(reader.varint())) };
}

/** What is kept of a slot by the minute: rows, and the sketches of a histogram. */
export function minutesOf({ t, v, sketches }: SlotPoints): { readonly rows: readonly RollupRow[]; readonly sketches: readonly SketchRow[] } {
  const rows = rollUpPoints(t, v, MINUTE_MS);
  if (sketches.length === 0) return { rows, sketches: [] };
  const minutes = sketchesBy(sketches, MINUTE_MS);
  return {
    rows: rows.map((row) => {
      const sketch = minutes.get(row.t);
      return sketch === undefined ? row : withObservations(row, sketch);
    }),
    sketches: Array.from(minutes, ([start, sketch]) => ({ t: start, bytes: sketch.toBytes() })),
  };
}

function sketchesBy(rows: readonly SketchRow[], bucketMs: number): Map<number, QuantileSketch> {
  const merged = new Map<number, QuantileSketch>();
  for (const { t, bytes } of rows) {
    const start = Math.floor(t / bucketMs) * bucketMs;
    const sketch = mergeSketches([bytes]);
    if (sketch === undefined) continue;
    const known = merged.get(start);
    if (known === undefined) merged.set(start, sketch);
    else known.merge(sketch);
  }
  return merged;
}
