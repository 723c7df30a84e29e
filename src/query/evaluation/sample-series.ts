const LEAST = 16;

/**
 * Samples of one series in order of time, in two arrays: what is in the window lies together, between
 * `begin` and `end`. Room is reused by moving the window to the front when the end of the arrays is
 * reached, so that a window that does not grow allocates nothing.
 */
export class SampleSeries {
  t: Float64Array = EMPTY;
  /** NaN: the series had no value from then on. */
  v: Float64Array = EMPTY;
  begin = 0;
  end = 0;

  get size(): number {
    return this.end - this.begin;
  }

  get lastT(): number {
    return this.end > this.begin ? (this.t[this.end - 1] as number) : -Infinity;
  }

  push(t: number, v: number): void {
    if (this.end === this.t.length) this.#makeRoom();
    this.t[this.end] = t;
    this.v[this.end++] = v;
  }

  /** Drops what is older than `t`. */
  dropBefore(t: number): void {
    while (this.begin < this.end && (this.t[this.begin] as number) < t) this.begin++;
  }

  /** Puts samples before those that are there; later ones of them are left out. */
  prepend(t: ArrayLike<number>, v: ArrayLike<number>): void {
    const first = this.end > this.begin ? (this.t[this.begin] as number) : Infinity;
    let count = t.length;
    while (count > 0 && (t[count - 1] as number) >= first) count--;
    if (count === 0) return;
    const size = count + this.size;
    const times = new Float64Array(capacityFor(size));
    const values = new Float64Array(times.length);
    for (let i = 0; i < count; i++) {
      times[i] = t[i] as number;
      values[i] = v[i] as number;
    }
    times.set(this.t.subarray(this.begin, this.end), count);
    values.set(this.v.subarray(this.begin, this.end), count);
    [this.t, this.v, this.begin, this.end] = [times, values, 0, size];
  }

  /** Adds those samples that are later than what is there. */
  extend(t: ArrayLike<number>, v: ArrayLike<number>): void {
    for (let i = 0, last = this.lastT; i < t.length; i++) if ((t[i] as number) > last) this.push(t[i] as number, v[i] as number);
  }

  /** The index of the last sample at or before `at`, or `begin - 1`. */
  lastAt(at: number): number {
    const { t, begin } = this;
    let high = this.end;
    if (high === begin || (t[high - 1] as number) <= at) return high - 1;
    let low = begin;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((t[middle] as number) <= at) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** The index of the first sample at or after `from`, or `end`. */
  firstFrom(from: number): number {
    const { t } = this;
    let low = this.begin;
    if (low === this.end || (t[low] as number) >= from) return low;
    let high = this.end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((t[middle] as number) < from) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  clear(): void {
    [this.t, this.v, this.begin, this.end] = [EMPTY, EMPTY, 0, 0];
  }

  #makeRoom(): void {
    const { size, begin, end } = this;
    const capacity = capacityFor(size);
    // Shrinks only to a quarter, so that a window whose size varies a little keeps its arrays.
    if (capacity <= this.t.length && capacity * 4 > this.t.length) {
      this.t.copyWithin(0, begin, end);
      this.v.copyWithin(0, begin, end);
    } else {
      const [t, v] = [new Float64Array(capacity), new Float64Array(capacity)];
      t.set(this.t.subarray(begin, end));
      v.set(this.v.subarray(begin, end));
      [this.t, this.v] = [t, v];
    }
    [this.begin, this.end] = [0, size];
  }
}

const EMPTY = new Float64Array(0);

/** At least as much free as used, so that moving costs a copy a sample. */
function capacityFor(size: number): number {
  let capacity = LEAST;
  while (capacity < size * 2) capacity *= 2;
  return capacity;
}
