import type { TimeRange } from '../../analytics/index.js';
import type { MetricStore } from '../../contracts/metric-store.js';
import { AnalyzerError } from '../analyzer-errors.js';

/** Metrics of which any kit has at least one, each second. */
const KNOWN: readonly string[] = [
  'venuekit_process_uptime_seconds',
  'venuekit_venue_calls_total',
  'venuekit_cache_loads_total',
  'venuekit_pool_max',
  'venuekit_fetch_concurrency',
  'venuekit_fetch_tasks_total',
  'venuekit_journal_appends_total',
  'venuekit_process_event_loop_delay_seconds',
];
/** Not what a registry says of itself, whatever it is filled with. */
const OURS = /^venuekit_(venue|orders?|journal|pool|cache|fetch|process)_/;
/** Of less nothing can be said. */
export const LEAST_MS = 30_000;
const MINUTE_MS = 60_000;
const NAMED = 3;

/** Epoch ms of the first and the last record, and how much of the time between was recorded: a bot that stood still tells nothing of it. */
export interface RecordedPart extends TimeRange {
  readonly recordedMs: number;
}

/**
 * The part of a range that a store has records of.
 * @throws AnalyzerError FOREIGN_METRICS where it has metrics and none is venuekit's; TOO_LITTLE_DATA where it has less than half a minute
 */
export async function recordedPart(store: MetricStore, range: TimeRange, signal: AbortSignal | undefined): Promise<RecordedPart> {
  const minutes = new Set<number>();
  let [from, to] = [Infinity, -Infinity];
  for (const metric of KNOWN) {
    for (const { t } of await store.query({ metric, ...range, stepMs: MINUTE_MS, agg: 'last' }, signal)) {
      for (const minute of t) minutes.add(minute);
      from = Math.min(from, t[0] ?? Infinity);
      to = Math.max(to, (t.at(-1) ?? -Infinity) + MINUTE_MS);
    }
  }
  if (from === Infinity) {
    const names = [...new Set(((await store.series?.(signal)) ?? []).map(({ name }) => name))];
    if (names.length > 0 && !names.some((name) => OURS.test(name)))
      throw new AnalyzerError(
        'FOREIGN_METRICS',
        `None of the metrics of this store is venuekit's (it has ${names.slice(0, NAMED).join(', ')}${names.length > NAMED ? ' …' : ''}); analyze a store that a kit or instrument() fills.`,
      );
    throw tooLittle(0);
  }
  // To the second: a store stamps its minutes at their beginning.
  const part = await exactly(store, { from: Math.max(range.from, from), to: Math.min(range.to, to) }, signal);
  const recordedMs = part.to - part.from - gapsIn(minutes);
  if (recordedMs < LEAST_MS - 1_500) throw tooLittle(recordedMs);
  return { ...part, recordedMs };
}

/** What lies between minutes that have a record and do not follow one another. */
function gapsIn(minutes: ReadonlySet<number>): number {
  const sorted = Float64Array.from(minutes).sort();
  let gapsMs = 0;
  for (let i = 1; i < sorted.length; i++) {
    const apartMs = sorted[i]! - sorted[i - 1]!;
    if (apartMs > MINUTE_MS) gapsMs += apartMs - MINUTE_MS;
  }
  return gapsMs;
}

async function exactly(store: MetricStore, { from, to }: TimeRange, signal: AbortSignal | undefined): Promise<TimeRange> {
  const times = async (edge: TimeRange): Promise<readonly number[]> => {
    const found: number[] = [];
    for (const metric of KNOWN) for (const { t } of await store.query({ metric, ...edge }, signal)) if (t.length > 0) found.push(t[0]!, t.at(-1)!);
    return found;
  };
  // Where raw points have been dropped already, the minute is as near as one gets.
  const first = await times({ from, to: Math.min(to, from + 2 * MINUTE_MS) });
  const last = await times({ from: Math.max(from, to - 2 * MINUTE_MS), to });
  return { from: Math.min(...(first.length === 0 ? [from] : first)), to: Math.max(...(last.length === 0 ? [to] : last)) };
}

function tooLittle(ms: number): AnalyzerError {
  return new AnalyzerError(
    'TOO_LITTLE_DATA',
    `The store has ${Math.round(ms / 1_000)} s of venuekit's metrics in this range, and ${LEAST_MS / 1_000} s are needed at least, an hour at best: let the bot run, or choose a longer range.`,
  );
}
