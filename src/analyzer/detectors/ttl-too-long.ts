import { digits, percent } from '../measures/numbers.js';
import { type CacheReplay, replayCache } from '../replay/cache-replay.js';
import { estimateOf } from '../replay/estimate.js';
import { cachedKinds, callsAMinute, outdatedShare } from './cached-kinds.js';
import { type Detector, type Finding, NO_TRACE, NOTHING, undecided } from './detector.js';

const FACTORS = [2, 4, 8, 16, 32];
const MOST_CALLS = 20;
const LEAST_TTL_MS = 50;
const LEAST_GAIN = 0.3;

export const ttlTooLong: Detector = {
  id: 'ttl-too-long',
  component: 'market-data cache',
  area: 'freshness',
  sees: 'Readers that are given values which the venue has replaced: more than twice as many as the objective allows (20 %), by how often values changed between fetches, and a shorter ttlMs takes a third of that off.',
  option: 'marketData.kinds.<kind>.ttlMs',
  effort: 'low',
  from: 'reads, loads and values of a trace',
  replay: 'reads, through CachedMarketDataClient; values change as often as they did in the trace',
  async detect(context) {
    const { trace, objectives, random } = context;
    if (trace === undefined) return undecided(NO_TRACE);
    const { kinds, why } = cachedKinds(context);
    if (kinds.length === 0) return undecided(why);
    const findings: Finding[] = [];
    for (const { kind, calls, variant } of kinds) {
      const { ttlMs } = variant.kind;
      // Instruments change by announcement; and where no change was ever seen, none is missed.
      if (ttlMs === undefined || calls.otherChanges === undefined || kind === 'instrument') continue;
      const before = await replayCache(calls, variant, 1);
      const outdated = outdatedShare(before.reads);
      if (outdated <= 2 * objectives.outdatedShare) continue;
      let best: { readonly to: number; readonly after: CacheReplay } | undefined;
      for (const factor of FACTORS) {
        const to = Math.round(ttlMs / factor);
        if (to < LEAST_TTL_MS) break;
        const after = await replayCache(calls, { ...variant, kind: { ...variant.kind, ttlMs: to } }, 1);
        if (callsAMinute(after.seconds) > MOST_CALLS * callsAMinute(before.seconds)) break;
        best = { to, after };
        if (outdatedShare(after.reads) <= objectives.outdatedShare) break;
      }
      if (best === undefined || outdatedShare(best.after.reads) > (1 - LEAST_GAIN) * outdated) continue;
      findings.push({
        finding: `${percent(outdated)} of the reads of kind ${kind} get a value that the venue has replaced since: a TTL of ${ttlMs} ms is too long for values that change ${digits(calls.otherChanges)} times a second.`,
        evidence: {
          outdatedShare: outdated,
          changesPerSecond: calls.otherChanges,
          ttlMs,
          callsPerMinuteNow: callsAMinute(before.seconds),
          callsPerMinuteThen: callsAMinute(best.after.seconds),
        },
        change: {
          option: `marketData.kinds.${kind}.ttlMs`,
          from: ttlMs,
          to: best.to,
          why: 'a stream (subscribe) would keep them newer still, without these calls',
        },
        ...estimateOf({
          metric: `share of reads of ${kind} that are answered by an outdated value`,
          how: `${calls.reads.length} reads replayed through CachedMarketDataClient with ttlMs ${best.to}; changes are a Poisson process of the rate at which fetched values differed`,
          before: before.reads,
          after: best.after.reads,
          statistic: outdatedShare,
          random,
        }),
      });
    }
    return findings.length === 0 ? NOTHING : { findings };
  },
};
