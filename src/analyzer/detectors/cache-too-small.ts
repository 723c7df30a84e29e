import { percent } from '../measures/numbers.js';
import { replayCache } from '../replay/cache-replay.js';
import { estimateOf } from '../replay/estimate.js';
import type { Trace } from '../trace/trace.js';
import { type CachedKind, cachedKinds, waitedShare } from './cached-kinds.js';
import { type Detector, type Finding, NO_TRACE, NOTHING, undecided } from './detector.js';

const LEAST_GHOSTS = 0.1;
const FACTORS = [2, 4, 8, 16];
const LEAST_GAIN = 0.2;

export const cacheTooSmall: Detector = {
  id: 'cache-too-small',
  component: 'market-data cache',
  area: 'efficiency',
  sees: 'Ghost hits: one in ten of the reads that waited asked for a key whose value was fetched within its TTL and the age that the reader allowed, and had been pushed out since; and a larger cache takes a fifth of the waits away.',
  option: 'marketData.maxEntries',
  effort: 'low',
  from: 'reads and values of a trace',
  replay: 'reads and loads, through CachedMarketDataClient',
  async detect(context) {
    const { trace, random } = context;
    if (trace === undefined) return undecided(NO_TRACE);
    const { kinds, why } = cachedKinds(context);
    if (kinds.length === 0) return undecided(why);
    const findings: Finding[] = [];
    // Kinds share the room: the one with the most ghosts says how much is needed.
    const [worst] = kinds.map((one) => ({ one, ghosts: ghostShare(trace, one) })).sort((a, b) => b.ghosts - a.ghosts);
    if (worst === undefined || worst.ghosts < LEAST_GHOSTS) return NOTHING;
    const { kind, calls, variant } = worst.one;
    const before = await replayCache(calls, variant, 1);
    let [to, after] = [variant.maxEntries, before];
    for (const factor of FACTORS) {
      const next = await replayCache(calls, { ...variant, maxEntries: variant.maxEntries * factor }, 1);
      // No larger than it helps.
      if (waitedShare(next.reads) > 0.97 * waitedShare(after.reads)) break;
      [to, after] = [variant.maxEntries * factor, next];
    }
    if (waitedShare(after.reads) > (1 - LEAST_GAIN) * waitedShare(before.reads)) return NOTHING;
    findings.push({
      finding: `${percent(worst.ghosts)} of the reads of kind ${kind} that waited asked for a value that would still have been fresh, had there been room for it.`,
      evidence: {
        ghostShare: worst.ghosts,
        maxEntries: variant.maxEntries,
        keys: new Set(calls.reads.map(({ key }) => key)).size,
        reads: calls.reads.length,
      },
      change: { option: 'marketData.maxEntries', from: variant.maxEntries, to, why: 'a quote takes some 370 bytes' },
      ...estimateOf({
        metric: `share of reads of ${kind} that wait for the venue`,
        how: `${calls.reads.length} reads replayed through CachedMarketDataClient with maxEntries ${to}`,
        before: before.reads,
        after: after.reads,
        statistic: waitedShare,
        random,
      }),
    });
    return { findings };
  },
};

/** Of the reads that waited, the share whose value was there, young enough, and is gone. */
function ghostShare({ reads, values }: Trace, { kind, variant }: CachedKind): number {
  const ttlMs = variant.kind.ttlMs ?? Infinity;
  const keptAt = new Map<number, number>();
  let [waited, ghosts, next] = [0, 0, 0];
  for (const { t, kind: of, key, outcome, waitedMs, maxAgeMs } of reads) {
    if (of !== kind || outcome !== 'miss') continue;
    // As it was when the read began, before its own load.
    const askedAt = t - waitedMs - 1;
    while (next < values.length && values[next]!.t <= askedAt) {
      if (values[next]!.kind === kind) keptAt.set(values[next]!.key, values[next]!.t);
      next++;
    }
    waited++;
    const kept = keptAt.get(key);
    // Ages count from the send: the way here, which a load took about as long before, and a tenth are allowed for.
    if (kept !== undefined && askedAt - kept < 0.9 * Math.min(ttlMs, maxAgeMs) - waitedMs) ghosts++;
  }
  return waited === 0 ? 0 : ghosts / waited;
}
