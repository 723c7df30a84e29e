import type { AnalyticsReport } from '../../analytics/index.js';
import type { ChartData } from '../charts/chart.js';
import type { Grid } from '../charts/grid.js';

/** The grade of a range, and what is made of it; from the analysis, which takes longer than a chart. */
export interface Assessment {
  readonly grade: AnalyticsReport['grade'];
  readonly health: AnalyticsReport['health'];
  /** The latest first, three at most. */
  readonly insights: AnalyticsReport['insights'];
  /** Epoch ms: what was analysed ends here. */
  readonly at: number;
}

/** An objective, what was measured against it, and what is left of its budget. */
export interface ObjectiveState {
  readonly name: string;
  /** The part of the grade that it is. */
  readonly part: string;
  /** `at most 0.1 %`. */
  readonly objective: string;
  readonly measured: string;
  readonly isMet: boolean;
  /** Share of the error budget of the range that is left: 1 untouched, 0 spent, below 0 overspent. */
  readonly budgetLeft: number;
  /** What is spent, in words. */
  readonly budget: string;
}

/** An alert that asks for somebody. */
export interface OpenAlert {
  readonly fingerprint: string;
  readonly rule: string;
  readonly severity: 'info' | 'warning' | 'critical';
  readonly labels: string;
  readonly state: string;
  /** Epoch ms. */
  readonly since?: number;
  /** Whether somebody has silenced it, or another alert explains it. */
  readonly isSuppressed: boolean;
}

/** What stands above the charts. */
export interface Strip {
  /** Absent until the first analysis is done. */
  readonly assessment?: Assessment;
  /** Why there is none, where it failed. */
  readonly assessmentError?: string;
  readonly alerts: readonly OpenAlert[];
  /** Whether alerts can be silenced from the page. */
  readonly canSilence: boolean;
  readonly uptimeSeconds?: number;
}

/** Everything that a page shows at a moment. */
export interface Snapshot {
  /** Epoch ms: what the store got later is not in it. Also the id of its event. */
  readonly at: number;
  readonly grid: Grid;
  /** All seven, in order. */
  readonly charts: readonly ChartData[];
  readonly strip: Strip;
}
