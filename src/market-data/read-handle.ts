import type { Clock } from '../core/clock.js';
import { type Cell, type CellReader, NEVER } from './cell.js';
import { CoarseClock } from './coarse-clock.js';
import type { FastReads } from './fast-reads.js';

/**
 * A request bound once, for reads in a hot loop.
 *
 * `peek` looks nothing up, builds nothing and emits no event; it counts in statistics and metrics. Without
 * maxAgeMs its clock may lag behind a host that blocks its event loop; with maxAgeMs it is exact.
 */
export interface ReadHandle<V> {
  /** The value, if one is held that is fresh and young enough; no I/O. */
  peek(): V | undefined;
  /** The value, fetched where it has to be. */
  get(): Promise<V>;
}

export interface BoundReadOptions<V> {
  readonly cell: Cell;
  readonly clock: Clock;
  readonly coarse: CoarseClock;
  readonly counts: FastReads;
  /** How often the ordinary way is taken. */
  readonly noticeMs: number;
  /** Infinity: what the policy allows. */
  readonly maxAgeMs: number;
  /** Whether what the cell holds can be served without asking anybody: not for orders, nor from a store that keeps silent. */
  readonly isDirect: boolean;
  /** The ordinary way, by which store and prefetch learn of the read. */
  readonly peekSlowly: () => V | undefined;
  readonly get: () => Promise<V>;
}

export class BoundRead<V> implements ReadHandle<V>, CellReader {
  // What peek needs lies in the handle itself, put there by the cell at each change.
  #until = NEVER;
  #value: V | undefined = undefined;
  /** Of the value, once it was asked for: it holds no age, so that it serves all who ask while the value does. */
  #answer: Promise<V> | undefined = undefined;
  readonly #coarse: CoarseClock;
  readonly #counts: FastReads;
  readonly #isBounded: boolean;
  readonly #options: BoundReadOptions<V>;
  #noticeAt = NEVER;
  readonly #clock: Clock;

  constructor(options: BoundReadOptions<V>) {
    this.#options = options;
    this.#clock = options.clock;
    this.#coarse = options.coarse;
    this.#counts = options.counts;
    this.#isBounded = options.maxAgeMs !== Infinity;
    if (options.isDirect) options.cell.bind(this);
  }

  peek(): V | undefined {
    if (this.#isFresh()) {
      if (CoarseClock.isRenewalDue(++this.#counts.hits)) this.#coarse.renew();
      return this.#value;
    }
    return this.#peekAndNotice();
  }

  get(): Promise<V> {
    if (this.#isFresh()) {
      if (CoarseClock.isRenewalDue(++this.#counts.hits)) this.#coarse.renew();
      return (this.#answer ??= Promise.resolve(this.#value as V));
    }
    return this.#getAndNotice();
  }

  changed(cell: Cell): void {
    const { entry, freshUntil, bornAt, unread } = cell;
    const { maxAgeMs } = this.#options;
    if (this.#value !== entry?.value) this.#answer = undefined;
    this.#value = entry?.value as V | undefined;
    // The first read of a prefetched value is noticed, and the venue's time is held against the wall clock too.
    const isPlain = entry !== undefined && !unread && (entry.eventTime === undefined || !this.#isBounded);
    this.#until = isPlain ? Math.min(freshUntil, this.#noticeAt, Math.floor(bornAt + maxAgeMs)) : NEVER;
  }

  #isFresh(): boolean {
    if (this.#isBounded) return this.#clock.monotonic() < this.#until;
    const coarse = this.#coarse;
    return coarse.isTicking && coarse.latest < this.#until;
  }

  #peekAndNotice(): V | undefined {
    const value = this.#options.peekSlowly();
    this.#notice();
    return value;
  }

  #getAndNotice(): Promise<V> {
    const value = this.#options.get();
    this.#notice();
    return value;
  }

  // From now on the ordinary way is taken again only when there is something to tell.
  #notice(): void {
    const { isDirect, cell, noticeMs } = this.#options;
    if (!isDirect) return;
    const now = this.#clock.monotonic();
    this.#coarse.use(now);
    this.#noticeAt = Math.floor(now) + noticeMs;
    this.changed(cell);
  }
}
