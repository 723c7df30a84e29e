import type { CompiledQuery } from '../compiled-query.js';
import type { QuerySlot } from './slots.js';
import type { VectorNode } from './vector-node.js';

/**
 * The answer at one instant, overwritten by the next. A slot is the same labels as long as `version`
 * is the same, so that what belongs to them can be kept in arrays of one's own beside it.
 */
export interface QueryVector {
  /** Epoch ms. */
  readonly at: number;
  readonly version: number;
  readonly slots: readonly QuerySlot[];
  /** 1 where the slot has a value at this instant. */
  readonly present: Uint8Array;
  readonly values: Float64Array;
}

/** A query that is kept up to date by its {@link SampleWindows}. */
export class PreparedQuery {
  readonly query: CompiledQuery;
  readonly #node: VectorNode;
  readonly #release: () => void;
  readonly #vector: { at: number; version: number; slots: readonly QuerySlot[]; present: Uint8Array; values: Float64Array };

  constructor(query: CompiledQuery, node: VectorNode, release: () => void) {
    this.query = query;
    this.#node = node;
    this.#release = release;
    const { version, slots, present, values } = node;
    this.#vector = { at: Number.NaN, version, slots, present, values };
  }

  /**
   * The value of each set of labels at `at`, epoch ms, which should not go back from call to call.
   * Allocates nothing unless series came or went.
   * @throws QueryEvaluationError where two elements match one.
   */
  evaluate(at: number): QueryVector {
    const node = this.#node;
    node.evaluate(at);
    const vector = this.#vector;
    vector.at = at;
    if (vector.version !== node.version) {
      vector.version = node.version;
      vector.slots = node.slots;
      vector.present = node.present;
      vector.values = node.values;
    }
    return vector;
  }

  /** Lets go of what only this query looks at. */
  release(): void {
    this.#release();
  }
}
