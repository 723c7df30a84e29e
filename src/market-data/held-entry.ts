import type { CacheEntry } from '../contracts/cache-store.js';
import type { Cell } from './cell.js';

/** An entry as a store keeps it: all of one shape, and each knows its cell, so that no second index by key is needed. */
export class HeldEntry implements CacheEntry {
  readonly value: unknown;
  readonly sentAt: number;
  readonly receivedAt: number;
  declare readonly eventTime?: number;
  readonly epoch: number;
  declare readonly seq?: number;
  readonly source: CacheEntry['source'];
  readonly weight: number;
  // Hidden: a store that writes entries out must not find the whole cache hanging on each.
  readonly #cell: Cell;

  constructor(cell: Cell, { value, sentAt, receivedAt, eventTime, epoch, seq, source, weight }: CacheEntry) {
    this.#cell = cell;
    this.value = value;
    this.sentAt = sentAt;
    this.receivedAt = receivedAt;
    this.epoch = epoch;
    this.source = source;
    this.weight = weight;
    if (eventTime !== undefined) this.eventTime = eventTime;
    if (seq !== undefined) this.seq = seq;
  }

  /** The cell that `entry` was kept for; undefined for an entry that is not one of ours. */
  static cellOf(entry: CacheEntry): Cell | undefined {
    return #cell in entry ? entry.#cell : undefined;
  }
}
