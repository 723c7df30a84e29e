import { ManualClock } from '../../core/manual-clock.js';
import { type Random, seededRandom } from '../../core/random.js';
import { ParallelFetcher } from '../../parallel/index.js';
import { mean, quantile } from '../measures/numbers.js';
import type { Trace } from '../trace/trace.js';

/** A task of a fetcher: when it came, when it started, how long it ran, and how many ran with it. */
export interface FetchCall {
  readonly at: number;
  readonly startedAt: number;
  readonly waitMs: number;
  readonly runMs: number;
  /** Tasks under way at its start, itself included. */
  readonly running: number;
}

export interface ReplayedTask {
  readonly t: number;
  readonly waitMs: number;
  readonly runMs: number;
}

/** How long a run takes, beside how it varies, when so many run together. */
export interface LoadCurve {
  /** Most that was seen running together often enough. */
  readonly most: number;
  at(running: number): number;
}

const MOST_CALLS = 6_000;
const LEAST_CALLS = 100;

/** The tasks of a trace; or what is missing for them. */
export function fetchCalls(trace: Trace): readonly FetchCall[] | string {
  const tasks = trace.tasks
    .filter(({ ok }) => ok)
    .map(({ t, waitMs, runMs }) => ({ at: t - waitMs - runMs, startedAt: t - runMs, endedAt: t, waitMs, runMs }));
  if (tasks.length < LEAST_CALLS) return `the trace holds ${tasks.length} tasks, and ${LEAST_CALLS} are needed`;
  const starts = Float64Array.from(tasks, ({ startedAt }) => startedAt).sort();
  const ends = Float64Array.from(tasks, ({ endedAt }) => endedAt).sort();
  return tasks
    .map(({ at, startedAt, waitMs, runMs }) => ({
      at,
      startedAt,
      waitMs,
      runMs,
      running: Math.max(1, countTo(starts, startedAt + SAME_MS) - countTo(ends, startedAt + SAME_MS)),
    }))
    .sort((a, b) => a.at - b.at)
    .slice(-MOST_CALLS);
}

// Tasks start together, and where another ends; float32 tells that to some microseconds.
const SAME_MS = 0.01;

function countTo(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

const LEAST_IN_BIN = 20;
/** A bin holds loads that differ by less, where it has enough of them. */
const WIDTH = 1.09;

/** How run times grow with how many run, as medians of the trace, never falling; undefined where the load hardly varied. */
export function loadCurve(calls: readonly FetchCall[]): LoadCurve | undefined {
  const points: Point[] = [];
  let group: FetchCall[] = [];
  const sorted = [...calls].sort((a, b) => a.running - b.running);
  for (const [i, call] of sorted.entries()) {
    group.push(call);
    const next = sorted[i + 1];
    if (next !== undefined && (next.running === call.running || group.length < LEAST_IN_BIN || next.running < WIDTH * group[0]!.running)) continue;
    if (group.length >= LEAST_IN_BIN)
      points.push({
        running: mean(group.map(({ running }) => running)),
        ms: quantile(
          group.map(({ runMs }) => runMs),
          0.5,
        ),
        weight: group.length,
      });
    group = [];
  }
  if (points.length < 3) return undefined;
  const rising = neverFalling(points);
  return {
    most: rising.at(-1)!.running,
    at: (running) => {
      const after = rising.findIndex((point) => point.running >= running);
      if (after === 0) return rising[0]!.ms;
      if (after < 0) return rising.at(-1)!.ms;
      const [a, b] = [rising[after - 1]!, rising[after]!];
      return a.ms + ((running - a.running) / (b.running - a.running)) * (b.ms - a.ms);
    },
  };
}

interface Point {
  readonly running: number;
  readonly ms: number;
  readonly weight: number;
}

// Pool adjacent violators: Ayer and others, Annals of Mathematical Statistics 26, 1955.
function neverFalling(points: readonly Point[]): readonly Point[] {
  const groups: { ms: number; weight: number; members: Point[] }[] = [];
  for (const point of points) {
    groups.push({ ms: point.ms, weight: point.weight, members: [point] });
    while (groups.length > 1 && groups.at(-2)!.ms > groups.at(-1)!.ms) {
      const last = groups.pop()!;
      const before = groups.at(-1)!;
      before.ms = (before.ms * before.weight + last.ms * last.weight) / (before.weight + last.weight);
      before.weight += last.weight;
      for (const member of last.members) before.members.push(member);
    }
  }
  return groups.flatMap(({ ms, members }) => members.map(({ running, weight }) => ({ running, ms, weight })));
}

/**
 * Runs the same tasks through a {@link ParallelFetcher} of this concurrency, in virtual time. With a load curve a task takes longer
 * or shorter as others run beside it; without, what it took.
 */
export async function replayFetch(
  calls: readonly FetchCall[],
  concurrency: number,
  seed: number,
  curve?: LoadCurve,
): Promise<readonly ReplayedTask[]> {
  const begin = calls[0]!.at;
  const clock = new ManualClock(begin);
  const random: Random = seededRandom(seed);
  const ended: ReplayedTask[] = [];
  await using fetcher = new ParallelFetcher({ clock, random, concurrency, stuckAfterMs: 3_600_000 });
  let running = 0;
  const call = async (one: FetchCall): Promise<void> => {
    const at = clock.now();
    let startedAt = at;
    await fetcher.run({
      input: undefined,
      run: async () => {
        startedAt = clock.now();
        running++;
        // Those that start in the same moment count, as they do in the trace.
        await clock.sleep(0);
        await clock.sleep(curve === undefined ? one.runMs : (one.runMs / curve.at(one.running)) * curve.at(running));
        running--;
      },
    });
    ended.push({ t: at, waitMs: startedAt - at, runMs: clock.now() - startedAt });
  };
  let next = 0;
  const arrive = (): void => {
    // Those of one moment together, as a batch is.
    do void call(calls[next++]!);
    while (next < calls.length && calls[next]!.at <= clock.now() + SAME_MS);
    if (next < calls.length) clock.schedule(calls[next]!.at - clock.now(), arrive);
  };
  arrive();
  while (ended.length < calls.length) await clock.advance(1_000);
  return ended.sort((a, b) => a.t - b.t);
}
