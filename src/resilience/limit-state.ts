import type { Limit } from '../core/limits.js';
import { requireOneOf, requirePositive, requireText } from '../core/options.js';
import { DecayCounter, type UnitCounter, WindowCounter } from './unit-counter.js';

const COUNTERS_BEFORE_SWEEP = 64;

/** One limit of the venue: its capacity, what the venue said of it, and a counter for each thing it is counted by. */
export class LimitState {
  readonly limit: Limit;
  /** Units that fit in all. */
  capacity: number;
  /** Units that calls without a claim to the reserve may fill it to. */
  ordinaryCapacity: number;
  /** Monotonic ms; the venue said to send nothing that costs this limit before. */
  blockedUntil: number = -Infinity;
  readonly #reserve: number;
  readonly #single: UnitCounter | undefined;
  readonly #bySymbol = new Map<string, UnitCounter>();
  #sweepAt = COUNTERS_BEFORE_SWEEP;

  constructor(limit: Limit, reserve: number) {
    requireText('limits[].id', limit.id);
    const name = `limits["${limit.id}"]`;
    requireOneOf(`${name}.kind`, limit.kind, ['window', 'decay']);
    requireOneOf(`${name}.scope`, limit.scope, ['ip', 'account', 'symbol']);
    if (limit.kind === 'window') requirePositive(`${name}.perMs`, limit.perMs);
    else requirePositive(`${name}.decayPerSecond`, limit.decayPerSecond);
    this.limit = limit;
    this.#reserve = reserve;
    this.capacity = requirePositive(limit.kind === 'window' ? `${name}.units` : `${name}.max`, limit.kind === 'window' ? limit.units : limit.max);
    this.ordinaryCapacity = this.#withoutReserve();
    this.#single = limit.scope === 'symbol' ? undefined : this.#newCounter();
  }

  /** The venue changed its mind about how much fits. */
  resize(capacity: number): void {
    this.capacity = requirePositive('capacity', capacity);
    this.ordinaryCapacity = this.#withoutReserve();
  }

  /** What calls for `symbol` are counted by; without one, those of a limit by symbol are counted together. */
  counter(symbol: string | undefined, now: number): UnitCounter {
    if (this.#single !== undefined) return this.#single;
    const key = symbol ?? '';
    let counter = this.#bySymbol.get(key);
    if (counter === undefined) {
      if (this.#bySymbol.size >= this.#sweepAt) this.#sweep(now);
      counter = this.#newCounter();
      this.#bySymbol.set(key, counter);
    }
    return counter;
  }

  /** Up to where somebody may fill it by a call of `units`: one too large for the unreserved share goes when nothing else is in use. */
  ceiling(units: number, urgent: boolean): number {
    return urgent ? this.capacity : Math.max(this.ordinaryCapacity, Math.min(units, this.capacity));
  }

  /** As messages name it. */
  describe(): string {
    const { limit } = this;
    const rate = limit.kind === 'window' ? `per ${limit.perMs} ms` : `draining ${limit.decayPerSecond} per second`;
    return `"${limit.id}" (${this.capacity} units ${rate}, by ${limit.scope})`;
  }

  // Whole units only, so that a limit of a few units is not cut below what one call costs.
  #withoutReserve(): number {
    return this.capacity - Math.floor(this.capacity * this.#reserve);
  }

  #newCounter(): UnitCounter {
    const { limit } = this;
    return limit.kind === 'window' ? new WindowCounter(limit.perMs, this.capacity) : new DecayCounter(limit.decayPerSecond);
  }

  // Symbols come and go: a counter that holds nothing is as good as none.
  #sweep(now: number): void {
    for (const [symbol, counter] of this.#bySymbol) {
      if (counter.lanes === 0 && counter.used(now) === 0) this.#bySymbol.delete(symbol);
    }
    this.#sweepAt = Math.max(COUNTERS_BEFORE_SWEEP, this.#bySymbol.size * 2);
  }
}
