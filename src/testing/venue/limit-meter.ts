import type { Cost, Limit } from '../../core/limits.js';
import { type Refusal, refuse } from './answers.js';

/** One counter of one limit. */
interface Counter {
  used(at: number): number;
  add(at: number, units: number): void;
  /** Milliseconds until `units` more fit. */
  waitMs(at: number, units: number): number;
  readonly capacity: number;
}

class WindowCounter implements Counter {
  readonly capacity: number;
  readonly #perMs: number;
  #times: number[] = [];
  #units: number[] = [];
  #first = 0;
  #sum = 0;

  constructor(limit: Extract<Limit, { kind: 'window' }>) {
    this.capacity = limit.units;
    this.#perMs = limit.perMs;
  }

  used(at: number): number {
    while (this.#first < this.#times.length && this.#times[this.#first]! <= at - this.#perMs) this.#sum -= this.#units[this.#first++]!;
    if (this.#first > 256 && this.#first > this.#times.length / 2) {
      this.#times = this.#times.slice(this.#first);
      this.#units = this.#units.slice(this.#first);
      this.#first = 0;
    }
    return this.#sum;
  }

  add(at: number, units: number): void {
    this.#times.push(at);
    this.#units.push(units);
    this.#sum += units;
  }

  waitMs(at: number, units: number): number {
    let over = this.used(at) + units - this.capacity;
    for (let i = this.#first; i < this.#times.length && over > 0; i++) {
      over -= this.#units[i]!;
      if (over <= 0) return this.#times[i]! + this.#perMs - at;
    }
    return over > 0 ? this.#perMs : 0;
  }
}

class DecayCounter implements Counter {
  readonly capacity: number;
  readonly #perMs: number;
  #level = 0;
  #at = 0;

  constructor(limit: Extract<Limit, { kind: 'decay' }>) {
    this.capacity = limit.max;
    this.#perMs = limit.decayPerSecond / 1_000;
  }

  used(at: number): number {
    this.#level = Math.max(0, this.#level - Math.max(0, at - this.#at) * this.#perMs);
    this.#at = at;
    return this.#level;
  }

  add(at: number, units: number): void {
    this.#level = this.used(at) + units;
  }

  waitMs(at: number, units: number): number {
    return Math.max(0, this.used(at) + units - this.capacity) / this.#perMs;
  }
}

/** What one request used of a limit. */
export interface LimitUse {
  readonly limit: Limit;
  readonly used: number;
}

/** How refusals turn into a ban. */
export interface BanPolicy {
  /** Requests sent in spite of a refusal, while its Retry-After runs, until the ban. */
  readonly afterIgnored: number;
  /** Of the first ban; each further one lasts twice as long. */
  readonly firstMs: number;
  readonly longestMs: number;
}

/** The venue's side of its limits: counts, refuses with 429, and bans who goes on all the same. All callers share one IP. */
export class LimitMeter {
  readonly limits: readonly Limit[];
  readonly #ban: BanPolicy;
  readonly #counters = new Map<string, Counter>();
  #bannedUntil = -Infinity;
  #waitUntil = -Infinity;
  #ignored = 0;
  #bans = 0;
  #refused = 0;

  constructor(limits: readonly Limit[], ban: BanPolicy) {
    this.limits = limits;
    this.#ban = ban;
  }

  /** Refusals so far. */
  get refused(): number {
    return this.#refused;
  }

  get bans(): number {
    return this.#bans;
  }

  /** Counts a request at `at` (monotonic ms), or says why it is not let in. */
  admit(at: number, costs: readonly Cost[], account: string, symbol: string | undefined): Refusal | undefined {
    if (at < this.#bannedUntil) return this.#refuse('banned', 'IP banned until the given time.', this.#bannedUntil - at);
    let waitMs = 0;
    for (const { limit, units } of costs) {
      const counter = this.#counter(limit, account, symbol);
      if (counter !== undefined && counter.used(at) + units > counter.capacity) waitMs = Math.max(waitMs, counter.waitMs(at, units));
    }
    if (waitMs > 0) return this.#tooMany(at, waitMs);
    for (const { limit, units } of costs) this.#counter(limit, account, symbol)?.add(at, units);
    return undefined;
  }

  /** What the limits among `costs` stand at. */
  uses(at: number, costs: readonly Cost[], account: string, symbol: string | undefined): readonly LimitUse[] {
    return costs.flatMap(({ limit: id }) => {
      const limit = this.limits.find((one) => one.id === id);
      const counter = this.#counter(id, account, symbol);
      return limit === undefined || counter === undefined ? [] : [{ limit, used: counter.used(at) }];
    });
  }

  ban(at: number, ms: number): Refusal {
    this.#bans++;
    this.#ignored = 0;
    this.#bannedUntil = Math.max(this.#bannedUntil, at + ms);
    return this.#refuse('banned', 'IP banned until the given time.', this.#bannedUntil - at);
  }

  // A refused request does not count; one sent while an earlier refusal still asks to wait does, towards a ban.
  #tooMany(at: number, waitMs: number): Refusal {
    if (at < this.#waitUntil && ++this.#ignored >= this.#ban.afterIgnored)
      return this.ban(at, Math.min(this.#ban.longestMs, this.#ban.firstMs * 2 ** this.#bans));
    if (at >= this.#waitUntil) this.#ignored = 0;
    this.#waitUntil = Math.max(this.#waitUntil, at + waitMs);
    return this.#refuse('too_many_requests', 'Too many requests; please wait.', waitMs);
  }

  #refuse(reason: 'banned' | 'too_many_requests', message: string, retryAfterMs: number): Refusal {
    this.#refused++;
    return refuse(reason, message, retryAfterMs);
  }

  #counter(id: string, account: string, symbol: string | undefined): Counter | undefined {
    const limit = this.limits.find((one) => one.id === id);
    if (limit === undefined) return undefined;
    const key = limit.scope === 'ip' ? id : limit.scope === 'account' ? `${id} ${account}` : `${id} ${account} ${symbol ?? ''}`;
    const known = this.#counters.get(key);
    if (known !== undefined) return known;
    const counter = limit.kind === 'window' ? new WindowCounter(limit) : new DecayCounter(limit);
    this.#counters.set(key, counter);
    return counter;
  }
}
