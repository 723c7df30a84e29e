import type { Read } from '../contracts/cache-store.js';
import type { MarketKind } from '../contracts/market-data.js';
import { FastReads } from './fast-reads.js';
import { forEachKind } from './kind-policy.js';

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
  /** Those that memory answers, or that ask it alone: the ones that may come by the million. */
  readonly fast: Readonly<Record<MarketKind, FastReads>>;
  coalesced = 0;
  negative = 0;
  misses = 0;
  bypass = 0;
  batches = 0;
  prefetchIssued = 0;
  prefetchUseful = 0;
  prefetchWasted = 0;
  overAgeRejected = 0;

  /** @param tellsAges - whether somebody may ask how old the answers from memory were. */
  constructor(tellsAges: boolean) {
    this.fast = forEachKind(() => new FastReads(tellsAges));
  }

  count(kind: MarketKind, outcome: Read<unknown>['outcome']): void {
    switch (outcome) {
      case 'hit':
        this.fast[kind].hits++;
        return;
      case 'stale':
        this.fast[kind].staleHits++;
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
    let { misses, bypass } = this;
    let hits = 0;
    let staleHits = 0;
    for (const fast of Object.values(this.fast)) {
      hits += fast.hits;
      staleHits += fast.staleHits;
      misses += fast.emptyPeeks;
      bypass += fast.refusedPeeks;
    }
    const reads = hits + staleHits + this.coalesced + this.negative + misses + bypass;
    return {
      reads,
      hits,
      misses,
      staleHits,
      coalesced: this.coalesced,
      negative: this.negative,
      bypass,
      batches: this.batches,
      prefetchIssued: this.prefetchIssued,
      prefetchUseful: this.prefetchUseful,
      prefetchWasted: this.prefetchWasted,
      overAgeRejected: this.overAgeRejected,
      evictions: held.evictions,
      entries: held.entries,
      bytes: held.bytes,
      hitRate: reads === 0 ? 0 : hits / reads,
    };
  }
}
