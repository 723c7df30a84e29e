import type { PreparedQuery, QueryVector, SampleWindows } from '../../query/index.js';
import { type Labels, labelsKey } from '../state/labels.js';

/**
 * Several queries whose values belong together by their labels. The slots are those of the first;
 * where another has no value for the same labels, it reads NaN.
 */
export class AlignedQueries {
  readonly #queries: readonly PreparedQuery[];
  readonly #vectors: (QueryVector | undefined)[];
  readonly #versions: number[];
  /** Of each query but the first, by slot of the first: its own slots of the same labels. */
  readonly #slots: (readonly (readonly number[])[])[];
  #version = 0;

  constructor(windows: SampleWindows, texts: readonly string[]) {
    this.#queries = texts.map((text) => windows.prepare(text));
    this.#vectors = texts.map(() => undefined);
    this.#versions = texts.map(() => Number.NaN);
    this.#slots = texts.map(() => []);
  }

  /** The reading of the first query, with a version that also changes with the others'. */
  read(at: number): QueryVector {
    let changed = false;
    for (let i = 0; i < this.#queries.length; i++) {
      const vector = (this.#queries[i] as PreparedQuery).evaluate(at);
      this.#vectors[i] = vector;
      changed ||= vector.version !== this.#versions[i];
      this.#versions[i] = vector.version;
    }
    if (changed) this.#align();
    return this.#vectors[0] as QueryVector;
  }

  /** Grows whenever slots changed their meaning. */
  get version(): number {
    return this.#version;
  }

  /** The value of query `index` where the first has `slot`. */
  valueOf(index: number, slot: number): number {
    const vector = this.#vectors[index] as QueryVector;
    if (index === 0) return vector.present[slot] === 1 ? (vector.values[slot] as number) : Number.NaN;
    for (const own of this.#slots[index]?.[slot] ?? []) if (vector.present[own] === 1) return vector.values[own] as number;
    return Number.NaN;
  }

  release(): void {
    for (const query of this.#queries) query.release();
  }

  #align(): void {
    this.#version++;
    const { slots } = this.#vectors[0] as QueryVector;
    for (let i = 1; i < this.#queries.length; i++) this.#slots[i] = alignSlots(slots, (this.#vectors[i] as QueryVector).slots);
  }
}

type Slots = readonly { readonly labels: Labels }[];

/** By slot of `to`: the slots of `from` with the same labels. There may be several, of which one at most has a value: `a or b` has one for each side. */
export function alignSlots(to: Slots, from: Slots): readonly (readonly number[])[] {
  const byKey = new Map<string, number[]>();
  for (const [slot, { labels }] of from.entries()) {
    const key = labelsKey(labels);
    byKey.set(key, [...(byKey.get(key) ?? []), slot]);
  }
  return to.map(({ labels }) => byKey.get(labelsKey(labels)) ?? []);
}
