import type { KindTuning } from '../../contracts/kit-tuning.js';
import type { MarketKind } from '../../contracts/market-data.js';
import { mean } from '../measures/numbers.js';
import { type CacheCalls, type CacheReplay, type CacheVariant, cacheCalls, REPLAYED_KINDS, type ReplayedRead } from '../replay/cache-replay.js';
import type { DetectorContext } from './detector.js';

/** A kind of market data that was read often enough to judge, with the options that it has now. */
export interface CachedKind {
  readonly kind: MarketKind;
  readonly calls: CacheCalls;
  readonly variant: CacheVariant;
}

/** The kinds that a trace can be replayed of; and why not, of the others. */
export function cachedKinds(context: DetectorContext): { readonly kinds: readonly CachedKind[]; readonly why: string } {
  const { trace, option } = context;
  if (trace === undefined) return { kinds: [], why: '' };
  const read = REPLAYED_KINDS.map((kind) => ({ kind, calls: cacheCalls(trace, kind) }));
  const kinds = read.flatMap(({ kind, calls }) => {
    if (typeof calls === 'string') return [];
    const tuning = option(`marketData.kinds.${kind}`) as KindTuning;
    return [{ kind, calls, variant: { kind: tuning, maxEntries: option('marketData.maxEntries') as number } }];
  });
  return { kinds, why: read.flatMap(({ calls }) => (typeof calls === 'string' ? [calls] : []))[0] ?? '' };
}

export const callsAMinute = (seconds: CacheReplay['seconds']): number => 60 * mean(seconds.map(({ calls }) => calls));
export const waitedShare = (reads: readonly ReplayedRead[]): number => mean(reads.map(({ isHit }) => (isHit ? 0 : 1)));
export const outdatedShare = (reads: readonly ReplayedRead[]): number => mean(reads.map(({ isOutdated }) => (isOutdated ? 1 : 0)));
