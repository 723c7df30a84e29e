import type { VenueKitEvents } from '../contracts/events.js';
import type { MarketKind } from '../contracts/market-data.js';
import { AgeCounts } from './age-counts.js';

type Told = VenueKitEvents['cache.reads'];

/**
 * Reads of one kind that ask memory alone. An event for each would cost several times the read, so they are only counted, and told
 * together when somebody wants to know; those that were told one by one are left out then.
 */
export class FastReads {
  hits = 0;
  staleHits = 0;
  /** Peeks that found nothing. */
  emptyPeeks = 0;
  /** Peeks for an order, which never get anything. */
  refusedPeeks = 0;
  /** Of hits and stale hits that have not been told; those through a handle know no age. */
  readonly hitAges: AgeCounts | undefined;
  readonly staleAges: AgeCounts | undefined;
  #hitsTold = 0;
  #staleHitsTold = 0;
  #emptyPeeksTold = 0;
  #refusedPeeksTold = 0;

  constructor(tellsAges: boolean) {
    this.hitAges = tellsAges ? new AgeCounts() : undefined;
    this.staleAges = tellsAges ? new AgeCounts() : undefined;
  }

  /** One was told by an event of its own. */
  toldAlone(outcome: 'hit' | 'stale'): void {
    if (outcome === 'hit') this.#hitsTold++;
    else this.#staleHitsTold++;
  }

  /** What has not been told yet. */
  take(kind: MarketKind): readonly Told[] {
    const counted: readonly Told[] = [
      { kind, outcome: 'hit', level: 'memory', reads: this.hits - this.#hitsTold, ages: this.hitAges?.take() ?? [] },
      { kind, outcome: 'stale', level: 'memory', reads: this.staleHits - this.#staleHitsTold, ages: this.staleAges?.take() ?? [] },
      { kind, outcome: 'miss', level: 'none', reads: this.emptyPeeks - this.#emptyPeeksTold, ages: [] },
      { kind, outcome: 'bypass', level: 'none', reads: this.refusedPeeks - this.#refusedPeeksTold, ages: [] },
    ];
    this.#hitsTold = this.hits;
    this.#staleHitsTold = this.staleHits;
    this.#emptyPeeksTold = this.emptyPeeks;
    this.#refusedPeeksTold = this.refusedPeeks;
    return counted.filter(({ reads }) => reads > 0);
  }
}
