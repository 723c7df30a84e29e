import type { Counter, Exemplar, Gauge, Histogram } from '../contracts/metrics.js';
import type { Clock } from '../core/clock.js';
import { requireInteger } from '../core/options.js';
import { QuantileSketch } from '../core/quantile-sketch.js';

/** An exemplar as it was recorded. */
export interface KeptExemplar {
  readonly labels: Exemplar;
  readonly value: number;
  /** Epoch ms. */
  readonly at: number;
}

/** One series of a counter, bound to its labels. */
export class CounterSeries implements Counter {
  readonly labels: Readonly<Record<string, string>>;
  // Counts of one stay small integers, which the engine adds in place, three times sooner than floats.
  #ones = 0;
  #others = 0;
  readonly #clock: Clock;
  exemplar: KeptExemplar | undefined;

  constructor(labels: Readonly<Record<string, string>>, clock: Clock) {
    this.labels = labels;
    this.#clock = clock;
  }

  get value(): number {
    return this.#others + this.#ones;
  }

  inc(by = 1, exemplar?: Exemplar): void {
    if (by === 1) this.#ones++;
    else this.#add(by);
    if (exemplar !== undefined) this.exemplar = { labels: exemplar, value: by, at: this.#clock.now() };
  }

  #add(by: number): void {
    if (!(by >= 0 && by < Infinity)) throw new RangeError(`a counter only rises: by must be a finite number of 0 or more, got ${by}`);
    this.#others += by;
  }
}

/** One series of a gauge, bound to its labels. */
export class GaugeSeries implements Gauge {
  readonly labels: Readonly<Record<string, string>>;
  #value = 0;

  constructor(labels: Readonly<Record<string, string>>) {
    this.labels = labels;
  }

  get value(): number {
    return this.#value;
  }

  set(value: number): void {
    if (typeof value !== 'number') throw noNumber(value);
    this.#value = value;
  }

  add(value: number): void {
    if (typeof value !== 'number') throw noNumber(value);
    this.#value += value;
  }
}

/** One series of a histogram, bound to its labels: a sketch, and classic buckets where asked for. */
export class HistogramSeries implements Histogram {
  readonly labels: Readonly<Record<string, string>>;
  readonly sketch: QuantileSketch;
  /** Upper bounds, ascending, without +Inf; undefined for a sketch alone. */
  readonly bounds: readonly number[] | undefined;
  /** By bucket, one more than bounds. */
  readonly bucketCounts: Float64Array;
  readonly exemplars: (KeptExemplar | undefined)[] = [];
  readonly #clock: Clock;

  constructor(labels: Readonly<Record<string, string>>, relativeError: number, bounds: readonly number[] | undefined, clock: Clock) {
    this.labels = labels;
    this.sketch = new QuantileSketch(relativeError);
    this.bounds = bounds;
    this.bucketCounts = new Float64Array(bounds === undefined ? 0 : bounds.length + 1);
    this.#clock = clock;
  }

  observe(value: number, exemplar?: Exemplar): void {
    // Finite: Infinity would make every later mean infinite, NaN would make it nothing.
    if (!(value > -Infinity && value < Infinity)) throw new RangeError(`value must be a finite number, got ${value}`);
    this.sketch.add(value);
    if (this.bounds !== undefined) this.#count(this.bounds, value, 1, exemplar);
  }

  observeMany(value: number, times: number): void {
    if (!(value > -Infinity && value < Infinity)) throw new RangeError(`value must be a finite number, got ${value}`);
    requireInteger('times', times, 0);
    if (times === 0) return;
    this.sketch.addMany(value, times);
    if (this.bounds !== undefined) this.#count(this.bounds, value, times, undefined);
  }

  quantile(q: number): number | undefined {
    return this.sketch.quantile(q);
  }

  #count(bounds: readonly number[], value: number, times: number, exemplar: Exemplar | undefined): void {
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
    this.bucketCounts[bucket]! += times;
    if (exemplar !== undefined) this.exemplars[bucket] = { labels: exemplar, value, at: this.#clock.now() };
  }
}

/** Any of the three. */
export type SeriesOf<K extends MetricKind> = K extends 'counter' ? CounterSeries : K extends 'gauge' ? GaugeSeries : HistogramSeries;
export type MetricKind = 'counter' | 'gauge' | 'histogram';
export type AnySeries = CounterSeries | GaugeSeries | HistogramSeries;

const noNumber = (value: unknown): TypeError => new TypeError(`value must be a number, got ${String(value)}`);
