import type { Random } from '../core/random.js';
import type { FlatRows } from './rows.js';

/**
 * Isolation trees in flat arrays. A node with `feature` ≥ 0 sends rows below `split` to `child` and
 * the others to `child + 1`; a leaf has `feature` −1, and its `split` is the path length to it.
 */
export interface IsolationTrees {
  readonly columns: number;
  /** ψ: how many rows each tree was grown from. */
  readonly sampleSize: number;
  readonly roots: Int32Array;
  readonly feature: Int32Array;
  readonly split: Float64Array;
  readonly child: Int32Array;
}

const EULER = 0.5772156649015329;

/**
 * c(n), the mean path length of an unsuccessful search in a binary search tree of n: what is added
 * to a leaf that still holds n rows, and what path lengths are measured against.
 *
 * Source: Liu, Ting, Zhou 2012, eq. 1, with H(i) ≈ ln i + 0.5772156649.
 */
export function pathLengthOfSearch(n: number): number {
  if (n <= 1) return 0;
  if (n === 2) return 1;
  return 2 * (Math.log(n - 1) + EULER) - (2 * (n - 1)) / n;
}

/** Grows `trees` trees, each from `sampleSize` rows drawn without replacement (all where there are fewer). */
export function growTrees(rows: FlatRows, trees: number, sampleSize: number, random: Random): IsolationTrees {
  const grower = new Grower(rows, Math.min(sampleSize, rows.count), trees, random);
  for (let tree = 0; tree < trees; tree++) grower.grow(tree);
  return grower.finish();
}

class Grower {
  readonly #rows: FlatRows;
  readonly #random: Random;
  readonly #sampleSize: number;
  readonly #heightLimit: number;
  /** All row numbers; the first ψ are the sample of the tree that grows. */
  readonly #order: Int32Array;
  readonly #features: Int32Array;
  readonly #roots: Int32Array;
  readonly #feature: Int32Array;
  readonly #split: Float64Array;
  readonly #child: Int32Array;
  readonly #stack: number[] = [];
  #nodes = 0;

  constructor(rows: FlatRows, sampleSize: number, trees: number, random: Random) {
    this.#rows = rows;
    this.#random = random;
    this.#sampleSize = sampleSize;
    this.#heightLimit = Math.ceil(Math.log2(Math.max(2, sampleSize)));
    this.#order = Int32Array.from({ length: rows.count }, (_, i) => i);
    this.#features = Int32Array.from({ length: rows.columns }, (_, i) => i);
    const capacity = trees * (2 * sampleSize - 1);
    this.#roots = new Int32Array(trees);
    this.#feature = new Int32Array(capacity).fill(-1);
    this.#split = new Float64Array(capacity);
    this.#child = new Int32Array(capacity);
  }

  grow(tree: number): void {
    this.#drawSample();
    const stack = this.#stack;
    this.#roots[tree] = this.#nodes;
    stack.push(this.#nodes++, 0, this.#sampleSize, 0);
    while (stack.length > 0) {
      const depth = stack.pop()!;
      const to = stack.pop()!;
      const from = stack.pop()!;
      const node = stack.pop()!;
      const middle = depth < this.#heightLimit && to - from > 1 ? this.#splitNode(node, from, to) : from;
      if (middle === from) {
        this.#split[node] = depth + pathLengthOfSearch(to - from);
        continue;
      }
      const child = this.#nodes;
      this.#nodes += 2;
      this.#child[node] = child;
      stack.push(child, from, middle, depth + 1, child + 1, middle, to, depth + 1);
    }
  }

  finish(): IsolationTrees {
    return {
      columns: this.#rows.columns,
      sampleSize: this.#sampleSize,
      roots: this.#roots,
      feature: this.#feature.slice(0, this.#nodes),
      split: this.#split.slice(0, this.#nodes),
      child: this.#child.slice(0, this.#nodes),
    };
  }

  // The first steps of a Fisher-Yates shuffle draw without replacement.
  #drawSample(): void {
    const order = this.#order;
    for (let i = 0; i < this.#sampleSize; i++) {
      const j = i + Math.floor(this.#random() * (order.length - i));
      const row = order[j]!;
      order[j] = order[i]!;
      order[i] = row;
    }
  }

  /** Splits the rows [from, to) of a node; gives where the right part begins, or `from` when all rows are equal. */
  #splitNode(node: number, from: number, to: number): number {
    const { data, columns } = this.#rows;
    const order = this.#order;
    // A split on a feature that is constant here would isolate nobody: draw until one is not.
    for (let untried = columns; untried > 0; untried--) {
      const pick = Math.floor(this.#random() * untried);
      const feature = this.#features[pick]!;
      this.#features[pick] = this.#features[untried - 1]!;
      this.#features[untried - 1] = feature;
      let low = Infinity;
      let high = -Infinity;
      for (let i = from; i < to; i++) {
        const x = data[order[i]! * columns + feature]!;
        if (x < low) low = x;
        if (x > high) high = x;
      }
      if (low === high) continue;
      const u = this.#random();
      let split = low * (1 - u) + high * u;
      // Rounding must not leave one side empty.
      if (!(split > low && split <= high)) split = high;
      this.#feature[node] = feature;
      this.#split[node] = split;
      return this.#partition(from, to, feature, split);
    }
    return from;
  }

  #partition(from: number, to: number, feature: number, split: number): number {
    const { data, columns } = this.#rows;
    const order = this.#order;
    let left = from;
    for (let i = from; i < to; i++) {
      const row = order[i]!;
      if (data[row * columns + feature]! >= split) continue;
      order[i] = order[left]!;
      order[left++] = row;
    }
    return left;
  }
}
