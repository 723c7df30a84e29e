import type { ChartData } from '../charts/chart.js';
import { palettes, type Scheme } from '../charts/look.js';
import { chartSvg } from '../drawing/chart-svg.js';
import type { StillSize } from '../view/first-look.js';

/** What a page shows of a chart until its own drawing is there. */
export interface StillTask {
  readonly chart: ChartData;
  readonly scheme: Scheme;
  readonly size: StillSize;
}

/** About what a plot measures on such a screen; a page stretches a still to what it is. */
const SIZES: Readonly<Record<StillSize, { readonly width: number; readonly whole: number; readonly height: number }>> = {
  wide: { width: 578, whole: 1_200, height: 240 },
  narrow: { width: 340, whole: 340, height: 220 },
};
const FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif";

/** As SVG; undefined for a chart that has nothing to show. */
export function stillOf({ chart, scheme, size }: StillTask): string | undefined {
  const { series, spans = [], actions = [] } = chart;
  if (series.length + spans.length + actions.length === 0) return undefined;
  const { width, whole, height } = SIZES[size];
  return chartSvg(chart, { palette: palettes[scheme], width: chart.id === 'alerts' ? whole : width, height, still: true, font: FONT });
}
