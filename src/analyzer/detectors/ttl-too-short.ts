import { digits, percent } from '../measures/numbers.js';
import { type CacheReplay, replayCache } from '../replay/cache-replay.js';
import { estimateOf } from '../replay/estimate.js';
import { cachedKinds, callsAMinute, outdatedShare } from './cached-kinds.js';
import { type Detector, type Finding, NO_TRACE, NOTHING, undecided } from './detector.js';

const UNCHANGED = 0.9;
const LEAST_COMPARED = 50;
const FACTORS = [2, 4, 8, 16];
const LEAST_GAIN = 0.2;
/** Half of what may be outdated at most is left for what a replay can't know. */
const ROOM = 0.25;

export const ttlTooShort: Detector = {
  id: 'ttl-too-short',
  component: 'market-data cache',
  area: 'efficiency',
  sees: 'Values that are fetched again though nothing has changed: nine in ten of those fetched say what the one before said, and a longer ttlMs saves a fifth of the calls or more while no more reads are answered by an outdated value than a quarter of the objective (20 %).',
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
      const compared = trace.values.filter((value) => value.kind === kind && value.changed !== undefined);
      const unchanged = compared.filter(({ changed }) => changed === false).length / compared.length;
      const { ttlMs } = variant.kind;
      if (ttlMs === undefined || compared.length < LEAST_COMPARED || unchanged < UNCHANGED) continue;
      const before = await replayCache(calls, variant, 1);
      let best: { readonly to: number; readonly after: CacheReplay } | undefined;
      for (const factor of FACTORS) {
        const after = await replayCache(calls, { ...variant, kind: { ...variant.kind, ttlMs: ttlMs * factor } }, 1);
        if (outdatedShare(after.reads) > ROOM * objectives.outdatedShare) break;
        // No longer than it helps.
        if (best !== undefined && callsAMinute(after.seconds) > 0.9 * callsAMinute(best.after.seconds)) break;
        best = { to: ttlMs * factor, after };
      }
      if (best === undefined || callsAMinute(best.after.seconds) > (1 - LEAST_GAIN) * callsAMinute(before.seconds)) continue;
      findings.push({
        finding: `${percent(unchanged)} of the values of kind ${kind} that were fetched again had not changed: a TTL of ${ttlMs} ms is too short.`,
        evidence: { unchangedShare: unchanged, fetched: compared.length, ttlMs, outdatedShareThen: outdatedShare(best.after.reads) },
        change: {
          option: `marketData.kinds.${kind}.ttlMs`,
          from: ttlMs,
          to: best.to,
          why: `then ${percent(outdatedShare(best.after.reads))} of the reads get a value that the venue has replaced; readers that need a newer one say so by maxAgeMs`,
        },
        ...estimateOf({
          metric: `calls for ${kind} a minute`,
          how: `${calls.reads.length} reads replayed through CachedMarketDataClient with ttlMs ${digits(best.to)}`,
          before: before.seconds,
          after: best.after.seconds,
          statistic: callsAMinute,
          random,
        }),
      });
    }
    return findings.length === 0 ? NOTHING : { findings };
  },
};
