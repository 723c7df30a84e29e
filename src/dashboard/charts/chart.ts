import type { EChartsCoreOption } from 'echarts/core';
import type { Objectives } from '../../analytics/engine/objectives.js';
import type { AlertActionRecord, AlertEvent, AlertInstance } from '../../contracts/alerts.js';
import type { MetricStore } from '../../contracts/metric-store.js';
import type { Unit } from './format.js';
import type { Grid } from './grid.js';
import type { Look } from './look.js';
import type { Explanation, SelectedSeries } from './selected-series.js';

/** The seven charts, in the order in which they stand on the page. */
export const CHART_IDS = ['latency', 'throughput', 'errors', 'cache', 'utilisation', 'metric', 'alerts'] as const;
export type ChartId = (typeof CHART_IDS)[number];

/** One value a column of the chart's grid; null where nothing was recorded. */
export interface PlotSeries {
  readonly name: string;
  readonly unit: Unit;
  readonly v: readonly (number | null)[];
  /** How many events a column's shares are of: never drawn, but summed up with. */
  readonly isWeight?: true;
}

/** One stretch of an alert's life. */
export interface AlertSpan {
  readonly fingerprint: string;
  readonly rule: string;
  readonly severity: AlertInstance['severity'];
  /** The labels in words: `operation=place`. */
  readonly labels: string;
  readonly state: 'pending' | 'firing' | 'recovering' | 'nodata' | 'error';
  readonly from: number;
  /** Absent while it lasts. */
  readonly to?: number;
}

/** Actions of one kind within one column. */
export interface ActionMark {
  /** Epoch ms, of the first of them. */
  readonly t: number;
  readonly action: string;
  /** The rule that it was for; absent where only a counter is on record. */
  readonly rule?: string;
  readonly mode: string;
  readonly outcome: AlertActionRecord['outcome'];
  readonly times: number;
}

/** What one chart shows: plain data, so that it can go to a page, a worker or a file. */
export interface ChartData {
  readonly id: ChartId;
  readonly title: string;
  readonly grid: Grid;
  readonly series: readonly PlotSeries[];
  /** Figures that hold for the whole chart, such as an objective. */
  readonly facts: Readonly<Record<string, number>>;
  /** What is missing, and how it would come to be there. Empty when all is there. */
  readonly missing: readonly string[];
  readonly spans?: readonly AlertSpan[];
  readonly actions?: readonly ActionMark[];
  /** Anomalies and forecast of the selected metric; absent until they have been worked out. */
  readonly explanation?: Explanation;
}

/** Where charts read from. */
export interface ChartSource {
  readonly store: Pick<MetricStore, 'query'>;
  /** Changes of alerts in a range. */
  readonly alertEvents: (range: { readonly from: number; readonly to: number }) => Promise<readonly AlertEvent[]>;
  /** The audit of what alerts have had done; empty where none is kept. */
  readonly alertActions: (range: { readonly from: number; readonly to: number }) => Promise<readonly AlertActionRecord[]>;
  readonly objectives: Objectives;
  /** Of chart 6. */
  readonly selected: SelectedSeries;
  /** Epoch ms: where the whole picture begins, of which a grid may be the end. */
  readonly pictureFrom: number;
  readonly signal?: AbortSignal;
}

/** The one definition of a chart: what it reads, how it is drawn, and what it says in words. */
export interface ChartDefinition {
  readonly id: ChartId;
  readonly title: string;
  /** What is drawn and from which metrics, for whoever asks how a figure came about. */
  readonly how: string;
  read(source: ChartSource, grid: Grid): Promise<ChartData>;
  /** The ECharts option; the same for the page and for the still. */
  option(data: ChartData, look: Look): EChartsCoreOption;
  /** What the chart says, in a sentence or two. */
  words(data: ChartData): string;
}
