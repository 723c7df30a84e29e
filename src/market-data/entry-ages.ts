import type { CacheEntry } from '../contracts/cache-store.js';
import type { Bars, MarketKind, MarketKinds } from '../contracts/market-data.js';
import type { Clock } from '../core/clock.js';
import { msUntilRevision } from './bar-revision.js';
import type { Judged } from './cache-index.js';
import type { ResolvedPolicy } from './kind-policy.js';

/**
 * The age of a value: the time since the send of its request, or since the venue's own time for it
 * where that is longer, as it is behind a venue's REST cache.
 */
export class EntryAges {
  readonly #clock: Clock;
  readonly #venueOffsetMs: number;
  readonly #policies: Readonly<Record<MarketKind, ResolvedPolicy>>;

  /** @param venueOffsetMs - the most that the venue's clock and ours differ by. */
  constructor(clock: Clock, venueOffsetMs: number, policies: Readonly<Record<MarketKind, ResolvedPolicy>>) {
    this.#clock = clock;
    this.#venueOffsetMs = venueOffsetMs;
    this.#policies = policies;
  }

  /** Turns the venue's time into our monotonic one, once, so that a later step of the wall clock makes nothing younger. */
  judge(kind: MarketKind, request: MarketKinds[MarketKind]['request'], entry: CacheEntry): Judged {
    const { sentAt, receivedAt, eventTime } = entry;
    const bornAt = eventTime === undefined ? sentAt : Math.min(sentAt, receivedAt - this.#wallAge(eventTime));
    let freshForMs = this.#policies[kind].ttlMs;
    if (kind === 'bars') {
      const revisionMs = msUntilRevision(entry.value as Bars, request as MarketKinds['bars']['request'], this.#clock.now());
      freshForMs = Math.min(freshForMs, revisionMs + (receivedAt - sentAt));
    }
    return { entry, freshUntil: sentAt + freshForMs, bornAt };
  }

  /** The age at monotonic time `now`. With `isBounded` also by the wall clock: what a step makes older is older. */
  at(now: number, bornAt: number, eventTime: number | undefined, isBounded: boolean): number {
    const age = now - bornAt;
    return isBounded && eventTime !== undefined ? Math.max(age, this.#wallAge(eventTime)) : age;
  }

  #wallAge(eventTime: number): number {
    return this.#clock.now() - eventTime + this.#venueOffsetMs;
  }
}

/**
 * Until when an answer that came at `at` may wait for others: for its TTL. What took longer than that to come was never within it, and
 * asked again it would be no younger, so that it may wait as long once more.
 */
export function waitsUntil(sentAt: number, at: number, ttlMs: number): number {
  return ttlMs + (at < sentAt + ttlMs ? sentAt : at);
}

/** The venue's time and sequence of a value, where it carries them. Trades and bars carry a time for each row instead. */
export function marksOf(kind: MarketKind, value: unknown): { readonly eventTime?: number; readonly seq?: number } {
  if (kind !== 'quote' && kind !== 'book') return {};
  const { eventTime, seq } = value as { readonly eventTime?: unknown; readonly seq?: unknown };
  return { ...(typeof eventTime === 'number' ? { eventTime } : {}), ...(typeof seq === 'number' ? { seq } : {}) };
}
