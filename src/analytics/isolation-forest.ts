import { requireFraction, requireInteger, requireKnown, requireObject } from '../core/options.js';
import { type Random, seededRandom } from '../core/random.js';
import { growTrees, type IsolationTrees, pathLengthOfSearch } from './isolation-trees.js';
import { quantile } from './quantile.js';
import { flatRows, type Rows } from './rows.js';

/** What an {@link IsolationForest} is grown with. */
export interface IsolationForestOptions {
  /** @defaultValue 100 */
  readonly trees?: number;
  /** Rows that each tree is grown from, drawn without replacement; all rows where there are fewer. @defaultValue 256 */
  readonly sampleSize?: number;
  /** The same rows with the same seed give the same scores. @defaultValue 1 */
  readonly seed?: number;
}

// Rows scored together: they and one tree stay in the first-level cache.
const BLOCK_ROWS = 512;
const FORMAT = 'venuekit.isolation-forest/1';

/**
 * Finds the rows that are few and different: random splits isolate them early, so their mean path
 * from the root is short.
 *
 * @example
 * const scores = new IsolationForest().fit(rows).score(rows);   // near 1: anomalous; 0.5 and below: ordinary
 *
 * Source: Liu, Ting, Zhou, "Isolation Forest", ICDM 2008, and "Isolation-Based Anomaly Detection",
 * TKDD 6(1), 2012: score 2^(−E[h(x)]/c(ψ)), height limit ⌈log2 ψ⌉.
 */
export class IsolationForest {
  readonly #trees: number;
  readonly #sampleSize: number;
  readonly #seed: number;
  #grown: IsolationTrees | undefined;

  /** @throws RangeError or TypeError naming the option that can't be meant. */
  constructor(options: IsolationForestOptions = {}) {
    requireKnown('IsolationForest', requireObject('options', options), ['trees', 'sampleSize', 'seed']);
    const { trees = 100, sampleSize = 256, seed = 1 } = options;
    this.#trees = requireInteger('trees', trees, 1);
    this.#sampleSize = requireInteger('sampleSize', sampleSize, 1);
    this.#seed = seed;
    seededRandom(seed); // refuses a seed that is no number
  }

  /**
   * Grows the trees from `rows`, forgetting earlier ones.
   * @throws RangeError on no rows, ragged rows, NaN or Infinity, naming row and column; the forest is then as it was.
   */
  fit(rows: Rows): this {
    const random: Random = seededRandom(this.#seed);
    this.#grown = growTrees(flatRows(rows), this.#trees, this.#sampleSize, random);
    return this;
  }

  /**
   * The anomaly score of each row, in (0, 1), higher is more anomalous.
   * @throws RangeError before {@link fit}, or on rows of another width, NaN or Infinity.
   */
  score(rows: Rows): Float64Array {
    const grown = this.#grown;
    if (grown === undefined) throw new RangeError('IsolationForest must be fitted before it can score');
    const { data, columns, count } = flatRows(rows, grown.columns);
    const scores = new Float64Array(count);
    const { roots, feature, split, child, sampleSize } = grown;
    for (let from = 0; from < count; from += BLOCK_ROWS) {
      const to = Math.min(count, from + BLOCK_ROWS);
      for (let tree = 0; tree < roots.length; tree++) {
        const root = roots[tree]!;
        for (let row = from; row < to; row++) {
          const base = row * columns;
          let node = root;
          let column = feature[node]!;
          while (column >= 0) {
            // Children lie side by side: the right one is one further.
            node = data[base + column]! < split[node]! ? child[node]! : child[node]! + 1;
            column = feature[node]!;
          }
          scores[row]! += split[node]!;
        }
      }
    }
    // One row alone says nothing: c(1) = 0, and the score is the neutral one.
    const norm = roots.length * pathLengthOfSearch(sampleSize);
    for (let row = 0; row < count; row++) scores[row] = norm === 0 ? 0.5 : 2 ** (-scores[row]! / norm);
    return scores;
  }

  /** The fitted forest as plain JSON, for {@link fromJSON}. @throws RangeError before {@link fit} */
  toJSON(): unknown {
    if (this.#grown === undefined) throw new RangeError('IsolationForest must be fitted before it can be saved');
    const { columns, sampleSize, roots, feature, split, child } = this.#grown;
    return {
      format: FORMAT,
      options: { trees: this.#trees, sampleSize: this.#sampleSize, seed: this.#seed },
      columns,
      sampleSize,
      roots: Array.from(roots),
      feature: Array.from(feature),
      split: Array.from(split),
      child: Array.from(child),
    };
  }

  /** @throws TypeError or RangeError when `json` is not what {@link toJSON} gave. */
  static fromJSON(json: unknown): IsolationForest {
    const saved = requireObject('json', json) as Partial<Saved>;
    if (saved.format !== FORMAT) throw new TypeError(`json must be a saved forest of format ${FORMAT}, got ${String(saved.format)}`);
    const forest = new IsolationForest(saved.options);
    forest.#grown = checkSaved(saved as Saved, forest.#trees);
    return forest;
  }
}

/**
 * The score that a share of `contamination` of the rows lies above: a threshold for the next ones.
 * @param scores - of the rows that the forest was fitted on
 * @param contamination - share of them that is taken for anomalous, 0 to 1
 */
export function contaminationThreshold(scores: ArrayLike<number>, contamination: number): number {
  return quantile(Float64Array.from(scores).sort(), 1 - requireFraction('contamination', contamination));
}

interface Saved {
  readonly format: string;
  readonly options: IsolationForestOptions;
  readonly columns: number;
  readonly sampleSize: number;
  readonly roots: readonly number[];
  readonly feature: readonly number[];
  readonly split: readonly number[];
  readonly child: readonly number[];
}

// A damaged file must not become an endless walk or a read outside the arrays.
function checkSaved(saved: Saved, trees: number): IsolationTrees {
  const nodes = saved.feature?.length ?? 0;
  const fits: boolean = [saved.feature, saved.split, saved.child, saved.roots].every((part) => Array.isArray(part));
  if (!fits || nodes === 0 || saved.roots.length === 0 || saved.split.length !== nodes || saved.child.length !== nodes)
    throw new TypeError('json must have roots, and feature, split and child of one length');
  requireInteger('json.columns', saved.columns, 1);
  requireInteger('json.sampleSize', saved.sampleSize, 1);
  if (saved.roots.length !== trees) throw new RangeError(`json.roots must be ${trees}, one a tree, got ${saved.roots.length}`);
  const longestPath = Math.ceil(Math.log2(Math.max(2, saved.sampleSize))) + pathLengthOfSearch(saved.sampleSize);
  for (const root of saved.roots)
    if (!(requireInteger('json.roots', root) < nodes)) throw new RangeError(`json.roots must lie below ${nodes}, got ${root}`);
  for (let node = 0; node < nodes; node++) {
    const feature = saved.feature[node]!;
    const child = saved.child[node]!;
    const isLeaf = feature === -1 && saved.split[node]! >= 0 && saved.split[node]! <= longestPath;
    const isSplit =
      Number.isSafeInteger(feature) && feature >= 0 && feature < saved.columns && Number.isSafeInteger(child) && child > node && child + 1 < nodes;
    if (!(isLeaf || isSplit) || !Number.isFinite(saved.split[node]!)) throw new RangeError(`json describes no tree at node ${node}`);
  }
  return {
    columns: saved.columns,
    sampleSize: saved.sampleSize,
    roots: Int32Array.from(saved.roots),
    feature: Int32Array.from(saved.feature),
    split: Float64Array.from(saved.split),
    child: Int32Array.from(saved.child),
  };
}
