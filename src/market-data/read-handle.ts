import type { CacheStatistics } from './cache-statistics.js';
import type { Cell } from './cell.js';
import type { CoarseClock } from './coarse-clock.js';

/** How often a handle's reads are noticed by the store and the prefetch: more tells them nothing. */
const NOTICE_MS = 20;

/**
 * A request bound once, for reads in a hot loop.
 *
 * `peek` looks nothing up, builds nothing and emits no event; it counts in the statistics. Without
 * maxAgeMs its clock may lag while the host blocks its event loop; with maxAgeMs it is exact.
 */
export interface ReadHandle<V> {
  /** The value, if one is held that is fresh and young enough; no I/O. */
  peek(): V | undefined;
  /** The value, fetched where it has to be. */
  get(): Promise<V>;
}

export interface BoundReadOptions<V> {
  readonly cell: Cell;
  readonly coarse: CoarseClock;
  readonly statistics: CacheStatistics;
  /** Whether what the cell holds can be served without asking anybody: not for orders, bounded ages, or a store that keeps silent. */
  readonly isDirect: boolean;
  /** The ordinary way, which also renews the cell. */
  readonly peekSlowly: () => V | undefined;
  readonly get: () => Promise<V>;
  /** The cell of the request as it is now. */
  readonly rebind: () => Cell;
}

export class BoundRead<V> implements ReadHandle<V> {
  readonly #options: BoundReadOptions<V>;
  readonly #coarse: CoarseClock;
  readonly #statistics: CacheStatistics;
  readonly #isDirect: boolean;
  #cell: Cell;
  #noticeAt: number = -Infinity;

  constructor(options: BoundReadOptions<V>) {
    this.#options = options;
    this.#coarse = options.coarse;
    this.#statistics = options.statistics;
    this.#isDirect = options.isDirect;
    this.#cell = options.cell;
  }

  peek(): V | undefined {
    const cell = this.#cell;
    const now = this.#coarse.read();
    // A cell that was given up holds nothing, is fresh never, and ends here.
    if (now < cell.freshUntil && now < this.#noticeAt && !cell.unread) {
      this.#statistics.hits++;
      return cell.entry?.value as V;
    }
    return this.#peekSlowly(now);
  }

  get(): Promise<V> {
    return this.#options.get();
  }

  #peekSlowly(now: number): V | undefined {
    if (this.#isDirect) {
      this.#noticeAt = now + NOTICE_MS;
      this.#cell = this.#options.rebind();
    }
    return this.#options.peekSlowly();
  }
}
