import type { ChartData, PlotSeries } from './chart.js';
import { format, type Unit } from './format.js';
import { columnTime, type Grid } from './grid.js';
import type { Look } from './look.js';

interface Margins {
  readonly legend?: readonly object[];
  readonly left?: number;
  readonly right?: number;
  readonly bottom?: number;
}

/** The parts of an option that a chart may have to change. */
export interface Frame {
  readonly grid: object;
  readonly legend: object;
  /** Absent in a picture. */
  readonly tooltip?: object;
  readonly [part: string]: unknown;
}

const HEIGHT_OF_LEGEND = 26;
const LEGEND_ROW = 18;
const MOST_LEGEND_ROWS = 3;
const SYMBOL = 14;
const MOST_NAME = 180;
const NARROW = 480;

/** Rows that a legend takes which does not scroll, by the room that a picture measures text with. */
function legendRows(entries: readonly object[], width: number, gap: number): number {
  let rows = 1;
  let x = 0;
  for (const { name } of entries as readonly { readonly name: string }[]) {
    const wide = SYMBOL + 5 + Math.min(MOST_NAME, textWidth(name, 11));
    if (x > 0 && x + wide > width) {
      rows++;
      x = 0;
    }
    x += wide + gap;
  }
  return rows;
}

/** What a text may take, in a font that nobody knows: room for a wide one, so that names never touch. */
export const textWidth = (text: string, size: number): number => text.length * size * 0.58;

/** What all charts have in common: fonts, margins, no motion in a picture, and tooltips that are drawn rather than written as HTML. */
export function frame(look: Look, { legend = [], left = 58, right = 14, bottom = 26 }: Margins = {}): Frame {
  const { palette, font, still, width } = look;
  const itemGap = width < NARROW ? 8 : 14;
  const wanted = legendRows(legend, width - 2 * 5, itemGap);
  // A legend that scrolls cuts names off: only where it would eat the picture, and somebody can scroll.
  const isScrolled = !still && wanted > MOST_LEGEND_ROWS;
  const rows = isScrolled ? 1 : wanted;
  return {
    animation: false,
    backgroundColor: 'transparent',
    textStyle: { fontFamily: font, fontSize: 11, color: palette.text },
    grid: {
      left,
      right,
      top: legend.length > 0 ? HEIGHT_OF_LEGEND + 8 + (rows - 1) * LEGEND_ROW : 12,
      bottom,
      containLabel: false,
      outerBoundsMode: 'none',
    },
    legend: {
      show: legend.length > 0,
      data: legend,
      type: isScrolled ? 'scroll' : 'plain',
      top: 0,
      left: 0,
      right: 0,
      icon: 'roundRect',
      itemWidth: SYMBOL,
      itemHeight: 8,
      itemGap,
      textStyle: { color: palette.text, fontSize: 11, width: MOST_NAME, overflow: 'truncate' },
      pageTextStyle: { color: palette.muted },
      pageIconColor: palette.text,
      pageIconInactiveColor: palette.line,
      // Hiding a series by a click has no counterpart on the keyboard.
      selectedMode: false,
    },
    ...(still ? {} : { tooltip: tooltip(look) }),
  };
}

function tooltip({ palette, font }: Look) {
  return {
    trigger: 'axis',
    // Drawn on the canvas: what a label holds can't become markup, and nothing needs an inline style.
    renderMode: 'richText',
    confine: true,
    backgroundColor: palette.surface,
    borderColor: palette.line,
    textStyle: { color: palette.text, fontFamily: font, fontSize: 11 },
    axisPointer: { type: 'line', lineStyle: { color: palette.muted, type: 'dashed' } },
  };
}

/** The axis of time over a grid, or a little further where a forecast goes on. */
export function timeAxis({ palette, width }: Look, grid: Grid, until: number = grid.to): object {
  return {
    type: 'time',
    min: grid.from,
    max: Math.max(until, grid.from + grid.stepMs),
    splitNumber: width < NARROW ? 3 : 6,
    axisLine: { lineStyle: { color: palette.line } },
    axisTick: { lineStyle: { color: palette.line } },
    axisLabel: { color: palette.muted, hideOverlap: true, formatter: timeLabel(grid) },
    splitLine: { show: false },
  };
}

const two = (n: number): string => String(n).padStart(2, '0');

