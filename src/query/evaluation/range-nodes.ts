import { RANGE_FUNCTIONS, type RangeFunction, type RangeWindow } from './range-functions.js';
import type { RangeSource } from './range-source.js';
import { type Revision, VectorNode } from './vector-node.js';

const EMPTY = new Float64Array(0);

/** The latest value of each series, or when it was taken. */
export class InstantNode extends VectorNode {
  readonly #source: RangeSource;
  readonly #lookbackMs: number;
  readonly #offsetMs: number;
  readonly #givesTime: boolean;
  #seen = -1;

  constructor(
    revision: Revision,
    source: RangeSource,
    options: { readonly lookbackMs: number; readonly offsetMs: number; readonly givesTime: boolean },
  ) {
    super(revision);
    this.#source = source;
    this.#lookbackMs = options.lookbackMs;
    this.#offsetMs = options.offsetMs;
    this.#givesTime = options.givesTime;
  }

  protected compute(at: number): void {
    const source = this.#source;
    const then = at - this.#offsetMs;
    source.advance(then);
    if (source.version !== this.#seen) {
      if (this.#givesTime) this.layOutUnnamed(source.slots);
      else this.layOut(source.slots);
      this.#seen = source.version;
    }
    const { present, values } = this;
    const oldest = then - this.#lookbackMs;
    for (let i = 0; i < present.length; i++) {
      const samples = source.samples[i] as RangeSource['samples'][number];
      const last = samples.lastAt(then);
      present[i] = 0;
      if (last < samples.begin) continue;
      const [t, value] = [samples.t[last] as number, samples.v[last] as number];
      if (t < oldest || Number.isNaN(value)) continue;
      present[i] = 1;
      values[i] = this.#givesTime ? t / 1000 : value;
    }
  }
}

/** A function of the samples over a time of each series. */
export class RangeNode extends VectorNode {
  readonly #source: RangeSource;
  readonly #function: RangeFunction;
  readonly #keepsName: boolean;
  readonly #rangeMs: number;
  readonly #offsetMs: number;
  readonly #parameter: VectorNode | undefined;
  readonly #window: RangeWindow = { t: EMPTY, v: EMPTY, from: 0, to: 0, start: 0, end: 0, parameter: Number.NaN };
  #seen = -1;

  constructor(
    revision: Revision,
    source: RangeSource,
    options: { readonly name: string; readonly rangeMs: number; readonly offsetMs: number; readonly parameter: VectorNode | undefined },
  ) {
    super(revision);
    this.#source = source;
    this.#function = RANGE_FUNCTIONS[options.name] as RangeFunction;
    this.#keepsName = options.name === 'last_over_time';
    this.#rangeMs = options.rangeMs;
    this.#offsetMs = options.offsetMs;
    this.#parameter = options.parameter;
  }

  protected compute(at: number): void {
    const source = this.#source;
    const window = this.#window;
    window.end = at - this.#offsetMs;
    window.start = window.end - this.#rangeMs;
    source.advance(window.end);
    if (source.version !== this.#seen) {
      if (this.#keepsName) this.layOut(source.slots);
      else this.layOutUnnamed(source.slots);
      this.#seen = source.version;
    }
    if (this.#parameter !== undefined) {
      this.#parameter.evaluate(at);
      window.parameter = this.#parameter.values[0] as number;
    }
    const { present, values } = this;
    for (let i = 0; i < present.length; i++) {
      const samples = source.samples[i] as RangeSource['samples'][number];
      window.t = samples.t;
      window.v = samples.v;
      window.from = samples.firstFrom(window.start);
      window.to = samples.lastAt(window.end) + 1;
      present[i] = window.from < window.to ? this.#function(window, values, i) : 0;
    }
  }
}
