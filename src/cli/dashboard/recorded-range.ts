import type { TimeRange } from '../../analytics/index.js';
import type { MetricStore } from '../../contracts/metric-store.js';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const LONGEST_MS = 400 * 24 * HOUR_MS;
/** Kept by every kit, each second; a store that has none of them is asked what it has. */
const ALWAYS = ['venuekit_process_uptime_seconds', 'venuekit_venue_calls_total', 'venuekit_cache_reads_total'];
const MOST_NAMES = 50;

/** When a store's records begin and end, up to `now`; undefined where there are none. */
export async function recordedRange(store: MetricStore, now: number, signal: AbortSignal): Promise<TimeRange | undefined> {
  const names = new Set([...ALWAYS, ...((await store.series?.(signal)) ?? []).map(({ name }) => name)]);
  for (const metric of [...names].slice(0, MOST_NAMES)) {
    const first = await edge(store, metric, 'first', now, signal);
    const last = await edge(store, metric, 'last', now, signal);
    if (first !== undefined && last !== undefined) return { from: first, to: last };
  }
  return undefined;
}

// From the coarse to the fine: a year by its hours, the hour by its minutes, the minute as it is.
async function edge(store: MetricStore, metric: string, which: 'first' | 'last', now: number, signal: AbortSignal): Promise<number | undefined> {
  let range = { from: Math.floor((now - LONGEST_MS) / HOUR_MS) * HOUR_MS, to: now };
  for (const stepMs of [HOUR_MS, MINUTE_MS, undefined]) {
    const results = await store.query({ metric, ...range, ...(stepMs === undefined ? {} : { stepMs, agg: 'last' as const }) }, signal);
    const edges = results.map(({ t }) => (which === 'first' ? t[0]! : t.at(-1)!));
    // Raw points are dropped before their minutes are: then the minute is as near as one gets.
    if (edges.length === 0) return stepMs === HOUR_MS ? undefined : which === 'first' ? range.from : range.to;
    const found = which === 'first' ? Math.min(...edges) : Math.max(...edges);
    if (stepMs === undefined) return found;
    range = { from: found, to: Math.min(now, found + stepMs - 1) };
  }
  return undefined;
}
