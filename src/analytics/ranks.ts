/** Ranks from 1, equal values sharing the mean of theirs. */
export interface Ranked {
  readonly ranks: Float64Array;
  /** Dense order: 0 for the smallest value, equal values equal. */
  readonly order: Int32Array;
  /** How many values share each dense order. */
  readonly ties: Int32Array;
}

/** Ranks values, ties averaged. */
export function rank(values: ArrayLike<number>): Ranked {
  const n = values.length;
  const index = new Uint32Array(n);
  for (let i = 0; i < n; i++) index[i] = i;
  index.sort((a, b) => values[a]! - values[b]!);
  const ranks = new Float64Array(n);
  const order = new Int32Array(n);
  const ties = new Int32Array(n);
  let distinct = 0;
  for (let i = 0; i < n; distinct++) {
    let j = i + 1;
    while (j < n && values[index[j]!] === values[index[i]!]) j++;
    ties[distinct] = j - i;
    for (let k = i; k < j; k++) {
      ranks[index[k]!] = (i + j + 1) / 2;
      order[index[k]!] = distinct;
    }
    i = j;
  }
  return { ranks, order, ties: ties.subarray(0, distinct) };
}
