import type { KindTuning } from '../../contracts/kit-tuning.js';
import type { MarketDataAdapter, MarketKind, MarketKinds } from '../../contracts/market-data.js';
import { ManualClock } from '../../core/manual-clock.js';
import { type Random, seededRandom } from '../../core/random.js';
import { CachedMarketDataClient } from '../../market-data/index.js';
import { largest, smallest } from '../measures/numbers.js';
import type { Trace, TracedLoad } from '../trace/trace.js';
import { ChangeProcess } from './change-process.js';
import { Neighbours } from './neighbours.js';

/** The readers of one kind of market data in a trace. */
export interface CacheCalls {
  readonly kind: MarketKind;
  readonly reads: readonly { readonly at: number; readonly key: number; readonly consumer: number; readonly maxAgeMs: number }[];
  readonly loads: readonly TracedLoad[];
  /** Changes a second, by key. */
  readonly changes: ReadonlyMap<number, number>;
  /** Of any other key; undefined where nothing shows how often values change. */
  readonly otherChanges: number | undefined;
  readonly batchLimit: number;
}

export interface ReplayedRead {
  readonly t: number;
  readonly key: number;
  /** Answered at once. */
  readonly isHit: boolean;
  readonly waitMs: number;
  readonly ageMs: number;
  /** The venue had a newer one when it was answered. */
  readonly isOutdated: boolean;
}

export interface CacheReplay {
  readonly reads: readonly ReplayedRead[];
  /** Calls in each second. */
  readonly seconds: readonly { readonly t: number; readonly calls: number }[];
}

/** Bars are kept by their revision, not for a time. */
export const REPLAYED_KINDS: readonly MarketKind[] = ['quote', 'book', 'trades', 'instrument'];
const MOST_READS = 20_000;
const LEAST_READS = 500;
const LEAST_LOADS = 20;
/** Reads of one turn may share a call; float32 tells when they came to some microseconds. */
const SAME_MS = 0.01;
const LEAST_VALUES = 5;
/** How many events the usual rate is worth. */
const PRIOR = 4;

/** The reads of a kind; or what is missing for them. */
export function cacheCalls(trace: Trace, kind: MarketKind): CacheCalls | string {
  const reads = trace.reads
    .filter((read) => read.kind === kind && read.outcome !== 'bypass' && read.outcome !== 'negative')
    .map((read) => ({ at: read.t - read.waitedMs, key: read.key, consumer: read.consumer, maxAgeMs: read.maxAgeMs }))
    .sort((a, b) => a.at - b.at)
    .slice(-MOST_READS);
  const loads = trace.loads.filter((load) => load.kind === kind && load.ok);
  if (reads.length < LEAST_READS) return `the trace holds ${reads.length} reads of ${kind}, and ${LEAST_READS} are needed`;
  if (loads.length < LEAST_LOADS) return `the trace holds ${loads.length} loads of ${kind}, and ${LEAST_LOADS} are needed to say how long one takes`;
  return { kind, reads, loads, ...changeRates(trace, kind), batchLimit: trace.batchLimits?.[kind] ?? largest(loads.map(({ keys }) => keys)) };
}

/** Changes a second, from whether values differed from those before them, however far apart they were fetched. */
function changeRates(trace: Trace, kind: MarketKind): Pick<CacheCalls, 'changes' | 'otherChanges'> {
  const byKey = new Map<number, { lastAt: number; gaps: { readonly seconds: number; readonly changed: boolean }[] }>();
  const all: { readonly seconds: number; readonly changed: boolean }[] = [];
  for (const { t, kind: of, key, changed } of trace.values) {
    if (of !== kind) continue;
    const known = byKey.get(key);
    if (known === undefined) {
      byKey.set(key, { lastAt: t, gaps: [] });
      continue;
    }
    if (changed !== undefined) {
      const gap = { seconds: (t - known.lastAt) / 1_000, changed };
      known.gaps.push(gap);
      all.push(gap);
    }
    known.lastAt = t;
  }
  const otherChanges = all.length < LEAST_LOADS ? undefined : rateOf(all);
  const changes = new Map<number, number>();
  for (const [key, { gaps }] of byKey) if (gaps.length >= LEAST_VALUES) changes.set(key, rateOf(gaps, otherChanges));
  return { changes, otherChanges };
}

/**
 * The rate of a Poisson process of which it is known only whether something happened in intervals: the maximum of the likelihood,
 * by bisection of its derivative. Where every interval saw a change it could be any high rate: bounded by ten in the shortest.
 * With the rate that is usual (`usual`), a few intervals say less than many: a gamma prior whose mode that is.
 */
