import { digits, percent } from '../measures/numbers.js';
import { type CacheCalls, replayCache } from '../replay/cache-replay.js';
import { estimateOf } from '../replay/estimate.js';
import { cachedKinds, callsAMinute } from './cached-kinds.js';
import { type Detector, type Finding, NO_TRACE, NOTHING, undecided } from './detector.js';

const WINDOW_MS = 5;
const LEAST_CLOSE = 0.3;
const LEAST_GAIN = 0.2;

export const batchingMissed: Detector = {
  id: 'batching-missed',
  component: 'market-data cache',
  area: 'efficiency',
  sees: 'Calls that could have been one: the adapter takes several symbols a call, three in ten of the loads begin within 5 ms of the one before, and collecting for 5 ms saves a fifth of the calls.',
  option: 'marketData.kinds.<kind>.batch',
  effort: 'low',
  from: 'reads and loads of a trace, and how many symbols a call may have',
  replay: 'reads and loads, through CachedMarketDataClient',
  async detect(context) {
    const { trace, random } = context;
    if (trace === undefined) return undecided(NO_TRACE);
    const { kinds, why } = cachedKinds(context);
    if (kinds.length === 0) return undecided(why);
    const findings: Finding[] = [];
    for (const { kind, calls, variant } of kinds) {
      const { batchLimit } = calls;
      const windowMs = variant.kind.batch?.windowMs ?? 0;
      const close = closeShare(calls);
      if (batchLimit < 2 || windowMs >= WINDOW_MS || close < LEAST_CLOSE) continue;
      const to = { max: batchLimit, windowMs: WINDOW_MS };
      const before = await replayCache(calls, variant, 1);
      const after = await replayCache(calls, { ...variant, kind: { ...variant.kind, batch: to } }, 1);
      if (callsAMinute(after.seconds) > (1 - LEAST_GAIN) * callsAMinute(before.seconds)) continue;
      findings.push({
        finding: `${percent(close)} of the calls for ${kind} begin within ${WINDOW_MS} ms of another, and each could ask for ${batchLimit} symbols.`,
        evidence: {
          closeShare: close,
          batchLimit,
          keysPerCall: calls.loads.reduce((sum, { keys }) => sum + keys, 0) / calls.loads.length,
          calls: calls.loads.length,
        },
        change: {
          option: `marketData.kinds.${kind}.batch`,
          from: variant.kind.batch ?? null,
          to,
          why: `the first of a batch waits ${WINDOW_MS} ms for the others`,
        },
        ...estimateOf({
          metric: `calls for ${kind} a minute`,
          how: `${calls.reads.length} reads replayed through CachedMarketDataClient with a window of ${digits(WINDOW_MS)} ms`,
          before: before.seconds,
          after: after.seconds,
          statistic: callsAMinute,
          random,
        }),
      });
    }
    return findings.length === 0 ? NOTHING : { findings };
  },
};

function closeShare({ loads }: CacheCalls): number {
  const starts = loads.map(({ t, ms }) => t - ms).sort((a, b) => a - b);
  let close = 0;
  for (let i = 1; i < starts.length; i++) if (starts[i]! - starts[i - 1]! <= WINDOW_MS) close++;
  return close / starts.length;
}
