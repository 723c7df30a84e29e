import { requireFraction, requireWithin } from './options.js';

/** The relative error of a sketch unless told otherwise. */
export const DEFAULT_RELATIVE_ERROR = 0.01;

// A sketch spans at most this many powers of two; what lies further below the largest value is
// counted in its lowest bucket. 64 powers are 19 decades.
const MAX_OCTAVES = 64;
const MANTISSA_BITS = 20; // of the upper half of a float64
const SMALLEST = 2 ** -1022; // below are the subnormals, which count as 0
const FORMAT = 1;
// Buckets beside the one that needs room: few where histograms live long, more where a whole one is about to come.
const ROOM = 16;
const ROOM_TO_READ = 64;

const scratch = new Float64Array(1);
const halves = new Uint32Array(scratch.buffer);
// Which half of a float holds its exponent depends on the machine.
scratch[0] = 1;
const UPPER = halves[1] === 0 ? 0 : 1;

/** Counts by bucket, contiguous from the lowest to the highest bucket in use. */
class Buckets {
  readonly #limit: number;
  first = 0;
  counts: Float64Array<ArrayBuffer> = new Float64Array(0);

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Adds where there is no room yet, and makes `room` on both sides for what comes next. */
  addOutside(key: number, times: number, room: number): void {
    const { counts, first } = this;
    const empty = counts.length === 0;
    let low = empty ? key - room : Math.min(first, key - room);
    let high = empty ? key + room : Math.max(first + counts.length - 1, key + room);
    if (high - low >= this.#limit) {
      high = empty ? key : Math.max(this.#highest(), key);
      low = Math.max(low, high - this.#limit + 1);
    }
    const grown = new Float64Array(high - low + 1);
    for (let i = 0; i < counts.length; i++) {
      const at = Math.max(0, first + i - low);
      if (at < grown.length) grown[at] = (grown[at] as number) + (counts[i] as number);
    }
    const at = Math.max(0, key - low);
    grown[at] = (grown[at] as number) + times;
    this.first = low;
    this.counts = grown;
  }

  #highest(): number {
    for (let i = this.counts.length - 1; i >= 0; i--) if ((this.counts[i] as number) > 0) return this.first + i;
    return this.first;
  }

  add(key: number, times: number, room = ROOM): void {
    const i = key - this.first;
    if (i >= 0 && i < this.counts.length) this.counts[i] = (this.counts[i] as number) + times;
    else this.addOutside(key, times, room);
  }
}

/**
 * Counts values in buckets of relative width, so that every quantile comes out within a known
 * relative error; sketches of parts merge into exactly the sketch of the whole.
 *
 * A bucket is a power of two cut into 2^k equal parts, which the upper bits of a float already
 * name: finding it costs a shift and no logarithm. Its middle is at most 2^-(k+1) from any value in
 * it; k is the least that keeps the error asked for (6 for 1 %, which gives 0.8 %). Values of both
 * signs are counted, subnormals as 0.
 *
 * Source: DDSketch (Masson, Rim, Lee: VLDB 2019) with the linearly interpolated logarithm as its
 * mapping; widest bucket ratio 1 + 2^-k, below γ = (1 + α) / (1 - α).
 */
export class QuantileSketch {
  #bits: number;
  #shift: number;
  #positive: Buckets;
  #negative: Buckets | undefined;
  #zeros = 0;
  // Together in one array: a float in a field of its own would be a heap object.
  readonly #totals: Float64Array = Float64Array.of(0, 0, Infinity, -Infinity);

  /** @param relativeError - at most this far off, as a share of the value. @defaultValue 0.01 */
  constructor(relativeError: number = DEFAULT_RELATIVE_ERROR) {
    requireWithin('relativeError', relativeError, 0.0001, 0.5);
    this.#bits = Math.max(0, Math.ceil(Math.log2(1 / (2 * relativeError))));
    this.#shift = MANTISSA_BITS - this.#bits;
    this.#positive = new Buckets(MAX_OCTAVES << this.#bits);
  }

  /** How many values were added. */
  get count(): number {
    return this.#totals[COUNT] as number;
  }

