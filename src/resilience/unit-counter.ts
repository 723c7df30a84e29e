const ROUNDING = 1e-9;

/** What is used up of one limit, by one IP, account or symbol. All times are monotonic ms. */
export abstract class UnitCounter {
  /** Scratch of a check over several costs, so that two costs of one limit add up. */
  pending = 0;
  /** How many lanes of waiters cost this counter. */
  lanes = 0;
  /** The pass over the waiters in which somebody more urgent laid claim to what becomes free here. */
  claimedInPass = 0;
  #held = 0;

  /** Units granted and not yet sent: they count, and do not age. */
  get held(): number {
    return this.#held;
  }

  hold(units: number): void {
    this.#held += units;
  }

  /** @throws RangeError when so many are not held. */
  unhold(units: number): void {
    if (units > this.#held + ROUNDING) throw new RangeError(`${units} units were to be given back, but ${this.#held} are held`);
    this.#held -= units;
    // What fractions leave over would never go away.
    if (this.#held < ROUNDING) this.#held = 0;
  }

  /** Units in use at `now`, held ones included. */
  abstract used(now: number): number;
  /** Counts units sent at `now`. */
  abstract add(units: number, now: number): void;
  /** When `units` more will fit under `ceiling`, if nothing else is sent; Infinity while held units stand in the way. */
  abstract fitsAt(units: number, ceiling: number, now: number): number;
  /** The venue counts `used`, for no longer than `until`: counts the difference to ours as sent by others. */
  abstract raiseTo(used: number, until: number, now: number): void;
}

/** Remembers so many sends one by one; beyond, neighbours are counted together, as if all sent at the latest of them. */
const LONGEST_LOG = 1024;

/**
 * Units of an exact sliding window over (t − perMs, t].
 *
 * A log of sends in a ring. A limit of more than 1,024 units counts sends together that lie within
 * 1/1,024 of the window, at the time of the last: they leave a little late, never early, so that no
 * window holds more than the limit.
 */
export class WindowCounter extends UnitCounter {
  readonly #perMs: number;
  readonly #togetherMs: number;
  #sentAt: Float64Array = new Float64Array(16);
  #units: Float64Array = new Float64Array(16);
  #head = 0;
  #size = 0;
  #sum = 0;
  #newestSince = -Infinity;
  #byOthers = 0;
  #byOthersUntil = -Infinity;

  constructor(perMs: number, units: number) {
    super();
    this.#perMs = perMs;
    this.#togetherMs = units <= LONGEST_LOG ? 0 : perMs / LONGEST_LOG;
  }

  used(now: number): number {
    this.#expire(now);
    return this.#sum + this.#byOthers + this.held;
  }

  add(units: number, now: number): void {
    this.#expire(now);
    this.#sum += units;
    const mask = this.#sentAt.length - 1;
    if (this.#size > 0 && (now - this.#newestSince <= this.#togetherMs || this.#size >= LONGEST_LOG)) {
      const newest = (this.#head + this.#size - 1) & mask;
      this.#sentAt[newest] = now;
      this.#units[newest]! += units;
      return;
    }
    if (this.#size > mask) this.#grow();
    this.#append(units, now);
  }

  fitsAt(units: number, ceiling: number, now: number): number {
    let excess = this.used(now) + units - ceiling;
    if (excess <= 0) return now;
    const mask = this.#sentAt.length - 1;
    let others = this.#byOthers;
    let leavesAt = now;
    for (let i = 0; i < this.#size; i++) {
      const at = (this.#head + i) & mask;
      leavesAt = this.#sentAt[at]! + this.#perMs;
      if (others > 0 && this.#byOthersUntil <= leavesAt) {
        excess -= others;
        others = 0;
        if (excess <= 0) return this.#byOthersUntil;
      }
      excess -= this.#units[at]!;
      if (excess <= 0) return leavesAt;
    }
    if (others > 0) leavesAt = this.#byOthersUntil;
    return this.held > 0 ? Infinity : leavesAt;
  }

  raiseTo(used: number, until: number, now: number): void {
    this.#expire(now);
    if (until <= now || used <= this.#sum + this.#byOthers) return;
    this.#byOthers = used - this.#sum;
    this.#byOthersUntil = Math.min(until, now + this.#perMs);
  }

  #expire(now: number): void {
    const mask = this.#sentAt.length - 1;
    while (this.#size > 0 && this.#sentAt[this.#head]! + this.#perMs <= now) {
      this.#sum -= this.#units[this.#head]!;
      this.#head = (this.#head + 1) & mask;
      this.#size--;
    }
    // Sums of fractions drift; an empty window is exactly empty.
    if (this.#size === 0) this.#sum = 0;
    if (this.#byOthersUntil <= now) this.#byOthers = 0;
  }

  #append(units: number, now: number): void {
    const at = (this.#head + this.#size) & (this.#sentAt.length - 1);
    this.#sentAt[at] = now;
    this.#units[at] = units;
    this.#size++;
    this.#newestSince = now;
  }

  #grow(): void {
    const length = this.#sentAt.length;
    const sentAt = new Float64Array(length * 2);
    const units = new Float64Array(length * 2);
    for (let i = 0; i < this.#size; i++) {
      const at = (this.#head + i) & (length - 1);
      sentAt[i] = this.#sentAt[at]!;
      units[i] = this.#units[at]!;
    }
    this.#sentAt = sentAt;
    this.#units = units;
    this.#head = 0;
  }
}

/** A count that drains at a constant rate, as Kraken's does. */
export class DecayCounter extends UnitCounter {
  readonly #perMs: number;
  #level = 0;
  #countedAt = -Infinity;

  constructor(decayPerSecond: number) {
    super();
    this.#perMs = decayPerSecond / 1000;
  }

  used(now: number): number {
    this.#drain(now);
    return this.#level + this.held;
  }

  add(units: number, now: number): void {
    this.#drain(now);
    this.#level += units;
  }

  fitsAt(units: number, ceiling: number, now: number): number {
    const excess = this.used(now) + units - ceiling;
    if (excess <= 0) return now;
    if (excess > this.#level && this.held > 0) return Infinity;
    // A whole millisecond up: the level that rounding leaves must not make the waiter spin.
    return now + Math.ceil(excess / this.#perMs);
  }

  raiseTo(used: number, _until: number, now: number): void {
    this.#drain(now);
    if (used > this.#level) this.#level = used;
  }

  #drain(now: number): void {
    this.#level = Math.max(0, this.#level - (now - this.#countedAt) * this.#perMs);
    this.#countedAt = now;
  }
}
