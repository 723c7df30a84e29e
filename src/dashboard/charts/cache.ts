import type { ChartData, ChartDefinition, PlotSeries } from './chart.js';
import { weightedMean } from './errors.js';
import { format } from './format.js';
import { columnTime, onGrid, rangeOf } from './grid.js';
import { dashedEntry, drawn, frame, line, objectiveLine, sumOf, timeAxis, valueAxis } from './option-parts.js';

const METRIC = 'venuekit_cache_reads_total';

export const cacheChart: ChartDefinition = {
  id: 'cache',
  title: 'Cache hits by level',
  how: `Rise of ${METRIC} with outcome "hit", by the level that answered, over the rise of all outcomes; stacked.`,
  async read({ store, objectives, signal }, grid) {
    const results = await store.query({ metric: METRIC, agg: 'increase', by: ['outcome', 'level'], ...rangeOf(grid) }, signal);
    const columns = results.map((result) => ({ outcome: result.labels.outcome, level: result.labels.level ?? 'unknown', v: onGrid(result, grid) }));
    const reads = sumOf(columns);
    const levels = [...new Set(columns.filter(({ outcome }) => outcome === 'hit').map(({ level }) => level))].sort();
    const hits = levels.map((level) => {
      const risen = sumOf(columns.filter((one) => one.outcome === 'hit' && one.level === level));
      return { name: level, unit: 'ratio' as const, v: reads.map((all, i) => (all === null || all === 0 ? null : (risen[i] ?? 0) / all)) };
    });
    const isRead = reads.some((all) => all !== null && all > 0);
    const none = { name: 'any level', unit: 'ratio' as const, v: reads.map((all) => (all === null || all === 0 ? null : 0)) };
    return {
      id: 'cache',
      title: cacheChart.title,
      grid,
      series: isRead ? [...(hits.length === 0 ? [none] : hits), { name: 'reads', unit: 'count', v: reads, isWeight: true } satisfies PlotSeries] : [],
      facts: { objective: objectives.cacheHitRatio },
      missing: isRead ? [] : [`No read of market data was counted in this range (${METRIC}).`],
    };
  },
  option(data, look) {
    const series = drawn(data);
    const objective = data.facts.objective!;
    const target = `target ${format(objective, 'ratio')}`;
    return {
      ...frame(look, { legend: [...series.map(({ name }) => ({ name })), dashedEntry(target)] }),
      xAxis: timeAxis(look, data.grid),
      yAxis: valueAxis(look, 'ratio', { min: 0, max: 1, interval: 0.25 }),
      series: [
        ...series.map((one, i) => {
          const color = look.palette.series[[0, 2, 4, 3][i % 4]!]!;
          return line(one, data.grid, color, {
            stack: 'levels',
            data: one.v.map((value, column) => [columnTime(data.grid, column), value]),
            connectNulls: false,
            showSymbol: one.v.filter((value) => value !== null).length < 2,
            symbol: 'circle',
            areaStyle: { color, opacity: 0.35 },
          });
        }),
        objectiveLine(target, objective, look.palette.objective),
      ],
    };
  },
  words(data) {
    const whole = hitRatioOf(data);
    if (whole === undefined) return data.missing.join(' ');
    const objective = data.facts.objective!;
    return `${format(whole, 'ratio')} of reads were answered from the cache in this range; the target is ${format(objective, 'ratio')}.`;
  },
};

/** Share of all reads of the range that the cache answered. */
export function hitRatioOf(data: ChartData): number | undefined {
  const reads = data.series.find(({ isWeight }) => isWeight === true);
  if (reads === undefined) return undefined;
  return weightedMean(sumOf(data.series.filter(({ isWeight }) => isWeight !== true)), reads.v);
}
