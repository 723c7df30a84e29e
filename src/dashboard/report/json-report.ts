import { allCharts, wordsOf } from '../charts/charts.js';
import { REPORT_JSON_SCHEMA, type ReportData } from './report-data.js';

/** The report as JSON: everything that the other formats show, in figures. */
export function jsonReport(data: ReportData): string {
  const { title, from, to, madeAt, snapshot, objectives, analysis, analysisError } = data;
  const { assessment, alerts, uptimeSeconds } = snapshot.strip;
  const plain = (_: string, value: unknown): unknown => (value instanceof Float64Array ? Array.from(value) : value);
  return JSON.stringify(
    {
      schema: REPORT_JSON_SCHEMA,
      title,
      from,
      to,
      madeAt,
      grade: analysis?.grade ?? { letter: 'none', score: 0, parts: [], missing: [], overspent: [] },
      health: analysis?.health ?? 'unknown',
      objectives,
      openAlerts: alerts,
      uptimeSeconds,
      insights: assessment?.insights ?? [],
      charts: snapshot.charts.map((chart) => ({ ...chart, words: wordsOf(chart), how: allCharts.find(({ id }) => id === chart.id)!.how })),
      ...(analysis === undefined
        ? { analysisError }
        : {
            summaries: analysis.summaries,
            trends: analysis.trends,
            anomalies: analysis.anomalies,
            forecasts: analysis.forecasts,
            allInsights: analysis.insights,
          }),
    },
    plain,
    1,
  );
}
