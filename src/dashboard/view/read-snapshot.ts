import type { AlertStateStore } from '../../contracts/alerts.js';
import type { MetricStore } from '../../contracts/metric-store.js';
import { abortReason } from '../../core/abort.js';
import { asError } from '../../core/errors.js';
import type { ChartData, ChartDefinition, ChartSource } from '../charts/chart.js';
import { allCharts } from '../charts/charts.js';
import type { Grid } from '../charts/grid.js';

/** All seven charts. One that can't be read says so, and the others are there. */
export async function readCharts(source: ChartSource, grid: Grid): Promise<readonly ChartData[]> {
  return Promise.all(allCharts.map((chart) => readChart(chart, source, grid)));
}

async function readChart(chart: ChartDefinition, source: ChartSource, grid: Grid): Promise<ChartData> {
  try {
    return await chart.read(source, grid);
  } catch (error) {
    if (source.signal?.aborted) throw abortReason(source.signal);
    return { id: chart.id, title: chart.title, grid, series: [], facts: {}, missing: [`It could not be read: ${asError(error).message}`] };
  }
}

const UPTIME = 'venuekit_process_uptime_seconds';
const RECENT_MS = 60_000;

/** How long the process had run at the end of a range; undefined where that is not on record. */
export async function readUptime(store: Pick<MetricStore, 'query'>, to: number, signal?: AbortSignal): Promise<number | undefined> {
  const [result] = await store.query({ metric: UPTIME, agg: 'max', by: [], from: to - RECENT_MS, to, stepMs: RECENT_MS + 1 }, signal);
  return result?.v.at(-1);
}

/** What of a store tells of alerts: changes and actions; of one that keeps none, nothing. */
export function alertHistoryOf(store: Partial<MetricStore & AlertStateStore>): Pick<ChartSource, 'alertEvents' | 'alertActions'> {
  return {
    alertEvents: async (range) => (await store.alerts?.(range)) ?? [],
    alertActions: async (range) => (await store.actions?.(range)) ?? [],
  };
}
