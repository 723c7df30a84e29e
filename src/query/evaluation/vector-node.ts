import { QueryEvaluationError } from '../query-errors.js';
import { type QuerySlot, slotText, withoutName } from './slots.js';

/** Grows with every change of the data that nodes read, so that nodes know when what they have is old. */
export interface Revision {
  n: number;
}

let versions = 0;

/**
 * A part of an expression with its result. The label sets of the result are laid out once, in slots;
 * an evaluation only writes numbers into arrays, and lays out anew when series came or went. A part
 * that several queries have in common is one node, which is evaluated once an instant.
 */
export abstract class VectorNode {
  slots: readonly QuerySlot[] = [];
  /** 1 where a slot has a value. */
  present: Uint8Array = new Uint8Array(0);
  values: Float64Array = new Float64Array(0);
  /** Changes when the slots do. */
  version = 0;
  readonly #revision: Revision;
  #seen = -1;
  #at = Number.NaN;
  #clashes: readonly (readonly [number, number])[] = [];

  constructor(revision: Revision) {
    this.#revision = revision;
  }

  evaluate(at: number): void {
    if (at === this.#at && this.#seen === this.#revision.n) return;
    // What fails must fail again.
    this.#seen = -1;
    this.compute(at);
    for (const [i, j] of this.#clashes) if (this.present[i] === 1 && this.present[j] === 1) this.#fail(i);
    this.#at = at;
    this.#seen = this.#revision.n;
  }

  protected abstract compute(at: number): void;

  protected layOut(slots: readonly QuerySlot[]): void {
    this.slots = slots;
    this.present = new Uint8Array(slots.length);
    this.values = new Float64Array(slots.length);
    this.version = ++versions;
    const first = new Map<string, number>();
    const clashes: [number, number][] = [];
    for (const [i, { key }] of slots.entries()) {
      const other = first.get(key);
      if (other === undefined) first.set(key, i);
      else clashes.push([other, i]);
    }
    this.#clashes = clashes;
  }

  /** One slot for each of `input`, whose values are no longer those of the metric. */
  protected layOutUnnamed(input: readonly QuerySlot[]): void {
    this.layOut(input.map(withoutName));
  }

  #fail(slot: number): never {
    const labels = slotText(this.slots[slot] as QuerySlot);
    throw new QueryEvaluationError(`Two elements have the same labels, ${labels}, once the name of the metric is gone; tell them apart before.`);
  }
}
