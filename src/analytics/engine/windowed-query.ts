import type { MetricStore, RangeQuery, RangeResult } from '../../contracts/metric-store.js';
import { nextMacrotask } from '../../core/macrotask.js';

type SteppedQuery = RangeQuery & { readonly stepMs: number };

/** So much is asked of a store at once: an hour of a histogram would hold up the loop of a store that lives on it. */
export const WINDOW_MS = 300_000;
// A range of days is asked for in longer windows, lest it become thousands of queries.
const MOST_WINDOWS = 96;

/** How long the windows of a range are: whole steps. */
function windowFor({ from, to, stepMs }: SteppedQuery): number {
  return Math.max(1, Math.round(Math.max(WINDOW_MS, (to - from) / MOST_WINDOWS) / stepMs)) * stepMs;
}

/**
 * Asks a store for a range, window by window, and gives way to the event loop between them. The answer
 * is that of one query, since every window holds whole steps.
 */
export async function queryInWindows(store: MetricStore, query: SteppedQuery, signal: AbortSignal | undefined): Promise<readonly RangeResult[]> {
  const windowMs = windowFor(query);
  const bySeries = new Map<string, { readonly labels: RangeResult['labels']; readonly parts: RangeResult[] }>();
  for (let from = query.from; from <= query.to; from += windowMs) {
    const to = Math.min(query.to, from + windowMs - 1);
    for (const part of await store.query({ ...query, from, to }, signal)) {
      const key = JSON.stringify(Object.entries(part.labels).sort(([a], [b]) => (a < b ? -1 : 1)));
      const series = bySeries.get(key);
      if (series === undefined) bySeries.set(key, { labels: part.labels, parts: [part] });
      else series.parts.push(part);
    }
    await nextMacrotask();
  }
  return [...bySeries.values()].map(({ labels, parts }) => ({ labels, t: join(parts.map(({ t }) => t)), v: join(parts.map(({ v }) => v)) }));
}

function join(parts: readonly Float64Array[]): Float64Array {
  const joined = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
