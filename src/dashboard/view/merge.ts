import type { ChartData, PlotSeries } from '../charts/chart.js';
import { type Grid, gridSince } from '../charts/grid.js';
import { largest } from '../charts/option-parts.js';
import type { Snapshot } from './snapshot.js';

/**
 * A page's snapshot with a tick: the columns of the tick take the place of those that the snapshot
 * has for the same time, the others stay, and what lies before the new range goes. A chart that the
 * tick has not got has not changed.
 */
export function mergeTick(base: Snapshot, tick: Snapshot, from: number): Snapshot {
  return {
    at: tick.at,
    grid: widened(base.grid, tick.grid, from),
    charts: base.charts.map((before) => {
      const chart = tick.charts.find(({ id }) => id === before.id);
      return chart === undefined ? before : mergeChart(before, chart, from);
    }),
    strip: tick.strip,
  };
}

function widened(base: Grid, tail: Grid, from: number): Grid {
  const { stepMs, to } = tail;
  const start = Math.max(Math.floor(from / stepMs) * stepMs, Math.min(base.from, tail.from));
  return { from: start, to, stepMs, columns: (to + 1 - start) / stepMs };
}

function mergeChart(base: ChartData, tail: ChartData, from: number): ChartData {
  if (base.grid.stepMs !== tail.grid.stepMs || base.series.some(({ name }, i, all) => all.findIndex((other) => other.name === name) !== i))
    return tail;
  const grid = widened(base.grid, tail.grid, from);
  const explanation = tail.explanation ?? base.explanation;
  const merged = new Map<string, PlotSeries>();
  for (const one of [...base.series, ...tail.series]) {
    if (merged.has(one.name)) continue;
    const before = base.series.find(({ name }) => name === one.name)?.v ?? [];
    const after = tail.series.find(({ name }) => name === one.name)?.v ?? [];
    merged.set(one.name, { ...one, v: spliced(before, base.grid, after, tail.grid, grid) });
  }
  // Labels that come and go with each tick must not pile up.
  const series = bounded([...merged.values()].filter(({ v }) => v.some((value) => value !== null)));
  return {
    ...tail,
    grid,
    series,
    missing: series.length > 0 ? [] : tail.missing,
    ...(explanation === undefined ? {} : { explanation }),
  };
}

const MOST_SERIES = 128;

function bounded(series: readonly PlotSeries[]): readonly PlotSeries[] {
  if (series.length <= MOST_SERIES) return series;
  return series[0]!.unit === 'per second' ? largest(series) : series.slice(-MOST_SERIES);
}

function spliced(
  before: PlotSeries['v'],
  { from: beforeFrom }: Grid,
  after: PlotSeries['v'],
  { from: afterFrom }: Grid,
  grid: Grid,
): (number | null)[] {
  const { from, stepMs, columns } = grid;
  const [toBefore, toAfter] = [(from - beforeFrom) / stepMs, (from - afterFrom) / stepMs];
  return Array.from({ length: columns }, (_, i) => (i + toAfter >= 0 ? (after[i + toAfter] ?? null) : (before[i + toBefore] ?? null)));
}

/** The part of a snapshot that a page needs which has everything up to `since`: the column of `since` and what follows. */
export function sliceSince(snapshot: Snapshot, since: number, knowsExplanationOf: number): Snapshot {
  return {
    ...snapshot,
    grid: gridSince(snapshot.grid, since),
    charts: snapshot.charts.map((chart) => {
      const grid = gridSince(chart.grid, since);
      const skip = (grid.from - chart.grid.from) / grid.stepMs;
      const { explanation, ...rest } = chart;
      return {
        ...rest,
        grid,
        series: chart.series.map((one) => ({ ...one, v: one.v.slice(skip) })),
        ...(explanation === undefined || explanation.at <= knowsExplanationOf ? {} : { explanation }),
      };
    }),
  };
}
