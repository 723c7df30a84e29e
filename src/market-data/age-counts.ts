/** Up to here each millisecond has a count of its own. */
const EXACT_BITS = 7;
const LONGEST_MS = 2 ** 31 - 1;
const PLACES = (31 - EXACT_BITS + 2) << (EXACT_BITS - 1);

/**
 * Ages in whole milliseconds, counted: exactly up to 127 ms, then in buckets of a 64th of their power of two, which is no coarser than
 * the sketches of the metrics. Counting costs a store into a typed array.
 */
export class AgeCounts {
  readonly #counts = new Float64Array(PLACES);

  add(ageMs: number): void {
    const at = placeOf(ageMs);
    this.#counts[at] = (this.#counts[at] as number) + 1;
  }

  /** What was counted since the last time, as `[age in ms, how many]`, ascending. */
  take(): readonly (readonly [ageMs: number, times: number])[] {
    const taken: (readonly [number, number])[] = [];
    this.#counts.forEach((times, at) => {
      if (times > 0) taken.push([middleOf(at), times]);
    });
    this.#counts.fill(0);
    return taken;
  }
}

function placeOf(ageMs: number): number {
  const ms = ageMs < LONGEST_MS ? ageMs | 0 : LONGEST_MS;
  if (ms < 1 << EXACT_BITS) return Math.max(ms, 0);
  const shift = 32 - EXACT_BITS - Math.clz32(ms);
  return (shift << (EXACT_BITS - 1)) + (ms >> shift);
}

function middleOf(at: number): number {
  if (at < 1 << EXACT_BITS) return at;
  const shift = (at >> (EXACT_BITS - 1)) - 1;
  const low = (at - (shift << (EXACT_BITS - 1))) * 2 ** shift;
  return low + (2 ** shift - 1) / 2;
}
