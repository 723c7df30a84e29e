import type { TimeRange } from '../../analytics/index.js';
import { quantile } from '../measures/numbers.js';

/** What a timer that is due at `t` would wait for. */
export interface Delay {
  readonly t: number;
  readonly ms: number;
}

const LEAST_STEP_MS = 10;
const MOST_PROBES = 50_000;

/** The delay of timers, of 10 ms or so, by work that holds the thread: one piece after another. */
export function delaysOf(work: readonly { readonly t: number; readonly ms: number }[], { from, to }: TimeRange): readonly Delay[] {
  const stepMs = Math.max(LEAST_STEP_MS, (to - from) / MOST_PROBES);
  const pieces = work.map(({ t, ms }) => ({ begins: t - ms, ms })).sort((a, b) => a.begins - b.begins);
  const delays: Delay[] = [];
  let [next, freeAt] = [0, from];
  for (let t = from; t <= to; t += stepMs) {
    while (next < pieces.length && pieces[next]!.begins <= t) {
      freeAt = Math.max(freeAt, pieces[next]!.begins) + pieces[next]!.ms;
      next++;
    }
    delays.push({ t, ms: Math.max(0, freeAt - t) });
  }
  return delays;
}

export const delayP99 = (delays: readonly Delay[]): number =>
  quantile(
    delays.map(({ ms }) => ms),
    0.99,
  );
