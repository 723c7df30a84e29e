import { CONTENDERS } from './contenders.js';

/**
 * One SDK, raw and wrapped in turns, in a process of its own, as a bot has one: what its calls share with those of other SDKs would be
 * compiled for all of them. Started by the bench; tells what each call took.
 */

export interface CallSettings {
  readonly name: string;
  readonly calls: number;
  /** Calls after which venue and instances are renewed where the venue's limits would be used up. */
  readonly block: number;
}

/** In ms, in order. */
export interface CallTimes {
  readonly raw: readonly number[];
  readonly wrapped: readonly number[];
}

const { name, calls, block } = JSON.parse(process.argv[2] ?? '{}') as CallSettings;
const pair = await CONTENDERS[name]!();
const took = { raw: [] as number[], wrapped: [] as number[] };
// The one that goes first changes, so that whatever the machine does meanwhile meets both.
for (let i = 0; i < calls; i++) {
  if (i % block === block - 1) await pair.renew?.();
  for (const side of i % 2 === 0 ? (['raw', 'wrapped'] as const) : (['wrapped', 'raw'] as const)) {
    const beganAt = performance.now();
    await pair[side]();
    took[side].push(performance.now() - beganAt);
  }
}
await pair.end();
process.send?.(took satisfies CallTimes, () => process.exit());
