import type { RangeSource } from './range-source.js';
import { SampleSeries } from './sample-series.js';
import type { QuerySlot } from './slots.js';
import type { VectorNode } from './vector-node.js';

let versions = 0;

/**
 * The values of an expression at every multiple of a step. Each is evaluated once, when its time has
 * come, and kept as long as the range looks back: an hour in steps of a minute costs one evaluation
 * a minute, and the samples beneath need not stay for an hour.
 */
export class SubquerySource implements RangeSource {
  version = 0;
  slots: readonly QuerySlot[] = [];
  samples: readonly SampleSeries[] = [];
  /** Whether the whole range has been there to be evaluated. */
  isWarm = false;
  readonly #inner: VectorNode;
  readonly #stepMs: number;
  // As far as the range looks back from where its offset puts it.
  readonly #keepMs: number;
  #kept: ReadonlyMap<string, { readonly slot: QuerySlot; readonly samples: SampleSeries }> = new Map();
  #innerVersion = -1;
  #innerSamples: readonly SampleSeries[] = [];
  #last = -Infinity;

  constructor(inner: VectorNode, options: { readonly rangeMs: number; readonly stepMs: number; readonly offsetMs: number }) {
    this.#inner = inner;
    this.#stepMs = options.stepMs;
    this.#keepMs = options.rangeMs + options.offsetMs;
  }

  /** Forgets what was evaluated, so that the range is looked at again. */
  reset(): void {
    this.#kept = new Map();
    this.#innerSamples = [];
    this.#innerVersion = -1;
    this.#last = -Infinity;
    this.isWarm = false;
    this.#publish();
  }

  advance(at: number): void {
    // Far back: another time is being looked at. A little back is no reason to forget an hour.
    if (at < this.#last - this.#keepMs) this.reset();
    const first = Math.max(this.#last + this.#stepMs, Math.ceil((at - this.#keepMs) / this.#stepMs) * this.#stepMs);
    for (let step = first; step <= at; step += this.#stepMs) {
      this.#inner.evaluate(step);
      this.#keep(step);
      this.#last = step;
    }
  }

  #keep(step: number): void {
    const inner = this.#inner;
    if (inner.version !== this.#innerVersion) this.#layOut(inner.slots);
    for (let i = 0; i < this.#innerSamples.length; i++) {
      const samples = this.#innerSamples[i] as SampleSeries;
      if (inner.present[i] === 1) samples.push(step, inner.values[i] as number);
    }
    for (const samples of this.samples) samples.dropBefore(step - this.#keepMs);
  }

  #layOut(slots: readonly QuerySlot[]): void {
    this.#innerVersion = this.#inner.version;
    const kept = new Map(slots.map((slot) => [slot.key, { slot, samples: this.#kept.get(slot.key)?.samples ?? new SampleSeries() }]));
    this.#innerSamples = slots.map(({ key }) => kept.get(key)?.samples as SampleSeries);
    // A series that is gone still was there within the range.
    for (const [key, gone] of this.#kept) if (!kept.has(key) && gone.samples.size > 0) kept.set(key, gone);
    this.#kept = kept;
    this.#publish();
  }

  #publish(): void {
    const all = [...this.#kept.values()];
    this.slots = all.map(({ slot }) => slot);
    this.samples = all.map(({ samples }) => samples);
    this.version = ++versions;
  }
}
