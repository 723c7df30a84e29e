import { allCharts } from '../charts/charts.js';
import { digits, duration, format, type Unit, utc } from '../charts/format.js';
import type { ReportData } from './report-data.js';
import { actionsOf, raisedSpans } from './report-data.js';

/** One table of the report: text alone, so that a page, a PDF and a screen reader get the same. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Said in place of the rows where there are none. */
  readonly empty: string;
  /** Said below, such as how many rows were left out. */
  readonly note?: string;
}

const MOST_ROWS = 60;

function table(title: string, columns: readonly string[], rows: readonly (readonly string[])[], empty: string): Table {
  if (rows.length <= MOST_ROWS) return { title, columns, rows, empty };
  return { title, columns, rows: rows.slice(0, MOST_ROWS), empty, note: `${rows.length - MOST_ROWS} more are in the JSON.` };
}

const MOST_CHANGES = 5;
function changes(times: readonly number[]): string {
  if (times.length === 0) return 'none';
  const shown = times.slice(-MOST_CHANGES).map((t) => utc(t).slice(11, 19));
  return `${times.length > MOST_CHANGES ? `${times.length}, the last ` : ''}${shown.join(', ')}`;
}

/** Summaries, trends, anomalies, forecasts, alerts and actions. */
export function reportTables(data: ReportData): readonly Table[] {
  const { analysis, analysisError } = data;
  const alerts = table(
    'Alerts',
    ['alert', 'labels', 'severity', 'state', 'from', 'for'],
    raisedSpans(data).map(({ rule, labels, severity, state, from, to }) => [
      rule,
      labels,
      severity,
      state,
      utc(from),
      to === undefined ? 'still' : duration((to - from) / 1000),
    ]),
    'No alert was raised in this range.',
  );
  const actions = table(
    'Actions',
    ['at', 'action', 'for', 'mode', 'outcome', 'times'],
    actionsOf(data).map(({ t, action, rule = '–', mode, outcome, times }) => [utc(t), action, rule, mode.replace('_', ' '), outcome, digits(times)]),
    'No action was taken in this range.',
  );
  if (analysis === undefined) {
    const empty = `The range could not be analysed: ${analysisError ?? 'no analysis was made'}.`;
    return [...['Summaries', 'Trends', 'Anomalies', 'Forecasts'].map((title) => table(title, [], [], empty)), alerts, actions];
  }
  const { summaries, trends, anomalies, forecasts } = analysis;
  const unitOf = (metric: string): Unit => (summaries[metric]?.unit ?? 'none') as Unit;
  const nothing = 'Nothing that is analysed was recorded in this range.';
  return [
    table(
      'Summaries',
      ['series', 'points', 'mean', 'median', 'p95', 'p99', 'least', 'most'],
      Object.entries(summaries).map(([metric, one]) => [
        metric,
        digits(one.n),
        ...[one.mean, one.median, one.p95, one.p99, one.min, one.max].map((value) => format(value, unitOf(metric))),
      ]),
      nothing,
    ),
    table(
      'Trends',
      ['series', 'direction', 'slope an hour', '95 % interval', 'p', 'changes of level'],
      trends
        .filter(({ direction, changePoints }) => direction !== 'none' || changePoints.length > 0)
        .map(({ metric, direction, slopePerHour, slopeInterval, pValue, changePoints }) => [
          metric,
          direction,
          format(slopePerHour, unitOf(metric)),
          slopeInterval.map((end) => format(end, unitOf(metric))).join(' to '),
          digits(pValue),
          changes(changePoints),
        ]),
      Object.keys(summaries).length === 0 ? nothing : 'No series rises, falls or changes its level.',
    ),
    table(
      'Anomalies',
      ['at', 'series', 'value', 'expected', 'score'],
      [...anomalies]
        .sort((a, b) => b.score - a.score)
        .map(({ t, metric, value, expected, score }) => [
          utc(t),
          metric,
          format(value, unitOf(metric)),
          format(expected, unitOf(metric)),
          digits(score),
        ]),
      Object.keys(summaries).length === 0 ? nothing : 'No point was out of line with what came before it.',
    ),
    table(
      'Forecasts',
      ['series', 'until', 'expected', '80 % band', '95 % band', 'method'],
      forecasts
        .filter(({ mean }) => mean.length > 0)
        .map(({ metric, t, mean, intervals, method }) => {
          const last = mean.length - 1;
          const bands = [0.8, 0.95].map((level) => {
            const band = intervals.find((one) => one.level === level);
            return band === undefined ? '–' : `${format(band.low[last], unitOf(metric))} to ${format(band.high[last], unitOf(metric))}`;
          });
          return [metric, utc(t[last]!).slice(0, 16), format(mean[last], unitOf(metric)), ...bands, method];
        }),
      nothing,
    ),
    alerts,
    actions,
  ];
}

/** How each figure was measured. */
export function measuredTable({ analysis }: ReportData): Table {
  return {
    title: 'How each figure was measured',
    columns: ['figure', 'how'],
    rows: [
      ...allCharts.map(({ title, how }) => [title, how] as const),
      [
        'Grade',
        `Mean of the scores below, by weight; a part is scored by what was measured against its objective; while a budget is overspent it is a B+ at best. ${(analysis?.grade.parts ?? []).map(({ name, score, why }) => `${name} ${score.toFixed(0)}: ${why}.`).join(' ')}${(analysis?.grade.missing.length ?? 0) > 0 ? ` Not measured: ${analysis!.grade.missing.join(', ')}.` : ''}`,
      ],
      [
        'Health',
        'Follows the grade, and never exceeds what its worst part allows: excellent from 93 (no part below 85), critical below 60 or with a part below 25.',
      ],
      [
        'Budgets',
        'Failed calls: what the objective allows less what failed. p99: the columns of the chart whose p99 exceeded the objective, of 1 % allowed. Cache: the reads that missed, of those allowed.',
      ],
      ['Trends', 'Mann-Kendall on series with an autocorrelation of order 1 allowed for; slopes by Theil-Sen; changes of level by PELT.'],
      ['Times', 'All times are UTC.'],
    ],
    empty: '',
  };
}
