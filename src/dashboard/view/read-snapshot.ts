import type { AlertEvent } from '../../contracts/alerts.js';
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

/** Changes of alerts from a store that keeps them; none from one that does not. */
export function alertEventsOf(store: object): ChartSource['alertEvents'] {
  const { alerts } = store as { alerts?: unknown };
  if (typeof alerts !== 'function') return async () => [];
  return (range) => (store as { alerts(range: unknown): Promise<readonly AlertEvent[]> }).alerts(range);
}
