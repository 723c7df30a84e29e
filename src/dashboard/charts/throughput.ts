import type { ChartDefinition } from './chart.js';
import { format } from './format.js';
import { columnTime, onGrid, rangeOf } from './grid.js';
import { drawn, frame, largest, latest, line, sumOf, timeAxis, valueAxis } from './option-parts.js';

const METRIC = 'venuekit_venue_calls_total';
const MOST_OPERATIONS = 8;

export const throughputChart: ChartDefinition = {
  id: 'throughput',
  title: 'Throughput by operation',
  how: `Rise of ${METRIC} a second, by operation, with restarts of the counter allowed for; stacked.`,
  async read({ store, signal }, grid) {
    const results = await store.query({ metric: METRIC, agg: 'rate', by: ['operation'], ...rangeOf(grid) }, signal);
    return {
      id: 'throughput',
      title: throughputChart.title,
      grid,
      series: largest(results.map((result) => ({ name: result.labels.operation ?? 'all', unit: 'per second', v: onGrid(result, grid) }))),
      facts: {},
      missing: results.length === 0 ? [`No call to the venue was counted in this range (${METRIC}).`] : [],
    };
  },
  option(data, look) {
    const series = largest(drawn(data), MOST_OPERATIONS);
    const total = sumOf(series);
    return {
      ...frame(look, { legend: series.map(({ name }) => ({ name })) }),
      xAxis: timeAxis(look, data.grid),
      yAxis: valueAxis(look, 'per second', { min: 0 }),
      series: series.map((one, i) => {
        const color = look.palette.series[i % look.palette.series.length]!;
        return line(one, data.grid, color, {
          stack: 'operations',
          // Stacked lines must have the same columns: an operation that rested while others ran had a rate of 0.
          data: total.map((sum, column) => [columnTime(data.grid, column), sum === null ? null : (one.v[column] ?? 0)]),
          showSymbol: total.filter((sum) => sum !== null).length < 2,
          symbol: 'circle',
          lineStyle: { width: 1, color },
          areaStyle: { color, opacity: 0.55 },
        });
      }),
    };
  },
  words(data) {
    const series = drawn(data);
    if (series.length === 0) return data.missing.join(' ');
    const total = sumOf(series);
    const top = largest(series, 3)
      .map((one) => `${one.name} ${format(latest(one), 'per second')}`)
      .join(', ');
    return `Last: ${format(latest({ v: total }), 'per second')} in all (${top}); the most was ${format(Math.max(...total.map((value) => value ?? 0)), 'per second')}.`;
  },
};
