import { type BinaryExpr, isComparison, type VectorMatching } from '../language/ast.js';
import { QueryEvaluationError } from '../query-errors.js';
import { OPERATORS } from './operators.js';
import { makeSlot, pick, type QuerySlot, slotText, withoutName } from './slots.js';
import { type Revision, VectorNode } from './vector-node.js';

type Operation = (a: number, b: number) => number;
type Operator = Pick<BinaryExpr, 'op' | 'bool'>;

function operationOf(op: BinaryExpr['op']): Operation {
  return OPERATORS[op as keyof typeof OPERATORS];
}

/** A number and every element of a vector, or two numbers. */
export class ScalarOperationNode extends VectorNode {
  readonly #vector: VectorNode;
  readonly #scalar: VectorNode;
  readonly #scalarIsLeft: boolean;
  readonly #operation: Operation;
  readonly #isFilter: boolean;
  #seen = -1;

  constructor(revision: Revision, operator: Operator, vector: VectorNode, scalar: VectorNode, scalarIsLeft: boolean) {
    super(revision);
    this.#vector = vector;
    this.#scalar = scalar;
    this.#scalarIsLeft = scalarIsLeft;
    this.#operation = operationOf(operator.op);
    this.#isFilter = isComparison(operator.op) && !operator.bool;
  }

  protected compute(at: number): void {
    const vector = this.#vector;
    vector.evaluate(at);
    this.#scalar.evaluate(at);
    if (vector.version !== this.#seen) {
      if (this.#isFilter) this.layOut(vector.slots);
      else this.layOutUnnamed(vector.slots);
      this.#seen = vector.version;
    }
    const { present, values } = this;
    const other = this.#scalar.values[0] as number;
    for (let i = 0; i < present.length; i++) {
      present[i] = vector.present[i] as number;
      if (present[i] === 0) continue;
      const value = vector.values[i] as number;
      const result = this.#scalarIsLeft ? this.#operation(other, value) : this.#operation(value, other);
      if (this.#isFilter) {
        present[i] = result;
        values[i] = value;
      } else values[i] = result;
    }
  }
}

/** Which labels two elements must agree in. */
class Signature {
  readonly #on: boolean;
  readonly #labels: readonly string[];

  constructor(matching: VectorMatching | undefined) {
    this.#on = matching?.on ?? false;
    this.#labels = matching?.labels ?? [];
  }

  of({ name, labels }: QuerySlot): string {
    const named = this.#on && this.#labels.includes('__name__') ? name : undefined;
    return makeSlot(named, pick(labels, this.#labels, !this.#on)).key;
  }
}

/** Slots by their signature. */
function bySignature(slots: readonly QuerySlot[], signature: Signature): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const [i, slot] of slots.entries()) {
    const key = signature.of(slot);
    const same = found.get(key);
    if (same === undefined) found.set(key, [i]);
    else same.push(i);
  }
  return found;
}

/**
 * Two vectors, element by element of the same labels. `many` is the side that may have several for one
 * of the other; without grouping that is the left, where several are then an error.
 */
export class VectorOperationNode extends VectorNode {
  readonly #many: VectorNode;
  readonly #one: VectorNode;
  readonly #manyIsLeft: boolean;
  readonly #matching: VectorMatching | undefined;
  readonly #signature: Signature;
  readonly #operation: Operation;
  readonly #isFilter: boolean;
  readonly #dropsName: boolean;
  #seenMany = -1;
  #seenOne = -1;
  // By pair, of which each is a slot: its element of the many, of the one, and its signature.
  #pairs = new Int32Array(0);
  // The signature of each slot of the one.
  #oneSignatures = new Int32Array(0);
  #taken = new Int32Array(0);

  constructor(revision: Revision, expr: BinaryExpr, left: VectorNode, right: VectorNode) {
    super(revision);
    this.#manyIsLeft = expr.matching?.group !== 'right';
    this.#many = this.#manyIsLeft ? left : right;
    this.#one = this.#manyIsLeft ? right : left;
    this.#matching = expr.matching;
    this.#signature = new Signature(expr.matching);
    this.#operation = operationOf(expr.op);
    this.#isFilter = isComparison(expr.op) && !expr.bool;
    this.#dropsName = !this.#isFilter;
  }

