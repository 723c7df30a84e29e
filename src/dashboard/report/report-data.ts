import type { AnalyticsReport } from '../../analytics/index.js';
import type { ActionMark, AlertSpan } from '../charts/chart.js';
import type { ObjectiveState, Snapshot } from '../view/snapshot.js';

/** The version of the JSON's shape: it changes when a field is renamed or removed. */
export const REPORT_JSON_SCHEMA = 'venuekit.dashboard-report/1';

/** All that a report tells of a range: plain data, from which every format is made. */
export interface ReportData {
  readonly title: string;
  /** Epoch ms. */
  readonly from: number;
  readonly to: number;
  readonly madeAt: number;
  readonly snapshot: Snapshot;
  readonly objectives: readonly ObjectiveState[];
  /** Absent where it failed; then `analysisError` says why. */
  readonly analysis?: AnalyticsReport;
  readonly analysisError?: string;
}

/** What alerts had done, the latest first. */
export function actionsOf({ snapshot }: ReportData): readonly ActionMark[] {
  return (snapshot.charts.find(({ id }) => id === 'alerts')?.actions ?? []).toReversed();
}

/** Stretches in which an alert was raised, the latest first. */
export function raisedSpans({ snapshot }: ReportData): readonly AlertSpan[] {
  const spans = snapshot.charts.find(({ id }) => id === 'alerts')?.spans ?? [];
  return spans.filter(({ state }) => state !== 'pending').toReversed();
}
