import type { SampleWindows } from '../../query/index.js';
import type { BurnRateRule, BurnWindow } from '../rules/rule.js';
import { AlignedQueries } from './aligned-queries.js';
import type { Condition, Readings } from './condition.js';
import { increaseOver } from './rewrite.js';

/** How many times faster than the budget allows errors came within `ms`. */
export function burnOver({ errors, total, objective }: BurnRateRule, ms: number): string {
  return `(${increaseOver(errors, ms)}) / (${increaseOver(total, ms)}) / ${1 - objective}`;
}

/** The widest first: it has values whenever another has. */
export function widestFirst(windows: readonly BurnWindow[]): readonly BurnWindow[] {
  return [...windows].sort((a, b) => b.longMs - a.longMs);
}

/** An error budget that burns too fast over both windows of one pair at least. The value is the burn over the widest window that fires, or else the widest. */
export class BurnRateCondition implements Condition {
  readonly #queries: AlignedQueries;
  readonly #pairs: readonly BurnWindow[];
  #values = new Float64Array(0);

  constructor(windows: SampleWindows, rule: BurnRateRule) {
    this.#pairs = widestFirst(rule.windows);
    this.#queries = new AlignedQueries(
      windows,
      this.#pairs.flatMap(({ longMs, shortMs }) => [burnOver(rule, longMs), burnOver(rule, shortMs)]),
    );
  }

  read(at: number): Readings {
    const { slots, present } = this.#queries.read(at);
    if (this.#values.length < slots.length) this.#values = new Float64Array(slots.length * 2);
    for (let slot = 0; slot < slots.length; slot++) this.#values[slot] = this.#queries.valueOf(Math.max(0, this.#firing(slot)) * 2, slot);
    return { version: this.#queries.version, slots, present, values: this.#values };
  }

  holds(slot: number): boolean {
    return this.#firing(slot) >= 0;
  }

  release(): void {
    this.#queries.release();
  }

  /** The first pair that burns too fast; -1 where none does. */
  #firing(slot: number): number {
    for (let i = 0; i < this.#pairs.length; i++) {
      const { burn } = this.#pairs[i] as BurnWindow;
      if (this.#queries.valueOf(2 * i, slot) > burn && this.#queries.valueOf(2 * i + 1, slot) > burn) return i;
    }
    return -1;
  }
}