  protected compute(at: number): void {
    const [many, one] = [this.#many, this.#one];
    many.evaluate(at);
    one.evaluate(at);
    if (many.version !== this.#seenMany || one.version !== this.#seenOne) this.#match();
    const { present, values } = this;
    const [pairs, taken] = [this.#pairs, this.#taken];
    taken.fill(-1);
    // As in Prometheus: with nothing on one side, the other is not looked at.
    if (!many.present.includes(1) || !one.present.includes(1)) {
      present.fill(0);
      return;
    }
    // Whether or not the other side has one of the same labels.
    const ones = this.#oneSignatures;
    for (let b = 0; b < ones.length; b++) if (one.present[b] === 1) this.#claim(ones[b] as number, b, false);
    for (let i = 0; i < present.length; i++) {
      const [a, b, signature] = [pairs[i * 3] as number, pairs[i * 3 + 1] as number, pairs[i * 3 + 2] as number];
      present[i] = 0;
      if (one.present[b] !== 1 || many.present[a] !== 1) continue;
      const [left, right] = this.#manyIsLeft
        ? [many.values[a] as number, one.values[b] as number]
        : [one.values[b] as number, many.values[a] as number];
      const result = this.#operation(left, right);
      if (this.#isFilter && result === 0) continue;
      if (this.#matching?.group === undefined) this.#claim(signature, a, true);
      present[i] = 1;
      values[i] = this.#isFilter ? left : result;
    }
  }

  /** One element of a signature a side: the second is an error. */
  #claim(signature: number, element: number, ofMany: boolean): void {
    const at = signature * 2 + Number(ofMany);
    const before = this.#taken[at] as number;
    if (before >= 0 && before !== element) this.#fail(before, element, ofMany);
    this.#taken[at] = element;
  }

  #fail(first: number, second: number, ofMany: boolean): never {
    const { slots } = ofMany ? this.#many : this.#one;
    const side = ofMany === this.#manyIsLeft ? 'left' : 'right';
    const both = `${slotText(slots[first] as QuerySlot)} and ${slotText(slots[second] as QuerySlot)}`;
    throw new QueryEvaluationError(
      `Two elements on the ${side} match the same one on the other side: ${both}. Aggregate them first${
        ofMany ? `, or say that there are many with group_${side}` : ', or match on more labels'
      }.`,
    );
  }

  #match(): void {
    const [many, one] = [this.#many, this.#one];
    const ones = bySignature(one.slots, this.#signature);
    const signatures = new Map([...ones.keys()].map((key, i) => [key, i]));
    const pairs: number[] = [];
    const slots: QuerySlot[] = [];
    for (const [a, slot] of many.slots.entries()) {
      const key = this.#signature.of(slot);
      const signature = signatures.get(key) ?? -1;
      for (const b of ones.get(key) ?? []) {
        pairs.push(a, b, signature);
        slots.push(this.#resultSlot(slot, one.slots[b] as QuerySlot));
      }
    }
    this.layOut(slots);
    this.#pairs = Int32Array.from(pairs);
    this.#oneSignatures = new Int32Array(one.slots.length);
    for (const [key, places] of ones) for (const b of places) this.#oneSignatures[b] = signatures.get(key) as number;
    this.#taken = new Int32Array(signatures.size * 2);
    [this.#seenMany, this.#seenOne] = [many.version, one.version];
  }

  #resultSlot(many: QuerySlot, one: QuerySlot): QuerySlot {
    const matching = this.#matching;
    const named = this.#dropsName ? withoutName(many) : many;
    if (matching?.group === undefined) {
      if (matching === undefined) return named;
      const keepsName = matching.on === matching.labels.includes('__name__');
      return makeSlot(keepsName ? named.name : undefined, pick(many.labels, matching.labels, !matching.on));
    }
    if (matching.include.length === 0) return named;
    const labels = { ...many.labels };
    for (const label of matching.include) labels[label] = one.labels[label] ?? '';
    return makeSlot(named.name, labels);
  }
}

/** `and`, `or`, `unless`: whole elements, by whether the other side has one of the same labels. */
export class SetOperationNode extends VectorNode {
  readonly #op: BinaryExpr['op'];
  readonly #left: VectorNode;
  readonly #right: VectorNode;
  readonly #signature: Signature;
  #seenLeft = -1;
  #seenRight = -1;
  // The signature of each slot of both sides, and the slot of the result for each of the right.
  #leftSignatures = new Int32Array(0);
  #rightSignatures = new Int32Array(0);
  #places = new Int32Array(0);
  #has = new Uint8Array(0);

  constructor(revision: Revision, { op, matching }: BinaryExpr, left: VectorNode, right: VectorNode) {
    super(revision);
    this.#op = op;
    this.#left = left;
    this.#right = right;
    this.#signature = new Signature(matching);
  }

  protected compute(at: number): void {
    const [left, right] = [this.#left, this.#right];
    left.evaluate(at);
    right.evaluate(at);
    if (left.version !== this.#seenLeft || right.version !== this.#seenRight) this.#match();
    const { present, values } = this;
    present.fill(0);
    this.#has.fill(0);
    const isUnion = this.#op === 'or';
    const [deciding, signatures] = isUnion ? [left, this.#leftSignatures] : [right, this.#rightSignatures];
    for (let i = 0; i < signatures.length; i++) if (deciding.present[i] === 1) this.#has[signatures[i] as number] = 1;
    const wanted = this.#op === 'and' ? 1 : 0;
    for (let i = 0; i < this.#leftSignatures.length; i++) {
      if (left.present[i] !== 1 || (!isUnion && this.#has[this.#leftSignatures[i] as number] !== wanted)) continue;
      present[i] = 1;
      values[i] = left.values[i] as number;
    }
    if (!isUnion) return;
    for (let i = 0; i < this.#rightSignatures.length; i++) {
      if (right.present[i] !== 1 || this.#has[this.#rightSignatures[i] as number] === 1) continue;
      const place = this.#places[i] as number;
      present[place] = 1;
      values[place] = right.values[i] as number;
    }
  }

  #match(): void {
    const [left, right] = [this.#left, this.#right];
    const numbers = new Map<string, number>();
    const numberOf = (slot: QuerySlot): number => {
      const key = this.#signature.of(slot);
      const number = numbers.get(key) ?? numbers.size;
      numbers.set(key, number);
      return number;
    };
    this.#leftSignatures = Int32Array.from(left.slots, numberOf);
    this.#rightSignatures = Int32Array.from(right.slots, numberOf);
    const slots = [...left.slots];
    if (this.#op === 'or') {
      const places = new Map(slots.map(({ key }, i) => [key, i]));
      this.#places = Int32Array.from(right.slots, (slot) => {
        const known = places.get(slot.key);
        return known ?? slots.push(slot) - 1;
      });
    }
    this.#has = new Uint8Array(numbers.size);
    this.layOut(slots);
    [this.#seenLeft, this.#seenRight] = [left.version, right.version];
  }
}
