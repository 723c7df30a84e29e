import type { Random } from '../../core/random.js';
import type { Estimate } from '../detectors/detector.js';
import { digits, quantile } from '../measures/numbers.js';

/** What a replay gives of one thing that happened, and when. */
export interface Timed {
  readonly t: number;
}

export interface EstimateOptions<T extends Timed> {
  readonly metric: string;
  readonly how: string;
  /** What the replay gave with the options as they are, and as they would be. */
  readonly before: readonly T[];
  readonly after: readonly T[];
  /** Of any part of the run; NaN where the part holds too little. */
  readonly statistic: (outcomes: readonly T[]) => number;
  /** The same as it was measured, to hold the replay against; undefined where nothing measured it. */
  readonly measured?: number;
  readonly random: Random;
}

const BLOCKS = 12;
const RESAMPLES = 200;
// A replay that can't tell what was measured can't tell what will be.
const MOST_DEVIATION = 0.25;
const LEAST_OUTCOMES = 50;

/**
 * The estimate that two replays make, or why there is none. The uncertainty is that of a block bootstrap: the run is cut into blocks
 * of time, which keep what depends on each other together, and drawn anew with replacement.
 *
 * Source: H. R. Künsch, "The jackknife and the bootstrap for general stationary observations", Annals of Statistics 17, 1989.
 */
export function estimateOf<T extends Timed>(options: EstimateOptions<T>): { readonly estimate: Estimate } | { readonly noEstimate: string } {
  const { metric, how, before, after, statistic, measured, random } = options;
  if (Math.min(before.length, after.length) < LEAST_OUTCOMES)
    return { noEstimate: `the trace holds ${Math.min(before.length, after.length)} events for a replay, and ${LEAST_OUTCOMES} are needed` };
  const [from, to] = [statistic(before), statistic(after)];
  if (!Number.isFinite(from) || !Number.isFinite(to)) return { noEstimate: 'the replay gave no figure to compare' };
  if (measured !== undefined && Math.abs(from - measured) > MOST_DEVIATION * Math.max(Math.abs(measured), Math.abs(from)))
    return { noEstimate: `the replay of the run as it was gives ${digits(from)} where ${digits(measured)} was measured: something else was at work` };
  const values = resample(after, statistic, random);
  return { estimate: { metric, from, to, low: Math.min(to, quantile(values, 0.05)), high: Math.max(to, quantile(values, 0.95)), how } };
}

function resample<T extends Timed>(outcomes: readonly T[], statistic: (outcomes: readonly T[]) => number, random: Random): readonly number[] {
  const blocks = blocksOf(outcomes);
  const values: number[] = [];
  for (let i = 0; i < RESAMPLES; i++) {
    const drawn = blocks.flatMap(() => blocks[Math.floor(random() * blocks.length)]!);
    const value = statistic(drawn);
    if (Number.isFinite(value)) values.push(value);
  }
  return values;
}

function blocksOf<T extends Timed>(outcomes: readonly T[]): readonly (readonly T[])[] {
  const from = outcomes[0]!.t;
  const to = outcomes.at(-1)!.t + 1;
  const blocks: T[][] = Array.from({ length: BLOCKS }, () => []);
  for (const outcome of outcomes) blocks[Math.min(BLOCKS - 1, Math.max(0, Math.floor((BLOCKS * (outcome.t - from)) / (to - from))))]!.push(outcome);
  return blocks;
}
