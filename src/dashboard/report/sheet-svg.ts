import type { ChartData } from '../charts/chart.js';
import { wordsOf } from '../charts/charts.js';
import { utc } from '../charts/format.js';
import { type Look, palettes } from '../charts/look.js';
import { chartSvg } from '../drawing/chart-svg.js';
import { escapeMarkup, svgText, wrapText } from '../drawing/svg-text.js';
import type { ReportData } from './report-data.js';
import { STILL_FONT } from './still-font.js';
import { stripSvg } from './strip-svg.js';

const WIDTH = 1280;
const MARGIN = 20;
const GAP = 16;
const CHART_HEIGHT = 230;
const HEAD = 70;
const palette = palettes.light;

/** The look of a chart in a picture or on paper. */
export const stillLook = (width: number, height: number): Look => ({ palette, width, height, still: true, font: STILL_FONT });

/** The whole dashboard as one picture: the strip, and below it the seven charts. */
export function sheetSvg(data: ReportData): string {
  const strip = stripSvg(data, { x: MARGIN, y: MARGIN, width: WIDTH - 2 * MARGIN });
  const column = (WIDTH - 2 * MARGIN - GAP) / 2;
  const cards: string[] = [];
  let y = MARGIN + strip.height + GAP;
  const height = HEAD + CHART_HEIGHT + 10;
  for (const [i, chart] of data.snapshot.charts.entries()) {
    const isLast = i === data.snapshot.charts.length - 1;
    const isWide = isLast && i % 2 === 0;
    cards.push(card(chart, MARGIN + (i % 2) * (column + GAP), y, isWide ? WIDTH - 2 * MARGIN : column, height));
    if (i % 2 === 1 || isLast) y += height + GAP;
  }
  const total = y + 10;
  const description = `${data.title}, ${utc(data.from)} to ${utc(data.to)}. ${data.snapshot.charts.map((chart) => `${chart.title}: ${wordsOf(chart)}`).join(' ')}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${total}" viewBox="0 0 ${WIDTH} ${total}" font-family="${escapeMarkup(STILL_FONT)}" role="img">`,
    `<title>${escapeMarkup(data.title)}</title><desc>${escapeMarkup(description)}</desc>`,
    `<rect width="${WIDTH}" height="${total}" fill="${palette.background}"/>`,
    strip.svg,
    ...cards,
    svgText(`All times are UTC. Made ${utc(data.madeAt)}.`, MARGIN, total - 10, { size: 11, fill: palette.muted }),
    '</svg>',
  ].join('\n');
}

function card(chart: ChartData, x: number, y: number, width: number, height: number): string {
  const inner = width - 2 * 14;
  const words = wrapText(wordsOf(chart), inner, 12, 2);
  const isEmpty = chart.missing.length > 0 && chart.series.length + (chart.spans?.length ?? 0) + (chart.actions?.length ?? 0) === 0;
  const body = isEmpty
    ? svgText('nothing to draw', x + width / 2, y + HEAD + CHART_HEIGHT / 2, { size: 13, fill: palette.muted, anchor: 'middle' })
    : chartSvg(chart, stillLook(inner, CHART_HEIGHT)).replace('<svg ', `<svg x="${x + 14}" y="${y + HEAD}" `);
  return [
    `<g data-chart="${chart.id}">`,
    panel(x, y, width, height),
    svgText(chart.title, x + 14, y + 24, { size: 15, fill: palette.text, weight: 500 }),
    ...words.map((text, i) => svgText(text, x + 14, y + 43 + i * 16, { size: 12, fill: palette.muted })),
    body,
    '</g>',
  ].join('\n');
}

/** A surface that things stand on. */
export function panel(x: number, y: number, width: number, height: number): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="8" fill="${palette.surface}" stroke="${palette.line}"/>`;
}
