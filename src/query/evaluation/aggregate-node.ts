import type { Aggregation } from '../language/ast.js';
import { quantileOf } from './range-functions.js';
import { makeSlot, pick, type QuerySlot } from './slots.js';
import { type Revision, VectorNode } from './vector-node.js';

/** One value of those that agree in some labels. */
export class AggregateNode extends VectorNode {
  readonly #input: VectorNode;
  readonly #op: Aggregation;
  readonly #grouping: { readonly without: boolean; readonly labels: readonly string[] };
  readonly #parameter: VectorNode | undefined;
  // The members of all groups, one group after another, and where each group begins.
  #members = new Int32Array(0);
  #starts = new Int32Array(1);
  #seen = -1;
  #scratch = new Float64Array(0);

  constructor(
    revision: Revision,
    input: VectorNode,
    options: {
      readonly op: Aggregation;
      readonly grouping: { readonly without: boolean; readonly labels: readonly string[] } | undefined;
      readonly parameter: VectorNode | undefined;
    },
  ) {
    super(revision);
    this.#input = input;
    this.#op = options.op;
    this.#grouping = options.grouping ?? { without: false, labels: [] };
    this.#parameter = options.parameter;
  }

  protected compute(at: number): void {
    const input = this.#input;
    input.evaluate(at);
    this.#parameter?.evaluate(at);
    if (input.version !== this.#seen) {
      const { slots, members, starts } = groupSlots(input.slots, this.#grouping);
      this.layOut(slots);
      this.#members = members;
      this.#starts = starts;
      this.#scratch = new Float64Array(input.slots.length);
      this.#seen = input.version;
    }
    const scratch = this.#scratch;
    for (let group = 0; group < this.present.length; group++) {
      let count = 0;
      for (let i = this.#starts[group] as number; i < (this.#starts[group + 1] as number); i++) {
        const member = this.#members[i] as number;
        if (input.present[member] === 1) scratch[count++] = input.values[member] as number;
      }
      this.present[group] = count > 0 ? 1 : 0;
      if (count > 0) this.values[group] = this.#reduce(scratch, count);
    }
  }

  #reduce(of: Float64Array, count: number): number {
    switch (this.#op) {
      case 'sum':
        return sumOf(of, count);
      case 'avg':
        return sumOf(of, count) / count;
      case 'min':
      case 'max':
        return extremeOf(of, count, this.#op === 'max' ? 1 : -1);
      case 'count':
        return count;
      case 'median':
        return quantileOf(of.subarray(0, count), 0.5);
      case 'quantile':
        return quantileOf(of.subarray(0, count), this.#parameter?.values[0] ?? Number.NaN);
    }
  }
}

/** Groups of slots by label: `members` holds indices of slots, those of group g from `starts[g]` to `starts[g + 1]`. */
export function groupSlots(
  slots: readonly QuerySlot[],
  { without, labels }: { readonly without: boolean; readonly labels: readonly string[] },
): { readonly slots: readonly QuerySlot[]; readonly members: Int32Array<ArrayBuffer>; readonly starts: Int32Array<ArrayBuffer> } {
  const groups = new Map<string, { readonly slot: QuerySlot; readonly members: number[] }>();
  for (const [i, one] of slots.entries()) {
    const name = !without && labels.includes('__name__') ? one.name : undefined;
    const slot = makeSlot(name, pick(one.labels, labels, without));
    const group = groups.get(slot.key);
    if (group === undefined) groups.set(slot.key, { slot, members: [i] });
    else group.members.push(i);
  }
  const all = [...groups.values()];
  const starts = new Int32Array(all.length + 1);
  for (const [g, { members }] of all.entries()) starts[g + 1] = (starts[g] as number) + members.length;
  return { slots: all.map(({ slot }) => slot), members: Int32Array.from(all.flatMap(({ members }) => members)), starts };
}

function sumOf(of: Float64Array, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += of[i] as number;
  return sum;
}

/** NaN only when there is nothing else. */
function extremeOf(of: Float64Array, count: number, sign: 1 | -1): number {
  let best = of[0] as number;
  for (let i = 1; i < count; i++) if ((of[i] as number) * sign > best * sign || Number.isNaN(best)) best = of[i] as number;
  return best;
}
