import { type Labels, labelsKey } from '../state/labels.js';
import type { Readings } from './condition.js';

/** Readings of conditions whose label sets are their own: slots are added, and never change their meaning. */
export class SlotTable implements Readings {
  readonly slots: { readonly labels: Labels }[] = [];
  present: Uint8Array = new Uint8Array(8);
  values: Float64Array = new Float64Array(8);
  readonly #byKey = new Map<string, number>();

  get version(): number {
    return this.slots.length;
  }

  /** The slot of labels, made where there is none. */
  slotOf(labels: Labels): number {
    const key = labelsKey(labels);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const slot = this.slots.push({ labels }) - 1;
    this.#byKey.set(key, slot);
    if (slot === this.values.length) {
      const { present, values } = this;
      this.present = new Uint8Array(slot * 2);
      this.present.set(present);
      this.values = new Float64Array(slot * 2);
      this.values.set(values);
    }
    return slot;
  }
}
