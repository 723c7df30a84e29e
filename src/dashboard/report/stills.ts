import type { ChartData, ChartId } from '../charts/chart.js';
import { palettes, type Scheme } from '../charts/look.js';
import { chartSvg } from '../drawing/chart-svg.js';
import type { StillSize } from '../view/first-look.js';

/** What a page shows until its own drawings are there. */
export interface StillsTask {
  readonly charts: readonly ChartData[];
  readonly scheme: Scheme;
  readonly size: StillSize;
}

/** By chart, as SVG. */
export type Stills = Readonly<Partial<Record<ChartId, string>>>;

/** About what a plot measures on such a screen; a page stretches a still to what it is. */
const SIZES: Readonly<Record<StillSize, { readonly width: number; readonly whole: number; readonly height: number }>> = {
  wide: { width: 578, whole: 1_200, height: 240 },
  narrow: { width: 340, whole: 340, height: 220 },
};
const FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif";

export function stillsOf({ charts, scheme, size }: StillsTask): Stills {
  const { width, whole, height } = SIZES[size];
  return Object.fromEntries(
    charts
      .filter(({ series, spans = [], actions = [] }) => series.length + spans.length + actions.length > 0)
      .map((chart) => [
        chart.id,
        chartSvg(chart, { palette: palettes[scheme], width: chart.id === 'alerts' ? whole : width, height, still: true, font: FONT }),
      ]),
  );
}
