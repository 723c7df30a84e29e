/**
 * Lets a score through only where it exceeds all of the last `span` scores: what is anomalous is
 * told once, not at every point that it lasts. O(1) a score on average, `span` scores of memory.
 */
export class RecordFilter {
  readonly #span: number;
  // A ring of scores that no later one exceeds, highest first, with when they were seen.
  readonly #scores: Float64Array;
  readonly #seenAt: Float64Array;
  #head = 0;
  #size = 0;
  #now = 0;

  /** @param span - scores, 1 or more */
  constructor(span: number) {
    this.#span = span;
    this.#scores = new Float64Array(span + 1);
    this.#seenAt = new Float64Array(span + 1);
  }

  /** `score` where it is a record, else 0. */
  push(score: number): number {
    const capacity = this.#span + 1;
    const now = this.#now++;
    if (this.#size > 0 && this.#seenAt[this.#head]! < now - this.#span) {
      this.#head = (this.#head + 1) % capacity;
      this.#size--;
    }
    const isRecord = this.#size === 0 || score > this.#scores[this.#head]!;
    while (this.#size > 0 && this.#scores[(this.#head + this.#size - 1) % capacity]! <= score) this.#size--;
    const slot = (this.#head + this.#size++) % capacity;
    this.#scores[slot] = score;
    this.#seenAt[slot] = now;
    return isRecord ? score : 0;
  }
}
