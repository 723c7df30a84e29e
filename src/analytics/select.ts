/**
 * Puts the k-th smallest value at index k, smaller ones before it and larger ones after it, and
 * returns it. Expected O(n).
 *
 * Source: Hoare, "Algorithm 65: Find", CACM 4(7), 1961, with the median of three as pivot.
 */
export function select(values: Float64Array, k: number): number {
  let from = 0;
  let to = values.length - 1;
  while (from < to) {
    const pivot = medianOfThree(values[from]!, values[(from + to) >> 1]!, values[to]!);
    let i = from;
    let j = to;
    while (i <= j) {
      while (values[i]! < pivot) i++;
      while (values[j]! > pivot) j--;
      if (i > j) break;
      const swapped = values[i]!;
      values[i++] = values[j]!;
      values[j--] = swapped;
    }
    if (k <= j) to = j;
    else if (k >= i) from = i;
    else break;
  }
  return values[k]!;
}

/** The middle value (the mean of the two middle ones where their number is even). Reorders `values`. */
export function selectMedian(values: Float64Array): number {
  const half = values.length >> 1;
  const upper = select(values, half);
  if (values.length % 2 === 1) return upper;
  // What lies before `half` is not larger: its largest is the other middle value.
  let lower = -Infinity;
  for (let i = 0; i < half; i++) if (values[i]! > lower) lower = values[i]!;
  return (lower + upper) / 2;
}

function medianOfThree(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
