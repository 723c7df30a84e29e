import type { QuantileSketch } from '../../core/quantile-sketch.js';

/** Ticks whose sketches are also kept merged, so that an hour is merged of minutes. */
const BLOCK = 64;

/** What a histogram observed, a sketch a tick, in order of time. */
export class SketchSeries {
  #t: number[] = [];
  #sketches: QuantileSketch[] = [];
  #begin = 0;
  // Blocks are numbered by all ticks that ever were, of which so many have been removed from the arrays.
  #removed = 0;
  readonly #blocks = new Map<number, QuantileSketch>();

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
    if (this.#begin <= BLOCK || this.#begin < this.#t.length / 2) return;
    this.#t = this.#t.slice(this.#begin);
    this.#sketches = this.#sketches.slice(this.#begin);
    this.#removed += this.#begin;
    this.#begin = 0;
    for (const block of this.#blocks.keys()) if (block * BLOCK < this.#removed) this.#blocks.delete(block);
  }

  prepend(t: readonly number[], sketches: readonly QuantileSketch[]): void {
    const first = this.size > 0 ? (this.#t[this.#begin] as number) : Infinity;
    const count = t.findIndex((at) => at >= first);
    const until = count < 0 ? t.length : count;
    this.#t = [...t.slice(0, until), ...this.#t.slice(this.#begin)];
    this.#sketches = [...sketches.slice(0, until), ...this.#sketches.slice(this.#begin)];
    this.#begin = 0;
    this.#blocks.clear();
  }

  extend(t: readonly number[], sketches: readonly QuantileSketch[]): void {
    for (let i = 0, last = this.lastT; i < t.length; i++) if ((t[i] as number) > last) this.push(t[i] as number, sketches[i] as QuantileSketch);
  }

  /** What was observed after `from` and up to `to`; undefined for nothing. */
  between(from: number, to: number): QuantileSketch | undefined {
    const end = this.#firstAfter(to);
    let merged: QuantileSketch | undefined;
    for (let i = this.#firstAfter(from); i < end; ) {
      const isWhole = (this.#removed + i) % BLOCK === 0 && i + BLOCK <= end;
      const sketch = isWhole ? this.#block(i) : (this.#sketches[i] as QuantileSketch);
      merged = merged === undefined ? sketch.clone() : merged.merge(sketch);
      i += isWhole ? BLOCK : 1;
    }
    return merged;
  }

  #block(start: number): QuantileSketch {
    const number = (this.#removed + start) / BLOCK;
    let block = this.#blocks.get(number);
    if (block === undefined) {
      block = (this.#sketches[start] as QuantileSketch).clone();
      for (let i = start + 1; i < start + BLOCK; i++) block.merge(this.#sketches[i] as QuantileSketch);
      this.#blocks.set(number, block);
    }
    return block;
  }

  #firstAfter(t: number): number {
    let low = this.#begin;
    let high = this.#t.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#t[middle] as number) <= t) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