export function rateOf(gaps: readonly { readonly seconds: number; readonly changed: boolean }[], usual = 0): number {
  const used = gaps.filter(({ seconds }) => seconds > 0);
  if (used.length === 0 || (usual === 0 && !used.some(({ changed }) => changed))) return 0;
  const prior = (rate: number): number => (usual > 0 ? PRIOR * (1 / rate - 1 / usual) : 0);
  const slope = (rate: number): number =>
    used.reduce((sum, { seconds, changed }) => sum + (changed ? seconds / Math.expm1(rate * seconds) : -seconds), prior(rate));
  let [low, high] = [1e-9, 10 / smallest(used.map(({ seconds }) => seconds))];
  if (slope(high) > 0) return high;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (slope(middle) > 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** What is replayed of a cache's options. */
export interface CacheVariant {
  readonly kind: KindTuning;
  readonly maxEntries: number;
}

/** Sends the same reads through a {@link CachedMarketDataClient} with these options, in virtual time. */
export async function replayCache(calls: CacheCalls, variant: CacheVariant, seed: number): Promise<CacheReplay> {
  const { kind, reads, loads } = calls;
  const begin = reads[0]!.at;
  const clock = new ManualClock(begin);
  const random: Random = seededRandom(seed);
  const latency = new Neighbours(loads, random);
  const changes = new ChangeProcess((key) => calls.changes.get(key) ?? calls.otherChanges ?? 0, seed);
  let fetched = 0;
  const adapter: MarketDataAdapter = {
    venue: 'replay',
    batchLimit: () => calls.batchLimit,
    async fetch<K extends MarketKind>(_: K, requests: readonly MarketKinds[K]['request'][]) {
      fetched++;
      const half = latency.draw(clock.now()).ms / 2;
      await clock.sleep(half);
      const values = requests.map(({ symbol }) => quotedAs(kind, symbol, changes.count(Number(symbol), clock.monotonic())));
      await clock.sleep(half);
      return values.map((value) => ({ status: 'fulfilled' as const, value: value as MarketKinds[K]['value'] }));
    },
  };
  await using client = new CachedMarketDataClient({ adapter, clock, random, kinds: { [kind]: variant.kind }, maxEntries: variant.maxEntries });
  const ended: ReplayedRead[] = [];
  const read = async ({ key, consumer, maxAgeMs }: CacheCalls['reads'][number]): Promise<void> => {
    const t = clock.now();
    const options = { ...(maxAgeMs === Infinity ? {} : { maxAgeMs }), ...(consumer === 0 ? {} : { consumer: String(consumer) }) };
    try {
      const { value, ageMs, outcome } = await client.get(kind, { symbol: String(key) }, options);
      const isOutdated = versionOf(kind, value) !== changes.count(key, clock.monotonic());
      ended.push({ t, key, isHit: outcome === 'hit' || outcome === 'stale', waitMs: clock.now() - t, ageMs, isOutdated });
    } catch {
      // Too old on arrival: the reader was told so.
      ended.push({ t, key, isHit: false, waitMs: clock.now() - t, ageMs: Number.NaN, isOutdated: false });
    }
  };
  const seconds: { t: number; calls: number }[] = [];
  let next = 0;
  const arrive = (): void => {
    do void read(reads[next++]!);
    while (next < reads.length && reads[next]!.at <= clock.now() + SAME_MS);
    if (next < reads.length) clock.schedule(reads[next]!.at - clock.now(), arrive);
  };
  arrive();
  for (let told = 0; next < reads.length; told = fetched) {
    await clock.advance(1_000);
    seconds.push({ t: clock.now(), calls: fetched - told });
  }
  while (ended.length < reads.length) await clock.advance(1_000);
  return { reads: ended.sort((a, b) => a.t - b.t), seconds };
}

// A value of the kind's shape that says which version it is.
function quotedAs(kind: MarketKind, symbol: string, version: number): object {
  switch (kind) {
    case 'book':
      return { symbol, bids: [[version + 1, 1]], asks: [[version + 2, 1]] };
    case 'trades':
      return [{ id: String(version), symbol, price: 1, size: 1, eventTime: 0 }];
    case 'instrument':
      return { symbol, priceStep: '1', qtyStep: '1', minNotional: String(version) };
    default:
      return { symbol, bid: version + 1, ask: version + 2 };
  }
}

function versionOf(kind: MarketKind, value: unknown): number {
  switch (kind) {
    case 'book':
      return (value as MarketKinds['book']['value']).bids[0]![0] - 1;
    case 'trades':
      return Number((value as MarketKinds['trades']['value'])[0]!.id);
    case 'instrument':
      return Number((value as MarketKinds['instrument']['value']).minNotional);
    default:
      return (value as MarketKinds['quote']['value']).bid - 1;
  }
}
