import type { ChartDefinition } from './chart.js';
import { format } from './format.js';
import { type Grid, gridOf, onGrid, rangeOf } from './grid.js';
import { dashedEntry, drawn, frame, latest, line, objectiveLine, timeAxis, valueAxis } from './option-parts.js';

const METRIC = 'venuekit_venue_call_seconds';
const QUANTILES = ['p50', 'p95', 'p99'] as const;

/** Share of the columns whose p99 kept within the objective. */
export function withinObjective(p99: readonly (number | null)[], objective: number): number | undefined {
  const measured = p99.filter((value) => value !== null);
  return measured.length === 0 ? undefined : measured.filter((value) => value <= objective).length / measured.length;
}

const MINUTE_MS = 60_000;

// After a while stores keep observations by the minute: what a range begins in the middle of is found at its start.
function fromItsMinute(grid: Grid): Grid {
  return gridOf(Math.floor(grid.from / MINUTE_MS) * MINUTE_MS, grid.to, grid.stepMs);
}

function minuteInFirstColumn(v: readonly (number | null)[], before: number): (number | null)[] {
  const inside = v.slice(before);
  const isMinute = before > 0 && v[0] !== null && v.slice(1, before).every((value) => value === null);
  if (isMinute) inside[0] ??= v[0]!;
  return inside;
}

export const latencyChart: ChartDefinition = {
  id: 'latency',
  title: 'Latency of venue calls',
  how: `p50, p95 and p99 of ${METRIC} over all operations, from mergeable sketches at 1 % relative error; each attempt counts by itself.`,
  async read({ store, objectives, pictureFrom, signal }, grid) {
    const wide = grid.from === pictureFrom ? fromItsMinute(grid) : grid;
    const results = await Promise.all(QUANTILES.map((agg) => store.query({ metric: METRIC, agg, by: [], ...rangeOf(wide) }, signal)));
    const series = results.map(([result], i) => ({
      name: QUANTILES[i]!,
      unit: 'seconds' as const,
      v: result === undefined ? [] : minuteInFirstColumn(onGrid(result, wide), wide.columns - grid.columns),
    }));
    const isEmpty = series.every(({ v }) => v.every((value) => value === null));
    return {
      id: 'latency',
      title: latencyChart.title,
      grid,
      series: isEmpty ? [] : series,
      facts: { objective: objectives.latencyP99Seconds },
      missing: isEmpty ? [`No call to the venue was recorded in this range (${METRIC}).`] : [],
    };
  },
  option(data, look) {
    const objective = data.facts.objective!;
    const series = drawn(data);
    const colours = [look.palette.series[2]!, look.palette.series[0]!, look.palette.series[1]!];
    const values = series.flatMap(({ v }) => v.filter((value) => value !== null && value > 0)) as number[];
    const highest = Math.max(0, ...values);
    // An objective far above would flatten what there is to see: magnitudes then.
    const isFar = objective > 4 * highest && values.length > 0;
    const scale = isFar
      ? { type: 'log', min: 10 ** Math.floor(Math.log10(Math.min(...values))), max: 10 ** Math.ceil(Math.log10(objective * 1.05)) }
      : { min: 0, max: objective > highest ? objective * 1.15 : undefined };
    const slo = `SLO p99 ${format(objective, 'seconds')}`;
    return {
      ...frame(look, { legend: [...series.map(({ name }) => ({ name })), dashedEntry(slo)] }),
      xAxis: timeAxis(look, data.grid),
      yAxis: valueAxis(look, 'seconds', scale),
      series: [
        ...series.map((one) => {
          const i = QUANTILES.indexOf(one.name as 'p50');
          const color = colours[i]!;
          // Where two are the same, the wider one shows behind the other.
          return line(one, data.grid, color, { z: 4 - i, lineStyle: { width: [1.2, 2, 3][i], color } });
        }),
        objectiveLine(slo, objective, look.palette.objective),
      ],
    };
  },
  words(data) {
    const [p50, p95, p99] = QUANTILES.map((name) => data.series.find((one) => one.name === name));
    if (p99 === undefined) return data.missing.join(' ');
    const objective = data.facts.objective!;
    const within = withinObjective(p99.v, objective);
    const last = [p50, p95, p99].map((one) => `${one!.name} ${format(latest(one!), 'seconds')}`).join(', ');
    return `Last: ${last}. The objective for p99 is ${format(objective, 'seconds')}${within === undefined ? '' : `: kept for ${format(within, 'ratio')} of the time`}.`;
  },
};
