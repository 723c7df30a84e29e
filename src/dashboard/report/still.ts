import type { ChartData } from '../charts/chart.js';
import { markedPalette } from '../charts/scheme-colours.js';
import { chartSvg } from '../drawing/chart-svg.js';
import { inlineSvg } from '../drawing/inline-svg.js';

/** Screens that stills are drawn for before anybody knows how wide a page is: with two columns of charts, or with one. */
export type StillSize = 'wide' | 'narrow';

/** What a page shows of a chart until its own drawing is there. */
export interface StillTask {
  readonly chart: ChartData;
  readonly size: StillSize;
}

/** About what a plot measures on such a screen; a page fits a still to what it is. */
const SIZES: Readonly<Record<StillSize, { readonly width: number; readonly whole: number; readonly height: number }>> = {
  wide: { width: 578, whole: 1_200, height: 240 },
  narrow: { width: 340, whole: 340, height: 220 },
};

/** As SVG for either scheme, to stand in a page; undefined for a chart that has nothing to show. */
export function stillOf({ chart, size }: StillTask): string | undefined {
  const { series, spans = [], actions = [] } = chart;
  if (series.length + spans.length + actions.length === 0) return undefined;
  const { width, whole, height } = SIZES[size];
  const look = { palette: markedPalette, width: chart.id === 'alerts' ? whole : width, height, still: true, font: 'sans-serif' };
  return inlineSvg(chartSvg(chart, look), `still-${chart.id}`);
}
