import type { MarketKind } from '../../contracts/market-data.js';
import type { Instrumentation } from '../instrumentation.js';
import { feedMetrics } from './feed-metrics.js';

const KINDS: readonly MarketKind[] = ['quote', 'book', 'trades', 'bars', 'instrument'];
const OUTCOMES = ['hit', 'stale', 'coalesced', 'miss', 'negative', 'bypass'] as const;

/** Market data: who was answered from where and how old, what was loaded, and how fresh each feed is. */
export function cacheMetrics(to: Instrumentation): void {
  reads(to);
  loads(to);
  feedMetrics(to);
}

function reads({ metrics, on, askForCounts }: Instrumentation): void {
  const total = metrics.counter({
    name: 'venuekit_cache_reads_total',
    help: 'Reads of market data, by kind, outcome and the level that answered.',
    labels: ['kind', 'outcome', 'level'],
    collect: askForCounts,
  });
  const age = metrics.histogram({ name: 'venuekit_cache_age_seconds', help: 'Age of what readers were given.', unit: 'seconds', labels: ['kind'] });
  const gaps = metrics.counter({ name: 'venuekit_cache_gaps_total', help: 'Gaps in streams, after which cached values no longer counted.' });
  const known = new Set<MarketKind>();
  const count = (kind: MarketKind, outcome: (typeof OUTCOMES)[number], level: string, reads: number): void => {
    if (!known.has(kind)) {
      known.add(kind);
      for (const each of OUTCOMES)
        total.with({ kind, outcome: each, level: each === 'miss' || each === 'bypass' || each === 'coalesced' ? 'none' : 'memory' });
    }
    total.with({ kind, outcome, level }).inc(reads);
  };
  // Quietly: a cached read costs a tenth of an event, and is told with others when these metrics are read.
  on(
    'cache.read',
    ({ kind, outcome, level, ageMs }) => {
      count(kind, outcome, level, 1);
      if (Number.isFinite(ageMs)) age.with({ kind }).observe(ageMs / 1000);
    },
    'quiet',
  );
  on('cache.reads', ({ kind, outcome, level, reads, ages }) => {
    count(kind, outcome, level, reads);
    for (const [ageMs, times] of ages) age.with({ kind }).observeMany(ageMs / 1000, times);
  });
  on('cache.gap', () => gaps.inc());
}

function loads({ metrics, on }: Instrumentation): void {
  const total = metrics.counter({
    name: 'venuekit_cache_loads_total',
    help: 'Loads from the venue into the cache, by whether they succeeded.',
    labels: ['kind', 'ok'],
  });
  const keys = metrics.counter({
    name: 'venuekit_cache_load_keys_total',
    help: 'Keys loaded; over loads it is the size of a batch.',
    labels: ['kind'],
  });
  const seconds = metrics.histogram({ name: 'venuekit_cache_load_seconds', help: 'How long a load took.', unit: 'seconds', labels: ['kind'] });
  const prefetches = metrics.counter({
    name: 'venuekit_cache_prefetches_total',
    help: 'Values fetched ahead, by whether somebody read them.',
    labels: ['useful'],
  });
  for (const kind of KINDS) for (const ok of ['true', 'false']) total.with({ kind, ok });
  for (const useful of ['true', 'false']) prefetches.with({ useful });
  const paused = metrics.gauge({
    name: 'venuekit_cache_prefetch_paused',
    help: '1 while nothing is fetched ahead: the host asked for it, or a limit of the venue is near.',
    labels: ['venue'],
  });
  on('cache.prefetch_state', ({ venue, state }) => paused.with({ venue }).set(state === 'paused' ? 1 : 0));
  on('cache.load', ({ kind, keys: count, ms, ok }) => {
    total.with({ kind, ok: ok ? 'true' : 'false' }).inc();
    keys.with({ kind }).inc(count);
    seconds.with({ kind }).observe(ms / 1000);
  });
  on('cache.prefetch', ({ useful }) => prefetches.with({ useful: useful ? 'true' : 'false' }).inc());
}
