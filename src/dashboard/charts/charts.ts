import { alertsChart } from './alert-timeline.js';
import { cacheChart } from './cache.js';
import { CHART_IDS, type ChartData, type ChartDefinition, type ChartId } from './chart.js';
import { errorsChart } from './errors.js';
import { latencyChart } from './latency.js';
import { metricChart } from './metric.js';
import { throughputChart } from './throughput.js';
import { utilisationChart } from './utilisation.js';

/** The one set of chart definitions, for the page, the still, the report and the JSON. */
export const charts: Readonly<Record<ChartId, ChartDefinition>> = {
  latency: latencyChart,
  throughput: throughputChart,
  errors: errorsChart,
  cache: cacheChart,
  utilisation: utilisationChart,
  metric: metricChart,
  alerts: alertsChart,
};

/** In the order in which they stand on the page. */
export const allCharts: readonly ChartDefinition[] = CHART_IDS.map((id) => charts[id]);

/** What a chart says; what is missing is part of it. */
export function wordsOf(data: ChartData): string {
  return charts[data.id].words(data);
}
