import type { QuantileSketch } from '../../core/quantile-sketch.js';

/** What a histogram observed, a sketch a tick, in order of time. */
export class SketchSeries {
  #t: number[] = [];
  #sketches: QuantileSketch[] = [];
  #begin = 0;

  get size(): number {
    return this.#t.length - this.#begin;
  }

  get lastT(): number {
    return this.size > 0 ? (this.#t[this.#t.length - 1] as number) : -Infinity;
  }

  push(t: number, sketch: QuantileSketch): void {
    this.#t.push(t);
    this.#sketches.push(sketch);
  }

  dropBefore(t: number): void {
    while (this.#begin < this.#t.length && (this.#t[this.#begin] as number) < t) this.#begin++;
    // Moved now and then, rather than each time.
    if (this.#begin <= 64 || this.#begin < this.#t.length / 2) return;
    this.#t = this.#t.slice(this.#begin);
    this.#sketches = this.#sketches.slice(this.#begin);
    this.#begin = 0;
  }

  prepend(t: readonly number[], sketches: readonly QuantileSketch[]): void {
    const first = this.size > 0 ? (this.#t[this.#begin] as number) : Infinity;
    const count = t.findIndex((at) => at >= first);
    const until = count < 0 ? t.length : count;
    this.#t = [...t.slice(0, until), ...this.#t.slice(this.#begin)];
    this.#sketches = [...sketches.slice(0, until), ...this.#sketches.slice(this.#begin)];
    this.#begin = 0;
  }

  extend(t: readonly number[], sketches: readonly QuantileSketch[]): void {
    for (let i = 0, last = this.lastT; i < t.length; i++) if ((t[i] as number) > last) this.push(t[i] as number, sketches[i] as QuantileSketch);
  }

  /** What was observed after `from` and up to `to`; undefined for nothing. */
  between(from: number, to: number): QuantileSketch | undefined {
    let merged: QuantileSketch | undefined;
    for (let i = this.#t.length - 1; i >= this.#begin; i--) {
      const t = this.#t[i] as number;
      if (t <= from) break;
      const sketch = this.#sketches[i] as QuantileSketch;
      if (t <= to) merged = merged === undefined ? sketch.clone() : merged.merge(sketch);
    }
    return merged;
  }
}
