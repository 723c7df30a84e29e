import type { QuantileSketch } from '../../core/quantile-sketch.js';
import { groupSlots } from './aggregate-node.js';
import type { SelectorSource } from './range-source.js';
import type { QuerySlot } from './slots.js';
import { type Revision, VectorNode } from './vector-node.js';

/** What is known of the distribution of observations, a slot a set of labels. */
export interface HistogramSource {
  readonly version: number;
  readonly slots: readonly QuerySlot[];
  readonly sketches: readonly (QuantileSketch | undefined)[];
  /** What counts and sums are divided by: the seconds of the range for a rate. */
  readonly divisor: number;
  evaluate(at: number): void;
}

/** What each series of a histogram observed over a time: the sketches of its ticks, merged. */
export class ObservationsNode implements HistogramSource {
  version = 0;
  slots: readonly QuerySlot[] = [];
  sketches: (QuantileSketch | undefined)[] = [];
  readonly divisor: number;
  readonly #source: SelectorSource;
  readonly #rangeMs: number;
  readonly #offsetMs: number;

  constructor(source: SelectorSource, options: { readonly rangeMs: number; readonly offsetMs: number; readonly isRate: boolean }) {
    this.#source = source;
    this.#rangeMs = options.rangeMs;
    this.#offsetMs = options.offsetMs;
    this.divisor = options.isRate ? options.rangeMs / 1000 : 1;
  }

  evaluate(at: number): void {
    const source = this.#source;
    source.advance();
    this.version = source.version;
    this.slots = source.slots;
    const end = at - this.#offsetMs;
    this.sketches.length = source.series.length;
    for (const [i, { sketches }] of source.series.entries()) this.sketches[i] = sketches.between(end - this.#rangeMs, end);
  }
}

/** The observations of several series together. */
export class MergedObservationsNode implements HistogramSource {
  version = -1;
  slots: readonly QuerySlot[] = [];
  sketches: (QuantileSketch | undefined)[] = [];
  readonly #input: HistogramSource;
  readonly #grouping: { readonly without: boolean; readonly labels: readonly string[] };
  #members = new Int32Array(0);
  #starts = new Int32Array(1);

  constructor(input: HistogramSource, grouping: { readonly without: boolean; readonly labels: readonly string[] } | undefined) {
    this.#input = input;
    this.#grouping = grouping ?? { without: false, labels: [] };
  }

  get divisor(): number {
    return this.#input.divisor;
  }

  evaluate(at: number): void {
    const input = this.#input;
    input.evaluate(at);
    if (input.version !== this.version) {
      const { slots, members, starts } = groupSlots(input.slots, this.#grouping);
      [this.slots, this.#members, this.#starts] = [slots, members, starts];
      this.version = input.version;
    }
    this.sketches.length = this.slots.length;
    for (let group = 0; group < this.slots.length; group++) {
      let merged: QuantileSketch | undefined;
      for (let i = this.#starts[group] as number; i < (this.#starts[group + 1] as number); i++) {
        const sketch = input.sketches[this.#members[i] as number];
        // The first may be shared with others that read it, so it is not merged into.
        if (sketch !== undefined) merged = merged === undefined ? sketch.clone() : merged.merge(sketch);
      }
      this.sketches[group] = merged;
    }
  }
}

/** One number of each distribution. */
export class HistogramFunctionNode extends VectorNode {
  readonly #name: string;
  readonly #input: HistogramSource;
  readonly #parameter: VectorNode | undefined;
  #seen = -1;

  constructor(revision: Revision, name: string, input: HistogramSource, parameter: VectorNode | undefined) {
    super(revision);
    this.#name = name;
    this.#input = input;
    this.#parameter = parameter;
  }

  protected compute(at: number): void {
    const input = this.#input;
    input.evaluate(at);
    this.#parameter?.evaluate(at);
    if (input.version !== this.#seen) {
      this.layOutUnnamed(input.slots);
      this.#seen = input.version;
    }
    for (let i = 0; i < this.present.length; i++) {
      const sketch = input.sketches[i];
      this.present[i] = sketch === undefined ? 0 : 1;
      if (sketch !== undefined) this.values[i] = this.#valueOf(sketch);
    }
  }

  #valueOf(sketch: QuantileSketch): number {
    if (this.#name === 'histogram_count') return sketch.count / this.#input.divisor;
    if (this.#name === 'histogram_sum') return sketch.sum / this.#input.divisor;
    if (this.#name === 'histogram_avg') return sketch.sum / sketch.count;
    const q = this.#parameter?.values[0] ?? Number.NaN;
    if (Number.isNaN(q)) return Number.NaN;
    if (q < 0) return -Infinity;
    return q > 1 ? Infinity : (sketch.quantile(q) ?? Number.NaN);
  }
}
