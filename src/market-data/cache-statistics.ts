import type { Read } from '../contracts/cache-store.js';

/** Point-in-time figures of a cache. `reads` = hits + staleHits + coalesced + negative + misses + bypass. */
export interface CacheStats {
  /** Reads that have been answered, or have failed. */
  readonly reads: number;
  readonly hits: number;
  readonly misses: number;
  readonly staleHits: number;
  readonly coalesced: number;
  readonly negative: number;
  readonly bypass: number;
  /** Calls to the adapter. */
  readonly batches: number;
  readonly prefetchIssued: number;
  readonly prefetchUseful: number;
  readonly prefetchWasted: number;
  /** Reads that were refused because nothing young enough for their maxAgeMs could be had. */
  readonly overAgeRejected: number;
  readonly evictions: number;
  readonly entries: number;
  /** Estimated. */
  readonly bytes: number;
  /** hits ÷ reads; 0 before the first. */
  readonly hitRate: number;
}

/** Counts each read under exactly one heading. */
export class CacheStatistics {
  hits = 0;
  misses = 0;
  staleHits = 0;
  coalesced = 0;
  negative = 0;
  bypass = 0;
  batches = 0;
  prefetchIssued = 0;
  prefetchUseful = 0;
  prefetchWasted = 0;
  overAgeRejected = 0;

  count(outcome: Read<unknown>['outcome']): void {
    switch (outcome) {
      case 'hit':
        this.hits++;
        return;
      case 'stale':
        this.staleHits++;
        return;
      case 'coalesced':
        this.coalesced++;
        return;
      case 'miss':
        this.misses++;
        return;
      case 'negative':
        this.negative++;
        return;
      case 'bypass':
        this.bypass++;
        return;
    }
  }

  snapshot(held: { readonly evictions: number; readonly entries: number; readonly bytes: number }): CacheStats {
    const reads = this.hits + this.staleHits + this.coalesced + this.negative + this.misses + this.bypass;
    return {
      reads,
      hits: this.hits,
      misses: this.misses,
      staleHits: this.staleHits,
      coalesced: this.coalesced,
      negative: this.negative,
      bypass: this.bypass,
      batches: this.batches,
      prefetchIssued: this.prefetchIssued,
      prefetchUseful: this.prefetchUseful,
      prefetchWasted: this.prefetchWasted,
      overAgeRejected: this.overAgeRejected,
      evictions: held.evictions,
      entries: held.entries,
      bytes: held.bytes,
      hitRate: reads === 0 ? 0 : this.hits / reads,
    };
  }
}
