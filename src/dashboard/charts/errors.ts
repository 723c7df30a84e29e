import type { ChartData, ChartDefinition, PlotSeries } from './chart.js';
import { duration, format } from './format.js';
import { type Grid, gridOf, onGrid, rangeOf } from './grid.js';
import { dashedEntry, drawn, frame, latest, line, objectiveLine, timeAxis, valueAxis } from './option-parts.js';

const CALLS = 'venuekit_venue_calls_total';
const FAILURES = 'venuekit_venue_call_failures_total';
const SHORT_MS = 5 * 60_000;
const LONG_MS = 60 * 60_000;

/** What is spent of the budget in 10 min at this pace is 10 % of a day's: wake somebody. */
export const PAGE_BURN = 14.4;
/** 25 % of a day's budget in an hour: look at it today. */
export const TICKET_BURN = 6;

/** Calls, and how many of them failed, within the `columns` up to each column. */
function ratioOver(columns: number, failures: readonly (number | null)[], calls: readonly (number | null)[]): (number | null)[] {
  let failed = 0;
  let all = 0;
  return calls.map((_, i) => {
    failed += failures[i] ?? 0;
    all += calls[i] ?? 0;
    if (i >= columns) {
      failed -= failures[i - columns] ?? 0;
      all -= calls[i - columns] ?? 0;
    }
    // What was added and taken away again may leave a rest of the last digit.
    return all < 1e-9 ? null : Math.min(1, Math.max(0, failed) / all);
  });
}

/** The name of a burn rate says over how long it is. */
const burnName = (windowMs: number): string => `burn rate, ${duration(windowMs / 1000)}`;

export const errorsChart: ChartDefinition = {
  id: 'errors',
  title: 'Errors and burn rates',
  how: `Rise of ${FAILURES} over the rise of ${CALLS}, in each column; and over two windows as a multiple of the objective: the burn rate. 1× spends the error budget exactly. Marked are 6× (a quarter of a day's budget in an hour) and 14.4× (a tenth in ten minutes).`,
  async read({ store, objectives, signal }, grid) {
    const { stepMs } = grid;
    const windows = [Math.max(SHORT_MS, stepMs), Math.max(LONG_MS, 12 * stepMs)].map((ms) => Math.ceil(ms / stepMs));
    const before = windows[1]! - 1;
    const wide: Grid = gridOf(grid.from - before * stepMs, grid.to, stepMs);
    const rise = async (metric: string): Promise<(number | null)[] | undefined> => {
      const [result] = await store.query({ metric, agg: 'increase', by: [], ...rangeOf(wide) }, signal);
      return result === undefined ? undefined : onGrid(result, wide);
    };
    const [calls, failures] = await Promise.all([rise(CALLS), rise(FAILURES)]);
    const visible = (values: readonly (number | null)[]): (number | null)[] => values.slice(before);
    const found = calls === undefined || visible(calls).every((value) => value === null) ? undefined : calls;
    const series: PlotSeries[] = [];
    if (found !== undefined) {
      const failed = failures ?? [];
      const ratio = found.map((all, i) => (all === null || all === 0 ? null : Math.min(1, (failed[i] ?? 0) / all)));
      series.push({ name: 'error ratio', unit: 'ratio', v: visible(ratio) }, { name: 'calls', unit: 'count', v: visible(found), isWeight: true });
      for (const columns of windows) {
        const over = visible(ratioOver(columns, failed, found));
        const measured = visible(found);
        series.push({
          name: burnName(columns * stepMs),
          unit: 'times',
          v: over.map((value, i) => (value === null || measured[i] === null ? null : value / objectives.errorRatio)),
        });
      }
    }
    return {
      id: 'errors',
      title: errorsChart.title,
      grid,
      series,
      facts: { objective: objectives.errorRatio },
      missing: found === undefined ? [`No call to the venue was counted in this range (${CALLS}), so there is no error ratio.`] : [],
    };
  },
  option(data, look) {
    const objective = data.facts.objective!;
    const [ratio, ...burns] = drawn(data);
    if (ratio === undefined)
      return { ...frame(look), xAxis: timeAxis(look, data.grid), yAxis: valueAxis(look, 'ratio', { min: 0, max: 1 }), series: [] };
    const colours = [look.palette.series[1]!, look.palette.series[0]!];
    const most = roundUp(Math.max(1.2, ...burns.flatMap(({ v }) => v.map((value) => value ?? 0))));
    const { objective: spent, fills } = look.palette;
    const marks = [
      { burn: 1, name: `1×: ${format(objective, 'ratio')}`, color: spent },
      { burn: TICKET_BURN, name: `${TICKET_BURN}×`, color: fills.warning },
      { burn: PAGE_BURN, name: `${PAGE_BURN}×`, color: fills.other },
    ].filter(({ burn }) => burn <= most);
    const share = roundUp(Math.max(objective * 1.2, ...ratio.v.map((value) => value ?? 0)), 1);
    return {
      ...frame(look, { legend: [...[ratio, ...burns].map(({ name }) => ({ name })), ...marks.map(({ name }) => dashedEntry(name))], right: 52 }),
      xAxis: timeAxis(look, data.grid),
      yAxis: [
        valueAxis(look, 'ratio', { min: 0, max: share, interval: share / 4 }),
        valueAxis(look, 'times', { min: 0, max: most, interval: most / 4, splitLine: { show: false } }),
      ],
      series: [
        line(ratio, data.grid, look.palette.muted, {
          lineStyle: { width: 1, color: look.palette.muted },
          areaStyle: { color: look.palette.muted, opacity: 0.2 },
        }),
        // Where both are the same, the wider one shows behind the other.
        ...burns.map((one, i) =>
          line(one, data.grid, colours[i]!, { yAxisIndex: 1, z: 3 - i, lineStyle: { width: i === 0 ? 1.4 : 3, color: colours[i]! } }),
        ),
        ...marks.map(({ burn, name, color }) => objectiveLine(name, burn, color, { yAxisIndex: 1 })),
      ],
    };
  },
  words(data) {
    const whole = errorRatioOf(data);
    if (whole === undefined) return data.missing.join(' ');
    const burns = data.series.filter(({ unit }) => unit === 'times').map((one) => `${one.name}: ${format(latest(one), 'times')}`);
    return `${format(whole, 'ratio')} of calls failed in this range; the objective is ${format(data.facts.objective, 'ratio')}. Last ${burns.join('; ')}.`;
  },
};

/** Share of all calls of the range that failed. */
export function errorRatioOf(data: ChartData): number | undefined {
  const ratio = data.series.find(({ name }) => name === 'error ratio');
  const calls = data.series.find(({ isWeight }) => isWeight === true);
  return ratio === undefined || calls === undefined ? undefined : weightedMean(ratio.v, calls.v);
}

/** The share over all columns of shares, each with the events that it is a share of. */
export function weightedMean(shares: readonly (number | null)[], weights: readonly (number | null)[]): number | undefined {
  let part = 0;
  let whole = 0;
  for (const [i, share] of shares.entries()) {
    part += (share ?? 0) * (weights[i] ?? 0);
    whole += weights[i] ?? 0;
  }
  return whole > 0 ? part / whole : undefined;
}

// The next of 1, 2, 4, 8 times a power of ten, all of which quarters divide well.
function roundUp(value: number, most = Infinity): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const nice = [1, 2, 4, 8, 10].find((factor) => factor * power >= value * 1.05) ?? 20;
  return Math.min(most, nice * power);
}