  get sum(): number {
    return this.#totals[SUM] as number;
  }

  /** Infinity while empty. */
  get min(): number {
    return this.#totals[MIN] as number;
  }

  /** -Infinity while empty. */
  get max(): number {
    return this.#totals[MAX] as number;
  }

  /** The error that is kept, which may be less than what was asked for. */
  get relativeError(): number {
    return 2 ** -(this.#bits + 1);
  }

  /** Counts a finite `value`. The caller checks that it is finite: this is the hot path of every histogram. */
  add(value: number): void {
    this.addMany(value, 1);
  }

  /** Counts a finite `value`, `times` times over. */
  addMany(value: number, times: number): void {
    if (value >= SMALLEST) {
      scratch[0] = value;
      const buckets = this.#positive;
      const i = ((halves[UPPER] as number) >>> this.#shift) - buckets.first;
      const { counts } = buckets;
      if (i >= 0 && i < counts.length) counts[i] = (counts[i] as number) + times;
      else buckets.addOutside(i + buckets.first, times, ROOM);
    } else if (value > -SMALLEST) this.#zeros += times;
    else this.#below().add(keyOf(-value, this.#shift), times);
    const totals = this.#totals;
    totals[COUNT]! += times;
    totals[SUM]! += times * value;
    if (value < (totals[MIN] as number)) totals[MIN] = value;
    if (value > (totals[MAX] as number)) totals[MAX] = value;
  }

  /**
   * The value below which a share `q` of the values lies; undefined while empty.
   * @param q - between 0 and 1.
   */
  quantile(q: number): number | undefined {
    requireFraction('q', q);
    if (this.count === 0) return undefined;
    // The order statistic at q · (n - 1), as DDSketch defines it.
    let rank = Math.floor(q * (this.count - 1));
    if (rank <= 0) return this.min;
    if (rank >= this.count - 1) return this.max;
    const { counts: below = EMPTY, first: belowFirst = 0 } = this.#negative ?? {};
    for (let i = below.length - 1; i >= 0; i--) {
      rank -= below[i] as number;
      if (rank < 0) return this.#clamp(-middleOf(belowFirst + i, this.#shift));
    }
    rank -= this.#zeros;
    if (rank < 0) return this.#clamp(0);
    const { counts, first } = this.#positive;
    for (let i = 0; i < counts.length; i++) {
      rank -= counts[i] as number;
      if (rank < 0) return this.#clamp(middleOf(first + i, this.#shift));
    }
    return this.max;
  }

  /** Adds all values of `other`, which may be finer or coarser: the coarser of the two is kept. */
  merge(other: QuantileSketch): this {
    if (other.count === 0) return this;
    if (other.#bits < this.#bits) this.#coarsen(other.#bits);
    const shift = other.#bits - this.#bits;
    mergeBuckets(this.#positive, other.#positive, shift);
    if (other.#negative !== undefined) mergeBuckets(this.#below(), other.#negative, shift);
    this.#zeros += other.#zeros;
    this.#setTotals(this.count + other.count, this.sum + other.sum, Math.min(this.min, other.min), Math.max(this.max, other.max));
    return this;
  }

  /**
   * What was added since this sketch looked like `earlier`, a {@link clone} of it. The extremes of
   * the difference are known to the width of a bucket only.
   */
  since(earlier: QuantileSketch | undefined): QuantileSketch {
    if (earlier === undefined || earlier.count === 0) return this.clone();
    const part = this.clone();
    subtractBuckets(part.#positive, earlier.#positive);
    if (part.#negative !== undefined && earlier.#negative !== undefined) subtractBuckets(part.#negative, earlier.#negative);
    part.#zeros -= earlier.#zeros;
    const count = part.#zeros + totalOf(part.#positive) + totalOf(part.#negative);
    const [min, max] = part.#extremes();
    part.#setTotals(count, this.sum - earlier.sum, min, max);
    return part;
  }

  clone(): QuantileSketch {
    const copy = new QuantileSketch(0.5);
    copy.#setBits(this.#bits);
    copy.#positive.first = this.#positive.first;
    copy.#positive.counts = this.#positive.counts.slice();
    if (this.#negative !== undefined) {
      const below = copy.#below();
      below.first = this.#negative.first;
      below.counts = this.#negative.counts.slice();
    }
    copy.#zeros = this.#zeros;
    copy.#totals.set(this.#totals);
    return copy;
  }

  /** A compact form that {@link QuantileSketch.fromBytes} reads; the same on every machine. */
  toBytes(): Uint8Array {
    const bytes: number[] = [FORMAT, this.#bits];
    for (const value of [this.sum, this.min, this.max]) pushFloat(bytes, value);
    pushVarint(bytes, this.count);
    pushVarint(bytes, this.#zeros);
    pushBuckets(bytes, this.#positive);
    pushBuckets(bytes, this.#negative);
    return Uint8Array.from(bytes);
  }

  /** @throws RangeError when `bytes` are not what {@link toBytes} gives. */
  static fromBytes(bytes: Uint8Array): QuantileSketch {
    const sketch = new QuantileSketch(0.5);
    sketch.#setBits(bytes[1] ?? 0);
    return sketch.mergeBytes(bytes);
  }

  /**
   * Adds what {@link toBytes} has packed, without unpacking it into a sketch of its own: a day is many.
   * @throws RangeError when `bytes` are something else; what this sketch counts is no longer right then.
   */
  mergeBytes(bytes: Uint8Array): this {
    const reader = new Reader(bytes);
    const { bits, sum, min, max, count } = reader.head();
    if (count === 0) return this;
    if (bits < this.#bits) this.#coarsen(bits);
    const shift = bits - this.#bits;
    const zeros = reader.varint();
    const counted = zeros + reader.addTo(() => this.#positive, shift) + reader.addTo(() => this.#below(), shift);
    if (counted !== count) throw new RangeError(`a sketch must hold as many values as it says, ${count}, got ${counted}`);
    this.#zeros += zeros;
    this.#setTotals(this.count + count, this.sum + sum, Math.min(this.min, min), Math.max(this.max, max));
    return this;
  }

  /** What can be read without unpacking the buckets. @throws RangeError when `bytes` do not start like a sketch. */
  static summaryOf(bytes: Uint8Array): { readonly count: number; readonly sum: number; readonly min: number; readonly max: number } {
    return new Reader(bytes).head();
  }

  #below(): Buckets {
    this.#negative ??= new Buckets(MAX_OCTAVES << this.#bits);
    return this.#negative;
  }

  #setBits(bits: number): void {
    this.#bits = bits;
    this.#shift = MANTISSA_BITS - bits;
    this.#positive = new Buckets(MAX_OCTAVES << bits);
    this.#negative = undefined;
  }

  #coarsen(bits: number): void {
    const finer = { positive: this.#positive, negative: this.#negative };
    const shift = this.#bits - bits;
    this.#setBits(bits);
    mergeBuckets(this.#positive, finer.positive, shift);
    if (finer.negative !== undefined) mergeBuckets(this.#below(), finer.negative, shift);
  }

  #setTotals(count: number, sum: number, min: number, max: number): void {
    this.#totals.set([count, sum, min, max]);
  }

  #clamp(value: number): number {
    return Math.min(this.max, Math.max(this.min, value));
  }

  /** As far as the buckets tell, and within what the totals say. */
  #extremes(): readonly [min: number, max: number] {
    let [min, max] = [Infinity, -Infinity];
    const see = (value: number): void => {
      const inside = this.#clamp(value);
      min = Math.min(min, inside);
      max = Math.max(max, inside);
    };
    const { counts, first } = this.#positive;
    const low = counts.findIndex((count) => count > 0);
    if (low >= 0) for (const i of [low, counts.findLastIndex((count) => count > 0)]) see(middleOf(first + i, this.#shift));
    if (this.#zeros > 0) see(0);
    const below = this.#negative;
    const nearest = below?.counts.findIndex((count) => count > 0) ?? -1;
    if (below !== undefined && nearest >= 0)
      for (const i of [nearest, below.counts.findLastIndex((count) => count > 0)]) see(-middleOf(below.first + i, this.#shift));
    return [min, max];
  }
}

const COUNT = 0;
const SUM = 1;
const MIN = 2;
const MAX = 3;
const EMPTY = new Float64Array(0);

function keyOf(value: number, shift: number): number {
  scratch[0] = value;
  return (halves[UPPER] as number) >>> shift;
}

function edgeOf(key: number, shift: number): number {
  scratch[0] = 0;
  halves[UPPER] = key << shift;
  return scratch[0];
}

// The harmonic middle of a bucket is equally far, relatively, from both its edges.
function middleOf(key: number, shift: number): number {
  const low = edgeOf(key, shift);
  const high = edgeOf(key + 1, shift);
  return high === Infinity ? low : 2 / (1 / low + 1 / high);
}

function mergeBuckets(into: Buckets, from: Buckets, shift: number): void {
  // From the highest down, so that room is made once and what is too low to keep apart is known.
  for (let i = from.counts.length - 1; i >= 0; i--) {
    const count = from.counts[i] as number;
    if (count > 0) into.add((from.first + i) >> shift, count);
  }
}

function subtractBuckets(from: Buckets, what: Buckets): void {
  for (let i = 0; i < what.counts.length; i++) {
    const at = Math.max(0, what.first + i - from.first);
    if (at < from.counts.length) from.counts[at] = Math.max(0, (from.counts[at] as number) - (what.counts[i] as number));
  }
}

function totalOf(buckets: Buckets | undefined): number {
  let total = 0;
  if (buckets !== undefined) for (const count of buckets.counts) total += count;
  return total;
}

function pushFloat(bytes: number[], value: number): void {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value, true);
  for (let i = 0; i < 8; i++) bytes.push(view.getUint8(i));
}

// Seven bits a byte, the lowest first; by division, since counts may pass 32 bits.
function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}

function pushBuckets(bytes: number[], buckets: Buckets | undefined): void {
  const { counts = EMPTY, first = 0 } = buckets ?? {};
  const used: number[] = [];
  for (let i = 0; i < counts.length; i++) if ((counts[i] as number) > 0) used.push(i);
  pushVarint(bytes, used.length);
  let previous = 0;
  for (const i of used) {
    pushVarint(bytes, first + i - previous);
    pushVarint(bytes, counts[i] as number);
    previous = first + i;
  }
}

class Reader {
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  head(): { readonly bits: number; readonly sum: number; readonly min: number; readonly max: number; readonly count: number } {
    const format = this.byte();
    if (format !== FORMAT) throw new RangeError(`a sketch must start with format ${FORMAT}, got ${format}`);
    const bits = this.byte();
    if (bits > 13) throw new RangeError(`a sketch must have at most 13 bits of precision, got ${bits}`);
    return { bits, sum: this.float(), min: this.float(), max: this.float(), count: this.varint() };
  }

  byte(): number {
    return this.#view.getUint8(this.#take(1));
  }

  float(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  #take(bytes: number): number {
    const at = this.#at;
    this.#at += bytes;
    if (this.#at > this.#view.byteLength) throw new RangeError(`a sketch must be whole, got ${this.#view.byteLength} bytes of a longer one`);
    return at;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte % 128) * scale;
      if (byte < 128) return value;
    }
  }

  /** Adds counts to buckets of the same width or a coarser one; their total. */
  addTo(into: () => Buckets, shift: number): number {
    const used = this.varint();
    if (used === 0) return 0;
    const buckets = into();
    let total = 0;
    for (let i = 0, key = 0, first = 0; i < used; i++) {
      key += this.varint();
      if (i === 0) first = key;
      // A key that is nonsense must not be asked room for.
      if (key - first >= MAX_OCTAVES << 13)
        throw new RangeError(`a sketch must span at most ${MAX_OCTAVES} powers of two, got ${key - first + 1} buckets`);
      const count = this.varint();
      buckets.add(key >> shift, count, ROOM_TO_READ);
      total += count;
    }
    return total;
  }
}
