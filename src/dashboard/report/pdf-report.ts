import pdfmake from 'pdfmake';
import type { Content, TDocumentDefinitions } from 'pdfmake/interfaces.js';
import { wordsOf } from '../charts/charts.js';
import { duration, utc } from '../charts/format.js';
import { palettes } from '../charts/look.js';
import { chartSvg } from '../drawing/chart-svg.js';
import { scoreInWords } from '../view/objective-states.js';
import type { ReportData } from './report-data.js';
import { stillLook } from './sheet-svg.js';
import { colourOf } from './strip-svg.js';
import { measuredTable, reportTables, type Table } from './tables.js';

const palette = palettes.light;
const PAGE_WIDTH = 523;

/** Paths of the fonts that the text is set in. */
export interface Fonts {
  readonly regular: string;
  readonly medium: string;
}

/** The report on A4, charts as vector graphics; the first page stands for itself. */
export function pdfReport(data: ReportData, fonts: Fonts): Promise<Uint8Array> {
  return pdfBytes(definition(data), fonts);
}

/** What a definition comes to, set in the fonts. */
export async function pdfBytes(document: TDocumentDefinitions, { regular, medium }: Fonts): Promise<Uint8Array> {
  pdfmake.setFonts({ Roboto: { normal: regular, bold: medium, italics: regular, bolditalics: medium } });
  // Nothing in the report names a file or a host; what a label holds must not become one.
  pdfmake.setLocalAccessPolicy((path: string) => path === regular || path === medium);
  pdfmake.setUrlAccessPolicy(() => false);
  return pdfmake.createPdf(document).getBuffer();
}

/** How every document is set: A4, one type, the title and page number at the foot. */
export function a4(title: string, subject: string): Omit<TDocumentDefinitions, 'content'> {
  return {
    info: { title, subject, creator: 'venuekit' },
    pageSize: 'A4',
    pageMargins: [36, 44, 36, 44],
    footer: (page, pages) => ({
      text: `${title} · ${subject} · page ${page} of ${pages}`,
      fontSize: 8,
      color: palette.muted,
      margin: [36, 12, 36, 0],
    }),
    defaultStyle: { font: 'Roboto', fontSize: 9.5, color: palette.text, lineHeight: 1.2 },
    styles: {
      title: { fontSize: 20, bold: true },
      heading: { fontSize: 14, bold: true, margin: [0, 14, 0, 5] },
      subheading: { fontSize: 11, bold: true, margin: [0, 10, 0, 3] },
      muted: { color: palette.muted },
      strong: { bold: true },
    },
  };
}

function definition(data: ReportData): TDocumentDefinitions {
  const { title, from, to, madeAt, snapshot } = data;
  const range = `${utc(from)} to ${utc(to)}`;
  return {
    ...a4(title, range),
    content: [
      { text: title, style: 'title' },
      { text: `${range} · made ${utc(madeAt)}`, style: 'muted', margin: [0, 0, 0, 12] },
      ...firstPage(data),
      { text: 'Charts', style: 'heading', pageBreak: 'before' },
      ...snapshot.charts.map((chart): Content => {
        const isDrawn = chart.series.length + (chart.spans?.length ?? 0) + (chart.actions?.length ?? 0) > 0;
        const width = 760;
        const drawing: Content[] = isDrawn ? [{ svg: chartSvg(chart, stillLook(width, 186)), width: PAGE_WIDTH }] : [];
        return {
          stack: [{ text: chart.title, style: 'subheading' }, { text: wordsOf(chart), style: 'muted', margin: [0, 0, 0, 4] }, ...drawing],
          unbreakable: true,
        };
      }),
      { text: 'Tables', style: 'heading', pageBreak: 'before' },
      ...reportTables(data).flatMap((table) => tableOf(table)),
      ...tableOf(measuredTable(data)),
    ],
  };
}