// UTC, as everything on the page; what a viewer's own zone is, a picture can't know.
function timeLabel({ from, to }: Grid): (t: number) => string {
  const range = to - from;
  return (t) => {
    const at = new Date(t);
    const clock = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
    if (range <= 10 * 60_000) return `${clock}:${two(at.getUTCSeconds())}`;
    if (range <= 36 * 3_600_000) return clock;
    const day = `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`.slice(5);
    return range > 8 * 86_400_000 || clock === '00:00' ? day : `${day} ${clock}`;
  };
}

/** An axis of values in one unit; the unit stands with each value, so that it needs no title. */
export function valueAxis({ palette }: Look, unit: Unit, more: object = {}): object {
  return {
    type: 'value',
    splitNumber: 4,
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { color: palette.muted, formatter: (value: number) => format(value, unit) },
    splitLine: { lineStyle: { color: palette.grid } },
    ...more,
  };
}

/** A point of a line; one that stands alone is drawn as a dot, since a line needs two. */
type Point = { readonly value: readonly [number, number | null]; readonly symbol?: string; readonly symbolSize?: number };

// Once a while is over, stores keep observations by the minute: that is no gap.
const SPARSE_MS = 130_000;

/** A line through the columns that have a value, broken where something is missing. */
export function linePoints({ v }: Pick<PlotSeries, 'v'>, grid: Grid): Point[] {
  const most = Math.max(1, Math.floor(SPARSE_MS / grid.stepMs));
  const points: Point[] = [];
  let last: number | undefined;
  for (const [i, value] of v.entries()) {
    if (value === null) continue;
    if (last !== undefined && i - last > most) points.push({ value: [columnTime(grid, last + 1), null] });
    points.push({ value: [columnTime(grid, i), value] });
    last = i;
  }
  return points.map((point, i) => {
    const alone = point.value[1] !== null && (points[i - 1]?.value[1] ?? null) === null && (points[i + 1]?.value[1] ?? null) === null;
    return alone ? { ...point, symbol: 'circle', symbolSize: 6 } : point;
  });
}

/** One line of a chart. */
export function line({ name, unit, v }: PlotSeries, grid: Grid, color: string, more: object = {}): object {
  return {
    type: 'line',
    name,
    data: linePoints({ v }, grid),
    symbol: 'none',
    lineStyle: { width: 1.6, color },
    itemStyle: { color },
    emphasis: { disabled: true },
    tooltip: { valueFormatter: (value: number | null) => format(value, unit) },
    ...more,
  };
}

/** The icon of a dashed line in a legend. */
const DASHED = 'path://M0,0h6v2h-6zM8,0h6v2h-6z';

/** A horizontal line at an objective. What it is called the legend says: a name in the plot would lie over data. */
export function objectiveLine(name: string, value: number, color: string, more: object = {}): object {
  return {
    type: 'line',
    name,
    data: [],
    itemStyle: { color },
    tooltip: { show: false },
    markLine: { silent: true, symbol: 'none', lineStyle: { color, type: 'dashed', width: 1.2 }, label: { show: false }, data: [{ yAxis: value }] },
    ...more,
  };
}

/** The entry of an {@link objectiveLine} in a legend. */
export const dashedEntry = (name: string): object => ({ name, icon: DASHED });

/** What has values to draw. */
export const drawn = ({ series }: ChartData): readonly PlotSeries[] =>
  series.filter(({ isWeight, v }) => isWeight !== true && v.some((value) => value !== null));

/** The last value there is. */
export function latest({ v }: Pick<PlotSeries, 'v'>): number | undefined {
  for (let i = v.length - 1; i >= 0; i--) if (v[i] !== null) return v[i]!;
  return undefined;
}

/** As many series as one chart holds: a hostile venue may make a label for each call. */
const MOST_SERIES = 64;

/** Largest first; what is beyond `most` in one series more. */
export function largest(series: readonly PlotSeries[], most: number = MOST_SERIES): readonly PlotSeries[] {
  const total = ({ v }: PlotSeries): number => v.reduce<number>((sum, value) => sum + (value ?? 0), 0);
  const sorted = [...series].sort((a, b) => total(b) - total(a) || (a.name < b.name ? -1 : 1));
  if (sorted.length <= most) return sorted;
  const rest = sorted.slice(most - 1);
  return [...sorted.slice(0, most - 1), { name: 'others', unit: rest[0]!.unit, v: sumOf(rest) }];
}

/** Column by column; null where no series has a value. */
export function sumOf(series: readonly Pick<PlotSeries, 'v'>[]): (number | null)[] {
  const columns = Math.max(0, ...series.map(({ v }) => v.length));
  return Array.from({ length: columns }, (_, i) => {
    const values = series.map(({ v }) => v[i] ?? null).filter((value) => value !== null);
    return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
  });
}
