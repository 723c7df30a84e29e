import type { Anomaly } from '../series-anomalies.js';
import type { Forecast } from '../series-forecast.js';
import type { Trend } from '../series-trend.js';
import type { Summary } from '../summary.js';
import type { Component } from './measure.js';

/** The version of the report's shape: it changes when a field is renamed or removed. */
export const REPORT_SCHEMA = 'venuekit.analytics-report/1';

/** How well one service level was met. */
export interface GradePart {
  readonly name: string;
  /** 0 to 100. */
  readonly score: number;
  /** What was measured, against which objective. */
  readonly why: string;
}

/** The mark of a range, made of what was measured in it. */
export interface Grade {
  /** A+ to F; `none` when nothing was measured. */
  readonly letter: string;
  /** 0 to 100; 0 when nothing was measured. */
  readonly score: number;
  readonly parts: readonly GradePart[];
  /** Parts that nothing was recorded of: they are not graded. */
  readonly missing: readonly string[];
  /** Objectives whose budget is spent more than once over: the mark is then a B+ at best. */
  readonly overspent: readonly string[];
}

export type Health = 'excellent' | 'good' | 'degraded' | 'critical';

/** Something that changed for the worse, and what to make of it. */
export interface Insight {
  readonly metric: string;
  readonly component: Component;
  readonly change: string;
  /** Epoch ms. */
  readonly since: number;
  readonly cause: string;
  readonly action: string;
}

/** Everything that the engine says of a range. */
export interface AnalyticsReport {
  readonly schema: typeof REPORT_SCHEMA;
  readonly from: number;
  readonly to: number;
  readonly grade: Grade;
  readonly health: Health;
  readonly summaries: Readonly<Record<string, Summary & { readonly unit: string; readonly component: Component }>>;
  readonly trends: readonly (Trend & { readonly metric: string })[];
  readonly anomalies: readonly (Anomaly & { readonly metric: string })[];
  readonly forecasts: readonly (Forecast & { readonly metric: string })[];
  readonly insights: readonly Insight[];
}

/** The report as JSON text: typed arrays become arrays, and an infinite bound null. */
export function reportToJson(report: AnalyticsReport, space?: number): string {
  const plain = (_: string, value: unknown): unknown => (value instanceof Float64Array ? Array.from(value) : value);
  return JSON.stringify(report, plain, space);
}

/** The report as text for a person, in UTC. */
export function reportToText(report: AnalyticsReport): string {
  const { grade, insights } = report;
  const lines = [
    `${utc(report.from)} to ${utc(report.to)}`,
    grade.letter === 'none' ? 'Grade: none, nothing was measured' : `Grade: ${grade.letter} (${grade.score.toFixed(1)}), health ${report.health}`,
    ...grade.parts.map(({ name, score, why }) => `  ${score.toFixed(0).padStart(3)}  ${name}: ${why}`),
  ];
  if (grade.overspent.length > 0) lines.push(`  budget overspent, so B+ at best: ${grade.overspent.join(', ')}`);
  if (grade.missing.length > 0) lines.push(`  not measured: ${grade.missing.join(', ')}`);
  lines.push('', insights.length === 0 ? 'Nothing changed for the worse.' : 'What changed for the worse:');
  for (const { since, component, metric, change, cause, action } of insights) {
    lines.push(`- ${utc(since)} ${component}: ${change} (${metric})`, `  likely cause: ${cause}`, `  do: ${action}`);
  }
  const moving = report.trends.filter(({ direction }) => direction !== 'none');
  if (moving.length > 0)
    lines.push(
      '',
      'Trends:',
      ...moving.map((trend) => `- ${trend.metric} ${trend.direction}, ${digits(trend.slopePerHour)} an hour (p ${digits(trend.pValue)})`),
    );
  if (report.anomalies.length > 0) {
    lines.push('', 'Anomalies:');
    for (const { t, metric, value, expected } of report.anomalies)
      lines.push(`- ${utc(t)} ${metric}: ${digits(value)}${expected === undefined ? '' : `, expected ${digits(expected)}`}`);
  }
  if (report.forecasts.length > 0) lines.push('', 'In 30 minutes:', ...report.forecasts.map(forecastLine));
  return `${lines.join('\n')}\n`;
}

function forecastLine({ metric, mean, intervals }: Forecast & { readonly metric: string }): string {
  const last = mean.length - 1;
  const bands = intervals.map(({ level, low, high }) => `${level * 100} % ${digits(low[last]!)} to ${digits(high[last]!)}`);
  return `- ${metric}: ${digits(mean[last]!)} (${bands.join(', ')})`;
}

/** Three significant digits. */
export function digits(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : String(value);
}

function utc(t: number): string {
  return new Date(t).toISOString().replace(/\.\d+Z$/, 'Z');
}
