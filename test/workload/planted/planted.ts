import { PLANTED_IN_CACHES } from './caches.js';
import type { Planted } from './desk.js';
import { PLANTED_IN_FETCHES } from './fetches.js';
import { PLANTED_IN_POOLS } from './pools.js';
import { PLANTED_IN_PROCESSES } from './processes.js';
import { LIMIT_SHARED, PLANTED_IN_READS } from './reads.js';

/** A flaw for every detector. */
export const PLANTED: readonly Planted[] = [
  ...PLANTED_IN_READS,
  LIMIT_SHARED,
  ...PLANTED_IN_POOLS,
  ...PLANTED_IN_CACHES,
  ...PLANTED_IN_FETCHES,
  ...PLANTED_IN_PROCESSES,
];
