import { batchingMissed } from './batching-missed.js';
import { cacheTooSmall } from './cache-too-small.js';
import { concurrencyTooHigh } from './concurrency-too-high.js';
import { concurrencyTooLow } from './concurrency-too-low.js';
import type { Detector } from './detector.js';
import { eventLoopStalls } from './event-loop-stalls.js';
import { fsyncBoundWrites } from './fsync-bound-writes.js';
import { gcPauses } from './gc-pauses.js';
import { hedging } from './hedging.js';
import { limitHeadroom } from './limit-headroom.js';
import { missingPrefetch } from './missing-prefetch.js';
import { parseOnMainThread } from './parse-on-main-thread.js';
import { poolChurn } from './pool-churn.js';
import { poolReuse } from './pool-reuse.js';
import { poolTooLarge } from './pool-too-large.js';
import { poolTooSmall } from './pool-too-small.js';
import { retryAmplification } from './retry-amplification.js';
import { timeoutTooLong } from './timeout-too-long.js';
import { timeoutTooShort } from './timeout-too-short.js';
import { ttlTooLong } from './ttl-too-long.js';
import { ttlTooShort } from './ttl-too-short.js';

/** All detectors, by component. */
export const DETECTORS: readonly Detector[] = [
  hedging,
  timeoutTooLong,
  timeoutTooShort,
  retryAmplification,
  limitHeadroom,
  fsyncBoundWrites,
  poolTooSmall,
  poolTooLarge,
  poolReuse,
  poolChurn,
  ttlTooShort,
  ttlTooLong,
  missingPrefetch,
  cacheTooSmall,
  batchingMissed,
  concurrencyTooLow,
  concurrencyTooHigh,
  parseOnMainThread,
  eventLoopStalls,
  gcPauses,
];
