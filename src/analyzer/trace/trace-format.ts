import type { Read } from '../../contracts/cache-store.js';
import type { VenueKitEvents } from '../../contracts/events.js';
import type { MarketKind } from '../../contracts/market-data.js';

/**
 * The file of a trace: a line of JSON, the header; then blocks. A block is 16 bytes (mark, length of its names, count of its
 * records, checksum of what follows; unsigned 32 bits, little endian), the names that appear in it for the first time as a JSON
 * list, and its records of 28 bytes each. A block is written at once, so that a killed process leaves a torn last block at worst,
 * which its length and checksum betray.
 *
 * | bytes | of a record |
 * |---|---|
 * | 0 | what it is, see {@link RECORD} |
 * | 1 | flags |
 * | 2–3 | number of a name; 0 for none |
 * | 4–7 | a whole number: a key, a count |
 * | 8–15 | ms since the header's `startedAt`, float64 |
 * | 16–19, 20–23, 24–27 | three measured values, float32 |
 */
export const TRACE_SCHEMA = 'venuekit.trace/1';
export const RECORD_BYTES = 28;
export const BLOCK_HEAD_BYTES = 16;
/** "VKTB" */
export const BLOCK_MARK = 0x42544b56;

/** What a record is. A number, once given, is never given to anything else. */
export const RECORD = {
  call: 1,
  read: 2,
  load: 3,
  value: 4,
  prefetch: 5,
  loan: 6,
  return: 7,
  opened: 8,
  closed: 9,
  task: 10,
  parse: 11,
  limit: 12,
  append: 13,
  dropped: 14,
} as const;

export const KINDS: readonly MarketKind[] = ['quote', 'book', 'trades', 'bars', 'instrument'];
export const READ_OUTCOMES: readonly Read<unknown>['outcome'][] = ['hit', 'stale', 'coalesced', 'miss', 'negative', 'bypass'];
export const ORIGINS: readonly VenueKitEvents['cache.kept']['origin'][] = ['read', 'scan', 'prefetch', 'stream'];
export const CALL_OUTCOMES: readonly VenueKitEvents['venue.call']['outcome'][] = [
  'ok',
  'failed',
  'accepted',
  'not_sent',
  'refused',
  'rejected',
  'duplicate',
  'unknown',
];

/** FNV-1a, 32 bits. Source: G. Fowler, L. C. Noll, K.-P. Vo, 1991. */
export function checksum(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
