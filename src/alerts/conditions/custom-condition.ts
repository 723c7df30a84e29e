import type { CustomRule } from '../rules/rule.js';
import type { Condition, Readings } from './condition.js';
import { SlotTable } from './slot-table.js';

const NO_LABELS = Object.freeze({});

/** What a host's own function says. */
export class CustomCondition implements Condition {
  readonly #evaluate: CustomRule['evaluate'];
  readonly #table = new SlotTable();
  #isActive = new Uint8Array(0);

  constructor({ evaluate }: CustomRule) {
    this.#evaluate = evaluate;
  }

  read(at: number): Readings {
    const table = this.#table;
    table.present.fill(0);
    for (const reading of this.#evaluate(at)) {
      if (typeof reading !== 'object' || reading === null || typeof reading.value !== 'number' || typeof reading.active !== 'boolean')
        throw new TypeError('evaluate must give objects with a number as value and a boolean as active');
      const slot = table.slotOf(reading.labels ?? NO_LABELS);
      table.present[slot] = 1;
      table.values[slot] = reading.value;
      if (this.#isActive.length < table.values.length) {
        const before = this.#isActive;
        this.#isActive = new Uint8Array(table.values.length);
        this.#isActive.set(before);
      }
      this.#isActive[slot] = reading.active ? 1 : 0;
    }
    return table;
  }

  holds(slot: number): boolean {
    return this.#isActive[slot] === 1;
  }

  release(): void {}
}
