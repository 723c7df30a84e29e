import type { PoolTuning } from '../../contracts/kit-tuning.js';
import { mean, quantile } from '../measures/numbers.js';
import { type PoolCalls, type PoolReplay, replayPool } from '../replay/pool-replay.js';
import type { DetectorContext } from './detector.js';

/** How a pool is tuned now, as far as it is known. */
export function poolTuning({ option }: DetectorContext, pool: string, max: number): PoolTuning {
  const known = (option(`pools.${pool}`) ?? {}) as PoolTuning;
  return { ...known, max };
}

/** Mean of connections that are needed at once: Little's law, arrivals a second × seconds held. */
export function demandOf({ calls }: PoolCalls): number {
  const seconds = (calls.at(-1)!.at - calls[0]!.at) / 1_000;
  return calls.reduce((sum, { heldMs }) => sum + heldMs, 0) / 1_000 / Math.max(seconds, 1);
}

export function meanWait(loans: PoolReplay['loans']): number {
  return mean(loans.map(({ waitedMs }) => waitedMs));
}

/** The smallest size of those tried whose waits are short enough, replayed. */
export async function smallestGoodSize(
  calls: PoolCalls,
  tuning: PoolTuning,
  options: { readonly least: number; readonly most: number; readonly waitP95Ms: number; readonly seed: number },
): Promise<{ readonly max: number; readonly replay: PoolReplay } | undefined> {
  let max = Math.max(1, options.least);
  for (;;) {
    const replay = await replayPool(calls, { ...tuning, max, ...(tuning.min === undefined ? {} : { min: Math.min(tuning.min, max) }) }, options.seed);
    if (
      quantile(
        replay.loans.map(({ waitedMs }) => waitedMs),
        0.95,
      ) <= options.waitP95Ms
    )
      return { max, replay };
    if (max >= options.most) return undefined;
    max = Math.min(options.most, Math.max(max + 1, Math.ceil(max * 1.15)));
  }
}
