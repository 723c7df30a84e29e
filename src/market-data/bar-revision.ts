import type { Bars, MarketKinds } from '../contracts/market-data.js';

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  sec: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
  w: 604_800_000,
  week: 604_800_000,
  // The shortest month: asking too early costs a request, too late an old bar.
  M: 2_419_200_000,
  month: 2_419_200_000,
};

/** Milliseconds of `1m`, `4h`, `1Day`, `1M` (a month) and the like; undefined for a spelling that is not known. */
export function intervalMs(interval: string): number | undefined {
  const [, count, unit = ''] = /^(\d+)\s*([A-Za-z]+)$/.exec(interval) ?? [];
  const unitMs = UNIT_MS[unit] ?? (unit.length > 1 ? UNIT_MS[unit.toLowerCase()] : undefined);
  return count === undefined || unitMs === undefined ? undefined : Number(count) * unitMs;
}

/** A closed bar that the venue has not published yet: ask again soon, its absence is no data. */
export const ABSENT_BAR_RETRY_MS = 500;
/** How long a closed bar that its venue still revises counts as fresh. */
export const PROVISIONAL_BAR_MS = 5_000;
/** What counts as reading at the close: within a tenth of the interval after it, 30 s at most. */
const CLOSE_SHARE = 0.1;
const CLOSE_WINDOW_MS = 30_000;
const UNKNOWN_INTERVAL_MS = 1_000;
const HISTORY_MS = 3_600_000;

/**
 * How long `bars` will say the same as the venue, from wall time `now`: a forming bar until it
 * closes, a final one until the next one has closed, history for an hour.
 */
export function msUntilRevision(bars: Bars, request: MarketKinds['bars']['request'], now: number): number {
  const interval = intervalMs(bars.interval) ?? intervalMs(request.interval);
  if (interval === undefined) return UNKNOWN_INTERVAL_MS;
  if (bars.t.length === 0) return ABSENT_BAR_RETRY_MS;
  const lastStart = bars.t[bars.t.length - 1] as number;
  if (bars.lastBar === 'final' && request.since !== undefined && request.limit !== undefined && bars.t.length >= request.limit) return HISTORY_MS;
  const revisedAt = lastStart + (bars.lastBar === 'final' ? 2 : 1) * interval;
  if (bars.lastBar === 'provisional') return PROVISIONAL_BAR_MS;
  return revisedAt <= now ? ABSENT_BAR_RETRY_MS : revisedAt - now;
}

/** The close that `bars` last show, in wall time, the length of a bar, and until when a read counts as one at that close. */
export function lastClose(
  bars: Bars,
  request: MarketKinds['bars']['request'],
): { readonly at: number; readonly intervalMs: number; readonly until: number } | undefined {
  const interval = intervalMs(bars.interval) ?? intervalMs(request.interval);
  const lastStart = bars.t[bars.t.length - 1];
  if (interval === undefined || lastStart === undefined) return undefined;
  const at = bars.lastBar === 'forming' ? lastStart : lastStart + interval;
  return { at, intervalMs: interval, until: at + Math.min(CLOSE_SHARE * interval, CLOSE_WINDOW_MS) };
}
