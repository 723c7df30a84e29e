import type { CacheEntry } from '../contracts/cache-store.js';
import type { Clock } from '../core/clock.js';
import type { Judged } from './cache-index.js';
import type { Cell } from './cell.js';
import type { EntryAges } from './entry-ages.js';
import type { Load } from './load.js';
import { leaseMsOf, type SharedLevel } from './shared-level.js';

/** How often a process that waits for another's load looks whether it has come. */
const LOOK_AGAIN_MS = 20;

export interface SharedLoadsOptions {
  readonly level: SharedLevel;
  readonly clock: Clock;
  readonly ages: EntryAges;
  readonly ttlOf: (cell: Cell) => number;
  readonly settle: (load: Load, entry: CacheEntry, now: number) => void;
}

/** Spares loads that another process has done, or is doing: one load per key across processes. */
export class SharedLoads {
  readonly #options: SharedLoadsOptions;

  constructor(options: SharedLoadsOptions) {
    this.#options = options;
  }

  get isUp(): boolean {
    return this.#options.level.isUp;
  }

  /** Settles what is there; gives what this process has to load, and what another one is loading. */
  async resolve(loads: readonly Load[]): Promise<{ readonly mine: readonly Load[]; readonly others: readonly Load[] }> {
    const missing = await this.#settleFound(loads);
    const leased = await Promise.all(missing.map((load) => this.#options.level.lease(load.cell.key, this.#options.ttlOf(load.cell))));
    return { mine: missing.filter((_, i) => leased[i]), others: missing.filter((_, i) => !leased[i]) };
  }

  /** Waits for what another process loads, as long as its lease lasts; gives what it has not brought by then. */
  async waitForOthers(loads: readonly Load[]): Promise<readonly Load[]> {
    const { clock, ttlOf, level } = this.#options;
    const until = clock.monotonic() + Math.min(...loads.map((load) => leaseMsOf(ttlOf(load.cell))));
    let missing = loads;
    while (missing.length > 0 && level.isUp && clock.monotonic() < until) {
      await clock.sleep(LOOK_AGAIN_MS);
      missing = await this.#settleFound(missing.filter(isOpen));
    }
    return missing.filter(isOpen);
  }

  async #settleFound(loads: readonly Load[]): Promise<readonly Load[]> {
    const { level, clock, settle } = this.#options;
    const startedAt = clock.monotonic();
    for (const load of loads) {
      load.state = 'sent';
      load.sentAt = startedAt;
      load.epoch = load.cell.symbol.epoch;
    }
    const entries = await level.read(loads.map((load) => load.cell.key));
    const now = clock.monotonic();
    return loads.filter((load, i) => {
      const entry = entries[i];
      if (!isOpen(load)) return false;
      if (entry === undefined || !this.#serves(load, { ...entry, epoch: load.epoch }, now)) return true;
      settle(load, { ...entry, epoch: load.epoch }, now);
      return false;
    });
  }

  // Fresh, young enough for everybody who waits, and sent after the last gap that this process knows of.
  #serves(load: Load, entry: CacheEntry, now: number): boolean {
    const { ages } = this.#options;
    const { cell } = load;
    if (load.epoch !== cell.symbol.epoch || (load.epoch > 0 && entry.sentAt <= cell.symbol.epochSince)) return false;
    const judged: Judged = ages.judge(cell.kind, cell.request, entry);
    if (now >= judged.freshUntil) return false;
    const ageMs = ages.at(now, judged.bornAt, entry.eventTime, true);
    for (const { maxAgeMs } of load.waiters) if (ageMs > maxAgeMs) return false;
    return true;
  }
}

function isOpen(load: Load): boolean {
  return load.state !== 'settled';
}
