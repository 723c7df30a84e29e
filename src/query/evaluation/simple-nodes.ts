import { makeSlot, type QuerySlot } from './slots.js';
import { type Revision, VectorNode } from './vector-node.js';

const NO_LABELS: QuerySlot = makeSlot(undefined, {});

/** A number: one element without labels, which is always there. */
abstract class ScalarNode extends VectorNode {
  constructor(revision: Revision) {
    super(revision);
    this.layOut([NO_LABELS]);
    this.present[0] = 1;
  }
}

export class NumberNode extends ScalarNode {
  constructor(revision: Revision, value: number) {
    super(revision);
    this.values[0] = value;
  }

  protected compute(): void {}
}

/** The instant itself, in seconds. */
export class TimeNode extends ScalarNode {
  protected compute(at: number): void {
    this.values[0] = at / 1000;
  }
}

/** The value of the only element; NaN where there are more or none. */
export class OnlyNode extends ScalarNode {
  readonly #input: VectorNode;

  constructor(revision: Revision, input: VectorNode) {
    super(revision);
    this.#input = input;
  }

  protected compute(at: number): void {
    const input = this.#input;
    input.evaluate(at);
    let value = Number.NaN;
    let count = 0;
    for (let i = 0; i < input.slots.length; i++) {
      if (input.present[i] !== 1) continue;
      value = input.values[i] as number;
      count++;
    }
    this.values[0] = count === 1 ? value : Number.NaN;
  }
}

/** 1 with the labels asked for when nothing is there, and nothing when something is. */
export class AbsentNode extends VectorNode {
  readonly #input: VectorNode;

  constructor(revision: Revision, input: VectorNode, labels: Readonly<Record<string, string>>) {
    super(revision);
    this.#input = input;
    this.layOut([makeSlot(undefined, labels)]);
    this.values[0] = 1;
  }

  protected compute(at: number): void {
    this.#input.evaluate(at);
    this.present[0] = this.#input.present.includes(1) ? 0 : 1;
  }
}

/** A function of each value by itself. */
export class MapNode extends VectorNode {
  readonly #input: VectorNode;
  readonly #parameters: readonly VectorNode[];
  readonly #function: (value: number, a: number, b: number) => number;
  #seen = -1;

  constructor(revision: Revision, input: VectorNode, map: (value: number, a: number, b: number) => number, parameters: readonly VectorNode[] = []) {
    super(revision);
    this.#input = input;
    this.#function = map;
    this.#parameters = parameters;
  }

  protected compute(at: number): void {
    const input = this.#input;
    input.evaluate(at);
    if (input.version !== this.#seen) {
      this.layOutUnnamed(input.slots);
      this.#seen = input.version;
    }
    for (const parameter of this.#parameters) parameter.evaluate(at);
    const a = this.#parameters[0]?.values[0] ?? Number.NaN;
    const b = this.#parameters[1]?.values[0] ?? Number.NaN;
    const { present, values } = this;
    for (let i = 0; i < present.length; i++) {
      present[i] = input.present[i] as number;
      if (present[i] === 1) values[i] = this.#function(input.values[i] as number, a, b);
    }
  }
}

/** `clamp` with its bounds the wrong way round has no values. */
export class ClampNode extends MapNode {
  readonly #least: VectorNode;
  readonly #most: VectorNode;

  constructor(revision: Revision, input: VectorNode, least: VectorNode, most: VectorNode) {
    super(revision, input, clamp, [least, most]);
    this.#least = least;
    this.#most = most;
  }

  protected override compute(at: number): void {
    super.compute(at);
    if ((this.#least.values[0] as number) > (this.#most.values[0] as number)) this.present.fill(0);
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}

/** Functions of one value, by name; `round` and the clamps take numbers beside it. */
export const VALUE_FUNCTIONS: Readonly<Record<string, (value: number, a: number, b: number) => number>> = {
  abs: Math.abs,
  ceil: Math.ceil,
  floor: Math.floor,
  sqrt: Math.sqrt,
  exp: Math.exp,
  ln: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  sgn: Math.sign,
  // By the inverse, as Prometheus does: 0.1 has none that is exact, 10 is.
  round: (value, to) => (Number.isNaN(to) ? Math.floor(value + 0.5) : Math.floor(value * (1 / to) + 0.5) / (1 / to)),
  // Of what is computed, the instant itself.
  timestamp: (_value, now) => now,
  clamp_min: (value, least) => Math.max(value, least),
  clamp_max: (value, most) => Math.min(value, most),
};
