import type { CacheEntry } from '../contracts/cache-store.js';

/**
 * Whether `candidate` says something newer than `held`, so that an answer that was overtaken on its
 * way never replaces what overtook it: by epoch, then the venue's sequence, then the venue's time,
 * then the time of the send.
 */
export function isNewer(candidate: CacheEntry, held: CacheEntry): boolean {
  if (candidate.epoch !== held.epoch) return candidate.epoch > held.epoch;
  if (candidate.seq !== undefined && held.seq !== undefined && candidate.seq !== held.seq) return candidate.seq > held.seq;
  if (candidate.eventTime !== undefined && held.eventTime !== undefined && candidate.eventTime !== held.eventTime) {
    return candidate.eventTime > held.eventTime;
  }
  // A request that left in the millisecond of a push may show the state before it.
  if (held.source === 'stream' && candidate.source !== 'stream') return candidate.sentAt > held.sentAt;
  return candidate.sentAt >= held.sentAt;
}
