import { mean, percent } from '../measures/numbers.js';
import { type CacheCalls, replayCache } from '../replay/cache-replay.js';
import { estimateOf } from '../replay/estimate.js';
import { cachedKinds, waitedShare } from './cached-kinds.js';
import { type Detector, type Finding, NO_TRACE, NOTHING, undecided } from './detector.js';

const LEAST_INTERVALS = 5;
/** As the prefetch itself judges it. */
const MOST_RELATIVE_DEVIATION = 0.15;
const LEAST_PERIODIC = 0.5;
const LEAST_WAITED = 0.1;
const LEAST_GAIN = 0.3;

export const missingPrefetch: Detector = {
  id: 'missing-prefetch',
  component: 'market-data cache',
  area: 'latency',
  sees: 'Readers with a period who wait at each read: prefetch is off, half of the reads or more come at intervals that vary by less than 15 %, one in ten waits, and fetching ahead takes a third off those.',
  option: 'marketData.kinds.<kind>.prefetch',
  effort: 'low',
  from: 'reads of a trace',
  replay: 'reads and loads, through CachedMarketDataClient',
  async detect(context) {
    const { trace, random } = context;
    if (trace === undefined) return undecided(NO_TRACE);
    const { kinds, why } = cachedKinds(context);
    if (kinds.length === 0) return undecided(why);
    const findings: Finding[] = [];
    for (const { kind, calls, variant } of kinds) {
      if (variant.kind.prefetch !== 'off') continue;
      const periodic = periodicShare(calls);
      if (periodic < LEAST_PERIODIC) continue;
      const before = await replayCache(calls, variant, 1);
      if (waitedShare(before.reads) < LEAST_WAITED) continue;
      const after = await replayCache(calls, { ...variant, kind: { ...variant.kind, prefetch: 'period' } }, 1);
      if (waitedShare(after.reads) > (1 - LEAST_GAIN) * waitedShare(before.reads)) continue;
      findings.push({
        finding: `${percent(waitedShare(before.reads))} of the reads of kind ${kind} wait for the venue, though ${percent(periodic)} of them come at a period and could be fetched for ahead.`,
        evidence: { periodicShare: periodic, waitedShare: waitedShare(before.reads), reads: calls.reads.length },
        change: {
          option: `marketData.kinds.${kind}.prefetch`,
          from: 'off',
          to: 'period',
          why: 'the cache learns when each consumer comes, and has the value there just before',
        },
        ...estimateOf({
          metric: `share of reads of ${kind} that wait for the venue`,
          how: `${calls.reads.length} reads replayed through CachedMarketDataClient with prefetch 'period'`,
          before: before.reads,
          after: after.reads,
          statistic: waitedShare,
          random,
        }),
      });
    }
    return findings.length === 0 ? NOTHING : { findings };
  },
};

/** Share of the reads whose consumer reads the key at a period. */
function periodicShare({ reads }: CacheCalls): number {
  const times = new Map<string, number[]>();
  for (const { at, key, consumer } of reads) {
    const id = `${consumer} ${key}`;
    const known = times.get(id);
    if (known === undefined) times.set(id, [at]);
    else known.push(at);
  }
  let periodic = 0;
  for (const of of times.values()) {
    if (of.length <= LEAST_INTERVALS) continue;
    const intervals = of.slice(1).map((t, i) => t - of[i]!);
    const middle = mean(intervals);
    if (mean(intervals.map((interval) => Math.abs(interval - middle))) < MOST_RELATIVE_DEVIATION * middle) periodic += of.length;
  }
  return periodic / reads.length;
}
