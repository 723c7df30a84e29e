import type { PoolTuning } from '../../contracts/kit-tuning.js';
import type { PoolMeasures } from '../measures/measurements.js';
import { mean } from '../measures/numbers.js';
import { estimateOf } from '../replay/estimate.js';
import { type PoolReplay, poolCalls, replayPool } from '../replay/pool-replay.js';
import { type Change, type DetectorContext, type Finding, NO_TRACE } from './detector.js';
import { poolTuning } from './pool-sizing.js';

/** What two detectors have in common: connections that end too early, by one of two options. */
export async function lengthened(
  context: DetectorContext,
  { pool, max, size, inUse }: PoolMeasures,
  parts: {
    readonly option: 'idleTimeoutMs' | 'maxLifetimeMs';
    readonly finding: string;
    readonly why: string;
    readonly evidence: Readonly<Record<string, number>>;
    readonly metric: string;
    readonly statistic: (replay: PoolReplay) => (part: readonly { readonly t: number }[]) => number;
    readonly rows: (replay: PoolReplay) => readonly { readonly t: number }[];
    /** Whether a replay shows that it is enough. */
    readonly isGood: (replay: PoolReplay) => boolean;
  },
): Promise<Finding | undefined> {
  const { trace, random } = context;
  const tuning = poolTuning(context, pool, max);
  const now = tuning[parts.option];
  const option = `pools.${pool}.${parts.option}`;
  const change = (to: unknown): Change => ({ option, from: now ?? null, to, why: parts.why });
  const evidence = { ...parts.evidence, openMean: mean(size), inUseMean: mean(inUse) };
  const { finding } = parts;
  const calls = trace === undefined ? NO_TRACE : poolCalls(trace, pool);
  if (typeof calls === 'string' || now === undefined) {
    const noEstimate = typeof calls === 'string' ? calls : `the run does not say what ${option} is now; tell the recorder or the analyzer (tuning)`;
    return { finding, evidence, change: change(now === undefined ? 300_000 : now * 10), noEstimate };
  }
  const before = await replayPool(calls, tuning, 1);
  for (const factor of FACTORS) {
    const to = now * factor;
    const changed: PoolTuning = { ...tuning, [parts.option]: to };
    const after = await replayPool(calls, changed, 1);
    if (!parts.isGood(after) && factor !== FACTORS.at(-1)) continue;
    const statistic = parts.statistic(after);
    const estimated = estimateOf({
      metric: parts.metric,
      how: `${calls.calls.length} loans replayed through ConnectionPool with ${parts.option} ${to}`,
      before: parts.rows(before),
      after: parts.rows(after),
      statistic,
      random,
    });
    return { finding, evidence, change: change(to), ...estimated };
  }
  return undefined;
}

const FACTORS = [2, 4, 8, 16, 32, 64];