function firstPage({ snapshot, objectives, analysis, analysisError }: ReportData): Content[] {
  const { alerts, uptimeSeconds, assessment } = snapshot.strip;
  const grade = analysis?.grade;
  const isGraded = grade !== undefined && grade.letter !== 'none';
  const health = analysis?.health ?? 'unknown';
  const insights = assessment?.insights ?? [];
  const figure = (label: string, value: string, below: string, color: string, fontSize: number): Content => ({
    stack: [
      { text: label, style: 'muted' },
      { text: value, fontSize, bold: true, color },
      { text: below, style: 'muted' },
    ],
  });
  return [
    {
      columns: [
        figure('Grade', isGraded ? grade.letter : '–', isGraded ? scoreInWords(grade) : 'nothing measured', palette.text, 30),
        figure('Health', health, '', colourOf(health, palette), 18),
        figure(
          'Open alerts',
          String(alerts.length),
          alerts
            .slice(0, 4)
            .map(({ rule, labels }) => `${rule} ${labels}`.trim())
            .join(', '),
          alerts.length > 0 ? palette.critical : palette.text,
          18,
        ),
        figure('Uptime', uptimeSeconds === undefined ? 'not on record' : duration(uptimeSeconds), '', palette.text, 14),
      ],
      columnGap: 14,
    },
    { text: 'Objectives and budget', style: 'heading' },
    ...tableOf({
      title: '',
      columns: ['objective', 'measured', 'should be', 'budget'],
      rows: objectives.map(({ name, measured, objective, budget }) => [name, measured, objective, budget]),
      empty: 'Nothing was measured that has an objective.',
    }),
    { text: 'What changed, why, and what to do', style: 'heading' },
    insights.length === 0
      ? {
          text:
            analysis === undefined
              ? `The range could not be analysed: ${analysisError ?? ''}`
              : isGraded
                ? 'Nothing changed for the worse.'
                : 'Nothing was measured in this range.',
        }
      : {
          ol: insights.map(({ change, since, cause, action }) => ({
            stack: [
              {
                text: [
                  { text: change, style: 'strong' },
                  { text: ` since ${utc(since)}`, color: palette.muted },
                ],
              },
              { text: `Cause: ${cause}` },
              { text: `Do: ${action}` },
            ],
            margin: [0, 0, 0, 6] as [number, number, number, number],
          })),
        },
    { text: 'How the grade came about', style: 'heading' },
    ...tableOf({
      title: '',
      columns: ['part', 'score', 'why'],
      rows: (grade?.parts ?? []).map(({ name, score, why }) => [name, score.toFixed(0), why]),
      empty: 'Nothing that is graded was measured.',
      ...((grade?.missing.length ?? 0) > 0 ? { note: `Not measured: ${grade!.missing.join(', ')}.` } : {}),
    }),
  ];
}

// Text without a space to break at, such as the name of a series, would push a column off the page.
// A short value stays with its unit.
const breakable = (text: string): string => (text.length < 12 ? text.replaceAll(' ', '\u00a0') : text.replace(/([_{},="/])(?=\S)/g, '$1\u200b'));

/** A table with what stands above and below it; a colour is for the row's first cell. */
export function tableOf({ title, columns, rows, empty, note }: Table, colours: readonly string[] = []): Content[] {
  const heading: Content[] = title === '' ? [] : [{ text: title, style: 'subheading' }];
  if (rows.length === 0) return [...heading, { text: empty }];
  return [
    ...heading,
    {
      table: {
        headerRows: 1,
        widths: columns.map((name) => (['series', 'how', 'why', 'method', 'labels', 'measured'].includes(name) ? '*' : 'auto')),
        body: [
          columns.map((text) => ({ text, style: 'strong' })),
          ...rows.map((row, r) =>
            row.map((cell, i) => ({ text: breakable(cell), ...(i === 0 && colours[r] !== undefined ? { color: colours[r] } : {}) })),
          ),
        ],
      },
      layout: {
        hLineWidth: (i: number) => (i === 1 ? 0.8 : 0.4),
        vLineWidth: () => 0,
        hLineColor: () => palette.line,
        paddingLeft: () => 0,
        paddingRight: () => 8,
      },
      fontSize: 8,
    },
    ...(note === undefined ? [] : [{ text: note, style: 'muted' } as Content]),
  ];
}
